"""Work orders on SQLAlchemy Core: SQLite or PostgreSQL. Records and history are sealed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from hotline.errors import NotFoundError
from hotline.work_order_flow import RUNNING
from hotline.work_order_record import (
    HandOver,
    HistoryEntry,
    Page,
    RequestReading,
    StoredReading,
    WorkOrderFilter,
    WorkOrderRecord,
)
from storage import work_order_rules as rules
from storage.rules import as_utc
from storage.runner import Runner
from storage.seal import RowSeal
from storage.tables import work_order_history as H
from storage.tables import work_order_outbox as X
from storage.tables import work_orders as W

R = TypeVar("R")
_RUNNING = [state.value for state in RUNNING]


class SqlWorkOrders:
    """Implements every port of :mod:`hotline.work_order_ports` that stores."""

    def __init__(self, runner: Runner, seal: RowSeal) -> None:
        """``runner`` is shared with the other stores of the process, so that writers queue in one place."""
        self._runner = runner
        self._seal = seal
        self._urgency_is_told = False

    async def _write(self, work: Callable[[sa.Connection], R]) -> R:
        return await self._runner.run(work, readonly=False)

    async def _read(self, work: Callable[[sa.Connection], R]) -> R:
        return await self._runner.run(work, readonly=True)

    # ── WorkOrderStore ───────────────────────────────────────────────────────────────────

    async def add(
        self, record: WorkOrderRecord, entry: HistoryEntry, hand_over: HandOver
    ) -> tuple[WorkOrderRecord, bool]:
        def work(connection: sa.Connection) -> tuple[WorkOrderRecord, bool]:
            if (known := self._known(connection, record)) is not None:
                return known, False
            connection.execute(sa.insert(W), self._values(record) | {"compared": False})
            self._note(connection, entry)
            connection.execute(sa.insert(X), hand_over.model_dump())
            return record, True

        try:
            return await self._write(work)
        except IntegrityError:  # the same request twice at the same moment: the other one was first
            known = await self._read(lambda connection: self._known(connection, record))
            if known is None:
                raise
            return known, False

    async def get(self, number: str) -> WorkOrderRecord:
        return await self._read(lambda connection: self._one(connection, number))

    async def change(self, before: WorkOrderRecord, after: WorkOrderRecord, entry: HistoryEntry) -> WorkOrderRecord:
        def work(connection: sa.Connection) -> WorkOrderRecord:
            stored = self._one(connection, before.number, lock=True)
            kept = rules.changed(stored, before, after)
            connection.execute(sa.update(W).where(W.c.number == kept.number), self._values(kept))
            self._note(connection, entry)
            if rules.is_told(entry):
                waits = connection.execute(sa.select(X.c.number).where(X.c.number == kept.number)).first()
                if waits is None:  # the order's row is locked: nobody else puts it in
                    connection.execute(sa.insert(X), HandOver(number=kept.number, next_at=entry.at).model_dump())
            return kept

        return await self._write(work)

    async def find(self, wanted: WorkOrderFilter, page: int = 1, page_size: int = 20) -> Page:
        chosen = sa.select(W.c.sealed, W.c.hub_number).where(*_conditions(wanted))
        newest = (W.c.created_at.desc(), W.c.number.desc())
        ordered = chosen.order_by(W.c.due_on, *newest) if wanted.due_before else chosen.order_by(*newest)

        if wanted.urgency is not None and not self._urgency_is_told:
            await self._write(self._tell_urgency)
            self._urgency_is_told = True

        def work(connection: sa.Connection) -> Page:
            total = connection.execute(sa.select(sa.func.count()).select_from(chosen.subquery())).scalar_one()
            rows = connection.execute(ordered.offset((page - 1) * page_size).limit(page_size)).all()
            return Page(orders=[self._open(row.sealed, row.hub_number) for row in rows], total=total)

        return await self._read(work)

    async def history(self, number: str) -> list[HistoryEntry]:
        query = sa.select(H.c.sealed).where(H.c.number == number).order_by(H.c.seq)
        rows = await self._read(lambda connection: connection.execute(query).scalars().all())
        return [self._seal.open(sealed, HistoryEntry) for sealed in rows]

    # ── WorkOrderOutbox ──────────────────────────────────────────────────────────────────

    async def due(self, now: datetime, limit: int = 50) -> list[HandOver]:
        return await self._hand_overs(X.c.next_at <= as_utc(now), X.c.refused.is_(False), limit=limit)

    async def filed(self, number: str, hub_number: str, entry: HistoryEntry) -> None:
        def work(connection: sa.Connection) -> None:
            untold = sa.update(W).where(W.c.number == number, W.c.hub_number.is_(None))
            if connection.execute(untold.values(hub_number=hub_number)).rowcount:
                self._note(connection, entry)

        await self._write(work)

    async def untold(self, number: str) -> list[HistoryEntry]:
        query = sa.select(H.c.sealed).where(*_untold(number)).order_by(H.c.seq)
        rows = await self._read(lambda connection: connection.execute(query).scalars().all())
        return [self._seal.open(sealed, HistoryEntry) for sealed in rows]

    async def told(self, number: str, seq: int) -> None:
        update = sa.update(W).where(W.c.number == number, W.c.hub_seq < seq).values(hub_seq=seq)
        await self._write(lambda connection: connection.execute(update))

    async def done(self, number: str, all_told: bool = True) -> bool:
        def work(connection: sa.Connection) -> bool:
            # Locked, so that no move slips in between the look and the removal.
            connection.execute(sa.select(W.c.number).where(W.c.number == number).with_for_update())
            if all_told and connection.execute(sa.select(H.c.seq).where(*_untold(number)).limit(1)).first():
                return False
            connection.execute(sa.delete(X).where(X.c.number == number))
            return True

        return await self._write(work)

    async def put_off(self, hand_over: HandOver) -> None:
        values = hand_over.model_dump(exclude={"number"})
        update = sa.update(X).where(X.c.number == hand_over.number).values(values)
        await self._write(lambda connection: connection.execute(update))

    async def waiting(self) -> list[HandOver]:
        return await self._hand_overs()

    async def _hand_overs(self, *which: sa.ColumnElement[bool], limit: int | None = None) -> list[HandOver]:
        query = sa.select(X).where(*which).order_by(X.c.next_at, X.c.number).limit(limit)
        rows = await self._read(lambda connection: connection.execute(query).all())
        return [HandOver.model_validate(dict(row._mapping)) for row in rows]

    # ── ReadingStore ─────────────────────────────────────────────────────────────────────

    async def unread(self, limit: int = 20) -> list[str]:
        query = sa.select(W.c.number).where(W.c.compared.is_(False), W.c.state.in_(_RUNNING))
        query = query.order_by(W.c.created_at).limit(limit)
        return list(await self._read(lambda connection: connection.execute(query).scalars().all()))

    async def put_reading(self, number: str, reading: RequestReading) -> None:
        values = {"reading": self._seal.seal(reading), "compared": reading.vector is not None}
        update = sa.update(W).where(W.c.number == number).values(values)
        if not await self._write(lambda connection: connection.execute(update).rowcount):
            raise NotFoundError

    async def readings_since(self, at: datetime) -> list[StoredReading]:
        query = sa.select(W.c.number, W.c.created_at, W.c.reading).where(
            W.c.created_at >= as_utc(at), W.c.reading.is_not(None)
        )
        query = query.order_by(W.c.created_at.desc(), W.c.number.desc())
        rows = await self._read(lambda connection: connection.execute(query).all())
        return [
            StoredReading(
                number=row.number, created_at=row.created_at, reading=self._seal.open(row.reading, RequestReading)
            )
            for row in rows
        ]

    # ── rows ─────────────────────────────────────────────────────────────────────────────

    def _tell_urgency(self, connection: sa.Connection) -> None:
        """Orders of before revision 0008 have it in their sealed record alone."""
        untold = connection.execute(sa.select(W.c.number, W.c.sealed).where(W.c.urgency.is_(None))).all()
        for row in untold:
            urgency = self._seal.open(row.sealed, WorkOrderRecord).urgency.value
            connection.execute(sa.update(W).where(W.c.number == row.number).values(urgency=urgency))

    def _known(self, connection: sa.Connection, record: WorkOrderRecord) -> WorkOrderRecord | None:
        query = sa.select(W).where(W.c.idempotency_key == record.idempotency_key)
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        rules.require_same(row.content_hash, record.draft)
        return self._open(row.sealed, row.hub_number)

    def _one(self, connection: sa.Connection, number: str, lock: bool = False) -> WorkOrderRecord:
        query = sa.select(W.c.sealed, W.c.hub_number).where(W.c.number == number)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise NotFoundError
        return self._open(row.sealed, row.hub_number)

    def _open(self, sealed: str, hub_number: str | None) -> WorkOrderRecord:
        return self._seal.open(sealed, WorkOrderRecord).model_copy(update={"hub_number": hub_number})

    def _values(self, record: WorkOrderRecord) -> dict[str, Any]:
        return {
            "number": record.number,
            "public_id": record.public_id,
            "idempotency_key": record.idempotency_key,
            "content_hash": rules.content_hash(record.draft),
            "version": record.version,
            "state": record.state.value,
            "type": record.type.value,
            "urgency": record.urgency.value,
            "town": record.town,
            "category": record.category,
            "department": record.department,
            "confidential": record.confidential,
            "summary": record.summary,
            "created_at": record.created_at,
            "updated_at": record.updated_at,
            "due_on": rules.due_on(record),
            "revisit_due": record.revisit_due,
            "merged_into": record.merged_into,
            "sealed": self._seal.seal(record),
        }

    def _note(self, connection: sa.Connection, entry: HistoryEntry) -> None:
        last = connection.execute(sa.select(sa.func.max(H.c.seq)).where(H.c.number == entry.number)).scalar()
        line = rules.numbered(entry, last or 0)
        values = {"number": line.number, "seq": line.seq, "at": line.at, "what": line.what}
        connection.execute(sa.insert(H), values | {"sealed": self._seal.seal(line)})


def _untold(number: str) -> tuple[sa.ColumnElement[bool], ...]:
    last_told = sa.select(W.c.hub_seq).where(W.c.number == number).scalar_subquery()
    return H.c.number == number, H.c.what.in_(sorted(rules.MOVES)), H.c.seq > last_told


def _conditions(wanted: WorkOrderFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    for column, value in (
        (W.c.department, wanted.department),
        (W.c.town, wanted.town),
        (W.c.category, wanted.category),
        (W.c.type, wanted.type.value if wanted.type else None),
        (W.c.urgency, wanted.urgency.value if wanted.urgency else None),
        (W.c.merged_into, wanted.merged_into),
    ):
        if value is not None:
            found.append(column == value)
    for column, values in (
        (W.c.state, None if wanted.states is None else {state.value for state in wanted.states}),
        (W.c.public_id, wanted.public_ids),
    ):
        if values is not None:
            found.append(column.in_(sorted(values)))
    if wanted.due_before is not None:
        found.append(W.c.due_on < wanted.due_before)
    if wanted.revisit_before is not None:
        found.append(W.c.revisit_due < wanted.revisit_before)
    if wanted.created_from is not None:
        found.append(W.c.created_at >= wanted.created_from)
    if wanted.created_to is not None:
        found.append(W.c.created_at <= wanted.created_to)
    if wanted.text:
        found.append(sa.or_(W.c.summary.contains(wanted.text, autoescape=True), W.c.number == wanted.text))
    if not wanted.visible_confidential:
        found.append(W.c.confidential.is_(False))
    return found
