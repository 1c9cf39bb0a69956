"""Rows of the desk, as the book sees them: the same few calls over SQL and in memory.

The book (storage.desk_book) runs within one transaction on one of these. ``find`` filters by
equality; a tuple means 「any of」.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel

from hotline.desk import AgentMessage, AgentRecord, Callback, DeskEvent, Offer, QueueEntry
from hotline.errors import NotFoundError
from hotline.events import ConversationEvent
from storage import desk_tables as t
from storage.ports import Change, ConversationRecord

Row = TypeVar("Row", bound=BaseModel)

TABLES: dict[type[BaseModel], tuple[sa.Table, str]] = {
    QueueEntry: (t.queue_entries, "entry_id"),
    AgentRecord: (t.agents, "username"),
    Offer: (t.offers, "offer_id"),
    Callback: (t.callbacks, "callback_id"),
    AgentMessage: (t.agent_messages, "message_id"),
    DeskEvent: (t.desk_events, "seq"),
}


class Rows(Protocol):
    def conversation(self, conversation_id: str) -> ConversationRecord:
        """The record, locked until the transaction ends. Raises NotFoundError."""
        ...

    def leave(
        self, before: ConversationRecord, after: ConversationRecord, told: Sequence[ConversationEvent]
    ) -> Change: ...

    def find(
        self, kind: type[Row], order: str = "", limit: int | None = None, newest: bool = False, **where: Any
    ) -> list[Row]: ...

    def put(self, row: BaseModel) -> None:
        """Writes a row, new or known."""
        ...

    def next_seq(self, count: int) -> int:
        """The first of ``count`` numbers for desk events."""
        ...

    def events_after(self, seq: int, limit: int) -> list[DeskEvent]: ...

    def last_seq(self) -> int: ...

    def purge_events(self, at: datetime) -> int: ...


class SqlRows:
    """On one connection, in its transaction. ``record`` and ``leave`` are the store's own."""

    def __init__(
        self,
        connection: sa.Connection,
        record: Callable[[sa.Connection, str], ConversationRecord],
        leave: Callable[..., Change],
    ) -> None:
        self._connection = connection
        self._record = record
        self._leave = leave

    def conversation(self, conversation_id: str) -> ConversationRecord:
        return self._record(self._connection, conversation_id)

    def leave(self, before: ConversationRecord, after: ConversationRecord, told: Sequence[ConversationEvent]) -> Change:
        return self._leave(self._connection, before, after, told)

    def find(
        self, kind: type[Row], order: str = "", limit: int | None = None, newest: bool = False, **where: Any
    ) -> list[Row]:
        table, key = TABLES[kind]
        query = sa.select(table)
        for name, wanted in where.items():
            column = table.c[name]
            query = query.where(column.in_(wanted) if isinstance(wanted, tuple) else column == wanted)
        if order:
            columns = (table.c[order], table.c[key])
            query = query.order_by(*(c.desc() for c in columns) if newest else columns)
        if limit is not None:
            query = query.limit(limit)
        return [kind.model_validate(dict(row._mapping)) for row in self._connection.execute(query)]

    def put(self, row: BaseModel) -> None:
        table, key = TABLES[type(row)]
        values = {k: v.value if isinstance(v, StrEnum) else v for k, v in row.model_dump().items()}
        mine = table.c[key] == values[key]
        changed = {k: v for k, v in values.items() if k != key}
        if not self._connection.execute(sa.update(table).where(mine).values(changed)).rowcount:
            self._connection.execute(sa.insert(table).values(values))

    def next_seq(self, count: int) -> int:
        clock = t.desk_clock
        step = sa.update(clock).where(clock.c.id == 1).values(seq=clock.c.seq + count)
        if not self._connection.execute(step).rowcount:
            self._connection.execute(sa.insert(clock).values(id=1, seq=count))
        return self.last_seq() - count + 1

    def events_after(self, seq: int, limit: int) -> list[DeskEvent]:
        table = t.desk_events
        query = sa.select(table).where(table.c.seq > seq).order_by(table.c.seq).limit(limit)
        return [DeskEvent.model_validate(dict(row._mapping)) for row in self._connection.execute(query)]

    def last_seq(self) -> int:
        return int(self._connection.execute(sa.select(t.desk_clock.c.seq)).scalar() or 0)

    def purge_events(self, at: datetime) -> int:
        return self._connection.execute(sa.delete(t.desk_events).where(t.desk_events.c.at < at)).rowcount


class MemoryRows:
    """In dicts. ``snapshot`` and ``restore`` undo what a refused step began."""

    def __init__(self) -> None:
        self.tables: dict[type[BaseModel], dict[Any, BaseModel]] = {kind: {} for kind in TABLES}
        self.seq = 0
        self.record: Callable[[str], ConversationRecord] = _no_record
        self.leaves: Callable[..., Change] | None = None

    def conversation(self, conversation_id: str) -> ConversationRecord:
        return self.record(conversation_id)

    def leave(self, before: ConversationRecord, after: ConversationRecord, told: Sequence[ConversationEvent]) -> Change:
        assert self.leaves is not None
        return self.leaves(before, after, told)

    def find(
        self, kind: type[Row], order: str = "", limit: int | None = None, newest: bool = False, **where: Any
    ) -> list[Row]:
        key = TABLES[kind][1]
        found: list[Row] = [
            row.model_copy(deep=True)
            for row in self.tables[kind].values()
            if isinstance(row, kind)
            and all(
                getattr(row, name) in wanted if isinstance(wanted, tuple) else getattr(row, name) == wanted
                for name, wanted in where.items()
            )
        ]
        if order:
            found = [row for row in found if getattr(row, order) is not None]
            found.sort(key=lambda row: (getattr(row, order), getattr(row, key)), reverse=newest)
        return found[:limit]

    def put(self, row: BaseModel) -> None:
        self.tables[type(row)][getattr(row, TABLES[type(row)][1])] = row.model_copy(deep=True)

    def next_seq(self, count: int) -> int:
        self.seq += count
        return self.seq - count + 1

    def events_after(self, seq: int, limit: int) -> list[DeskEvent]:
        return [event for event in self.find(DeskEvent, order="seq") if event.seq > seq][:limit]

    def last_seq(self) -> int:
        return self.seq

    def purge_events(self, at: datetime) -> int:
        old = [event.seq for event in self.find(DeskEvent) if event.at < at]
        for seq in old:
            del self.tables[DeskEvent][seq]
        return len(old)

    def snapshot(self) -> tuple[dict[type[BaseModel], dict[Any, BaseModel]], int]:
        return {kind: dict(rows) for kind, rows in self.tables.items()}, self.seq

    def restore(self, kept: tuple[dict[type[BaseModel], dict[Any, BaseModel]], int]) -> None:
        self.tables, self.seq = kept

    def forget(self, conversation_id: str) -> None:
        for kind, rows in self.tables.items():
            if kind is not DeskEvent:  # numbered without gaps; they go by age
                self.tables[kind] = {
                    key: row for key, row in rows.items() if getattr(row, "conversation_id", None) != conversation_id
                }


def _no_record(conversation_id: str) -> ConversationRecord:
    raise NotFoundError
