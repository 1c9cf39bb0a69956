"""The events of a conversation over a WebSocket: nothing missed, nothing twice."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from running_gateway import DEADLINE_S, Gateway, Talk, frame, frames_until
from websockets.exceptions import ConnectionClosed

from hotline.conversation import Trigger
from hotline.events import ConversationEvent, EventType
from storage.errors import StorageDownError

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _agent_says(gateway: Gateway, talk: Talk, text: str) -> None:
    event = ConversationEvent(
        conversation_id=talk.conversation_id,
        turn_id=None,
        type=EventType.AGENT_MESSAGE,
        at=datetime.now(UTC),
        data={"text": text},
    )
    gateway.services.feed.publish([await gateway.services.store.append(event)])


async def test_a_reply_reaches_the_socket_as_it_is_answered(gateway: Gateway) -> None:
    talk = await gateway.open()
    async with talk.events(after=0) as socket:
        answered = (await talk.say("你好")).json()
        told = await frame(socket)
    assert told["type"] == "reply"
    assert told["turn_id"] == answered["turn_id"]
    assert told["reply"] == answered["replies"][0]
    assert told["understanding"] == answered["understanding"]


async def test_state_queue_and_agent_messages_are_told(gateway: Gateway) -> None:
    gateway.engine.available = False
    talk = await gateway.open()
    async with talk.events(after=0) as socket:
        await talk.say("转人工")
        seen = await frames_until(socket, type="queue")
        assert [f["type"] for f in seen] == ["reply", "state", "queue"]
        assert seen[1]["state"] == "queued"
        assert seen[2]["position"] == 1
        change = await gateway.services.store.set_state(talk.conversation_id, Trigger.AGENT_ACCEPTED, datetime.now(UTC))
        gateway.services.feed.publish(change.events)
        assert (await frame(socket))["state"] == "agent"
        await _agent_says(gateway, talk, "您好，我是坐席。")
        assert (await frame(socket))["text"] == "您好，我是坐席。"


async def test_who_comes_back_with_after_misses_nothing_and_gets_nothing_twice(gateway: Gateway) -> None:
    talk = await gateway.open()
    seen = []
    last = 0
    for visit in range(4):
        async with talk.events(after=last) as socket:
            for _ in range(visit):  # those of the absence, then one that comes while watching
                seen.append(await frame(socket))
            await talk.say(f"在场{visit}")
            seen.append(await frame(socket))
        last = seen[-1]["seq"]
        for number in range(visit + 1):
            await talk.say(f"缺席{visit}{number}")
    stored = await gateway.services.store.events_after(talk.conversation_id, 0, 1000)
    shown = [e.seq for e in stored if e.type is EventType.REPLY]
    got = [f["seq"] for f in seen]
    assert got == shown[: len(got)]
    assert len(got) == 4 + 0 + 1 + 2 + 3


async def test_more_than_a_page_of_missed_events_comes_whole_and_in_order(gateway: Gateway) -> None:
    talk = await gateway.open()
    for number in range(450):
        await gateway.services.store.append(
            ConversationEvent(
                conversation_id=talk.conversation_id,
                turn_id=None,
                type=EventType.AGENT_MESSAGE,
                at=datetime.now(UTC),
                data={"text": f"第{number}条"},
            )
        )
    async with talk.events(after=1) as socket:
        got = [(await frame(socket))["text"] for _ in range(450)]
    assert got == [f"第{number}条" for number in range(450)]


async def test_a_flood_while_watching_loses_nothing(gateway: Gateway) -> None:
    talk = await gateway.open()
    async with talk.events(after=0) as socket:
        for number in range(600):  # more than a watcher's backlog
            event = ConversationEvent(
                conversation_id=talk.conversation_id,
                turn_id=None,
                type=EventType.AGENT_MESSAGE,
                at=datetime.now(UTC),
                data={"text": str(number)},
            )
            gateway.services.feed.publish([await gateway.services.store.append(event)])
        got = [int((await frame(socket))["text"]) for _ in range(600)]
    assert got == list(range(600))


async def test_two_sockets_are_told_the_same(gateway: Gateway) -> None:
    talk = await gateway.open()
    async with talk.events(after=0) as one, talk.events(after=0) as two:
        await talk.say("你好")
        assert await frame(one) == await frame(two)


async def test_a_message_may_be_sent_over_the_socket(gateway: Gateway) -> None:
    talk = await gateway.open()
    async with talk.events(after=0) as one, talk.events(after=0) as two:
        await one.send(json.dumps({"type": "message", "text": "你好", "client_message_id": "m1"}))
        mine = [await frame(one), await frame(one)]
        assert {f["type"] for f in mine} == {"reply", "turn"}
        assert (await frame(two))["type"] == "reply"
        await one.send(json.dumps({"type": "message", "text": "你好", "client_message_id": "m1"}))
        again = await frame(one)
        assert again["type"] == "turn"
    assert len(gateway.engine.asked) == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("not json", "bad_input"),
        ("[]", "bad_input"),
        ("[" * 100_000, "bad_input"),
        (b"\x00\x01", "bad_input"),
        ('{"type":"dance"}', "bad_input"),
        ('{"type":"message"}', "unreadable_text"),
        ('{"type":"message","text":""}', "empty_text"),
        ('{"type":"message","text":"你好","client_message_id":5}', "bad_input"),
        ('{"type":"message","text":"你好","client_message_id":"\\ud800"}', "bad_input"),
    ],
)
async def test_a_bad_frame_is_named_and_the_socket_goes_on(gateway: Gateway, sent: str | bytes, code: str) -> None:
    talk = await gateway.open()
    async with talk.events() as socket:
        await socket.send(sent)
        told = await frame(socket)
        assert (told["type"], told["code"]) == ("error", code)
        await socket.send(json.dumps({"type": "message", "text": "你好"}))
        await frames_until(socket, type="turn")


async def test_a_wrong_token_is_named_and_closed(gateway: Gateway) -> None:
    talk = await gateway.open()
    async with gateway.socket(f"{talk.path}/events?token=wrong") as socket:
        assert (await frame(socket))["code"] == "not_authorised"
        with pytest.raises(ConnectionClosed) as closed:
            await frame(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize("after", ["x", "-1", "²", "9" * 15, "9" * 40, ""])
async def test_a_strange_after_means_from_now_on(gateway: Gateway, after: str) -> None:
    talk = await gateway.open()
    await talk.say("以前的")
    async with talk.events(after=after) as socket:
        await socket.send("not json")
        assert (await frame(socket))["type"] == "error"  # the watch has begun
        await talk.say("以后的")
        told = await frame(socket)
    stored = await gateway.services.store.events_after(talk.conversation_id, 0)
    assert told["seq"] == stored[-1].seq


async def test_a_store_that_is_down_is_no_wrong_token(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = await gateway.open()

    async def down(*_: object) -> None:
        raise StorageDownError

    monkeypatch.setattr(gateway.services.store, "get_conversation", down)
    async with talk.events() as socket:
        assert (await frame(socket))["code"] == "storage_down"
        with pytest.raises(ConnectionClosed) as closed:
            await frame(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013


async def test_a_socket_that_can_be_told_nothing_more_is_closed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = await gateway.open()

    async def down(*_: object) -> None:
        raise StorageDownError

    monkeypatch.setattr(gateway.services.store, "events_after", down)
    async with talk.events() as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await frame(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013


async def test_a_socket_that_has_gone_leaves_nobody_watching(gateway: Gateway) -> None:
    talk = await gateway.open()
    async with talk.events() as socket:
        await socket.send("not json")
        await frame(socket)
        assert gateway.services.feed._watchers
    async with asyncio.timeout(DEADLINE_S):
        while gateway.services.feed._watchers:
            await gateway.http.get("/healthz")
