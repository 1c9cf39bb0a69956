"""A thousand sentences while the conversation changes hands: all kept, in order, none answered by both."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.emergencies import EmergencyWatch
from gateway.feed import EventFeed
from gateway.following import follow
from gateway.memory_dialogue import ScriptedDialogue
from gateway.replies import Sentences
from gateway.turns import TurnService
from hotline.conversation import ConversationState, Trigger
from hotline.desk import AgentProfile, AgentTrigger, NotYoursError
from hotline.events import EventType
from hotline.messages import Channel, CitizenMessage
from hotline.ports import DialogueAnswer
from storage.desk import StoredDesk
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.ports import NewConversation
from storage.sql import SqlStore

SENTENCES = 1000


class Pondering(ScriptedDialogue):
    """An engine that thinks for a few turns of the event loop, so that hands change meanwhile."""

    async def answer(self, message: CitizenMessage, state: str = "bot") -> DialogueAnswer:
        for _ in range(random.randrange(6)):
            await asyncio.sleep(0)
        return await super().answer(message, state)


class NoDanger(EmergencyWatch):
    def __init__(self) -> None:
        return None

    def look(self, text: str) -> None:
        return None


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    url = f"sqlite:///{tmp_path / 'hotline.db'}"
    await upgrade(url)
    made = SqlStore(make_engine(url))
    yield made
    await made.close()


async def test_a_takeover_loses_no_sentence(store: SqlStore) -> None:
    random.seed(7)
    feed, desk = EventFeed(), StoredDesk(store)
    now = lambda: datetime.now(UTC)  # noqa: E731
    turns = TurnService(
        store=store,
        engine=Pondering(),
        feed=feed,
        emergencies=NoDanger(),
        sentences=Sentences("12345"),
        session_turns=10_000,
    )
    record = await store.create_conversation(
        NewConversation(conversation_id="c", channel=Channel.WEB, token_hash="0" * 64, at=now())
    )
    await desk.sign_in(AgentProfile(username="mei"), now())
    await desk.move_agent("mei", AgentTrigger.READY, now())
    handovers = 0

    async def change_hands() -> None:
        """Every few sentences the floor goes to the agent or back, while a turn is under way."""
        nonlocal handovers
        left, with_agent = 3, False
        async for event in follow(store, feed, "c", 0):
            left -= event.type is EventType.CITIZEN_MESSAGE
            if left > 0:
                continue
            left = random.randrange(1, 8)
            if with_agent:
                feed.publish((await desk.release("c", "mei", Trigger.AGENT_RETURNED, now())).events)
            else:
                feed.publish((await store.set_state("c", Trigger.HANDOFF_REQUESTED, now())).events)
                feed.publish((await desk.accept("c", "mei", now())).events)
                handovers += 1
            with_agent = not with_agent

    async def agent_answers() -> None:
        """Answers what is said while having the floor, and what was left open on coming in."""
        floor, open_ = ConversationState.BOT, {}
        async for event in follow(store, feed, "c", 0):
            if event.type is EventType.STATE:
                floor = ConversationState(event.data["state"])
            elif event.type is EventType.CITIZEN_MESSAGE:
                open_[event.turn_id] = str(event.data["text"])
            elif event.type is EventType.REPLY:
                open_.pop(event.turn_id, None)
            if floor is ConversationState.AGENT:
                for text in open_.values():
                    with suppress(NotYoursError):  # the floor was given back meanwhile
                        await desk.send("c", "mei", "梅", f"答：{text}", text, now())
                open_.clear()

    desks = [asyncio.create_task(change_hands()), asyncio.create_task(agent_answers())]
    said = [f"第{n}句话" for n in range(SENTENCES)]
    silent: set[str] = set()
    for text in said:
        result = await turns.take(record, text, Channel.WEB)
        if not result.replies:
            silent.add(text)
    for task in desks:
        task.cancel()
    ended = await asyncio.gather(*desks, return_exceptions=True)
    assert all(isinstance(e, asyncio.CancelledError) for e in ended), ended

    trail = await store.events_after("c", 0, 100_000)
    assert [e.seq for e in trail] == list(range(1, len(trail) + 1))
    assert [e.data["text"] for e in trail if e.type is EventType.CITIZEN_MESSAGE] == said
    kept = await store.history("c")
    assert [t.text for t in kept] == said
    assert all(t.answered for t in kept)
    by_bot = {t.text for t in kept if t.replies}
    by_agent = {str(e.data["text"]).removeprefix("答：") for e in trail if e.type is EventType.AGENT_MESSAGE}
    assert by_bot & by_agent == set()
    assert by_bot == set(said) - silent
    # The trail proves who had the floor: no bot's reply stands while an agent has it.
    floor = ConversationState.BOT
    for event in trail:
        if event.type is EventType.STATE:
            floor = ConversationState(event.data["state"])
        if event.type is EventType.REPLY:
            assert floor is not ConversationState.AGENT
        if event.type is EventType.AGENT_MESSAGE:
            assert floor is ConversationState.AGENT
    assert handovers > 20
    assert by_bot
    assert by_agent
