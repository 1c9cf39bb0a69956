"""Who is offered whom, as a table of situations; and the keeper by the clock it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desk.assignment import assign
from desk.queue import QueueKeeper
from hotline.conversation import Trigger
from hotline.desk import (
    AgentProfile,
    AgentRecord,
    AgentState,
    AgentTrigger,
    DeskChange,
    Offer,
    OfferState,
    OfferTrigger,
    QueueEntry,
    QueueState,
    rank_at,
)
from hotline.messages import Channel
from hotline.work_orders import Urgency
from storage.desk import StoredDesk
from storage.memory import MemoryStore
from storage.ports import NewConversation

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def entry(name: str, waited: float = 10, urgency: Urgency = Urgency.NORMAL, **more: str) -> QueueEntry:
    return QueueEntry(
        entry_id=f"e-{name}", conversation_id=name, channel=Channel.WEB, urgency=urgency,
        queued_at=ago(waited), rank_at=rank_at(ago(waited), urgency), **more,
    )  # fmt: skip


def agent(name: str, idle: float = 100, state: AgentState = AgentState.READY, **skills: list[str]) -> AgentRecord:
    return AgentRecord(username=name, state=state, since=ago(idle), idle_since=ago(idle), **skills)


def refusal(name: str, by: str, state: OfferState = OfferState.DECLINED) -> Offer:
    return Offer(
        offer_id=f"{name}-{by}", entry_id=f"e-{name}", conversation_id=name, agent=by, state=state,
        offered_at=ago(30), expires_at=ago(10),
    )  # fmt: skip


YUE, MANDARIN = ["cantonese"], ["mandarin"]

SITUATIONS = {
    "the longest idle is asked first": (
        [entry("c")], [agent("a", 50), agent("b", 90), agent("c", 70)], [], [("c", "b")]
    ),
    "the first in the queue gets the first agent": (
        [entry("c1", 30), entry("c2", 20)], [agent("a", 90), agent("b", 50)], [], [("c1", "a"), ("c2", "b")]
    ),
    "only the ready are rung": (
        [entry("c")],
        [agent(s.value, state=s) for s in AgentState if s is not AgentState.READY] + [agent("z", 1)],
        [],
        [("c", "z")],
    ),
    "nobody free, nobody rung": ([entry("c")], [agent("a", state=AgentState.BUSY)], [], []),
    "dialect goes before idleness": (
        [entry("c", dialect="cantonese")], [agent("a", 900, dialects=MANDARIN), agent("b", 5, dialects=YUE)], [],
        [("c", "b")],
    ),
    "an agent without a list takes everything": (
        [entry("c", area="household", town="桂城街道")], [agent("a", areas=["tax"]), agent("b")], [], [("c", "b")]
    ),
    "who fits nobody waits a while": (
        [entry("c", town="西樵镇")], [agent("a", towns=["桂城街道"])], [], []
    ),
    "and is then served by anybody": (
        [entry("c", waited=61, town="西樵镇")], [agent("a", towns=["桂城街道"])], [], [("c", "a")]
    ),
    "who fits still goes first among anybody": (
        [entry("c", waited=61, town="西樵镇")], [agent("a", 900, towns=["桂城街道"]), agent("b", 5)], [], [("c", "b")]
    ),
    "danger takes the first who is free": (
        [entry("c", 1, Urgency.EMERGENCY, town="西樵镇")], [agent("a", towns=["桂城街道"])], [], [("c", "a")]
    ),
    "one that fits nobody does not hold up the next": (
        [entry("c1", 20, town="西樵镇"), entry("c2", 10)], [agent("a", towns=["桂城街道"])], [], [("c2", "a")]
    ),
    "who declined is not asked again while another is free": (
        [entry("c")], [agent("a", 900), agent("b", 5)], [refusal("c", "a")], [("c", "b")]
    ),
    "and is asked again when nobody else is": (
        [entry("c")], [agent("a", 900)], [refusal("c", "a")], [("c", "a")]
    ),
    "an offer withdrawn is no refusal": (
        [entry("c")], [agent("a", 900), agent("b", 5)], [refusal("c", "a", OfferState.WITHDRAWN)], [("c", "a")]
    ),
    "who rings or is served is passed over": (
        [entry("c1").model_copy(update={"state": QueueState.OFFERED}), entry("c2")], [agent("a")], [], [("c2", "a")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
def test_assignment(situation: str) -> None:
    queue, agents, offers, wanted = SITUATIONS[situation]
    made = {e.entry_id: [o for o in offers if o.entry_id == e.entry_id] for e in queue}
    assert [(p.conversation_id, p.agent) for p in assign(queue, agents, made, NOW)] == wanted


class Desk:
    """A keeper over books in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.books = StoredDesk(self.store)
        self.told: list[DeskChange] = []
        self.keeper = QueueKeeper(self.books, self._tell, offer_s=20, after_call_s=60, relax_s=60, tell_every_s=15)

    async def _tell(self, change: DeskChange) -> None:
        self.told.append(change)

    async def wait(self, name: str, at: datetime = NOW) -> None:
        new = NewConversation(conversation_id=name, channel=Channel.WEB, token_hash="0" * 64, at=at)
        await self.store.create_conversation(new)
        await self.store.set_state(name, Trigger.HANDOFF_REQUESTED, at)

    async def agent(self, name: str, ready: bool = True) -> None:
        await self.books.sign_in(AgentProfile(username=name), NOW)
        if ready:
            await self.books.move_agent(name, AgentTrigger.READY, NOW)

    async def states(self) -> dict[str, str]:
        return {a.username: a.state.value for a in await self.books.agents()}


async def test_an_offer_is_made_runs_out_and_goes_to_the_next() -> None:
    desk = Desk()
    await desk.agent("mei")
    await desk.wait("c")
    await desk.keeper.tick(NOW)
    (first,) = await desk.books.offers()
    assert (first.agent, first.expires_at) == ("mei", NOW + timedelta(seconds=20))
    await desk.agent("lan")
    await desk.keeper.tick(NOW + timedelta(seconds=19))
    assert await desk.books.offers() == [first]
    await desk.keeper.tick(NOW + timedelta(seconds=20))
    (second,) = await desk.books.offers()
    assert second.agent == "lan"
    assert await desk.states() == {"mei": "paused", "lan": "ringing"}


async def test_declined_by_all_it_comes_round_again() -> None:
    desk = Desk()
    await desk.agent("mei")
    await desk.wait("c")
    for second in range(3):
        at = NOW + timedelta(seconds=second)
        await desk.keeper.tick(at)
        (offer,) = await desk.books.offers()
        await desk.books.end_offer(offer.offer_id, OfferTrigger.DECLINE, at, "mei")
    made = await desk.books.offers(offer.entry_id)
    assert [o.state for o in made] == [OfferState.DECLINED] * 3


async def test_after_call_work_ends_by_itself() -> None:
    desk = Desk()
    await desk.agent("mei")
    await desk.wait("c")
    await desk.books.accept("c", "mei", NOW)
    await desk.books.release("c", "mei", Trigger.AGENT_RETURNED, NOW)
    await desk.keeper.tick(NOW + timedelta(seconds=59))
    assert await desk.states() == {"mei": "after_call"}
    await desk.keeper.tick(NOW + timedelta(seconds=60))
    assert await desk.states() == {"mei": "ready"}


async def test_positions_are_told_now_and_then_and_only_where_they_changed() -> None:
    desk = Desk()
    for number in range(3):
        await desk.wait(f"c{number}", NOW + timedelta(seconds=number))
    await desk.keeper.tick(NOW)
    await desk.store.set_state("c0", Trigger.HANDOFF_CANCELLED, NOW)
    await desk.keeper.tick(NOW + timedelta(seconds=5))
    await desk.keeper.tick(NOW + timedelta(seconds=15))
    told = [(e.conversation_id, e.data["position"]) for change in desk.told for e in change.events]
    assert told == [("c1", 1), ("c2", 2)]  # the first places came with the queueing itself
