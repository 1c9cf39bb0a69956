"""Counts one work order from its record and its history: pure. No content of it is read, only what was done."""

from __future__ import annotations

from collections.abc import Sequence

from hotline.insights import UNKNOWN, OrderFacts
from hotline.work_order_flow import Move
from hotline.work_order_record import HistoryEntry, WorkOrderRecord


def order_facts(record: WorkOrderRecord, history: Sequence[HistoryEntry]) -> OrderFacts:
    """``completed_at`` is the last completion that was not reopened; ``stopped_on`` the day of the answer, by
    which the time limit is judged."""
    moves = [(entry.what, entry.at) for entry in history]
    completed = None
    for what, at in moves:
        if what == Move.COMPLETE.value:
            completed = at
        elif what == Move.REOPEN.value:
            completed = None
    made = {what for what, _ in moves}
    return OrderFacts(
        number=record.number, version=record.version, type=record.type.value, town=record.town or UNKNOWN,
        department=record.department or UNKNOWN, category=record.category or UNKNOWN, state=record.state.value,
        filed_at=record.created_at, due_on=record.clock.due_on, completed_at=completed, score=record.score,
        returned=Move.RETURN.value in made, escalated=Move.ESCALATE.value in made, reopened=Move.REOPEN.value in made,
        stopped_on=record.clock.stopped_on,
    )  # fmt: skip
