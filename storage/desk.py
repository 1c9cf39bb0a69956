"""The desk's books on either store: every step is one transaction that runs :class:`DeskBook`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import IntegrityError

from hotline.conversation import Trigger
from hotline.desk import (
    AgentProfile,
    AgentRecord,
    AgentTrigger,
    Callback,
    CallbackReason,
    CallbackState,
    CallbackTrigger,
    DeskChange,
    DeskEvent,
    Offer,
    OfferTrigger,
    QueueEntry,
    QueueTrigger,
    TakenError,
)
from hotline.desk_ports import Contact
from storage import rules
from storage.desk_book import DeskBook
from storage.desk_rows import Rows

R = TypeVar("R")
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class DeskTransactions(Protocol):
    """What a store lends the desk: one transaction over its rows."""

    async def at_desk(self, work: Callable[[Rows], R], readonly: bool) -> R: ...


class StoredDesk:
    """Implements every port of :mod:`hotline.desk_ports` that is about records.

    ``max_conversations``: how many an agent may hold at once (of calls one).
    """

    def __init__(self, store: DeskTransactions, max_conversations: int = 3) -> None:
        self._store = store
        self._max = max_conversations

    async def _write(self, at: datetime, work: Callable[[DeskBook], R]) -> R:
        try:
            return await self._store.at_desk(lambda rows: work(DeskBook(rows, at, self._max)), readonly=False)
        except IntegrityError as error:  # two at once, on an engine without one line of writers
            raise TakenError from error

    async def _read(self, work: Callable[[DeskBook], R]) -> R:
        return await self._store.at_desk(lambda rows: work(DeskBook(rows, _EPOCH, self._max)), readonly=True)

    async def queue(self) -> list[QueueEntry]:
        return await self._read(lambda book: book.queue())

    async def accept(self, conversation_id: str, agent: str, at: datetime, *, replacing: bool = False) -> DeskChange:
        return await self._write(at, lambda book: book.accept(conversation_id, agent, replacing))

    async def release(
        self, conversation_id: str, agent: str, trigger: Trigger, at: datetime, note: dict[str, Any] | None = None
    ) -> DeskChange:
        return await self._write(at, lambda book: book.release(conversation_id, agent, trigger, note))

    async def leave(
        self, conversation_id: str, how: QueueTrigger, at: datetime, contact: Contact | None = None, note: str = ""
    ) -> DeskChange:
        return await self._write(at, lambda book: book.leave(conversation_id, how, contact, note))

    async def tell_positions(self, at: datetime) -> DeskChange:
        return await self._write(at, lambda book: book.tell_positions())

    async def offer(
        self, conversation_id: str, agent: str, at: datetime, expires_at: datetime, assigned_by: str | None = None
    ) -> DeskChange:
        return await self._write(at, lambda book: book.offer(conversation_id, agent, expires_at, assigned_by))

    async def end_offer(self, offer_id: str, trigger: OfferTrigger, at: datetime, agent: str) -> DeskChange:
        return await self._write(at, lambda book: book.end_offer(offer_id, trigger, agent))

    async def offers(self, entry_id: str | None = None) -> list[Offer]:
        return await self._read(lambda book: book.offers(entry_id))

    async def agents(self) -> list[AgentRecord]:
        return await self._read(lambda book: book.agents())

    async def sign_in(self, profile: AgentProfile, at: datetime) -> DeskChange:
        return await self._write(at, lambda book: book.sign_in(profile))

    async def move_agent(self, username: str, trigger: AgentTrigger, at: datetime) -> DeskChange:
        return await self._write(at, lambda book: book.move_agent(username, trigger))

    async def callbacks(self, states: Sequence[CallbackState]) -> list[Callback]:
        return await self._read(lambda book: book.callbacks(states))

    async def callback(self, callback_id: str) -> Callback:
        return await self._read(lambda book: book.callback(callback_id))

    async def add_callback(
        self, conversation_id: str, reason: CallbackReason, at: datetime, contact: Contact, note: str = ""
    ) -> DeskChange:
        return await self._write(at, lambda book: book.add_callback(conversation_id, reason, contact, note))

    async def move_callback(
        self, callback_id: str, trigger: CallbackTrigger, agent: str, at: datetime, note: str = ""
    ) -> DeskChange:
        return await self._write(at, lambda book: book.move_callback(callback_id, trigger, agent, note))

    async def send(
        self,
        conversation_id: str,
        agent: str,
        name: str,
        text: str,
        client_message_id: str,
        at: datetime,
        *,
        read_out: bool = False,
    ) -> DeskChange:
        return await self._write(
            at, lambda book: book.send(conversation_id, agent, name, text, client_message_id, read_out)
        )

    async def note_event(self, event: DeskEvent) -> DeskEvent:
        return await self._write(event.at, lambda book: book.note_event(event))

    async def desk_events_after(self, seq: int, limit: int = 200) -> list[DeskEvent]:
        return await self._store.at_desk(lambda rows: rows.events_after(seq, limit), readonly=True)

    async def desk_seq(self) -> int:
        return await self._store.at_desk(lambda rows: rows.last_seq(), readonly=True)

    async def purge_desk_before(self, at: datetime) -> int:
        return await self._store.at_desk(lambda rows: rows.purge_events(rules.as_utc(at)), readonly=False)
