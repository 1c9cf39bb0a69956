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
    ToldMove,
    WorkOrderFilter,
    WorkOrderRecord,
)
from hotline.work_orders import WorkOrder, WorkOrderDraft


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
    """Work orders of which the data hub does not know everything yet. ``WorkOrderStore.add`` puts them in,
    and so does ``change`` at every move, in the same transaction."""

    async def due(self, now: datetime, limit: int = 50) -> list[HandOver]:
        """Those whose time has come and that were not refused, oldest first."""
        ...

    async def filed(self, number: str, hub_number: str, entry: HistoryEntry) -> None:
        """It is at the hub: the hub's number kept, a line in the history. Doing it again changes nothing."""
        ...

    async def untold(self, number: str) -> list[HistoryEntry]:
        """The moves that the hub was not told yet, in order."""
        ...

    async def told(self, number: str, seq: int) -> None:
        """The hub knows every move up to ``seq``. Doing it again changes nothing."""
        ...

    async def done(self, number: str, all_told: bool = True) -> bool:
        """Takes it out, unless ``all_told`` and a move was made meanwhile that the hub was not told."""
        ...

    async def put_off(self, hand_over: HandOver) -> None:
        """Keeps its attempts, error, next time and refusal."""
        ...

    async def waiting(self) -> list[HandOver]:
        """All of which the hub does not know everything, also the refused."""
        ...


class WorkOrderHub(Protocol):
    """Where work orders are handed over. Every method raises HubDownError where the hub gives no answer
    that can be used, and BadInputError where it will not take what it is given."""

    async def file_request(self, draft: WorkOrderDraft, idempotency_key: str) -> WorkOrder:
        """The same key again answers what the first call made."""
        ...

    async def tell_move(self, hub_number: str, told: ToldMove) -> None:
        """The same move again changes nothing; moves come in order."""
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
