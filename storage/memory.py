"""The store in memory: for trying things and for tests of other packages.

Shipped and held to the same contract as :class:`storage.sql.SqlStore`. No method awaits
midway, so each is atomic within one event loop. Data goes when the process goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from hotline.conversation import ConversationState, Trigger
from hotline.desk import CALLBACK_OPEN, Callback
from hotline.errors import ConversationClosedError, NotFoundError
from hotline.events import ConversationEvent, EventType
from hotline.messages import Channel, CitizenMessage
from storage import rules
from storage.desk_book import DeskBook
from storage.desk_rows import MemoryRows, Rows
from storage.errors import ConversationExistsError, TurnAlreadyAnsweredError
from storage.ports import (
    BegunTurn,
    Change,
    ConversationRecord,
    NewConversation,
    StoredTurn,
    TurnOutcome,
)

R = TypeVar("R")


class MemoryStore:
    """Implements every port of :mod:`storage.ports`."""

    def __init__(self) -> None:
        self._conversations: dict[str, ConversationRecord] = {}
        self._turns: dict[str, StoredTurn] = {}
        self._events: dict[str, list[ConversationEvent]] = {}
        self._rows = MemoryRows()
        self._rows.record, self._rows.leaves = self._record, self._leave

    # ── ConversationStore ────────────────────────────────────────────────────────────────

    async def create_conversation(self, new: NewConversation) -> ConversationRecord:
        record = rules.new_record(new)
        if new.external_id is not None:
            known = await self.find_by_external(new.channel, new.external_id)
            if known is not None:
                return known
        if record.conversation_id in self._conversations:
            raise ConversationExistsError
        self._conversations[record.conversation_id] = record
        self._events[record.conversation_id] = [rules.started_event(record, new.greeting)]
        return record

    async def get_conversation(self, conversation_id: str) -> ConversationRecord:
        return self._record(conversation_id).model_copy(deep=True)

    async def find_by_external(self, channel: Channel, external_id: str) -> ConversationRecord | None:
        key = rules.external_key(external_id)
        for record in self._conversations.values():
            open_ = record.state is not ConversationState.CLOSED
            if open_ and record.channel is channel and record.external_id == key:
                return record.model_copy(deep=True)
        return None

    async def set_state(self, conversation_id: str, trigger: Trigger, at: datetime) -> Change:
        before = self._record(conversation_id)
        after = rules.moved(before, trigger, rules.as_utc(at))
        book = DeskBook(self._rows, at)
        book.follow(after, trigger)
        change = self._leave(before, after, rules.state_events(before, after, book.place_told(after), None))
        return change.model_copy(update={"desk": book.told()})

    async def queue_position(self, conversation_id: str) -> int | None:
        record = self._record(conversation_id)
        place = DeskBook(self._rows, record.updated_at).place(record)
        return None if place is None else place.position

    # ── TurnStore ────────────────────────────────────────────────────────────────────────

    async def begin_turn(self, message: CitizenMessage, masked_text: str, at: datetime) -> BegunTurn:
        at = rules.as_utc(at)
        rules.require_masked(masked_text, "citizen_message")
        before = self._record(message.conversation_id)
        known = rules.known_turn([turn for turn in self._turns.values() if _same(turn, message)], message)
        if known is not None:
            known = known.model_copy(deep=True)
            return BegunTurn(turn=known, duplicate=known, conversation=before.model_copy(deep=True))
        if before.state is ConversationState.CLOSED:
            raise ConversationClosedError
        turn = rules.new_turn(message, masked_text, before.turn_count + 1, at)
        self._turns[turn.turn_id] = turn
        after = before.model_copy(update={"turn_count": turn.turn_seq, "updated_at": at})
        change = self._leave(before, after, [rules.message_event(turn)])
        return BegunTurn(turn=turn, conversation=change.conversation, events=change.events)

    async def finish_turn(self, turn_id: str, outcome: TurnOutcome, at: datetime) -> Change:
        at = rules.as_utc(at)
        rules.check_outcome(outcome)
        turn = self._turns.get(turn_id)
        if turn is None:
            raise NotFoundError
        before = self._record(turn.conversation_id)
        if turn.answered:
            raise TurnAlreadyAnsweredError
        book = DeskBook(self._rows, at)
        counts = rules.silenced(before, outcome, book.taken_since(before.conversation_id, turn.at))
        after = rules.answered(before, counts, at)
        told = rules.reply_events(turn, counts, at)
        if counts.trigger is not None:
            book.follow(after, counts.trigger, counts.handoff, how=counts.leaving, note=counts.leaving_note)
            told += rules.state_events(before, after, book.place_told(after), turn_id)
        answer = counts.model_copy(deep=True)
        turn = turn.model_copy(
            update={
                "replies": answer.replies,
                "understanding": answer.understanding,
                "state": after.state,
                "answered_at": at,
            }
        )
        self._turns[turn_id] = turn
        change = self._leave(before, after, told)
        return change.model_copy(update={"turn": turn.model_copy(deep=True), "desk": book.told()})

    async def unanswered_turns(self, conversation_id: str | None = None) -> list[StoredTurn]:
        found = [
            turn.model_copy(deep=True)
            for turn in self._turns.values()
            if not turn.answered and conversation_id in (None, turn.conversation_id)
        ]
        return sorted(found, key=lambda turn: (turn.at, turn.conversation_id, turn.turn_seq))

    async def history(self, conversation_id: str, after_turn_id: str | None = None) -> list[StoredTurn]:
        self._record(conversation_id)
        after = 0
        if after_turn_id is not None:
            last = self._turns.get(after_turn_id)
            if last is None or last.conversation_id != conversation_id:
                raise NotFoundError
            after = last.turn_seq
        found = [turn for turn in self._turns.values() if turn.conversation_id == conversation_id]
        found.sort(key=lambda turn: turn.turn_seq)
        return [turn.model_copy(deep=True) for turn in found if turn.turn_seq > after]

    async def rate(self, conversation_id: str, score: int, comment_masked: str, at: datetime) -> Change:
        rules.check_rating(score, comment_masked)
        before = self._record(conversation_id)
        after, event = rules.rated(before, score, comment_masked, rules.as_utc(at))
        return self._leave(before, after, [event])

    # ── EventTrail ───────────────────────────────────────────────────────────────────────

    async def append(self, event: ConversationEvent) -> ConversationEvent:
        rules.require_masked(event.data, f"event.{event.type.value}")
        before = self._record(event.conversation_id)
        after = before.model_copy(update={"updated_at": max(before.updated_at, rules.as_utc(event.at))})
        return self._leave(before, after, [event]).events[0]

    async def events_after(self, conversation_id: str, seq: int, limit: int = 200) -> list[ConversationEvent]:
        found = [event for event in self._events.get(conversation_id, []) if event.seq > seq]
        return [event.model_copy(deep=True) for event in found[:limit]]

    async def events_of(self, conversation_id: str, kind: EventType) -> list[ConversationEvent]:
        return [e.model_copy(deep=True) for e in self._events.get(conversation_id, []) if e.type is kind]

    # ── CallerHistory ────────────────────────────────────────────────────────────────────

    async def conversations_of(self, caller_key: str, limit: int = 10) -> list[ConversationRecord]:
        found = [record for record in self._conversations.values() if record.caller_key == caller_key]
        found.sort(key=lambda record: record.conversation_id)
        found.sort(key=lambda record: record.created_at, reverse=True)
        return [record.model_copy(deep=True) for record in found[:limit]]

    async def in_state(self, state: ConversationState) -> list[ConversationRecord]:
        found = [record for record in self._conversations.values() if record.state is state]
        found.sort(key=lambda record: (record.created_at, record.conversation_id))
        return [record.model_copy(deep=True) for record in found]

    # ── Desk ─────────────────────────────────────────────────────────────────────────────

    async def at_desk(self, work: Callable[[Rows], R], readonly: bool) -> R:
        kept = dict(self._conversations), {key: list(e) for key, e in self._events.items()}, self._rows.snapshot()
        try:
            return work(self._rows)
        except Exception:
            self._conversations, self._events, rows = kept
            self._rows.restore(rows)
            raise

    # ── Retention ────────────────────────────────────────────────────────────────────────

    async def forget(self, conversation_id: str) -> bool:
        known = self._conversations.pop(conversation_id, None)
        self._events.pop(conversation_id, None)
        self._rows.forget(conversation_id)
        self._turns = {k: t for k, t in self._turns.items() if t.conversation_id != conversation_id}
        return known is not None

    async def purge_before(self, at: datetime) -> int:
        at = rules.as_utc(at)
        kept = (ConversationState.QUEUED, ConversationState.AGENT)
        to_call = {c.conversation_id for c in self._rows.find(Callback, state=CALLBACK_OPEN)}
        old = [
            key
            for key, record in self._conversations.items()
            if record.updated_at < at and record.state not in kept and key not in to_call
        ]
        for key in old:
            await self.forget(key)
        return len(old)

    # ── StoreLifecycle ───────────────────────────────────────────────────────────────────

    async def ping(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def _record(self, conversation_id: str) -> ConversationRecord:
        try:
            return self._conversations[conversation_id]
        except KeyError:
            raise NotFoundError from None

    def _leave(
        self, before: ConversationRecord, after: ConversationRecord, told: Sequence[ConversationEvent]
    ) -> Change:
        events = rules.numbered(told, before.event_seq)
        after = after.model_copy(update={"event_seq": before.event_seq + len(events)})
        self._conversations[after.conversation_id] = after
        self._events[after.conversation_id] += [event.model_copy(deep=True) for event in events]
        return Change(conversation=after.model_copy(deep=True), events=events)


def _same(turn: StoredTurn, message: CitizenMessage) -> bool:
    if turn.turn_id == message.turn_id:
        return True
    return (
        message.client_message_id is not None
        and turn.conversation_id == message.conversation_id
        and turn.client_message_id == message.client_message_id
    )
