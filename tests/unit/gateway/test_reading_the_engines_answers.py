"""The seam to the dialogue engine: what its messages mean, and what its failures are called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.dialogue import RasaDialogue, read_answer
from hotline.errors import ActionsDownError, DialogueDownError
from hotline.messages import Aspect, Channel, CitizenMessage, Reply, Understanding

_MESSAGE = CitizenMessage(conversation_id="c", turn_id="t", channel=Channel.WEB, text="居住证怎么办", confidence=0.7)


def _custom(text: str, understanding: dict[str, Any] | None = None, **signals: Any) -> dict[str, Any]:
    reply = Reply(text=text).model_dump(mode="json")
    return {"recipient_id": "c", "custom": {"reply": reply, "understanding": understanding or {}, **signals}}


def test_replies_keep_their_order_and_signals_add_up() -> None:
    answer = read_answer(
        [
            _custom("一", {"intent": "ask_fee", "item_key": "JZ02", "aspect": "fee"}),
            _custom("二", {"intent": "ask_fee"}, expects="identity_proof", flow="case_status_form"),
        ]
    )
    assert [r.text for r in answer.replies] == ["一", "二"]
    assert answer.understanding == Understanding(intent="ask_fee", item_key="JZ02", aspect=Aspect.FEE)
    assert (answer.expects, answer.flow) == ("identity_proof", "case_status_form")
    assert not answer.handoff
    assert answer.part_down is None


@pytest.mark.parametrize("signal", ["handoff", "handoff_cancelled", "urgent"])
def test_signals_are_read(signal: str) -> None:
    answer = read_answer([_custom("好", **{signal: True})])
    assert getattr(answer, signal) is True


def test_a_plain_text_of_the_engine_is_a_reply() -> None:
    assert read_answer([{"recipient_id": "c", "text": "你好"}]).replies == [Reply(text="你好")]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{}],
        [{"recipient_id": "c", "text": ""}],
        [{"custom": {"other": 1}}],
        [{"custom": "x"}],
        [{"custom": {"reply": {"words": "x"}}}],
        [{"custom": {"reply": None}}],
    ],
)
def test_an_answer_that_says_nothing_is_a_failure_and_no_silence(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(ActionsDownError):
        read_answer(messages)


def test_one_unreadable_message_does_not_take_the_others_along() -> None:
    assert [r.text for r in read_answer([{"custom": {"reply": {}}}, _custom("好")]).replies] == ["好"]


def _engine(handle: Callable[[httpx.Request], Any], deadline_s: float = 1.0) -> RasaDialogue:
    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return RasaDialogue("http://rasa", "http://actions", deadline_s, client)


async def test_the_engine_is_asked_with_who_speaks_and_how() -> None:
    sent: list[dict[str, Any]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json=[_custom("好")])

    await _engine(handle).answer(_MESSAGE, "queued")
    metadata = {"turn_id": "t", "channel": "web", "confidence": 0.7, "state": "queued"}
    assert sent == [{"sender": "c", "message": "居住证怎么办", "metadata": metadata}]
    await _engine(handle).answer(_MESSAGE.model_copy(update={"recall_answered": True}), "queued")
    assert sent[1]["metadata"] == {**metadata, "recall_answered": True}


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(500),
        httpx.Response(404, text="no"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"status": "failure"}),
        httpx.Response(200, json=None),
    ],
)
async def test_garbage_from_the_engine_is_a_named_failure(response: httpx.Response) -> None:
    with pytest.raises(DialogueDownError):
        await _engine(lambda _: response).answer(_MESSAGE)


@pytest.mark.parametrize("body", [[], ["x"], [None], [5]])
async def test_an_answer_without_a_message_is_the_actions_failure(body: list[Any]) -> None:
    with pytest.raises(ActionsDownError):
        await _engine(lambda _: httpx.Response(200, json=body)).answer(_MESSAGE)


async def test_an_unreachable_engine_is_a_named_failure() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    engine = _engine(refuse)
    for call in (engine.answer(_MESSAGE), engine.ping(), engine.renew_session("c")):
        with pytest.raises(DialogueDownError):
            await call
    for call in (engine.ping_actions(), engine.ping_search()):
        with pytest.raises(ActionsDownError):
            await call


async def test_an_engine_that_is_late_is_a_named_failure() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(DialogueDownError):
        await _engine(never, 0.02).answer(_MESSAGE)


async def test_a_session_is_renewed_by_the_engines_own_command() -> None:
    sent: list[dict[str, Any]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json=[])

    await _engine(handle).renew_session("c")
    assert sent == [{"sender": "c", "message": "/session_start"}]


@pytest.mark.parametrize(
    ("rating", "kept"), [(5, 5), (1, 1), (0, None), (6, None), ("5", None), (True, None), (None, None)]
)
def test_a_rating_is_one_to_five_or_none(rating: object, kept: int | None) -> None:
    assert read_answer([_custom("谢谢", rating=rating)]).rating == kept


@pytest.mark.parametrize(
    ("signals", "change"),
    [({"speech_speed": "slower"}, "slower"), ({"dialect": "cantonese"}, "cantonese"), ({"speech_speed": "x"}, None)],
)
def test_how_to_speak_is_read(signals: dict[str, Any], change: str | None) -> None:
    assert read_answer([_custom("好的", **signals)]).speech_change == change
