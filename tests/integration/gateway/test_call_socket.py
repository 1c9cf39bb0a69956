"""A call over its WebSocket: from the start frame to the end, and everything out of order."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
import pytest
from running_gateway import DEADLINE_S, Gateway, frame, frames_until
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from hotline.desk import CallbackReason, CallbackState
from hotline.events import EventType
from hotline.messages import Reply, Understanding
from hotline.ports import DialogueAnswer
from storage.errors import StorageDownError

pytestmark = pytest.mark.asyncio(loop_scope="module")

START: dict[str, Any] = {"type": "start", "encoding": "pcm_s16le", "sample_rate": 8000}


def sound(seconds: float, amplitude: int = 6000, rate: int = 8000) -> bytes:
    samples = np.full(int(rate * seconds), amplitude, np.int16)
    samples[1::2] *= -1
    return samples.tobytes()


async def send(call: ClientConnection, **frame_: Any) -> None:
    await call.send(json.dumps(frame_))


async def speak(call: ClientConnection) -> None:
    await call.send(sound(0.8) + sound(1.2, amplitude=0))


async def begin(call: ClientConnection, **more: Any) -> dict[str, Any]:
    """Starts the call and hears the greeting out; the ``started`` frame."""
    await send(call, **(START | more))
    started = await frame(call)
    assert started["type"] == "started"
    await frames_until(call, type="speech", phase="end")
    return dict(started)


async def error_code(call: ClientConnection) -> str:
    return str((await frames_until(call, type="error"))[-1]["code"])


@pytest.mark.parametrize(
    ("encoding", "rate"), [("pcm_s16le", 8000), ("pcm_s16le", 16000), ("mulaw", 8000), ("mulaw", 16000)]
)
async def test_a_call_starts_with_a_greeting_that_names_the_machine(gateway: Gateway, encoding: str, rate: int) -> None:
    async with gateway.socket("/api/v1/calls") as call:
        await send(call, type="start", encoding=encoding, sample_rate=rate)
        seen = await frames_until(call, type="speech", phase="end")
    texts = [f for f in seen if isinstance(f, dict)]
    assert [f["type"] for f in texts] == ["started", "reply", "speech", "speech"]
    assert {"call_id", "conversation_id"} <= set(texts[0])
    assert "人工智能" in texts[1]["text"]
    assert set(texts[1]["understanding"]) >= {"intent", "item_key"}
    assert [f["phase"] for f in texts[2:]] == ["start", "end"]
    assert any(isinstance(f, bytes) for f in seen)


async def test_a_whole_call_from_the_first_word_to_the_last(new_gateway: Gateway) -> None:
    new_gateway.recogniser._script.extend(["居住证怎么办", "转人工"])
    new_gateway.engine._answers["居住证怎么办"] = DialogueAnswer(
        replies=[Reply(text="1. 身份证", speech_text="第一，身份证。")],
        understanding=Understanding(intent="ask_materials", item_key="JZ02"),
    )
    new_gateway.engine._answers["转人工"] = DialogueAnswer(
        replies=[Reply(text="请稍候。")], understanding=Understanding(intent="handoff"), handoff=True
    )
    async with new_gateway.socket("/api/v1/calls") as call:
        started = await begin(call, caller="13800000001")
        await speak(call)
        seen = [f for f in await frames_until(call, type="speech", phase="end") if isinstance(f, dict)]
        final = next(f for f in seen if f["type"] == "transcript" and f["final"])
        assert (final["text"], final["confidence"]) == ("居住证怎么办", 0.9)
        reply = next(f for f in seen if f["type"] == "reply")
        assert reply["text"] == "1. 身份证"
        assert reply["understanding"]["item_key"] == "JZ02"
        assert [f.get("phase") for f in seen if f["type"] == "speech"] == ["start", "end"]
        assert {f["turn_id"] for f in seen if f["type"] == "speech"} == {reply["turn_id"]}
        await speak(call)
        seen = await frames_until(call, type="speech", phase="end")
        assert [f["state"] for f in seen if isinstance(f, dict) and f["type"] == "state"] == ["queued"]
        await send(call, type="stop")
        ended = (await frames_until(call, type="ended"))[-1]
        assert ended["reason"] == "caller"
        with pytest.raises(ConnectionClosed):
            await frame(call)
    store = new_gateway.services.store
    async with asyncio.timeout(DEADLINE_S):  # the last event is written after the last frame
        while True:
            trail = await store.events_after(started["conversation_id"], 0)
            if trail[-1].data == {"state": "bot"}:
                break
    kinds = [e.type.value for e in trail]
    assert kinds == [
        "conversation_started",
        "call_started",
        *["citizen_message", "reply"],
        *["citizen_message", "reply", "state", "queue"],
        "call_ended",
        "state",  # who hangs up while waiting waits no longer, and is called back
    ]
    assert trail[1].data["caller"] == "138****0001"
    assert trail[-2].data["reason"] == "caller"
    (task,) = await new_gateway.services.desk.books.callbacks([CallbackState.OPEN])
    assert (task.reason, task.contact_shown) == (CallbackReason.DROPPED, "138****0001")
    turns = await store.history(started["conversation_id"])
    assert [(t.text, t.confidence, t.channel.value) for t in turns] == [
        ("居住证怎么办", 0.9, "voice"),
        ("转人工", 0.9, "voice"),
    ]
    assert "身份证" in "".join(new_gateway.synthesiser.spoken)
    metrics = (await new_gateway.http.get("/metrics")).text
    assert 'hotline_calls_active{door="websocket"} 0.0' in metrics
    assert 'hotline_turns_total{channel="voice",state="bot"} 1.0' in metrics


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (sound(0.02), "frame_order"),
        (b"\x01", "frame_order"),
        ("not json", "bad_input"),
        ("[1]", "bad_input"),
        ("[" * 100_000, "bad_input"),
        ('{"type":"stop"}', "frame_order"),
        ('{"type":"dtmf","digit":"0"}', "frame_order"),
        ("{}", "frame_order"),
        ('{"type":"start"}', "audio_format"),
        ('{"type":"start","encoding":"opus","sample_rate":8000}', "audio_format"),
        ('{"type":"start","encoding":["pcm_s16le"],"sample_rate":8000}', "audio_format"),
        ('{"type":"start","encoding":"pcm_s16le","sample_rate":44100}', "audio_format"),
        ('{"type":"start","encoding":"pcm_s16le","sample_rate":"8000"}', "audio_format"),
        ('{"type":"start","encoding":"pcm_s16le","sample_rate":true}', "audio_format"),
        ('{"type":"start","encoding":"pcm_s16le","sample_rate":{}}', "audio_format"),
    ],
)
async def test_what_comes_before_a_good_start_is_named_and_the_call_can_still_begin(
    gateway: Gateway, sent: str | bytes, code: str
) -> None:
    async with gateway.socket("/api/v1/calls") as call:
        await call.send(sent)
        assert await error_code(call) == code
        await begin(call)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("not json", "bad_input"),
        ("null", "bad_input"),
        ('{"type":"sing"}', "bad_input"),
        ('{"type":{}}', "bad_input"),
        (json.dumps(START), "frame_order"),
        ('{"type":"dtmf","digit":"X"}', "bad_input"),
        ('{"type":"dtmf","digit":"12"}', "bad_input"),
        ('{"type":"dtmf"}', "bad_input"),
        (b"\x00\x00\x00", "audio_format"),
    ],
)
async def test_a_bad_frame_in_a_call_is_named_and_the_call_goes_on(
    gateway: Gateway, sent: str | bytes, code: str
) -> None:
    gateway.recogniser._script.append("居住证怎么办")
    async with gateway.socket("/api/v1/calls") as call:
        await begin(call)
        await call.send(sent)
        assert await error_code(call) == code
        await speak(call)
        seen = await frames_until(call, type="reply")
        assert seen[-1]["text"] == "好的。"


async def test_zero_brings_a_person(gateway: Gateway) -> None:
    gateway.engine.available = False
    async with gateway.socket("/api/v1/calls") as call:
        await begin(call)
        await send(call, type="dtmf", digit="0")
        seen = await frames_until(call, type="state")
        assert seen[-1]["state"] == "queued"


async def test_another_key_has_no_menu(gateway: Gateway) -> None:
    async with gateway.socket("/api/v1/calls") as call:
        await begin(call)
        await send(call, type="dtmf", digit="5")
        assert (await frames_until(call, type="reply"))[-1]["text"]


async def test_an_engine_that_is_down_is_said_aloud(gateway: Gateway) -> None:
    gateway.recogniser._script.append("居住证怎么办")
    gateway.engine.available = False
    async with gateway.socket("/api/v1/calls") as call:
        await begin(call)
        await speak(call)
        seen = await frames_until(call, type="speech", phase="end")
    reply = next(f for f in seen if isinstance(f, dict) and f["type"] == "reply")
    assert "12345" in reply["text"]


async def test_danger_is_answered_in_a_call_without_the_engine(gateway: Gateway) -> None:
    gateway.recogniser._script.append("我家着火了")
    gateway.engine.available = False
    async with gateway.socket("/api/v1/calls") as call:
        await begin(call)
        await speak(call)
        seen = await frames_until(call, type="state")
    reply = next(f for f in seen if isinstance(f, dict) and f["type"] == "reply")
    assert "119" in reply["text"]
    assert seen[-1]["state"] == "queued"


async def test_a_call_that_cannot_be_recorded_is_told_why_and_ended(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise StorageDownError

    monkeypatch.setattr(gateway.services.store, "create_conversation", down)
    async with gateway.socket("/api/v1/calls") as call:
        await send(call, **START)
        assert await error_code(call) == "storage_down"
        assert (await frame(call))["type"] == "ended"


@pytest.mark.parametrize("caller", ["²²²²²²²", "sip:tester@example.org", "", 5, None, "13800000001" * 100])
async def test_a_strange_caller_does_not_end_the_call(gateway: Gateway, caller: object) -> None:
    async with gateway.socket("/api/v1/calls") as call:
        started = await begin(call, caller=caller)
    trail = await gateway.services.store.events_after(started["conversation_id"], 0)
    assert "13800000001" not in str(trail[1].data)


async def test_browsers_that_are_open_and_say_nothing_leave_room(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.routes.calls.MAX_WAITING", 20)
    monkeypatch.setattr("gateway.routes.calls.START_WITHIN_S", 0.4)
    before = len(asyncio.all_tasks())
    async with AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(gateway.socket("/api/v1/calls")) for _ in range(20)]
        async with gateway.socket("/api/v1/calls") as one_more:
            assert await error_code(one_more) == "line_busy"
            assert (await frame(one_more)) == {"type": "ended", "reason": "line_busy"}
            with pytest.raises(ConnectionClosed) as closed:
                await frame(one_more)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
        for call in silent:
            assert (await frame(call)) == {"type": "ended", "reason": "idle"}
    async with gateway.socket("/api/v1/calls") as call:
        await begin(call)
    async with asyncio.timeout(DEADLINE_S):
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert gateway.services.calls.waiting == 0


async def test_a_caller_who_vanishes_leaves_no_call_behind(gateway: Gateway) -> None:
    async with gateway.socket("/api/v1/calls") as call:
        started = await begin(call)
        call.transport.abort()
    async with asyncio.timeout(DEADLINE_S):
        while 'hotline_calls_active{door="websocket"} 0.0' not in (await gateway.http.get("/metrics")).text:
            pass
        while True:
            trail = await gateway.services.store.events_after(started["conversation_id"], 0)
            if trail[-1].type is EventType.CALL_ENDED:
                break
    assert trail[-1].data["reason"] == "vanished"
