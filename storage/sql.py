"""The store on SQLAlchemy Core: SQLite or PostgreSQL.

Every write locks the conversation's row first (PostgreSQL: FOR UPDATE; SQLite: BEGIN
IMMEDIATE), so turn and event numbers rise without gaps or duplicates under any concurrency;
unique constraints stand behind that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.conversation import ConversationState, Trigger
from hotline.desk import CALLBACK_OPEN
from hotline.errors import ConversationClosedError, NotFoundError
from hotline.events import ConversationEvent, EventType
from hotline.messages import Channel, CitizenMessage
from storage import rules
from storage import statements as q
from storage.desk_book import DeskBook
from storage.desk_rows import Rows, SqlRows
from storage.desk_tables import agent_messages, callbacks, offers, queue_entries
from storage.errors import (
    ConversationExistsError,
    TurnAlreadyAnsweredError,
)
from storage.insight_facts import forget_counted
from storage.ports import (
    BegunTurn,
    Change,
    ConversationRecord,
    NewConversation,
    StoredTurn,
    TurnOutcome,
)
from storage.rows import event_of, event_values, record_of, record_values, turn_of, turn_values
from storage.runner import make_runner
from storage.tables import conversations as C
from storage.tables import events as E
from storage.tables import recordings as RECORDINGS
from storage.tables import turns as T

_FIXED = frozenset("conversation_id channel external_id caller_key contact contact_shown token_hash created_at".split())


R = TypeVar("R")


class SqlStore:
    """Implements every port of :mod:`storage.ports` on ``engine`` (:func:`storage.engine.make_engine`)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.runner = make_runner(engine)
        """Shared by the stores of one process, so that writers queue in one place."""

    async def _write(self, work: Callable[[sa.Connection], R]) -> R:
        return await self.runner.run(work, readonly=False)

    async def _read(self, work: Callable[[sa.Connection], R]) -> R:
        return await self.runner.run(work, readonly=True)

    # ── ConversationStore ────────────────────────────────────────────────────────────────

    async def create_conversation(self, new: NewConversation) -> ConversationRecord:
        record = rules.new_record(new)

        def work(connection: sa.Connection) -> None:
            connection.execute(q.INSERT_CONVERSATION, record_values(record))
            connection.execute(q.INSERT_EVENT, event_values(rules.started_event(record, new.greeting)))

        try:
            await self._write(work)
        except IntegrityError as error:
            if new.external_id is not None:
                known = await self.find_by_external(new.channel, new.external_id)
                if known is not None:
                    return known
            raise ConversationExistsError from error
        return record

    async def get_conversation(self, conversation_id: str) -> ConversationRecord:
        return await self._read(lambda connection: _record(connection, conversation_id))

    async def find_by_external(self, channel: Channel, external_id: str) -> ConversationRecord | None:
        query = sa.select(C).where(
            C.c.channel == channel.value,
            C.c.external_id == rules.external_key(external_id),
            C.c.state != ConversationState.CLOSED.value,
        )
        row = await self._read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else record_of(row)

    async def set_state(self, conversation_id: str, trigger: Trigger, at: datetime) -> Change:
        at = rules.as_utc(at)

        def work(connection: sa.Connection) -> Change:
            before = _record(connection, conversation_id, q.CONVERSATION_LOCKED)
            after = rules.moved(before, trigger, at)
            book = DeskBook(rows_of(connection), at)
            book.follow(after, trigger)
            change = _leave(connection, before, after, rules.state_events(before, after, book.place_told(after), None))
            return change.model_copy(update={"desk": book.told()})

        return await self._write(work)

    async def queue_position(self, conversation_id: str) -> int | None:
        def work(connection: sa.Connection) -> int | None:
            record = _record(connection, conversation_id)
            place = DeskBook(rows_of(connection), record.updated_at).place(record)
            return None if place is None else place.position

        return await self._read(work)

    # ── TurnStore ────────────────────────────────────────────────────────────────────────

    async def begin_turn(self, message: CitizenMessage, masked_text: str, at: datetime) -> BegunTurn:
        at = rules.as_utc(at)
        rules.require_masked(masked_text, "citizen_message")

        def work(connection: sa.Connection) -> BegunTurn:
            before = _record(connection, message.conversation_id, q.CONVERSATION_LOCKED)
            known = _known_turn(connection, message)
            if known is not None:
                return BegunTurn(turn=known, duplicate=known, conversation=before)
            if before.state is ConversationState.CLOSED:
                raise ConversationClosedError
            turn = rules.new_turn(message, masked_text, before.turn_count + 1, at)
            connection.execute(q.INSERT_TURN, turn_values(turn))
            after = before.model_copy(update={"turn_count": turn.turn_seq, "updated_at": at})
            change = _leave(connection, before, after, [rules.message_event(turn)])
            return BegunTurn(turn=turn, conversation=change.conversation, events=change.events)

        return await self._write(work)

    async def finish_turn(self, turn_id: str, outcome: TurnOutcome, at: datetime) -> Change:
        at = rules.as_utc(at)
        rules.check_outcome(outcome)

        def work(connection: sa.Connection) -> Change:
            before = _record(connection, turn_id, q.OWNER_LOCKED)
            turn = turn_of(connection.execute(q.TURN, {q.THIS: turn_id}).one())
            if turn.answered:
                raise TurnAlreadyAnsweredError
            book = DeskBook(rows_of(connection), at)
            counts = rules.silenced(before, outcome, book.taken_since(before.conversation_id, turn.at))
            after = rules.answered(before, counts, at)
            told = rules.reply_events(turn, counts, at)
            if counts.trigger is not None:
                book.follow(after, counts.trigger, counts.handoff, how=counts.leaving, note=counts.leaving_note)
                told += rules.state_events(before, after, book.place_told(after), turn_id)
            answer = {
                "replies": [reply.model_dump(mode="json") for reply in counts.replies],
                "understanding": outcome.understanding.model_dump(mode="json"),
                "state": after.state.value,
                "answered_at": at,
            }
            connection.execute(q.UPDATE_TURN, {q.THIS: turn_id, **answer})
            turn = StoredTurn.model_validate({**turn.model_dump(exclude=set(answer)), **answer})
            change = _leave(connection, before, after, told)
            return change.model_copy(update={"turn": turn, "desk": book.told()})

        return await self._write(work)

    async def unanswered_turns(self, conversation_id: str | None = None) -> list[StoredTurn]:
        query = sa.select(T).where(T.c.answered_at.is_(None))
        if conversation_id is not None:
            query = query.where(T.c.conversation_id == conversation_id)
        query = query.order_by(T.c.at, T.c.conversation_id, T.c.turn_seq)
        return [turn_of(row) for row in await self._read(lambda c: c.execute(query).all())]

    async def history(self, conversation_id: str, after_turn_id: str | None = None) -> list[StoredTurn]:
        def work(connection: sa.Connection) -> Sequence[sa.Row[Any]]:
            _record(connection, conversation_id)
            after = 0
            if after_turn_id is not None:
                seq = sa.select(T.c.turn_seq).where(
                    T.c.turn_id == after_turn_id, T.c.conversation_id == conversation_id
                )
                after = connection.execute(seq).scalar_one_or_none() or 0
                if after == 0:
                    raise NotFoundError
            query = sa.select(T).where(T.c.conversation_id == conversation_id, T.c.turn_seq > after)
            return connection.execute(query.order_by(T.c.turn_seq)).all()

        return [turn_of(row) for row in await self._read(work)]

    async def rate(self, conversation_id: str, score: int, comment_masked: str, at: datetime) -> Change:
        at = rules.as_utc(at)
        rules.check_rating(score, comment_masked)

        def work(connection: sa.Connection) -> Change:
            before = _record(connection, conversation_id, q.CONVERSATION_LOCKED)
            after, event = rules.rated(before, score, comment_masked, at)
            return _leave(connection, before, after, [event])

        return await self._write(work)

    # ── EventTrail ───────────────────────────────────────────────────────────────────────

    async def append(self, event: ConversationEvent) -> ConversationEvent:
        rules.require_masked(event.data, f"event.{event.type.value}")
        at = rules.as_utc(event.at)

        def work(connection: sa.Connection) -> ConversationEvent:
            before = _record(connection, event.conversation_id, q.CONVERSATION_LOCKED)
            after = before.model_copy(update={"updated_at": max(before.updated_at, at)})
            return _leave(connection, before, after, [event]).events[0]

        return await self._write(work)

    async def events_after(self, conversation_id: str, seq: int, limit: int = 200) -> list[ConversationEvent]:
        query = sa.select(E).where(E.c.conversation_id == conversation_id, E.c.seq > seq)
        query = query.order_by(E.c.seq).limit(limit)
        return [event_of(row) for row in await self._read(lambda c: c.execute(query).all())]

    async def events_of(self, conversation_id: str, kind: EventType) -> list[ConversationEvent]:
        query = sa.select(E).where(E.c.conversation_id == conversation_id, E.c.type == kind.value).order_by(E.c.seq)
        return [event_of(row) for row in await self._read(lambda c: c.execute(query).all())]

    # ── CallerHistory ────────────────────────────────────────────────────────────────────

    async def conversations_of(self, caller_key: str, limit: int = 10) -> list[ConversationRecord]:
        query = sa.select(C).where(C.c.caller_key == caller_key)
        query = query.order_by(C.c.created_at.desc(), C.c.conversation_id).limit(limit)
        return [record_of(row) for row in await self._read(lambda c: c.execute(query).all())]

    async def in_state(self, state: ConversationState) -> list[ConversationRecord]:
        query = sa.select(C).where(C.c.state == state.value).order_by(C.c.created_at, C.c.conversation_id)
        return [record_of(row) for row in await self._read(lambda c: c.execute(query).all())]

    # ── Desk ─────────────────────────────────────────────────────────────────────────────

    async def at_desk(self, work: Callable[[Rows], R], readonly: bool) -> R:
        """One transaction of the desk (storage.desk), on the same engine and in the same line of writers."""
        return await self.runner.run(lambda connection: work(rows_of(connection)), readonly=readonly)

    # ── Retention ────────────────────────────────────────────────────────────────────────

    async def forget(self, conversation_id: str) -> bool:
        return await self._erase(C.c.conversation_id == conversation_id) > 0

    async def purge_before(self, at: datetime) -> int:
        kept = (ConversationState.QUEUED.value, ConversationState.AGENT.value)
        to_call = sa.select(callbacks.c.conversation_id).where(callbacks.c.state.in_(CALLBACK_OPEN))
        old = sa.and_(C.c.updated_at < rules.as_utc(at), C.c.state.not_in(kept))
        return await self._erase(sa.and_(old, C.c.conversation_id.not_in(to_call)))

    async def _erase(self, which: sa.ColumnElement[bool]) -> int:
        def work(connection: sa.Connection) -> int:
            chosen = sa.select(C.c.conversation_id).where(which).with_for_update()
            ids = list(connection.execute(chosen).scalars())
            for start in range(0, len(ids), 500):  # engines limit the values of one statement
                some = ids[start : start + 500]
                forget_counted(connection, some)
                for table in (offers, queue_entries, callbacks, agent_messages, E, T, RECORDINGS, C):
                    connection.execute(sa.delete(table).where(table.c.conversation_id.in_(some)))
            return len(ids)

        return await self._write(work)

    # ── StoreLifecycle ───────────────────────────────────────────────────────────────────

    async def ping(self) -> None:
        await self._read(lambda connection: connection.execute(sa.select(C.c.conversation_id).limit(1)).first())

    async def close(self) -> None:
        await self.runner.close()


def _record(connection: sa.Connection, this: str, query: sa.Select[Any] = q.CONVERSATION) -> ConversationRecord:
    row = connection.execute(query, {q.THIS: this}).one_or_none()
    if row is None:
        raise NotFoundError
    return record_of(row)


def _known_turn(connection: sa.Connection, message: CitizenMessage) -> StoredTurn | None:
    """The turn this message already made. Raises TurnIdTakenError."""
    same = {
        q.THIS: message.turn_id,
        "conversation": message.conversation_id,
        "client": message.client_message_id,
    }
    return rules.known_turn([turn_of(row) for row in connection.execute(q.SAME_TURN, same)], message)


def rows_of(connection: sa.Connection) -> SqlRows:
    return SqlRows(connection, lambda c, this: _record(c, this, q.CONVERSATION_LOCKED), _leave)


def _leave(
    connection: sa.Connection,
    before: ConversationRecord,
    after: ConversationRecord,
    told: Sequence[ConversationEvent],
) -> Change:
    """Writes what changed of a locked conversation, and the events with their numbers."""
    events = rules.numbered(told, before.event_seq)
    after = after.model_copy(update={"event_seq": before.event_seq + len(events)})
    # Always the same columns, so always the same prepared statement.
    values = {name: value for name, value in record_values(after).items() if name not in _FIXED}
    connection.execute(q.UPDATE_CONVERSATION, {q.THIS: after.conversation_id, **values})
    if events:
        connection.execute(q.INSERT_EVENT, [event_values(event) for event in events])
    return Change(conversation=after, events=events)
