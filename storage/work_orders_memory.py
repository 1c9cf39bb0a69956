"""Work orders in memory: for trying things and for tests. No method awaits midway."""

from __future__ import annotations

from datetime import date, datetime

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


class MemoryWorkOrders:
    """Implements every port of :mod:`hotline.work_order_ports` that stores."""

    def __init__(self) -> None:
        self._orders: dict[str, WorkOrderRecord] = {}
        self._history: dict[str, list[HistoryEntry]] = {}
        self._outbox: dict[str, HandOver] = {}
        self._told: dict[str, int] = {}
        self._readings: dict[str, RequestReading] = {}

    # ── WorkOrderStore ───────────────────────────────────────────────────────────────────

    async def add(
        self, record: WorkOrderRecord, entry: HistoryEntry, hand_over: HandOver
    ) -> tuple[WorkOrderRecord, bool]:
        for known in self._orders.values():
            if known.idempotency_key == record.idempotency_key:
                rules.require_same(rules.content_hash(known.draft), record.draft)
                return known, False
        self._orders[record.number] = record
        self._history[record.number] = [rules.numbered(entry, 0)]
        self._outbox[record.number] = hand_over
        return record, True

    async def get(self, number: str) -> WorkOrderRecord:
        try:
            return self._orders[number]
        except KeyError:
            raise NotFoundError from None

    async def change(self, before: WorkOrderRecord, after: WorkOrderRecord, entry: HistoryEntry) -> WorkOrderRecord:
        stored = await self.get(before.number)
        kept = rules.changed(stored, before, after)
        self._orders[kept.number] = kept
        self._note(entry)
        if rules.is_told(entry):
            self._outbox.setdefault(kept.number, HandOver(number=kept.number, next_at=entry.at))
        return kept

    async def find(self, wanted: WorkOrderFilter, page: int = 1, page_size: int = 20) -> Page:
        found = [record for record in self._orders.values() if rules.matches(record, wanted)]
        found.sort(key=lambda record: (record.created_at, record.number), reverse=True)
        if wanted.due_before:
            found.sort(key=lambda record: rules.due_on(record) or date.max)
        return Page(orders=found[(page - 1) * page_size : page * page_size], total=len(found))

    async def history(self, number: str) -> list[HistoryEntry]:
        return list(self._history.get(number, []))

    # ── WorkOrderOutbox ──────────────────────────────────────────────────────────────────

    async def due(self, now: datetime, limit: int = 50) -> list[HandOver]:
        due = [each for each in self._outbox.values() if each.next_at <= now and not each.refused]
        return sorted(due, key=lambda each: (each.next_at, each.number))[:limit]

    async def filed(self, number: str, hub_number: str, entry: HistoryEntry) -> None:
        stored = await self.get(number)
        if stored.hub_number is None:
            self._orders[number] = stored.model_copy(update={"hub_number": hub_number})
            self._note(entry)

    async def untold(self, number: str) -> list[HistoryEntry]:
        last = self._told.get(number, 0)
        return [line for line in self._history.get(number, []) if line.seq > last and rules.is_told(line)]

    async def told(self, number: str, seq: int) -> None:
        self._told[number] = max(seq, self._told.get(number, 0))

    async def done(self, number: str, all_told: bool = True) -> bool:
        if all_told and await self.untold(number):
            return False
        self._outbox.pop(number, None)
        return True

    async def put_off(self, hand_over: HandOver) -> None:
        if hand_over.number in self._outbox:
            self._outbox[hand_over.number] = hand_over

    async def waiting(self) -> list[HandOver]:
        return sorted(self._outbox.values(), key=lambda each: (each.next_at, each.number))

    # ── ReadingStore ─────────────────────────────────────────────────────────────────────

    async def unread(self, limit: int = 20) -> list[str]:
        wanting = [
            record
            for number, record in self._orders.items()
            if record.state in RUNNING and (number not in self._readings or self._readings[number].vector is None)
        ]
        return [record.number for record in sorted(wanting, key=lambda record: record.created_at)][:limit]

    async def put_reading(self, number: str, reading: RequestReading) -> None:
        await self.get(number)
        self._readings[number] = reading

    async def readings_since(self, at: datetime) -> list[StoredReading]:
        found = [
            StoredReading(number=number, created_at=self._orders[number].created_at, reading=reading)
            for number, reading in self._readings.items()
            if self._orders[number].created_at >= at
        ]
        return sorted(found, key=lambda each: (each.created_at, each.number), reverse=True)

    def _note(self, entry: HistoryEntry) -> None:
        lines = self._history[entry.number]
        lines.append(rules.numbered(entry, len(lines)))
