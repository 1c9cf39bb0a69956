"""Rules both adapters of the work orders share. Pure: no I/O."""

from __future__ import annotations

import hashlib
from datetime import UTC, date

from hotline.work_order_flow import RUNNING, Move
from hotline.work_order_record import (
    HistoryEntry,
    RepeatedKeyError,
    VersionConflictError,
    WorkOrderFilter,
    WorkOrderRecord,
)
from hotline.work_orders import WorkOrderDraft
from storage.rules import as_utc


def content_hash(draft: WorkOrderDraft) -> str:
    """What tells whether two drafts are the same."""
    return hashlib.sha256(draft.model_dump_json().encode()).hexdigest()


def require_same(known_hash: str, draft: WorkOrderDraft) -> None:
    """Raises RepeatedKeyError."""
    if known_hash != content_hash(draft):
        raise RepeatedKeyError


def changed(stored: WorkOrderRecord, before: WorkOrderRecord, after: WorkOrderRecord) -> WorkOrderRecord:
    """``after`` as the next version. The hub's number is the outbox's to set, also meanwhile.
    Raises VersionConflictError."""
    if stored.version != before.version:
        raise VersionConflictError
    kept = {"version": before.version + 1, "updated_at": as_utc(after.updated_at), "hub_number": stored.hub_number}
    return after.model_copy(update=kept)


def numbered(entry: HistoryEntry, last_seq: int) -> HistoryEntry:
    return entry.model_copy(update={"seq": last_seq + 1, "at": entry.at.astimezone(UTC)})


MOVES = frozenset(move.value for move in Move)


def is_told(entry: HistoryEntry) -> bool:
    """Whether the hub is told of it: moves, and nothing that the line only notes for itself."""
    return entry.what in MOVES


def due_on(record: WorkOrderRecord) -> date | None:
    """The due day while the time limit runs; None while it stands still or is over."""
    if record.state not in RUNNING or record.clock.paused_on or record.clock.stopped_on:
        return None
    return record.clock.due_on


def matches(record: WorkOrderRecord, wanted: WorkOrderFilter) -> bool:
    """Whether a list narrowed by ``wanted`` holds ``record``; the SQL adapter says the same in SQL."""
    due = due_on(record)
    tests = (
        wanted.states is None or record.state in wanted.states,
        wanted.department is None or record.department == wanted.department,
        wanted.town is None or record.town == wanted.town,
        wanted.category is None or record.category == wanted.category,
        wanted.type is None or record.type is wanted.type,
        wanted.urgency is None or record.urgency is wanted.urgency,
        wanted.due_before is None or (due is not None and due < wanted.due_before),
        wanted.revisit_before is None
        or (record.revisit_due is not None and record.revisit_due < wanted.revisit_before),
        wanted.created_from is None or record.created_at >= wanted.created_from,
        wanted.created_to is None or record.created_at <= wanted.created_to,
        not wanted.text or wanted.text in record.summary or wanted.text == record.number,
        wanted.visible_confidential or not record.confidential,
        wanted.public_ids is None or record.public_id in wanted.public_ids,
        wanted.merged_into is None or record.merged_into == wanted.merged_into,
    )
    return all(tests)
