"""What each audience is shown of a work order."""

from __future__ import annotations

from typing import Any

from desk.work_orders.actors import Actor
from desk.work_orders.clock import Standing
from desk.work_orders.effects import TOLD_TO_CITIZEN
from desk.work_orders.names import MOVES, PARTIES, STANDINGS, STATES, TYPES, URGENCIES
from hotline.privacy import mask_text
from hotline.work_order_flow import NEEDS, OWNER, Move, Party, moves_of
from hotline.work_order_record import HistoryEntry, WorkOrderRecord
from hotline.work_orders import WorkOrder, WorkOrderState

_HOTLINE_NAME = "热线"
# What passes between offices is not told to the citizen; these steps are.
_SHOWN_TO_CITIZEN = frozenset(
    "filed accept refuse dispatch redispatch take_up ask_citizen add answer complete follow_up rate rate_badly "
    "rectify reopen merge unmerge withdraw grant_extension".split()
)


def owner(record: WorkOrderRecord) -> str:
    """首接负责: the name of whoever is responsible right now."""
    party = OWNER[record.state]
    if party is Party.DEPARTMENT:
        return record.department or _HOTLINE_NAME
    return PARTIES[party] if party is Party.SUPERVISOR else _HOTLINE_NAME


def for_citizen(record: WorkOrderRecord, told: WorkOrder, standing: Standing) -> dict[str, Any]:
    """For who proved to be the one that filed it: no names of staff, no words between offices."""
    return {
        **_head(record, told.state, told.department, standing),
        "last_note": told.last_note,
        "merged_into_another": record.merged_into is not None,
        "score": record.score,
        "attachments": [_attachment(record, each.attachment_id) for each in record.attachments],
    }


def for_staff(record: WorkOrderRecord, actor: Actor, standing: Standing) -> dict[str, Any]:
    """For staff. A department that handles a confidential report sees the matter, not who told of it."""
    draft, hidden = record.draft, record.confidential and not actor.confidential
    words = mask_text if hidden else str
    clock = record.clock
    return {
        **summary(record, standing),
        "description": words(draft.happened),
        "place": draft.place,
        "when": draft.when,
        "channel": draft.channel,
        "service_key": draft.service_key,
        "anonymous": draft.anonymous,
        "contact_name": None if hidden else draft.contact_name,
        "contact_mobile": None if hidden else draft.contact_mobile,
        "contact_hidden": hidden,
        "proposal": record.proposal.model_dump() if record.proposal else None,
        "answer": record.answer,
        "clock": clock.model_dump(mode="json"),
        "extension_asked": record.extension_asked,
        "merged_into": record.merged_into,
        "revisit_due": record.revisit_due.isoformat() if record.revisit_due else None,
        "attachments": [_attachment(record, each.attachment_id) for each in record.attachments],
        "hub_number": record.hub_number,
        "moves": [
            {
                "move": move.value,
                "name": MOVES[move],
                "needs": list(NEEDS.get(move, ())),
                "told_to_citizen": move in TOLD_TO_CITIZEN or move is Move.ADD,
            }
            for move in moves_of(record.state, actor.acts_as(record))
        ],
    }


def summary(record: WorkOrderRecord, standing: Standing) -> dict[str, Any]:
    """A line of a list: nothing that identifies the citizen."""
    return {
        **_head(record, record.state, record.department, standing),
        "owner": owner(record),
        "category": record.category,
        "urgency": record.urgency.value,
        "urgency_name": URGENCIES[record.urgency],
        "confidential": record.confidential,
        "summary": record.summary,
        "updated_at": record.updated_at.isoformat(),
        "standing_name": STANDINGS[standing],
        "escalated": record.escalated,
        "score": record.score,
    }


def _head(record: WorkOrderRecord, state: WorkOrderState, department: str | None, standing: Standing) -> dict[str, Any]:
    due = record.clock.due_on
    return {
        "number": record.number,
        "version": record.version,
        "type": record.type.value,
        "type_name": TYPES[record.type],
        "state": state.value,
        "state_name": STATES[state],
        "department": department,
        "town": record.town,
        "created_at": record.created_at.isoformat(),
        "due_on": due.isoformat() if due else None,
        "due_note": due_note(record),
        "standing": standing.value,
    }


def due_note(record: WorkOrderRecord) -> str:
    if not record.clock.provisional or record.clock.due_on is None:
        return ""
    return f"暂定：{record.clock.due_on.year} 年的放假调休安排未公布，公布后可能顺延或提前"


def line(entry: HistoryEntry, hidden: bool) -> dict[str, Any]:
    """One line of the history; ``hidden`` masks what the citizen said in it."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "party": entry.party.value,
        "party_name": PARTIES[entry.party],
        "what": entry.what,
        "what_name": MOVES.get(entry.what, entry.what),
        "before": entry.before.value if entry.before else None,
        "after": entry.after.value,
        "note": mask_text(entry.note) if hidden else entry.note,
        "data": entry.data,
    }


def line_for_citizen(entry: HistoryEntry, told: frozenset[str]) -> dict[str, Any] | None:
    """None where the step is not the citizen's to see. ``told``: moves whose note is meant for them."""
    if entry.what not in _SHOWN_TO_CITIZEN:
        return None
    return {
        "at": entry.at.isoformat(),
        "what": entry.what,
        "what_name": MOVES.get(entry.what, entry.what),
        "party_name": PARTIES[entry.party],
        "state": entry.after.value,
        "state_name": STATES[entry.after],
        "note": entry.note if entry.what in told else "",
    }


def _attachment(record: WorkOrderRecord, attachment_id: str) -> dict[str, Any]:
    kept = next(each for each in record.attachments if each.attachment_id == attachment_id)
    return {
        "attachment_id": kept.attachment_id,
        "name": kept.name,
        "media_type": kept.media_type,
        "size": kept.size,
        "at": kept.at.isoformat(),
    }
