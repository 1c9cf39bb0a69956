"""Counts one work order from its record and its history: pure. Figures read what was done, not its content;
topics read what happened, masked, and not of a confidential report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from hotline.insights import UNKNOWN, OrderFacts, Outcome, Said, TurnFacts
from hotline.messages import Channel
from hotline.privacy import mask_text
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


_TALKED = frozenset(channel.value for channel in Channel)


def order_text(record: WorkOrderRecord, look: Callable[[str], Said]) -> TurnFacts | None:
    """What a work order tells, for the topics; None where it was filed in a conversation, whose turns have told
    it already, or is confidential. The receipt's number, half of a proof, is not kept with it."""
    if record.draft.channel in _TALKED or record.confidential:
        return None
    said = look(mask_text(record.draft.happened))
    if not said.matter:
        return None
    name = "order:" + hashlib.sha256(record.number.encode()).hexdigest()[:24]
    return TurnFacts(
        turn_id=name, conversation_id=name, at=record.created_at, channel="order", town=record.town or said.town or UNKNOWN,
        area=UNKNOWN, item_key=None, intent=None, confidence=0.0, outcome=Outcome.FLOW.value, gap=None, text=said.matter,
    )  # fmt: skip
