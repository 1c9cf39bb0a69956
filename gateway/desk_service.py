"""The desk in the running gateway: books, screens, timers, and who is there."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from desk.queue import QueueKeeper
from desk.takeover import Earlier, Picture, Takeover, earlier_of, picture
from gateway.desk_feed import DeskFeed
from gateway.dialogue import Engine
from gateway.feed import EventFeed
from gateway.live_calls import DeskCall
from gateway.needs import NeedsReader
from gateway.replies import Sentences
from hotline.desk import (
    CALLBACK_OPEN,
    WAITS,
    AgentProfile,
    AgentState,
    AgentTrigger,
    CallbackReason,
    CallbackState,
    DeskChange,
    DeskEvent,
    DeskEventType,
    Needs,
    OfferTrigger,
    QueueEntry,
    QueueState,
    QueueTrigger,
)
from hotline.desk_ports import AssistKnowledge, Contact, DeskBooks
from hotline.errors import DialogueDownError, HotlineError, IllegalTransitionError
from hotline.events import ConversationEvent, EventType
from hotline.messages import Channel, Understanding
from hotline.settings import Settings
from storage.ports import ConversationRecord, Store, StoredTurn

logger = logging.getLogger(__name__)

_EVENTS_SHOWN = 2000
_EARLIER = 5


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DeskStuckError(HotlineError):
    """The queue did not move for a fault nobody foresaw; every agent's page shows it until it moves again."""

    code = "desk_stuck"
    status = 503
    citizen_sentence = "队列没有自动派单，正在重试。请先手工接起在等的市民；一直这样，请联系系统管理员。"


class DeskService:
    """A :class:`gateway.desk_link.DeskLink`, and what the desk's routes work with."""

    def __init__(
        self,
        *,
        books: DeskBooks,
        store: Store,
        feed: EventFeed,
        engine: Engine,
        sentences: Sentences,
        settings: Settings,
        knowledge: AssistKnowledge,
        needs: NeedsReader | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.books = books
        self.screens = DeskFeed()
        self.knowledge = knowledge
        self.takeover = Takeover(books, engine)
        self._store = store
        self._feed = feed
        self._engine = engine
        self._sentences = sentences
        self._needs = needs
        self._now = now
        self._keeper = QueueKeeper(
            books,
            self.publish,
            offer_s=settings.desk_offer_s,
            after_call_s=settings.desk_after_call_s,
            relax_s=settings.desk_skill_wait_s,
        )
        self._offer = timedelta(seconds=settings.desk_offer_s)
        self._agent_grace = timedelta(seconds=settings.desk_agent_grace_s)
        self._citizen_grace = timedelta(seconds=settings.queue_gone_s)
        self._there: Counter[str] = Counter()  # open screens by agent
        self._gone: dict[str, datetime] = {}  # agents without a screen, since when
        self.fault: HotlineError | None = None
        """Why the queue does not move at present."""
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ the link of turns

    def told(self, events: Sequence[DeskEvent]) -> None:
        self.screens.publish(events)
        if events:
            self._wake.set()

    async def alert(self, conversation_id: str, kind: str, text: str) -> None:
        try:
            event = DeskEvent(
                type=DeskEventType.ALERT,
                at=self._now(),
                conversation_id=conversation_id,
                data={"kind": kind, "text": text},
            )
            self.told([await self.books.note_event(event)])
        except HotlineError as error:  # the citizen is answered all the same
            logger.error("an alert did not reach the desk: %s", error.code)

    def needs(self, turns: Sequence[StoredTurn], text: str, understanding: Understanding) -> Needs:
        return self._needs.read(turns, text, understanding) if self._needs else Needs()

    # ------------------------------------------------------------ running

    async def publish(self, change: DeskChange) -> None:
        """Hands a stored change to everybody who watches."""
        self._feed.publish(change.events)
        self.told(change.desk)

    async def start(self) -> None:
        """Looks after what a restart left behind, then keeps the queue moving."""
        await self._recover()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def tick(self) -> None:
        now = self._now()
        for username, since in list(self._gone.items()):
            if now - since >= self._agent_grace:
                self._gone.pop(username, None)
                await self._lost(username, now)
        await self._drop_the_gone(now)
        await self._keeper.tick(now)

    async def _run(self) -> None:
        while True:
            try:
                await self.tick()
                self.fault = None
            except HotlineError as error:
                self.fault = error
                logger.error("desk: %s", error.code)
            except Exception as error:  # the queue of everybody who waits must not end with one fault of ours
                self.fault = DeskStuckError()
                logger.error("desk: %s", self.fault.code, exc_info=error)
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), 1.0)
            except TimeoutError:
                continue

    async def _recover(self) -> None:
        """A restart cut every call and closed every screen. Nobody who waited is forgotten."""
        now = self._now()
        for agent in await self.books.agents():
            if agent.state is not AgentState.OFFLINE:
                self._gone[agent.username] = now
        for entry in await self.books.queue():
            if entry.channel is Channel.VOICE:
                await self.publish(await self.books.leave(entry.conversation_id, QueueTrigger.DROPPED, now))
        for offer in await self.books.offers():
            try:
                await self.books.end_offer(offer.offer_id, OfferTrigger.WITHDRAW, now, offer.agent)
            except HotlineError:
                logger.info("offer %s had ended", offer.offer_id)

    # ------------------------------------------------------------ who is there

    async def arrive(self, profile: AgentProfile) -> DeskChange:
        """A screen opens."""
        change = await self.books.sign_in(profile, self._now())
        self._there[profile.username] += 1
        self._gone.pop(profile.username, None)
        await self.publish(change)
        return change

    def depart(self, username: str) -> None:
        """A screen closes; the agent has a while to come back before the conversations move on."""
        self._there[username] -= 1
        if self._there[username] <= 0:
            del self._there[username]
            self._gone[username] = self._now()

    async def _lost(self, username: str, now: datetime) -> None:
        try:
            await self.publish(await self.books.move_agent(username, AgentTrigger.LOST, now))
        except IllegalTransitionError:
            return  # signed out in good order

    async def _drop_the_gone(self, now: datetime) -> None:
        """Whose page has been closed for long no longer waits: a task is left to answer them."""
        for entry in await self.books.queue():
            if entry.state not in WAITS or entry.channel is not Channel.WEB:
                continue
            gone = self._feed.unwatched_since(entry.conversation_id)
            if gone is not None and now - gone >= self._citizen_grace:
                await self.leave(entry.conversation_id, QueueTrigger.DROPPED)

    # ------------------------------------------------------------ citizens who leave

    async def leave(self, conversation_id: str, how: QueueTrigger, contact: Contact | None = None) -> DeskChange | None:
        """None where they did not wait (any more)."""
        try:
            change = await self.books.leave(conversation_id, how, self._now(), contact)
        except IllegalTransitionError:
            return None
        await self.publish(change)
        return change

    async def call_back(self, conversation_id: str, contact: Contact) -> DeskChange:
        """A citizen wants to be called: instead of waiting, or without having waited."""
        if change := await self.leave(conversation_id, QueueTrigger.CALL_BACK_CHOSEN, contact):
            return change
        change = await self.books.add_callback(conversation_id, CallbackReason.ASKED, self._now(), contact)
        await self.publish(change)
        return change

    async def offer_to(self, conversation_id: str, agent: str, supervisor: str) -> DeskChange:
        """A supervisor chooses who is rung. Raises IllegalTransitionError (not ready, nobody waits)."""
        now = self._now()
        change = await self.books.offer(conversation_id, agent, now, now + self._offer, supervisor)
        await self.publish(change)
        return change

    async def call_ended(self, conversation_id: str, reason: str) -> None:
        """A caller who hangs up while waiting, or whose line breaks, is called back."""
        entry = await self.entry(conversation_id)
        if entry is None:
            return
        if entry.state in WAITS or reason != "caller":
            await self.leave(conversation_id, QueueTrigger.DROPPED)

    async def invite(self, call: DeskCall, agent: str, by: str) -> None:
        """Asks a colleague onto a call: told on their screen alone."""
        event = DeskEvent(
            type=DeskEventType.INVITE,
            at=self._now(),
            conversation_id=call.conversation_id,
            agent=agent,
            data={"call_id": call.call_id, "by": by},
        )
        self.told([await self.books.note_event(event)])

    async def on_the_line(self, conversation_id: str, name: str, joined: bool) -> None:
        """Somebody else speaks with the caller, or no longer does: written down, told to both sides."""
        event = ConversationEvent(
            conversation_id=conversation_id,
            turn_id=None,
            type=EventType.HANDLING,
            at=self._now(),
            data={"agent": name, "what": "joined" if joined else "left"},
        )
        self._feed.publish([await self._store.append(event)])

    # ------------------------------------------------------------ looking

    async def entry(self, conversation_id: str) -> QueueEntry | None:
        return next((e for e in await self.books.queue() if e.conversation_id == conversation_id), None)

    async def serves(self, username: str, conversation_id: str) -> bool:
        entry = await self.entry(conversation_id)
        return entry is not None and entry.state is QueueState.SERVING and entry.agent == username

    async def picture(self, record: ConversationRecord) -> Picture:
        """The whole picture of a conversation."""
        slots: dict[str, Any] | None = None
        try:
            slots = await self._engine.slots(record.conversation_id)
        except DialogueDownError:
            logger.warning("the engine does not say what it knows; the trail alone tells")
        waiting = await self.books.callbacks(CALLBACK_OPEN)
        return picture(
            record,
            await self._events(record.conversation_id),
            slots,
            await self.entry(record.conversation_id),
            next((c for c in waiting if c.conversation_id == record.conversation_id), None),
            await self._earlier(record),
        )

    async def _earlier(self, record: ConversationRecord) -> list[Earlier]:
        if record.caller_key is None:
            return []
        known = await self._store.conversations_of(record.caller_key, _EARLIER + 1)
        others = [r for r in known if r.conversation_id != record.conversation_id][:_EARLIER]
        return [earlier_of(r, await self._events(r.conversation_id)) for r in others]

    async def _events(self, conversation_id: str) -> list[ConversationEvent]:
        return await self._store.events_after(conversation_id, 0, _EVENTS_SHOWN)

    async def returned(self, conversation_id: str) -> None:
        """The bot says that it is back."""
        reply = self._sentences.returned()
        event = ConversationEvent(
            conversation_id=conversation_id,
            turn_id=None,
            type=EventType.REPLY,
            at=self._now(),
            data={**reply.model_dump(mode="json"), "understanding": Understanding().model_dump(mode="json")},
        )
        self._feed.publish([await self._store.append(event)])

    async def record(self, conversation_id: str) -> ConversationRecord:
        """Raises NotFoundError."""
        return await self._store.get_conversation(conversation_id)

    async def open_callbacks(self) -> int:
        return len(await self.books.callbacks([CallbackState.OPEN, CallbackState.CLAIMED]))
