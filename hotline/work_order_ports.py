"""Ports of the work orders. Each has a real adapter, an in-memory one, one contract test."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from hotline.work_order_record import (
    HandOver,
    HistoryEntry,
    Page,
    RequestReading,
    StoredReading,
    WorkOrderFilter,
    WorkOrderRecord,
)


class WorkOrderStore(Protocol):
    """Work orders and their history. A change and its line in the history are one transaction."""

    async def add(
        self, record: WorkOrderRecord, entry: HistoryEntry, hand_over: HandOver
    ) -> tuple[WorkOrderRecord, bool]:
        """Stores a new one → (record, True); the known one and False where its key came before.
        Raises RepeatedKeyError where that one's content differs."""
        ...

    async def get(self, number: str) -> WorkOrderRecord:
        """Raises NotFoundError."""
        ...

    async def change(self, before: WorkOrderRecord, after: WorkOrderRecord, entry: HistoryEntry) -> WorkOrderRecord:
        """``after`` with its new version. Raises VersionConflictError where the stored version is
        no longer that of ``before``; NotFoundError."""
        ...

    async def find(self, wanted: WorkOrderFilter, page: int = 1, page_size: int = 20) -> Page:
        """Newest first; those with the nearest due day first where ``due_before`` is given."""
        ...

    async def history(self, number: str) -> list[HistoryEntry]:
        """In order; empty where there is no such order. Nothing can take a line out of it."""
        ...


class WorkOrderOutbox(Protocol):
    """New work orders that still have to reach the data hub. ``WorkOrderStore.add`` puts them in."""

    async def due(self, now: datetime, limit: int = 50) -> list[HandOver]:
        """Those whose time has come and that were not refused, oldest first."""
        ...

    async def done(self, hand_over: HandOver, hub_number: str, entry: HistoryEntry) -> None:
        """It is at the hub: taken out, the hub's number kept, a line in the history. Doing it again
        changes nothing."""
        ...

    async def put_off(self, hand_over: HandOver) -> None:
        """Keeps its attempts, error, next time and refusal."""
        ...

    async def waiting(self) -> list[HandOver]:
        """All that is not at the hub yet, also the refused."""
        ...


class ReadingStore(Protocol):
    """What was read out of requests, for finding repeats."""

    async def unread(self, limit: int = 20) -> list[str]:
        """Numbers of running orders without a reading (or with one without a vector), oldest first."""
        ...

    async def put_reading(self, number: str, reading: RequestReading) -> None:
        """Keeps it in place of an earlier one. Raises NotFoundError."""
        ...

    async def readings_since(self, at: datetime) -> list[StoredReading]:
        """Of orders filed since, newest first."""
        ...


class RequestTriage(Protocol):
    """Reads requests. Raises ActionsDownError where the reader does not answer in time."""

    async def read(self, text: str) -> RequestReading: ...
