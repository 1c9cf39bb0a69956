"""The same script through the WebSocket, AudioSocket and SIP doors: one CallSession serves them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from phone_callers import (
    AudioSocketCaller,
    Caller,
    SipCaller,
    WebSocketCaller,
    live_call,
    silence,
    soon,
    syllables,
    tone,
    trail_of,
)  # fmt: skip
from running_gateway import DEADLINE_S, Gateway

from hotline.conversation import Trigger
from hotline.events import ConversationEvent, EventType
from hotline.messages import Reply, Understanding
from hotline.ports import DialogueAnswer

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOORS = ["websocket", "audiosocket", "sip-pcmu", "sip-pcma"]
LONG = "请带身份证原件，" * 400  # four seconds of the scripted voice

HANDOFF = DialogueAnswer(
    replies=[Reply(text="请稍候。")], understanding=Understanding(intent="handoff"), handoff=True
)  # fmt: skip


def caller_at(gateway: Gateway, door: str, **more: Any) -> Caller:
    settings = gateway.services.settings
    if door == "websocket":
        return WebSocketCaller(gateway.address, **more)
    if door == "audiosocket":
        return AudioSocketCaller(("127.0.0.1", settings.audiosocket_port), **more)
    return SipCaller(("127.0.0.1", settings.sip_port), payload_type=8 if door == "sip-pcma" else 0, **more)


def answer(text: str) -> DialogueAnswer:
    return DialogueAnswer(replies=[Reply(text=text)], understanding=Understanding(intent="ask_materials"))


@asynccontextmanager
async def calling(gateway: Gateway, door: str, **more: Any) -> AsyncIterator[Caller]:
    async with hanging_up(caller_at(gateway, door, **more)) as caller:
        yield caller
    await soon(lambda: not gateway.services.calls.live)


@asynccontextmanager
async def hanging_up(caller: Caller) -> AsyncIterator[Caller]:
    try:
        await caller.dial()
        yield caller
    finally:
        await caller.close()


@pytest.mark.parametrize("door", DOORS)
async def test_greeting_question_answer_and_hanging_up(gateway: Gateway, door: str) -> None:
    gateway.recogniser._script.append("居住证怎么办")
    gateway.engine._answers["居住证怎么办"] = DialogueAnswer(
        replies=[Reply(text="1. 身份证", speech_text="第一，身份证。" * 30)],
        understanding=Understanding(intent="ask_materials", item_key="JZ02"),
    )
    async with calling(gateway, door) as caller:
        call = await live_call(gateway)
        await caller.until_loud()
        await caller.until_quiet()
        await caller.speak(tone(0.8))
        await caller.speak(silence(1.2))
        await caller.until_loud(8)
        await caller.until_quiet()
        await caller.hang_up()
        trail = await trail_of(gateway, call, EventType.CALL_ENDED)
    assert [e.type.value for e in trail] == [
        "conversation_started", "call_started", "citizen_message", "reply", "call_ended",
    ]  # fmt: skip
    name = door.split("-")[0]
    assert {"door": name, "caller": "138****0001", "sample_rate": 8000}.items() <= trail[1].data.items()
    assert {"door": name, "reason": "caller"}.items() <= trail[-1].data.items()
    assert trail[-1].data["seconds"] > 0
    spoken = "".join(gateway.synthesiser.spoken)
    assert spoken.index("人工智能") < spoken.index("身份证")
    assert len(gateway.recogniser.utterances) == 1
    assert gateway.services.calls.live == {}
    metrics = (await gateway.http.get("/metrics")).text
    assert f'hotline_calls_active{{door="{name}"}} 0.0' in metrics
    assert f'hotline_calls_ended_total{{door="{name}",reason="caller"}}' in metrics


@pytest.mark.parametrize("door", DOORS)
async def test_a_caller_who_speaks_stops_the_line_at_once(gateway: Gateway, door: str) -> None:
    gateway.recogniser._script += ["居住证怎么办", "那要多久"]
    gateway.engine._answers |= {"居住证怎么办": answer(LONG), "那要多久": answer("十个工作日。" * 30)}
    async with calling(gateway, door) as caller:
        await caller.until_loud()
        await caller.until_quiet()
        await caller.speak(tone(0.8))
        await caller.speak(silence(1.2))
        await caller.until_loud(20)
        await caller.speak(syllables(0.5))
        before = caller.loud
        await caller.until_quiet()
        assert caller.loud - before < 0.5 / 0.02, "what was under way is all that is still heard"
        await caller.speak(silence(1.2))
        await caller.until_loud()
    assert [message.text for message, _ in gateway.engine.asked] == ["居住证怎么办", "那要多久"]


@pytest.mark.parametrize("door", DOORS)
async def test_zero_brings_a_person_who_writes_and_is_heard_in_the_same_call(gateway: Gateway, door: str) -> None:
    gateway.engine._answers["转人工"] = HANDOFF
    store, now = gateway.services.store, datetime.now(UTC)
    async with calling(gateway, door) as caller:
        call = await live_call(gateway)
        await caller.until_loud()
        await caller.press("0")
        await soon(lambda: call.session.state == "queued")
        change = await store.set_state(call.conversation_id, Trigger.AGENT_ACCEPTED, now)
        gateway.services.feed.publish(change.events)
        await soon(lambda: call.session.state == "agent")
        await caller.until_quiet()
        words = ConversationEvent(
            conversation_id=call.conversation_id, turn_id=None, type=EventType.AGENT_MESSAGE, at=now,
            data={"text": "您好，我是坐席。" * 20},
        )  # fmt: skip
        gateway.services.feed.publish([await store.append(words)])
        await caller.until_loud(5)
        assert "我是坐席" in "".join(gateway.synthesiser.spoken)
        assert not caller.hung_up.is_set()


@pytest.mark.parametrize("door", DOORS)
async def test_a_key_without_a_menu_is_told_what_the_keys_do(gateway: Gateway, door: str) -> None:
    async with calling(gateway, door) as caller:
        await caller.until_loud()
        await caller.until_quiet()
        gateway.synthesiser.spoken.clear()
        await caller.press("5")
        await soon(lambda: bool(gateway.synthesiser.spoken))
    assert "零" in "".join(gateway.synthesiser.spoken)


@pytest.mark.parametrize("door", DOORS)
async def test_two_calls_of_one_caller_are_two_conversations(gateway: Gateway, door: str) -> None:
    other = caller_at(gateway, door)
    async with calling(gateway, door) as one, hanging_up(other) as two:
        await one.until_loud()
        await two.until_loud()
        await soon(lambda: len(gateway.services.calls.live) == 2)
        assert len({call.conversation_id for call in gateway.services.calls.live.values()}) == 2
        gateway.engine._answers["转人工"] = HANDOFF
        await one.hang_up()
        await soon(lambda: len(gateway.services.calls.live) == 1)
        await two.press("0")
        (call,) = gateway.services.calls.live.values()
        await trail_of(gateway, call, EventType.QUEUE)


@pytest.mark.parametrize("door", DOORS)
async def test_a_line_that_ends_the_call_hangs_up(gateway: Gateway, door: str) -> None:
    async with calling(gateway, door) as caller:
        call = await live_call(gateway)
        await caller.until_loud()
        await call.session._end("silence")
        async with asyncio.timeout(DEADLINE_S):
            await caller.hung_up.wait()
        trail = await trail_of(gateway, call, EventType.CALL_ENDED)
    assert trail[-1].data["reason"] == "silence"
