"""A voice call is bridged to the agent's browser: both ways, hold, mute, a supervisor, back to the bot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
import pytest
from desk_people import Agent, at_desk
from running_gateway import DEADLINE_S, Gateway, frame, frames_until
from websockets.asyncio.client import ClientConnection

from hotline.conversation import ConversationState
from hotline.desk import CallbackReason, CallbackState
from hotline.messages import Reply, Understanding
from hotline.ports import DialogueAnswer

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE = 8000
CALLER, AGENT, BOSS = 3000, 7000, 11000  # levels by which voices are told apart


def tone(level: int, seconds: float = 0.02) -> bytes:
    samples = np.full(int(RATE * seconds), level, np.int16)
    samples[1::2] *= -1  # what the scripted voice detector takes for speech
    return samples.tobytes()


@asynccontextmanager
async def waiting_call(gateway: Gateway) -> AsyncIterator[tuple[ClientConnection, dict[str, Any]]]:
    gateway.engine._answers["转人工"] = DialogueAnswer(
        replies=[Reply(text="请稍候。")], understanding=Understanding(intent="handoff"), handoff=True
    )
    async with gateway.socket("/api/v1/calls") as call:
        start = {"type": "start", "encoding": "pcm_s16le", "sample_rate": RATE, "caller": "13800000005"}
        await call.send(json.dumps(start))
        started = await frame(call)
        await frames_until(call, type="speech", phase="end")
        await call.send(json.dumps({"type": "dtmf", "digit": "0"}))
        await frames_until(call, type="queue")
        yield call, started


def audio(agent: Agent, call_id: str, role: str = "agent") -> Any:
    path = f"/api/v1/desk/calls/{call_id}/audio?token={agent.token}&role={role}&sample_rate={RATE}"
    return agent.gateway.socket(path)


async def until_heard(listener: ClientConnection, level: int, speaker: ClientConnection, said: int) -> None:
    """``speaker`` talks until ``listener`` hears a frame as loud as ``level``."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            await speaker.send(tone(said))
            try:
                heard = await asyncio.wait_for(listener.recv(), 0.02)
            except TimeoutError:
                continue
            if isinstance(heard, bytes) and abs(int(np.abs(np.frombuffer(heard, np.int16)).max()) - level) < 100:
                return


async def not_heard(listener: ClientConnection, level: int, speaker: ClientConnection, said: int) -> None:
    with suppress(TimeoutError):  # what was on the wire before does not count
        async with asyncio.timeout(0.2):
            while True:
                await listener.recv()
    for _ in range(15):
        await speaker.send(tone(said))
        try:
            heard = await asyncio.wait_for(listener.recv(), 0.02)
        except TimeoutError:
            continue
        if isinstance(heard, bytes):
            assert abs(int(np.abs(np.frombuffer(heard, np.int16)).max()) - level) >= 100


async def test_a_call_is_bridged_both_ways_held_muted_and_given_back(gateway: Gateway) -> None:
    async with at_desk(gateway, "mei") as mei, waiting_call(gateway) as (call, started):
        conversation = started["conversation_id"]
        taken = await mei.post(f"/conversations/{conversation}/take")
        assert taken.json()["call_id"] == started["call_id"]
        await frames_until(call, type="state", state="agent")
        async with audio(mei, started["call_id"]) as desk:
            bridged = await frame(desk)
            assert (bridged["type"], bridged["conversation_id"]) == ("bridged", conversation)
            await until_heard(desk, CALLER, call, CALLER)
            await until_heard(call, AGENT, desk, AGENT)
            await desk.send(json.dumps({"type": "mute", "on": True}))
            await frames_until(desk, type="mute")
            await not_heard(call, AGENT, desk, AGENT)
            await desk.send(json.dumps({"type": "mute", "on": False}))
            await desk.send(json.dumps({"type": "hold", "on": True}))
            await frames_until(desk, type="hold")
            await not_heard(call, AGENT, desk, AGENT)
            await desk.send(json.dumps({"type": "hold", "on": False}))
            await until_heard(call, AGENT, desk, AGENT)
            spoken = len(gateway.synthesiser.spoken)
            back = await mei.post(f"/conversations/{conversation}/return", {"note": "已核对材料"})
            assert back.status_code == 200, back.text
            assert (await frames_until(desk, type="ended"))[-1]["reason"] == "returned"
        reply = (await frames_until(call, type="reply"))[-1]
        assert "接着为您服务" in reply["text"]
        await frames_until(call, type="speech", phase="end")
        assert "接着为您服务" in "".join(gateway.synthesiser.spoken[spoken:])


async def test_the_live_transcript_goes_on_and_the_bot_is_silent(gateway: Gateway) -> None:
    gateway.recogniser._script.extend(["我住在桂城", "没了"])
    async with at_desk(gateway, "mei") as mei, waiting_call(gateway) as (call, started):
        conversation = started["conversation_id"]
        await mei.post(f"/conversations/{conversation}/take")
        await frames_until(call, type="state", state="agent")
        await frames_until(call, type="speech", phase="end")  # that a person is here
        await mei.send(type="watch", conversation_id=conversation, after=0)
        async with audio(mei, started["call_id"]) as desk:
            await frame(desk)
            asked, spoken = len(gateway.engine.asked), len(gateway.synthesiser.spoken)
            await call.send(tone(6000, 0.8) + bytes(2 * RATE))
            heard = (await frames_until(desk, type="transcript", final=True))[-1]
            assert heard["text"] == "我住在桂城"
            await mei.told(type="conversation", event__type="citizen_message", event__data__text="我住在桂城")
            reply = (await frames_until(call, type="reply"))[-1]
            assert (reply["text"], reply["speech_text"]) == ("", "")
            assert len(gateway.engine.asked) == asked
            assert len(gateway.synthesiser.spoken) == spoken
            await mei.post(
                f"/conversations/{conversation}/messages",
                {"text": "请带身份证。", "client_message_id": "m1", "read_out": True},
            )
            assert (await frames_until(call, type="agent_message"))[-1]["text"] == "请带身份证。"
            await frames_until(call, type="speech", phase="end")
            assert "请带身份证。" in gateway.synthesiser.spoken


async def test_a_supervisor_listens_whispers_and_barges_in(gateway: Gateway) -> None:
    async with (
        at_desk(gateway, "mei") as mei,
        at_desk(gateway, "boss", "supervisor") as boss,
        at_desk(gateway, "lan") as lan,
        waiting_call(gateway) as (call, started),
    ):
        conversation, call_id = started["conversation_id"], started["call_id"]
        await mei.post(f"/conversations/{conversation}/take")
        for agent, role in ((lan, "agent"), (lan, "listen"), (boss, "agent"), (boss, "dance"), (boss, "caller")):
            async with audio(agent, call_id, role) as refused:
                assert (await frame(refused))["code"] in ("not_yours", "bad_input")
        async with audio(mei, "nowhere") as refused:
            assert (await frame(refused))["code"] == "not_found"
        async with audio(mei, call_id) as desk, audio(boss, call_id, "listen") as ear:
            await frame(desk)
            await frame(ear)
            await until_heard(ear, CALLER, call, CALLER)
            await until_heard(ear, AGENT, desk, AGENT)
            await not_heard(desk, BOSS, ear, BOSS)
            await ear.send(json.dumps({"type": "role", "role": "whisper"}))
            await frames_until(ear, type="role", role="whisper")
            await until_heard(desk, BOSS, ear, BOSS)
            await not_heard(call, BOSS, ear, BOSS)
            await ear.send(json.dumps({"type": "role", "role": "barge"}))
            await frames_until(ear, type="role", role="barge")
            await until_heard(call, BOSS, ear, BOSS)
            for unread in (desk, ear, call):  # full of sound nobody read: a polite close would wait for it
                unread.transport.abort()
        entries = await gateway.services.audit.entries(0, 10_000)
        assert ("boss", "listen_on_call", f"call:{call_id}") in [(e.actor, e.action, e.subject) for e in entries]


async def test_a_supervisor_takes_over_and_the_agent_before_is_off_the_line(gateway: Gateway) -> None:
    async with (
        at_desk(gateway, "mei") as mei,
        at_desk(gateway, "boss", "supervisor") as boss,
        waiting_call(gateway) as (call, started),
    ):
        conversation, call_id = started["conversation_id"], started["call_id"]
        await mei.post(f"/conversations/{conversation}/take")
        async with audio(mei, call_id) as desk:
            assert (await frame(desk))["parties"] == []
            assert (await boss.post(f"/conversations/{conversation}/take")).status_code == 200
            assert (await frames_until(desk, type="ended"))[-1]["reason"] == "replaced"
            async with audio(boss, call_id) as now:
                await frame(now)
                await until_heard(call, BOSS, now, BOSS)
                await not_heard(call, AGENT, desk, AGENT)
                for unread in (desk, now, call):
                    unread.transport.abort()


async def test_a_colleague_who_is_asked_joins_and_the_caller_is_told(gateway: Gateway) -> None:
    async with at_desk(gateway, "mei") as mei, at_desk(gateway, "lan") as lan, waiting_call(gateway) as (call, started):
        conversation, call_id = started["conversation_id"], started["call_id"]
        await mei.post(f"/conversations/{conversation}/take")
        assert (await lan.post(f"/conversations/{conversation}/invite", {"agent": "mei"})).status_code == 409
        assert (await mei.post(f"/conversations/{conversation}/invite", {"agent": "nobody"})).status_code == 404
        assert (await lan.get(f"/conversations/{conversation}")).status_code == 409
        assert (await mei.post(f"/conversations/{conversation}/invite", {"agent": "lan"})).status_code == 200
        assert (await lan.told(type="invite"))["data"]["call_id"] == call_id
        assert (await lan.get(f"/conversations/{conversation}")).status_code == 200
        async with audio(mei, call_id) as desk, audio(lan, call_id, "barge") as third:
            await frame(desk)
            await frame(third)
            assert (await frames_until(desk, type="party", role="barge"))[-1]["joined"]
            await until_heard(desk, CALLER, call, CALLER)
            await until_heard(desk, BOSS, third, BOSS)
            await until_heard(call, BOSS, third, BOSS)
            for unread in (desk, third, call):
                unread.transport.abort()
        events = await gateway.services.store.events_after(conversation, 0, 200)
        assert [e.data for e in events if e.data.get("what") == "joined"] == [{"agent": "lan", "what": "joined"}]


async def test_an_agent_who_ends_the_talk_hangs_up(gateway: Gateway) -> None:
    async with at_desk(gateway, "mei") as mei, waiting_call(gateway) as (call, started):
        await mei.post(f"/conversations/{started['conversation_id']}/take")
        await frames_until(call, type="state", state="agent")
        await mei.post(f"/conversations/{started['conversation_id']}/close")
        assert (await frames_until(call, type="ended"))[-1]["reason"] == "agent"
    tasks = await gateway.services.desk.books.callbacks([CallbackState.OPEN])
    assert [t for t in tasks if t.conversation_id == started["conversation_id"]] == []


async def test_a_line_that_breaks_in_the_talk_is_called_back(gateway: Gateway) -> None:
    async with at_desk(gateway, "mei") as mei:
        async with waiting_call(gateway) as (call, started):
            await mei.post(f"/conversations/{started['conversation_id']}/take")
            async with audio(mei, started["call_id"]) as desk:
                await frame(desk)
                call.transport.abort()
                assert (await frames_until(desk, type="ended"))[-1]["reason"] == "call_ended"
        task = await mei.told(type="callback")
        assert task["data"]["reason"] == CallbackReason.CUT_OFF.value
        (open_,) = [
            c
            for c in await gateway.services.desk.books.callbacks([CallbackState.OPEN])
            if c.conversation_id == started["conversation_id"]
        ]
        assert gateway.services.callers.open(open_.contact) == "13800000005"


async def test_who_waits_on_a_call_may_say_that_they_want_to_be_called(gateway: Gateway) -> None:
    gateway.recogniser._script.append("不等了，你们回电给我吧")
    async with waiting_call(gateway) as (call, started):
        await call.send(tone(6000, 0.8) + bytes(2 * RATE))
        reply = (await frames_until(call, type="reply"))[-1]
        assert "138****0005" in reply["text"]
        assert (await frames_until(call, type="state"))[-1]["state"] == "bot"
    record = await gateway.services.store.get_conversation(started["conversation_id"])
    assert record.state is ConversationState.BOT
    tasks = await gateway.services.desk.books.callbacks([CallbackState.OPEN])
    assert [t.reason for t in tasks if t.conversation_id == started["conversation_id"]] == [CallbackReason.ASKED]


async def test_the_place_in_the_queue_is_said_aloud(gateway: Gateway) -> None:
    async with waiting_call(gateway) as (call, _):
        await frames_until(call, type="speech", phase="end")
    assert "您前面还有" in "".join(gateway.synthesiser.spoken)
