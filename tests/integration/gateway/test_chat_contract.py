"""Chat over HTTP, as the outward contract has it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from running_gateway import Gateway

from hotline.errors import DialogueDownError
from hotline.messages import Aspect, Button, Reply, Source, Understanding
from hotline.ports import DialogueAnswer
from storage.errors import StorageDownError

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPLY_KEYS = {"text", "speech_text", "buttons", "card", "sources"}
UNDERSTANDING_KEYS = {"intent", "aspect", "confidence", "item_key", "item_code", "item_name", "candidates"}

FULL = DialogueAnswer(
    replies=[
        Reply(
            text="1. 身份证",
            speech_text="第一，身份证。",
            buttons=[Button(title="收费", payload="收费")],
            card={"kind": "service", "title": "申领居住证", "rows": []},
            sources=[Source(item_code="TEST1", field="materials", version="S4 2026-11-22")],
        )
    ],
    understanding=Understanding(
        intent="ask_materials", aspect=Aspect.MATERIALS, confidence=0.9, item_key="JZ02", item_code="TEST1"
    ),
)


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = dict(answer.json())
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"].endswith(code)
    assert re.search(r"[\u4e00-\u9fff]{4}", body["detail"])
    return body


async def test_a_conversation_begins_with_a_greeting_and_its_own_token(gateway: Gateway) -> None:
    answer = await gateway.http.post("/api/v1/conversations", json={"channel": "web"})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"conversation_id", "token", "replies"}
    assert set(body["replies"][0]) == REPLY_KEYS
    assert "人工智能" in body["replies"][0]["text"]
    record = await gateway.services.store.get_conversation(body["conversation_id"])
    assert body["token"] not in record.model_dump_json()
    assert (await gateway.http.post("/api/v1/conversations")).status_code == 201


async def test_a_message_gets_the_answer_of_the_contract(gateway: Gateway) -> None:
    gateway.engine._answers["居住证要什么材料"] = FULL
    talk = await gateway.open()
    answer = await talk.say("居住证要什么材料", client_message_id="m1")
    assert answer.status_code == 200
    body = answer.json()
    assert {"turn_id", "state", "replies", "understanding"} <= set(body)
    assert body["state"] == "bot"
    assert body["replies"] == [FULL.replies[0].model_dump(mode="json")]
    assert set(body["understanding"]) == UNDERSTANDING_KEYS
    assert body["understanding"]["aspect"] == "materials"
    again = await talk.say("居住证要什么材料", client_message_id="m1")
    assert again.json() == body
    assert len(gateway.engine.asked) == 1
    history = await talk.history()
    assert [m["text"] for m in history["messages"]] == ["居住证要什么材料"]
    assert history["messages"][0]["turn_id"] == body["turn_id"]
    assert history["messages"][0]["replies"] == body["replies"]


async def test_the_history_is_masked_and_begins_after_a_turn_where_asked(gateway: Gateway) -> None:
    talk = await gateway.open()
    first = (await talk.say("我的电话是13800000001")).json()
    await talk.say("第二句")
    history = await talk.history()
    assert [m["text"] for m in history["messages"]] == ["我的电话是138****0001", "第二句"]
    later = await gateway.http.get(f"{talk.path}/messages?after={first['turn_id']}", headers=talk.headers)
    assert [m["text"] for m in later.json()["messages"]] == ["第二句"]
    unknown = await gateway.http.get(f"{talk.path}/messages?after=nothing", headers=talk.headers)
    is_problem(unknown, 404, "not_found")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_text"),
        ("  \n", "empty_text"),
        ("居" * 501, "text_too_long"),
        ("😀😀", "unreadable_text"),
        (None, "unreadable_text"),
        (["居住证"], "unreadable_text"),
        (7, "unreadable_text"),
    ],
)
async def test_what_cannot_be_read_is_a_named_problem(gateway: Gateway, text: object, code: str) -> None:
    talk = await gateway.open()
    is_problem(await talk.say(text), 422, code)
    assert (await talk.history())["messages"] == []


async def test_five_hundred_characters_are_taken(gateway: Gateway) -> None:
    talk = await gateway.open()
    assert (await talk.say("居" * 500)).status_code == 200


async def test_markup_and_sql_are_words_like_others(gateway: Gateway) -> None:
    talk = await gateway.open()
    for text in ("<script>alert(1)</script>", "'; DROP TABLE turns; --", "{{7*7}}", "%s%n"):
        assert (await talk.say(text)).status_code == 200
    assert len((await talk.history())["messages"]) == 4


@pytest.mark.parametrize("token", [None, "", "wrong", "Bearer", "Bearer wrong", "Basic abc", "Bearer 中"])
async def test_a_wrong_token_opens_nothing(gateway: Gateway, token: str | None) -> None:
    talk = await gateway.open()
    headers = {} if token is None else {"Authorization": token.encode()}
    for method, path, body in (
        ("POST", "/messages", {"text": "你好"}),
        ("GET", "/messages", None),
        ("POST", "/rating", {"score": 5}),
    ):
        answer = await gateway.http.request(method, talk.path + path, json=body, headers=headers)  # type: ignore[arg-type]
        is_problem(answer, 401, "not_authorised")


async def test_an_unknown_conversation_looks_like_a_wrong_token(gateway: Gateway) -> None:
    talk, other = await gateway.open(), await gateway.open()
    for conversation_id in ("nothing", other.conversation_id, "..%2f..", "x" * 300):
        answer = await gateway.http.post(
            f"/api/v1/conversations/{conversation_id}/messages", json={"text": "你好"}, headers=talk.headers
        )
        assert answer.status_code in (401, 404)
        is_problem(answer, answer.status_code, "not_authorised" if answer.status_code == 401 else "http_error")


@pytest.mark.parametrize(
    "content", [b"", b"not json", b"[1,2", b"\xff\xfe\x00", b'"text"', b"null", b"[]", b'{"text": "\xff"}', b"[" * 5000]
)
async def test_a_body_that_is_no_json_object_is_a_problem(gateway: Gateway, content: bytes) -> None:
    talk = await gateway.open()
    headers = talk.headers | {"content-type": "application/json"}
    answer = await gateway.http.post(f"{talk.path}/messages", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    is_problem(answer, answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("client_id", ["", "x" * 129, 5, ["m"], "\ud800"])
async def test_a_client_message_id_that_cannot_be_kept_is_refused(gateway: Gateway, client_id: object) -> None:
    talk = await gateway.open()
    import json

    content = json.dumps({"text": "你好", "client_message_id": client_id}).encode()
    headers = talk.headers | {"content-type": "application/json"}
    answer = await gateway.http.post(f"{talk.path}/messages", content=content, headers=headers)
    is_problem(answer, 422, "bad_input")


async def test_a_megabyte_is_refused_before_it_is_read(gateway: Gateway) -> None:
    talk = await gateway.open()
    answer = await talk.say("居" * 350_000)
    is_problem(answer, 413, "body_too_large")
    assert (await talk.say("你好")).status_code == 200


async def test_a_body_without_a_length_is_refused(gateway: Gateway) -> None:
    talk = await gateway.open()

    async def endless():  # type: ignore[no-untyped-def]
        yield b'{"text":"'
        yield b"a" * 1000

    answer = await gateway.http.post(f"{talk.path}/messages", content=endless(), headers=talk.headers)
    is_problem(answer, 411, "length_required")


async def test_wrong_addresses_and_methods_are_problems(gateway: Gateway) -> None:
    is_problem(await gateway.http.get("/api/v1/nothing"), 404, "http_error")
    is_problem(await gateway.http.delete("/api/v1/conversations"), 405, "http_error")


async def test_an_engine_that_is_down_still_brings_an_answer(gateway: Gateway) -> None:
    gateway.engine.available = False
    talk = await gateway.open()
    body = (await talk.say("居住证怎么办")).json()
    assert body["replies"][0]["text"] == DialogueDownError.citizen_sentence
    queued = (await talk.say("转人工")).json()
    assert queued["state"] == "queued"


async def test_a_defect_shows_no_trace_of_the_code(gateway: Gateway) -> None:
    gateway.engine._answers["你好"] = RuntimeError("secret detail")
    talk = await gateway.open()
    answer = await talk.say("你好")
    assert "secret" not in answer.text
    is_problem(answer, 500, "internal_error")


async def test_a_store_that_is_down_is_a_named_problem(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = await gateway.open()

    async def down(*_: object) -> None:
        raise StorageDownError

    monkeypatch.setattr(gateway.services.store, "begin_turn", down)
    is_problem(await talk.say("你好"), 503, "storage_down")


@pytest.mark.parametrize("score", [1, 3, 5])
async def test_a_conversation_is_rated(gateway: Gateway, score: int) -> None:
    talk = await gateway.open()
    body = {"score": score, "comment": "很好，回访13800000001"}
    answer = await gateway.http.post(f"{talk.path}/rating", json=body, headers=talk.headers)
    assert answer.status_code == 201
    record = await gateway.services.store.get_conversation(talk.conversation_id)
    assert record.rating_score == score
    assert record.rating_comment == "很好，回访138****0001"


@pytest.mark.parametrize("body", [{"score": 0}, {"score": 6}, {"score": "好"}, {}, {"score": 5, "comment": "居" * 501}])
async def test_a_rating_beyond_the_scale_is_a_problem(gateway: Gateway, body: dict[str, object]) -> None:
    talk = await gateway.open()
    answer = await gateway.http.post(f"{talk.path}/rating", json=body, headers=talk.headers)
    is_problem(answer, 422, "bad_input")


async def test_every_answer_carries_the_security_headers(gateway: Gateway) -> None:
    for path in ("/healthz", "/api/v1/nothing", "/"):
        headers = (await gateway.http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]


# ---------------------------------------------------------------- Rasa's own channel


async def _rest(gateway: Gateway, sender: object, message: object) -> httpx.Response:
    return await gateway.http.post("/webhooks/rest/webhook", json={"sender": sender, "message": message})


async def test_the_rest_channel_answers_in_rasas_shape(gateway: Gateway) -> None:
    gateway.engine._answers["材料"] = FULL
    answer = await _rest(gateway, "张三的手机", "材料")
    assert answer.json() == [
        {"recipient_id": "张三的手机", "text": "1. 身份证", "buttons": [{"title": "收费", "payload": "收费"}]}
    ]
    assert (await _rest(gateway, "张三的手机", "别的")).json() == [{"recipient_id": "张三的手机", "text": "好的。"}]


async def test_senders_of_the_rest_channel_have_conversations_of_their_own(gateway: Gateway) -> None:
    for sender in ("甲", "乙", "甲", "13800000001", "13800000002", "13800000001"):
        assert (await _rest(gateway, sender, "你好")).status_code == 200
    heard = [message.conversation_id for message, _ in gateway.engine.asked]
    assert heard[0] == heard[2]
    assert heard[3] == heard[5]
    assert len(set(heard)) == 4
    assert len({*heard, "13800000001"}) == 5


async def test_the_rest_channel_says_in_words_what_it_cannot_take(gateway: Gateway) -> None:
    assert "500" in (await _rest(gateway, "甲", "居" * 600)).json()[0]["text"]
    assert (await _rest(gateway, "甲", "")).json()[0]["text"]
    is_problem(await _rest(gateway, "", "你好"), 422, "bad_input")
    is_problem(await _rest(gateway, "x" * 256, "你好"), 422, "bad_input")
    is_problem(await _rest(gateway, 5, "你好"), 422, "bad_input")


# ---------------------------------------------------------------- health


async def test_a_whole_house_is_ready(gateway: Gateway) -> None:
    assert (await gateway.http.get("/healthz")).json() == {"status": "ok"}
    answer = await gateway.http.get("/readyz")
    assert answer.status_code == 200
    parts = answer.json()["parts"]
    assert {"rasa", "actions", "hub", "search", "storage"} <= set(parts)
    assert all(parts[p]["status"] == "ok" for p in ("rasa", "actions", "hub", "search", "storage"))


@pytest.mark.parametrize(
    ("part", "down", "code"),
    [
        ("rasa", {"rasa"}, "dialogue_down"),
        ("actions", {"actions", "search"}, "actions_down"),
        ("hub", {"hub"}, "hub_down"),
        ("storage", {"storage"}, "storage_down"),
    ],
)
async def test_readiness_names_the_part_that_is_down(
    new_gateway: Gateway, monkeypatch: pytest.MonkeyPatch, part: str, down: set[str], code: str
) -> None:
    async def fail() -> None:
        raise StorageDownError

    new_gateway.engine.available = part != "rasa"
    new_gateway.engine.actions_available = part != "actions"
    new_gateway.hub.available = part != "hub"
    if part == "storage":
        monkeypatch.setattr(new_gateway.services.store, "ping", fail)
    answer = await new_gateway.http.get("/readyz")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    named = {p for p in ("rasa", "actions", "hub", "search", "storage") if parts[p]["status"] == "down"}
    assert named == down
    assert parts[part]["code"] == code
    assert (await new_gateway.http.get("/healthz")).status_code == 200
    assert f'hotline_parts_down_total{{part="{part}"}} 1.0' in (await new_gateway.http.get("/metrics")).text


async def test_metrics_count_the_turns_by_channel(new_gateway: Gateway) -> None:
    talk = await new_gateway.open()
    await talk.say("你好")
    await talk.say("你好")
    await _rest(new_gateway, "甲", "你好")
    metrics = (await new_gateway.http.get("/metrics")).text
    assert 'hotline_turns_total{channel="web",state="bot"} 2.0' in metrics
    assert 'hotline_turns_total{channel="rest",state="bot"} 1.0' in metrics
    assert 'hotline_turn_seconds_count{channel="web"} 2.0' in metrics


async def test_the_interface_describes_itself(gateway: Gateway) -> None:
    paths = (await gateway.http.get("/openapi.json")).json()["paths"]
    assert "/api/v1/conversations/{conversation_id}/messages" in paths
    assert (await gateway.http.get("/docs")).status_code == 200
