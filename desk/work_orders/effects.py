"""What each move does to a work order beside its state. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from desk.work_orders import clock as clocks
from desk.work_orders.calendar import WorkingDays
from desk.work_orders.clock import Limits
from hotline.errors import BadInputError
from hotline.work_order_flow import NEEDS, Move
from hotline.work_order_record import WorkOrderRecord

BAD_SCORE = 2
"""好差评: 1 非常不满意 and 2 不满意 are 差评."""

_NAMES = {"note": "说明（note）", "department": "承办部门（department）", "days": "天数（days）", "main": "主单的单号（main）", "score": "评分（score，1 到 5）"}  # fmt: skip
TOLD_TO_CITIZEN = frozenset(
    {Move.ANSWER, Move.ASK_CITIZEN, Move.REFUSE, Move.RECTIFY, Move.GRANT_EXTENSION, Move.FOLLOW_UP}
)
"""Moves whose note the citizen may read; what is said between offices stays there."""


@dataclass(frozen=True)
class Act:
    """One move with what it needs (:data:`hotline.work_order_flow.NEEDS`)."""

    move: Move
    note: str = ""
    department: str | None = None
    days: int | None = None
    main: str | None = None
    score: int | None = None


def settled(act: Act, record: WorkOrderRecord) -> Act:
    """``act`` with what follows by itself: a low score is a bad rating, a dispatch takes the proposal."""
    if act.move in (Move.RATE, Move.RATE_BADLY) and act.score is not None:
        return replace(act, move=Move.RATE_BADLY if act.score <= BAD_SCORE else Move.RATE)
    if act.move is Move.DISPATCH and act.department is None and record.proposal:
        return replace(act, department=record.proposal.department, note=act.note or record.proposal.reason)
    return act


def require(act: Act) -> None:
    """Raises BadInputError where something is missing or out of range."""
    missing = [name for name in NEEDS.get(act.move, ()) if getattr(act, name) in (None, "")]
    if missing:
        raise BadInputError(f"这一步还要填：{'、'.join(_NAMES[name] for name in missing)}。")
    if act.score is not None and not 1 <= act.score <= 5:
        raise BadInputError("评分请选 1 到 5 分。")
    if len(act.note) > 2000:
        raise BadInputError("说明最多 2000 字。")


def told(act: Act) -> dict[str, Any]:
    """What of ``act`` goes into the history beside its note."""
    data = {"department": act.department, "days": act.days, "main": act.main, "score": act.score}
    return {name: value for name, value in data.items() if value is not None}


Update = dict[str, Any]


@dataclass(frozen=True)
class _On:
    record: WorkOrderRecord
    act: Act
    today: date
    limits: Limits
    calendar: WorkingDays


def _dispatched(on: _On) -> Update:
    return {"department": on.act.department}


def _stopped(on: _On) -> Update:
    return {"clock": clocks.stopped(on.record.clock, on.today)}


def _resumed(on: _On) -> Update:
    return {"clock": clocks.resumed(on.record.clock, on.today, on.calendar)}


def _extension_asked(on: _On) -> Update:
    days = on.act.days or 0
    if not 1 <= days <= on.limits.extension_days_max:
        raise BadInputError(f"一次延期是 1 到 {on.limits.extension_days_max} 个工作日。")
    if on.record.clock.days is None:
        raise BadInputError("这张工单没有时限，不用延期。")
    return {"extension_asked": days}


def _extension_granted(on: _On) -> Update:
    clock = clocks.extended(on.record.clock, on.record.extension_asked or 0, on.calendar)
    return {"clock": clock, "extension_asked": None, "escalated": False}


def _answered(on: _On) -> Update:
    return {"clock": clocks.stopped(on.record.clock, on.today), "answer": on.act.note, "extension_asked": None}


def _rated_badly(on: _On) -> Update:
    revisit = on.calendar.add(on.today, on.limits.revisit_days)
    return {"score": on.act.score, "revisit_due": revisit.day, "escalated": False}


def _reopened(on: _On) -> Update:
    return {
        "clock": clocks.start(on.record.type, on.today, on.limits, on.calendar),
        "escalated": False,
        "score": None,
        "answer": "",
    }


_EFFECTS: dict[Move, Callable[[_On], Update]] = {
    Move.REFUSE: _stopped,
    Move.WITHDRAW: _stopped,
    Move.DISPATCH: _dispatched,
    Move.REDISPATCH: _dispatched,
    Move.ASK_CITIZEN: lambda on: {"clock": clocks.paused(on.record.clock, on.today)},
    Move.ADD: _resumed,
    Move.RESUME: _resumed,
    Move.ASK_EXTENSION: _extension_asked,
    Move.GRANT_EXTENSION: _extension_granted,
    Move.REFUSE_EXTENSION: lambda _: {"extension_asked": None},
    Move.ESCALATE: lambda _: {"escalated": True, "extension_asked": None},
    Move.ANSWER: _answered,
    Move.SEND_BACK: lambda on: {"clock": clocks.going_again(on.record.clock)},
    Move.FOLLOW_UP: lambda _: {"revisit_due": None},
    Move.RATE: lambda on: {"score": on.act.score},
    Move.RATE_BADLY: _rated_badly,
    Move.REOPEN: _reopened,
    Move.MERGE: lambda on: {**_stopped(on), "merged_into": on.act.main},
    Move.UNMERGE: lambda on: {"clock": clocks.going_again(on.record.clock), "merged_into": None},
}


def effect(record: WorkOrderRecord, act: Act, today: date, limits: Limits, calendar: WorkingDays) -> WorkOrderRecord:
    """``record`` after ``act``, its state not yet moved. Raises BadInputError."""
    do = _EFFECTS.get(act.move)
    update = do(_On(record, act, today, limits, calendar)) if do else {}
    if act.note and act.move in TOLD_TO_CITIZEN:
        update["last_note"] = act.note
    return record.model_copy(update=update)
