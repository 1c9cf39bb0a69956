"""One contract of the desk's books, both stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres_server import STORES, url_of

from hotline.conversation import ConversationState, Trigger
from hotline.desk import (
    AgentProfile,
    AgentState,
    AgentTrigger,
    CallbackReason,
    CallbackState,
    CallbackTrigger,
    DeskEvent,
    DeskEventType,
    Handoff,
    HandoffReason,
    Needs,
    NotSignedInError,
    NotYoursError,
    OfferEndedError,
    OfferState,
    OfferTrigger,
    QueueState,
    QueueTrigger,
    TakenError,
    TooManyConversationsError,
)
from hotline.desk_ports import Contact, DeskBooks
from hotline.errors import IllegalTransitionError, NotFoundError
from hotline.events import EventType
from hotline.messages import Channel, CitizenMessage, Reply
from hotline.work_orders import Urgency
from storage.desk import StoredDesk
from storage.engine import make_engine
from storage.errors import UnmaskedTextError
from storage.memory import MemoryStore
from storage.ports import NewConversation, Store, TurnOutcome
from storage.sql import SqlStore

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ACCEPT, DECLINE, TIME_OUT = OfferTrigger.ACCEPT, OfferTrigger.DECLINE, OfferTrigger.TIME_OUT


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


@dataclass
class House:
    store: Store
    desk: DeskBooks

    async def wait(
        self, name: str, minute: float = 0, urgency: Urgency = Urgency.NORMAL, channel: Channel = Channel.WEB
    ) -> None:
        """A conversation that has come into the queue by a turn of its own."""
        new = NewConversation(conversation_id=name, channel=channel, token_hash="0" * 64, at=at(minute))
        await self.store.create_conversation(new)
        message = CitizenMessage(conversation_id=name, turn_id=f"{name}-t", channel=channel, text="转人工")
        await self.store.begin_turn(message, "转人工", at(minute))
        handoff = Handoff(urgency=urgency, needs=Needs(town="桂城"))
        outcome = TurnOutcome(replies=[Reply(text="好")], trigger=Trigger.HANDOFF_REQUESTED, handoff=handoff)
        await self.store.finish_turn(f"{name}-t", outcome, at(minute))

    async def agent(self, name: str = "mei", ready: bool = True) -> None:
        await self.desk.sign_in(AgentProfile(username=name, display_name=f"{name} 号坐席"), at(0))
        if ready:
            await self.desk.move_agent(name, AgentTrigger.READY, at(0))

    async def state(self, name: str) -> AgentState:
        return next(a.state for a in await self.desk.agents() if a.username == name)

    async def floor(self, name: str) -> ConversationState:
        return (await self.store.get_conversation(name)).state

    async def line(self) -> list[str]:
        return [e.conversation_id for e in await self.desk.queue()]

    async def told(self) -> list[DeskEvent]:
        return await self.desk.desk_events_after(0, 1000)


@pytest.fixture(params=STORES)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    store: SqlStore | MemoryStore = MemoryStore()
    if request.param != "memory":
        store = SqlStore(make_engine(await url_of(request, tmp_path)))
    yield House(store, StoredDesk(store, max_conversations=2))
    await store.close()


async def test_a_turn_that_asks_for_a_person_leaves_an_entry_in_the_same_step(house: House) -> None:
    await house.wait("c1", urgency=Urgency.URGENT)
    (entry,) = await house.desk.queue()
    assert (entry.state, entry.reason, entry.urgency, entry.town) == (
        QueueState.WAITING, HandoffReason.WORD, Urgency.URGENT, "桂城",
    )  # fmt: skip
    (told,) = await house.told()
    assert (told.seq, told.type, told.conversation_id) == (1, DeskEventType.QUEUE, "c1")


async def test_the_more_urgent_stand_ahead_and_long_waiting_counts(house: House) -> None:
    await house.wait("normal", 0)
    await house.wait("urgent-soon", 5, Urgency.URGENT)
    await house.wait("urgent-late", 11, Urgency.URGENT)
    await house.wait("danger", 12, Urgency.EMERGENCY)
    assert await house.line() == ["danger", "urgent-soon", "normal", "urgent-late"]
    assert await house.store.queue_position("normal") == 3


async def test_who_waits_and_is_in_danger_moves_to_the_head(house: House) -> None:
    await house.wait("c1", 0)
    await house.wait("c2", 1)
    message = CitizenMessage(conversation_id="c2", turn_id="t9", channel=Channel.WEB, text="着火")
    await house.store.begin_turn(message, "着火", at(2))
    danger = Handoff(reason=HandoffReason.CRISIS, urgency=Urgency.EMERGENCY)
    await house.store.finish_turn("t9", TurnOutcome(trigger=Trigger.HANDOFF_REQUESTED, handoff=danger), at(2))
    assert await house.line() == ["c2", "c1"]


async def test_accepting_moves_conversation_entry_and_agent_together(house: House) -> None:
    await house.wait("c1")
    await house.agent()
    change = await house.desk.accept("c1", "mei", at(3))
    assert change.entry is not None
    assert (change.entry.state, change.entry.agent) == (QueueState.SERVING, "mei")
    assert await house.floor("c1") is ConversationState.AGENT
    assert await house.state("mei") is AgentState.BUSY
    assert [e.type for e in change.events] == [EventType.HANDLING, EventType.STATE]
    assert change.events[0].data == {"agent": "mei 号坐席", "what": "took"}


async def test_one_conversation_is_taken_by_one_agent(house: House) -> None:
    await house.wait("c1")
    for name in ("mei", "lan"):
        await house.agent(name)
    results = await asyncio.gather(
        *(house.desk.accept("c1", name, at(1)) for name in ("mei", "lan")), return_exceptions=True
    )
    assert sorted(type(r).__name__ for r in results) == ["DeskChange", "TakenError"]
    (entry,) = await house.desk.queue()
    again = await house.desk.accept("c1", str(entry.agent), at(2))
    assert again.repeated
    assert again.events == []


async def test_a_supervisor_takes_over_and_the_first_agent_is_free(house: House) -> None:
    await house.wait("c1")
    for name in ("mei", "boss"):
        await house.agent(name)
    await house.desk.accept("c1", "mei", at(1))
    with pytest.raises(TakenError):
        await house.desk.accept("c1", "boss", at(2))
    change = await house.desk.accept("c1", "boss", at(2), replacing=True)
    assert await house.floor("c1") is ConversationState.AGENT
    assert change.entry is not None
    assert change.entry.agent == "boss"
    assert await house.state("mei") is AgentState.AFTER_CALL
    assert await house.state("boss") is AgentState.BUSY


async def test_who_is_not_at_the_desk_takes_nothing(house: House) -> None:
    await house.wait("c1")
    with pytest.raises(NotSignedInError):
        await house.desk.accept("c1", "mei", at(1))
    await house.agent()
    await house.desk.move_agent("mei", AgentTrigger.SIGNED_OUT, at(1))
    with pytest.raises(NotSignedInError):
        await house.desk.accept("c1", "mei", at(1))
    assert await house.floor("c1") is ConversationState.QUEUED


async def test_nobody_holds_more_than_the_limit_and_of_calls_one(house: House) -> None:
    await house.agent()
    for name in ("c1", "c2", "c3"):
        await house.wait(name, channel=Channel.WEB)
    for name in ("v1", "v2"):
        await house.wait(name, channel=Channel.VOICE)
    await house.desk.accept("v1", "mei", at(1))
    with pytest.raises(TooManyConversationsError):
        await house.desk.accept("v2", "mei", at(1))
    await house.desk.accept("c1", "mei", at(1))
    with pytest.raises(TooManyConversationsError):
        await house.desk.accept("c2", "mei", at(1))


async def test_a_conversation_that_nobody_waits_in_cannot_be_taken(house: House) -> None:
    await house.agent()
    new = NewConversation(conversation_id="c1", channel=Channel.WEB, token_hash="0" * 64, at=T0)
    await house.store.create_conversation(new)
    with pytest.raises(IllegalTransitionError):
        await house.desk.accept("c1", "mei", at(1))
    with pytest.raises(NotFoundError):
        await house.desk.accept("nowhere", "mei", at(1))
    assert await house.state("mei") is AgentState.READY


@pytest.mark.parametrize(
    ("trigger", "floor"),
    [
        (Trigger.AGENT_RETURNED, ConversationState.BOT),
        (Trigger.CLOSED, ConversationState.CLOSED),
        (Trigger.REQUEUED, ConversationState.QUEUED),
    ],
)
async def test_giving_it_up_leaves_the_note_in_the_trail(
    house: House, trigger: Trigger, floor: ConversationState
) -> None:
    await house.wait("c1")
    await house.agent()
    await house.desk.accept("c1", "mei", at(1))
    change = await house.desk.release("c1", "mei", trigger, at(2), {"text": "材料已说明", "agent": "mei 号坐席"})
    assert change.events[0].type is EventType.AGENT_NOTE
    assert change.events[0].data["text"] == "材料已说明"
    assert await house.floor("c1") is floor
    assert await house.state("mei") is AgentState.AFTER_CALL


async def test_only_who_has_it_gives_it_up(house: House) -> None:
    await house.wait("c1")
    await house.agent()
    await house.agent("lan")
    with pytest.raises(NotYoursError):
        await house.desk.release("c1", "mei", Trigger.AGENT_RETURNED, at(1))
    await house.desk.accept("c1", "mei", at(1))
    with pytest.raises(NotYoursError):
        await house.desk.release("c1", "lan", Trigger.AGENT_RETURNED, at(1))


async def test_who_is_passed_on_keeps_the_place_by_first_waiting(house: House) -> None:
    await house.agent()
    await house.wait("c1", 0)
    await house.desk.accept("c1", "mei", at(1))
    await house.wait("c2", 2)
    await house.desk.release("c1", "mei", Trigger.REQUEUED, at(3))
    assert await house.line() == ["c1", "c2"]
    (first, _) = await house.desk.queue()
    assert first.reason is HandoffReason.REQUEUED


@pytest.mark.parametrize(
    ("how", "reason"),
    [(QueueTrigger.CALL_BACK_CHOSEN, CallbackReason.ASKED), (QueueTrigger.DROPPED, CallbackReason.DROPPED)],
)
async def test_who_leaves_unserved_leaves_a_task_to_call_back(
    house: House, how: QueueTrigger, reason: CallbackReason
) -> None:
    await house.wait("c1")
    change = await house.desk.leave("c1", how, at(1), Contact(sealed="…", shown="138****0000"))
    assert await house.floor("c1") is ConversationState.BOT
    (task,) = await house.desk.callbacks([CallbackState.OPEN])
    assert (task.reason, task.contact, task.contact_shown, task.conversation_id) == (reason, "…", "138****0000", "c1")
    assert change.callback == task
    assert await house.line() == []
    assert "…" not in str([e.data for e in await house.told()])


async def test_who_is_cut_off_in_the_talk_is_called_back_too(house: House) -> None:
    await house.wait("c1", channel=Channel.VOICE)
    await house.agent()
    await house.desk.accept("c1", "mei", at(1))
    await house.desk.leave("c1", QueueTrigger.DROPPED, at(2))
    (task,) = await house.desk.callbacks([CallbackState.OPEN])
    assert task.reason is CallbackReason.CUT_OFF
    assert await house.state("mei") is AgentState.AFTER_CALL


async def test_a_task_is_claimed_tried_and_ended_and_only_so(house: House) -> None:
    await house.wait("c1")
    await house.desk.leave("c1", QueueTrigger.DROPPED, at(1))
    (task,) = await house.desk.callbacks([CallbackState.OPEN])
    move = house.desk.move_callback
    await move(task.callback_id, CallbackTrigger.CLAIM, "mei", at(2))
    with pytest.raises(IllegalTransitionError):
        await move(task.callback_id, CallbackTrigger.CLAIM, "lan", at(2))
    with pytest.raises(NotYoursError):
        await move(task.callback_id, CallbackTrigger.REACHED, "lan", at(2))
    await move(task.callback_id, CallbackTrigger.NO_ANSWER, "mei", at(3), "没人接")
    (again,) = await house.desk.callbacks([CallbackState.OPEN])
    assert (again.attempts, again.agent, again.note) == (1, None, "没人接")
    await move(task.callback_id, CallbackTrigger.CLAIM, "lan", at(4))
    await move(task.callback_id, CallbackTrigger.REACHED, "lan", at(5))
    assert (await house.desk.callback(task.callback_id)).state is CallbackState.REACHED
    with pytest.raises(NotFoundError):
        await house.desk.callback("nothing")


async def test_who_comes_back_is_not_called_any_more(house: House) -> None:
    await house.wait("c1")
    await house.agent()
    await house.desk.leave("c1", QueueTrigger.DROPPED, at(1))
    await house.store.set_state("c1", Trigger.HANDOFF_REQUESTED, at(2))
    assert await house.desk.callbacks([CallbackState.OPEN])  # still a task: nobody has spoken to them
    await house.desk.accept("c1", "mei", at(3))
    assert await house.desk.callbacks([CallbackState.OPEN]) == []


async def test_a_conversation_has_one_open_task(house: House) -> None:
    await house.wait("c1")
    await house.desk.leave("c1", QueueTrigger.DROPPED, at(1), Contact(sealed="a", shown="138****0000"))
    await house.desk.add_callback("c1", CallbackReason.ASKED, at(2), Contact(sealed="b", shown="138****0001"))
    (task,) = await house.desk.callbacks([CallbackState.OPEN])
    assert (task.contact, task.reason) == ("b", CallbackReason.DROPPED)


async def test_a_conversation_whose_citizen_is_to_be_called_is_not_purged(house: House) -> None:
    await house.wait("c1")
    await house.wait("c2")
    await house.desk.leave("c1", QueueTrigger.DROPPED, at(1))
    await house.store.set_state("c2", Trigger.HANDOFF_CANCELLED, at(1))
    assert await house.store.purge_before(at(100)) == 1
    assert await house.desk.callbacks([CallbackState.OPEN])
    assert await house.store.forget("c1")
    assert await house.desk.callbacks([CallbackState.OPEN]) == []


@pytest.mark.parametrize(
    ("trigger", "offer", "agent"),
    [
        (DECLINE, OfferState.DECLINED, AgentState.READY),
        (TIME_OUT, OfferState.TIMED_OUT, AgentState.PAUSED),
        (OfferTrigger.WITHDRAW, OfferState.WITHDRAWN, AgentState.READY),
    ],
)
async def test_an_offer_that_is_not_taken_sends_the_caller_back_to_the_same_place(
    house: House, trigger: OfferTrigger, offer: OfferState, agent: AgentState
) -> None:
    await house.wait("c1")
    await house.wait("c2", 1)
    await house.agent()
    made = (await house.desk.offer("c1", "mei", at(2), at(3))).offer
    assert made is not None
    assert await house.state("mei") is AgentState.RINGING
    ended = await house.desk.end_offer(made.offer_id, trigger, at(3), "mei")
    assert ended.offer is not None
    assert ended.offer.state is offer
    assert await house.state("mei") is agent
    assert await house.line() == ["c1", "c2"]
    assert await house.floor("c1") is ConversationState.QUEUED
    with pytest.raises(OfferEndedError):
        await house.desk.end_offer(made.offer_id, ACCEPT, at(3), "mei")


async def test_an_offer_accepted_takes_the_conversation_and_twice_is_once(house: House) -> None:
    await house.wait("c1")
    await house.agent()
    made = (await house.desk.offer("c1", "mei", at(2), at(3))).offer
    assert made is not None
    first = await house.desk.end_offer(made.offer_id, ACCEPT, at(2), "mei")
    assert first.offer is not None
    assert first.offer.state is OfferState.ACCEPTED
    assert (await house.desk.end_offer(made.offer_id, ACCEPT, at(2), "mei")).repeated
    assert await house.floor("c1") is ConversationState.AGENT
    assert await house.desk.offers() == []
    assert [o.state for o in await house.desk.offers(made.entry_id)] == [OfferState.ACCEPTED]


async def test_an_offer_rings_only_who_is_ready_and_for_whom_somebody_waits(house: House) -> None:
    await house.wait("c1")
    await house.agent(ready=False)
    with pytest.raises(IllegalTransitionError):
        await house.desk.offer("c1", "mei", at(1), at(2))
    await house.desk.move_agent("mei", AgentTrigger.READY, at(1))
    await house.desk.offer("c1", "mei", at(1), at(2))
    await house.agent("lan")
    with pytest.raises(IllegalTransitionError):
        await house.desk.offer("c1", "lan", at(1), at(2))
    assert await house.state("lan") is AgentState.READY


async def test_a_caller_who_leaves_stops_the_ringing(house: House) -> None:
    await house.wait("c1")
    await house.agent()
    made = (await house.desk.offer("c1", "mei", at(2), at(3))).offer
    assert made is not None
    await house.store.set_state("c1", Trigger.HANDOFF_CANCELLED, at(3))
    assert await house.state("mei") is AgentState.READY
    assert [o.state for o in await house.desk.offers(made.entry_id)] == [OfferState.WITHDRAWN]


async def test_who_takes_another_while_it_rings_gives_the_first_back(house: House) -> None:
    await house.wait("c1")
    await house.wait("c2", 1)
    await house.agent()
    await house.desk.offer("c1", "mei", at(2), at(3))
    await house.desk.accept("c2", "mei", at(2))
    states = {e.conversation_id: e.state for e in await house.desk.queue()}
    assert states == {"c1": QueueState.WAITING, "c2": QueueState.SERVING}
    assert await house.state("mei") is AgentState.BUSY


async def test_an_agent_who_vanishes_loses_nobody(house: House) -> None:
    for minute, name in enumerate(("c1", "c2", "c3")):
        await house.wait(name, minute)
    await house.agent()
    await house.agent("lan")
    await house.desk.accept("c1", "mei", at(4))
    await house.desk.accept("c2", "mei", at(4))
    change = await house.desk.move_agent("mei", AgentTrigger.LOST, at(5))
    assert {e.conversation_id for e in change.events} == {"c1", "c2"}
    assert await house.line() == ["c1", "c2", "c3"]
    assert await house.floor("c1") is ConversationState.QUEUED
    assert await house.state("mei") is AgentState.OFFLINE
    await house.desk.offer("c1", "lan", at(6), at(7))
    await house.desk.move_agent("lan", AgentTrigger.LOST, at(6))
    assert {e.state for e in await house.desk.queue()} == {QueueState.WAITING}


async def test_a_second_tab_changes_no_state(house: House) -> None:
    await house.agent()
    await house.desk.sign_in(AgentProfile(username="mei", display_name="梅", towns=["桂城"]), at(5))
    (agent,) = await house.desk.agents()
    assert (agent.state, agent.display_name, agent.towns) == (AgentState.READY, "梅", ["桂城"])


async def test_a_message_sent_twice_is_one(house: House) -> None:
    await house.wait("c1")
    await house.agent()
    await house.desk.accept("c1", "mei", at(1))
    first = await house.desk.send("c1", "mei", "梅", "您好，我是坐席。", "m1", at(2))
    again = await house.desk.send("c1", "mei", "梅", "您好，我是坐席。", "m1", at(3))
    assert again.repeated
    assert again.message == first.message
    said = [e for e in await house.store.events_after("c1", 0) if e.type is EventType.AGENT_MESSAGE]
    assert [e.data["text"] for e in said] == ["您好，我是坐席。"]
    assert first.message is not None
    assert said[0].seq == first.message.seq


async def test_only_who_has_the_floor_speaks(house: House) -> None:
    await house.wait("c1")
    await house.agent()
    with pytest.raises(NotYoursError):
        await house.desk.send("c1", "mei", "梅", "您好", "m1", at(2))
    await house.desk.accept("c1", "mei", at(3))
    with pytest.raises(UnmaskedTextError):
        await house.desk.send("c1", "mei", "梅", "您的手机是13800000000", "m2", at(4))
    await house.desk.release("c1", "mei", Trigger.AGENT_RETURNED, at(4))
    with pytest.raises(NotYoursError):
        await house.desk.send("c1", "mei", "梅", "还有", "m3", at(5))


async def test_positions_are_told_to_those_whose_place_changed(house: House) -> None:
    await house.agent()
    for minute, name in enumerate(("c1", "c2", "c3")):
        await house.wait(name, minute)
    assert (await house.desk.tell_positions(at(4))).events == []
    await house.desk.accept("c1", "mei", at(5))
    told = (await house.desk.tell_positions(at(6))).events
    assert [(e.conversation_id, e.data) for e in told] == [
        ("c2", {"position": 1, "estimate_s": 180}),
        ("c3", {"position": 2, "estimate_s": 360}),
    ]


async def test_nobody_says_how_long_it_takes_while_no_agent_is_there(house: House) -> None:
    await house.wait("c1")
    trail = await house.store.events_after("c1", 0)
    assert trail[-1].data == {"position": 1, "estimate_s": None}


async def test_the_estimate_learns_from_what_talks_took(house: House) -> None:
    await house.agent()
    for number in range(5):
        await house.wait(f"c{number}", number)
        await house.desk.accept(f"c{number}", "mei", at(10 + number))
        await house.desk.release(f"c{number}", "mei", Trigger.AGENT_RETURNED, at(11 + number))
        await house.desk.move_agent("mei", AgentTrigger.READY, at(11 + number))
    await house.wait("new", 30)
    assert (await house.store.events_after("new", 0))[-1].data == {"position": 1, "estimate_s": 60}


async def test_the_desks_events_are_numbered_without_gaps_whoever_writes(house: House) -> None:
    for name in ("mei", "lan"):
        await house.agent(name)
    await asyncio.gather(*(house.wait(f"c{n}", n) for n in range(8)))
    await asyncio.gather(
        *(house.desk.accept(f"c{n}", ("mei", "lan")[n % 2], at(20)) for n in range(4)),
        house.desk.note_event(DeskEvent(type=DeskEventType.ALERT, at=at(20), data={"kind": "danger"})),
    )
    told = await house.told()
    assert [e.seq for e in told] == list(range(1, len(told) + 1))
    assert await house.desk.desk_seq() == len(told)
    assert await house.desk.desk_events_after(len(told) - 2, 1) == [told[-2]]
    assert await house.desk.purge_desk_before(at(10)) > 0
    assert (await house.told())[-1] == told[-1]


async def test_a_refused_step_changes_nothing(house: House) -> None:
    await house.wait("c1")
    await house.agent()
    await house.desk.accept("c1", "mei", at(1))
    before, told = await house.desk.queue(), await house.told()
    for refused in (
        house.desk.release("c1", "mei", Trigger.AGENT_RETURNED, at(2), {"text": "电话13800000000"}),
        house.desk.leave("c1", QueueTrigger.CALL_BACK_CHOSEN, at(2)),
        house.desk.release("c1", "mei", Trigger.AGENT_ACCEPTED, at(2)),
    ):
        with pytest.raises((UnmaskedTextError, IllegalTransitionError)):
            await refused
    assert await house.desk.queue() == before
    assert await house.told() == told
    assert await house.floor("c1") is ConversationState.AGENT
