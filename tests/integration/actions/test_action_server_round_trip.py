"""The real action server over HTTP, asked as Rasa 3.6 asks it."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Sanic

from actions.assist import add_assist
from actions.base import Tools
from actions.live_catalogue import LiveCatalogue
from actions.registry import make_actions
from actions.server import add_readiness, add_request_reading
from actions.wording import Wording
from data_hub.memory import InMemoryDataHub
from gateway.assist import HttpAssist
from gateway.dialogue import read_answer
from gateway.triage import ActionsTriage
from hotline.errors import ActionsDownError
from hotline.messages import Aspect
from hotline.work_order_ports import RequestTriage
from hotline.work_order_record import RequestReading
from hotline.work_orders import RequestType
from knowledge_base.catalogue import load_catalogue
from knowledge_base.memory import CharacterEncoder, PhraseSearch
from knowledge_base.request_reading import RequestReader
from knowledge_base.triage import load_categories

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "actions"))
from line_parts import LAST_FOUR, NAME, case_record

pytestmark = pytest.mark.asyncio(loop_scope="module")
CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def hub() -> InMemoryDataHub:
    return InMemoryDataHub(CATALOGUE.items.values(), CATALOGUE.halls.values(), [case_record()])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(hub: InMemoryDataHub) -> AsyncIterator[httpx.AsyncClient]:
    tools = Tools(
        catalogue=CATALOGUE,
        search=PhraseSearch(CATALOGUE.items.values()),
        hub=hub,
        requests=hub,
        categories=load_categories(),
        wording=Wording(),
        deadline_s=1.8,
        today=lambda: date(2026, 11, 22),
    )
    executor = ActionExecutor()
    for action in make_actions(tools):
        executor.register_action(action)
    Sanic.test_mode = True
    app = create_app(executor, cors_origins=[])
    live = LiveCatalogue(tools, [], lambda _: tools.search)
    add_readiness(app, live)
    add_request_reading(app, live, CharacterEncoder())
    add_assist(app, lambda: tools)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    running: Any = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False)
    await running.startup()
    await running.before_start()
    await running.after_start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=5) as client:
        yield client
    await running.before_stop()
    await running.close()
    await running.after_stop()
    Sanic._app_registry.clear()


def payload(action: str, text: str, intent: str = "inform", **slots: Any) -> dict[str, Any]:
    """What Rasa 3.6.21 posts to its action endpoint."""
    message = {
        "intent": {"name": intent, "confidence": 0.93},
        "entities": [],
        "text": text,
        "message_id": "2f6d",
        "metadata": {"turn_id": "t1", "channel": "web", "confidence": 1.0, "state": "bot"},
        "text_tokens": [[0, len(text)]],
        "intent_ranking": [{"name": intent, "confidence": 0.93}],
    }
    return {
        "next_action": action,
        "sender_id": "c1",
        "tracker": {
            "sender_id": "c1",
            "slots": {"session_started_metadata": None, "requested_slot": None} | slots,
            "latest_message": message,
            "latest_event_time": 1795341600.0,
            "followup_action": None,
            "paused": False,
            "events": [
                {"event": "action", "timestamp": 1795341599.0, "name": "action_session_start"},
                {"event": "user", "timestamp": 1795341600.0, "text": text, "parse_data": message},
            ],
            "latest_input_channel": "rest",
            "active_loop": {},
            "latest_action": {"action_name": "action_listen"},
            "latest_action_name": "action_listen",
        },
        "domain": {"config": {}, "intents": [], "entities": [], "slots": {}, "responses": {}, "actions": []},
        "version": "3.6.21",
    }


async def test_an_answer_makes_the_round_trip_with_its_sources(server: httpx.AsyncClient) -> None:
    answer = await server.post("/webhook", json=payload("action_answer_service", "申领居住证收费吗", "ask_fee"))
    assert answer.status_code == 200
    body = answer.json()
    slots = {e["name"]: e["value"] for e in body["events"] if e["event"] == "slot"}
    assert slots["service_item"] == "JZ02"
    assert slots["last_aspect"] == "fee"
    # Rasa's REST channel hands on what is under ``custom``.
    read = read_answer([{"recipient_id": "c1", "custom": r["custom"]} for r in body["responses"]])
    assert "首次申领居住证不收费" in read.replies[0].text
    assert read.understanding.aspect is Aspect.FEE
    assert read.understanding.item_key == "JZ02"
    assert read.understanding.confidence == pytest.approx(0.93)
    assert read.replies[0].sources[0].field == "fee"


async def test_the_status_form_makes_the_round_trip_without_a_proof_in_any_slot(server: httpx.AsyncClient) -> None:
    text = f"613482，{NAME}，{LAST_FOUR}"
    body = (await server.post("/webhook", json=payload("validate_case_status_form", text, "check_status"))).json()
    slots = {e["name"]: e["value"] for e in body["events"] if e["event"] == "slot"}
    assert slots["case_reference"] == "613482"
    assert slots["identity_outcome"] == "verified"
    assert NAME not in str(body)
    assert LAST_FOUR not in str(body)
    body = (await server.post("/webhook", json=payload("action_case_status", text, **slots))).json()
    assert "审核中" in read_answer(body["responses"]).replies[0].text
    assert NAME not in str(body)


async def test_a_hub_that_is_down_is_said_over_the_round_trip(server: httpx.AsyncClient, hub: InMemoryDataHub) -> None:
    hub.available = False
    try:
        request = payload("action_case_status", "查进度", case_reference="613482", identity_outcome="unavailable")
        answer = await server.post("/webhook", json=request)
    finally:
        hub.available = True
    assert answer.status_code == 200
    read = read_answer(answer.json()["responses"])
    assert read.part_down == "hub_down"
    assert "数据中台暂时联系不上" in read.replies[0].text


async def test_an_action_nobody_knows_is_named(server: httpx.AsyncClient) -> None:
    answer = await server.post("/webhook", json=payload("action_unheard_of", "你好"))
    assert answer.status_code == 404
    assert answer.json()["action_name"] == "action_unheard_of"


async def test_readiness_asks_the_search_index(server: httpx.AsyncClient) -> None:
    answer = await server.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["services"] == len(CATALOGUE)
    assert (await server.get("/health")).status_code == 200


async def test_every_action_of_the_line_is_served(server: httpx.AsyncClient) -> None:
    from actions.registry import ACTIONS

    served = {a["name"] for a in (await server.get("/actions")).json()}
    assert len(served) >= len(ACTIONS)
    assert {"action_answer_service", "validate_case_status_form", "action_safety"} <= served


NOISY = "桂城南海大道昨晚十一点还在打桩吵死了，我要投诉"


@pytest.fixture(params=["in process", "over http"])
def triage(request: pytest.FixtureRequest, server: httpx.AsyncClient) -> RequestTriage:
    if request.param == "over http":
        return ActionsTriage("", server)
    return RequestReader(CATALOGUE, load_categories(), CharacterEncoder(), PhraseSearch(CATALOGUE.items.values()))


async def test_a_request_is_read_the_same_here_and_over_http(triage: RequestTriage) -> None:
    read = await triage.read(NOISY)
    assert (read.town, read.category, read.type) == ("桂城街道", "noise", RequestType.COMPLAINT)
    assert read.department
    assert read.place == "南海大道"
    assert read.words
    assert read.vector is not None
    assert sum(x * x for x in read.vector) == pytest.approx(1.0, abs=1e-3)
    twin = await triage.read("桂城南海大道打桩吵死了")
    other = await triage.read("桂城南海大道路灯坏了")
    assert _cosine(read, twin) > _cosine(read, other)


async def test_a_reader_that_does_not_answer_is_a_named_failure(server: httpx.AsyncClient) -> None:
    with pytest.raises(ActionsDownError):
        await ActionsTriage("", server).read(" ")
    async with httpx.AsyncClient() as client:
        with pytest.raises(ActionsDownError):
            await ActionsTriage("http://127.0.0.1:9", client).read(NOISY)


def _cosine(one: RequestReading, other: RequestReading) -> float:
    return sum(a * b for a, b in zip(one.vector or [], other.vector or [], strict=True))


async def test_the_agents_desk_is_given_passages_with_their_sources_and_the_fields_said(
    server: httpx.AsyncClient,
) -> None:
    assist = HttpAssist(str(server.base_url).rstrip("/"), 5.0, server)
    found = await assist.look("居住证要带什么材料", Aspect.MATERIALS)
    assert all("联系不上" not in passage.reply.text for passage in found.passages)  # nobody asked the hub
    assert found.passages[0].item_key == "JZ02"
    assert found.passages[0].reply.sources
    assert found.fields.happened == ""  # a question is no complaint
    told = await assist.look("桂城南海大道昨晚有工地施工噪音，很吵", limit=0)
    assert told.passages == []
    assert (told.fields.town, told.fields.place, told.fields.category) == ("桂城街道", "桂城南海大道", "noise")
    assert told.fields.when


@pytest.mark.parametrize("body", [b"", b"[]", b'{"text":""}', b'{"text":"x","limit":99}'])
async def test_a_question_that_cannot_be_read_is_refused(server: httpx.AsyncClient, body: bytes) -> None:
    assert (await server.post("/assist", content=body)).status_code == 422


async def test_assist_that_does_not_answer_is_a_named_error() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(ActionsDownError):
            await HttpAssist("http://127.0.0.1:9", 1.0, client).look("居住证")
