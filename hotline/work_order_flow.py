"""The flow of a work order (受理 → 派单 → 办理 → 答复 → 督办 → 办结 → 回访 → 评价) as one transition table.

Every row says where a move leads and who may make it. docs/work-orders.md is drawn from this
table; a test keeps the two alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hotline.errors import HotlineError, IllegalTransitionError
from hotline.work_orders import WorkOrderState


class Party(StrEnum):
    """Who acts on a work order, or owns it."""

    CITIZEN = "citizen"  # 市民
    HOTLINE = "hotline"  # 热线坐席
    SUPERVISOR = "supervisor"  # 热线班长
    DEPARTMENT = "department"  # 承办部门
    SYSTEM = "system"  # 热线系统自己


class Move(StrEnum):
    ACCEPT = "accept"  # 受理
    REFUSE = "refuse"  # 不予受理
    DISPATCH = "dispatch"  # 派单
    TAKE_UP = "take_up"  # 签收办理
    RETURN = "return"  # 退单
    UPHOLD = "uphold"  # 驳回退单，维持原派单
    REDISPATCH = "redispatch"  # 改派
    ASK_CITIZEN = "ask_citizen"  # 请市民补充
    ADD = "add"  # 补充
    RESUME = "resume"  # 不再等补充
    ASK_EXTENSION = "ask_extension"  # 申请延期
    GRANT_EXTENSION = "grant_extension"  # 同意延期
    REFUSE_EXTENSION = "refuse_extension"  # 不同意延期
    ESCALATE = "escalate"  # 督办
    ANSWER = "answer"  # 答复
    SEND_BACK = "send_back"  # 退回重办
    COMPLETE = "complete"  # 办结
    FOLLOW_UP = "follow_up"  # 回访
    RATE = "rate"  # 评价（三级以上）
    RATE_BADLY = "rate_badly"  # 差评（一、二级）
    RECTIFY = "rectify"  # 整改完成
    REOPEN = "reopen"  # 重办
    MERGE = "merge"  # 并单
    UNMERGE = "unmerge"  # 撤销并单
    WITHDRAW = "withdraw"  # 撤回


@dataclass(frozen=True)
class Rule:
    """``to``: the state after the move; ``by``: the parties that may make it."""

    to: WorkOrderState
    by: frozenset[Party]


class NotAllowedError(HotlineError):
    """The move is in the table, but not for this party. Nothing has changed."""

    code = "move_not_allowed"
    status = 403
    citizen_sentence = "您不能对这张工单做这一步。"


S, M = WorkOrderState, Move
_CITIZEN, _HOTLINE, _SUPERVISOR = Party.CITIZEN, Party.HOTLINE, Party.SUPERVISOR
_DEPARTMENT, _SYSTEM = Party.DEPARTMENT, Party.SYSTEM


def _rows(
    move: Move, to: WorkOrderState, by: set[Party], *froms: WorkOrderState
) -> dict[tuple[WorkOrderState, Move], Rule]:
    return {(state, move): Rule(to, frozenset(by)) for state in froms}


FLOW: dict[tuple[WorkOrderState, Move], Rule] = {
    # 受理
    **_rows(M.ACCEPT, S.ACCEPTED, {_HOTLINE, _SYSTEM}, S.RECEIVED),
    **_rows(M.REFUSE, S.NOT_ACCEPTED, {_HOTLINE}, S.RECEIVED, S.ACCEPTED),
    # 派单
    **_rows(M.DISPATCH, S.DISPATCHED, {_HOTLINE, _SYSTEM}, S.ACCEPTED),
    **_rows(M.RETURN, S.RETURNED, {_DEPARTMENT}, S.DISPATCHED, S.IN_PROGRESS),
    **_rows(M.UPHOLD, S.DISPATCHED, {_SUPERVISOR}, S.RETURNED),
    **_rows(M.REDISPATCH, S.DISPATCHED, {_SUPERVISOR}, S.RETURNED, S.DISPATCHED, S.ESCALATED),
    # 办理
    **_rows(M.TAKE_UP, S.IN_PROGRESS, {_DEPARTMENT}, S.DISPATCHED),
    **_rows(M.ASK_CITIZEN, S.WAITING, {_DEPARTMENT}, S.IN_PROGRESS),
    **_rows(M.ADD, S.IN_PROGRESS, {_CITIZEN, _HOTLINE}, S.WAITING),
    **_rows(M.RESUME, S.IN_PROGRESS, {_DEPARTMENT}, S.WAITING),
    **_rows(M.ASK_EXTENSION, S.EXTENSION_REVIEW, {_DEPARTMENT}, S.IN_PROGRESS),
    **_rows(M.GRANT_EXTENSION, S.IN_PROGRESS, {_SUPERVISOR}, S.EXTENSION_REVIEW),
    **_rows(M.REFUSE_EXTENSION, S.IN_PROGRESS, {_SUPERVISOR}, S.EXTENSION_REVIEW),
    # 督办: whatever still runs and is not paused
    **_rows(
        M.ESCALATE, S.ESCALATED, {_SUPERVISOR, _SYSTEM},
        S.RECEIVED, S.ACCEPTED, S.DISPATCHED, S.RETURNED, S.IN_PROGRESS, S.EXTENSION_REVIEW,
    ),
    **_rows(M.ESCALATE, S.RECTIFY_ESCALATED, {_SUPERVISOR, _SYSTEM}, S.RECTIFYING),
    # 答复、办结. The hotline answers by itself what it can answer before any dispatch.
    **_rows(M.ANSWER, S.ANSWERED, {_DEPARTMENT}, S.IN_PROGRESS, S.EXTENSION_REVIEW, S.ESCALATED),
    **_rows(M.ANSWER, S.ANSWERED, {_HOTLINE}, S.ACCEPTED),
    **_rows(M.SEND_BACK, S.IN_PROGRESS, {_HOTLINE}, S.ANSWERED),
    **_rows(M.COMPLETE, S.COMPLETED, {_HOTLINE}, S.ANSWERED),
    # 回访、评价、整改
    **_rows(M.FOLLOW_UP, S.FOLLOWED_UP, {_HOTLINE}, S.COMPLETED, S.RECTIFIED),
    **_rows(M.RATE, S.RATED, {_CITIZEN, _HOTLINE}, S.COMPLETED, S.FOLLOWED_UP),
    **_rows(M.RATE_BADLY, S.RECTIFYING, {_CITIZEN, _HOTLINE}, S.COMPLETED, S.FOLLOWED_UP),
    **_rows(M.RECTIFY, S.RECTIFIED, {_DEPARTMENT}, S.RECTIFYING),
    **_rows(M.RECTIFY, S.RECTIFIED, {_DEPARTMENT, _SUPERVISOR}, S.RECTIFY_ESCALATED),
    **_rows(M.REOPEN, S.ACCEPTED, {_SUPERVISOR}, S.COMPLETED, S.FOLLOWED_UP, S.RATED, S.NOT_ACCEPTED),
    # 并单、撤回
    **_rows(M.MERGE, S.MERGED, {_HOTLINE}, S.RECEIVED, S.ACCEPTED, S.DISPATCHED, S.IN_PROGRESS),
    **_rows(M.UNMERGE, S.ACCEPTED, {_HOTLINE}, S.MERGED),
    **_rows(
        M.WITHDRAW, S.WITHDRAWN, {_CITIZEN, _HOTLINE},
        S.RECEIVED, S.ACCEPTED, S.DISPATCHED, S.RETURNED, S.IN_PROGRESS, S.WAITING, S.EXTENSION_REVIEW, S.ESCALATED,
    ),
}  # fmt: skip
# What a citizen adds unasked leaves the order where it is.
FLOW |= {
    (state, M.ADD): Rule(state, frozenset({_CITIZEN, _HOTLINE}))
    for state in (S.RECEIVED, S.ACCEPTED, S.DISPATCHED, S.RETURNED, S.IN_PROGRESS, S.EXTENSION_REVIEW, S.ESCALATED)
}

OWNER: dict[WorkOrderState, Party] = {
    S.RECEIVED: _HOTLINE,
    S.ACCEPTED: _HOTLINE,
    S.DISPATCHED: _DEPARTMENT,
    S.RETURNED: _SUPERVISOR,
    S.IN_PROGRESS: _DEPARTMENT,
    S.WAITING: _DEPARTMENT,
    S.EXTENSION_REVIEW: _DEPARTMENT,
    S.ESCALATED: _SUPERVISOR,
    S.ANSWERED: _HOTLINE,
    S.COMPLETED: _HOTLINE,
    S.FOLLOWED_UP: _HOTLINE,
    S.RATED: _HOTLINE,
    S.RECTIFYING: _DEPARTMENT,
    S.RECTIFY_ESCALATED: _SUPERVISOR,
    S.RECTIFIED: _HOTLINE,
    S.MERGED: _HOTLINE,
    S.NOT_ACCEPTED: _HOTLINE,
    S.WITHDRAWN: _HOTLINE,
}
"""首接负责: who is responsible for a work order in each state. Where no department was named, the
hotline stands in for it."""

RUNNING = frozenset({S.RECEIVED, S.ACCEPTED, S.DISPATCHED, S.RETURNED, S.IN_PROGRESS, S.EXTENSION_REVIEW, S.ESCALATED})
"""States in which the time limit runs. In WAITING it stands still; after the answer it is kept."""

CLOSED = frozenset({S.COMPLETED, S.FOLLOWED_UP, S.RATED, S.RECTIFIED, S.MERGED, S.NOT_ACCEPTED, S.WITHDRAWN})
"""Nothing more is to be done on the matter itself."""

WAITS_FOR: dict[Party, frozenset[WorkOrderState]] = {
    _HOTLINE: frozenset({S.RECEIVED, S.ACCEPTED, S.ANSWERED, S.COMPLETED, S.RECTIFIED}),
    _SUPERVISOR: frozenset({S.RETURNED, S.EXTENSION_REVIEW, S.ESCALATED, S.RECTIFY_ESCALATED}),
    _DEPARTMENT: frozenset({S.DISPATCHED, S.IN_PROGRESS, S.RECTIFYING, S.RECTIFY_ESCALATED}),
    Party.CITIZEN: frozenset({S.WAITING}),
}
"""待办: the states in which somebody's next step is awaited. Beside its owner also who reviews."""

NEEDS: dict[Move, tuple[str, ...]] = {
    M.REFUSE: ("note",),
    M.DISPATCH: ("department",),
    M.RETURN: ("note",),
    M.UPHOLD: ("note",),
    M.REDISPATCH: ("department", "note"),
    M.ASK_CITIZEN: ("note",),
    M.ADD: ("note",),
    M.ASK_EXTENSION: ("note", "days"),
    M.REFUSE_EXTENSION: ("note",),
    M.ESCALATE: ("note",),
    M.ANSWER: ("note",),
    M.SEND_BACK: ("note",),
    M.FOLLOW_UP: ("note",),
    M.RATE: ("score",),
    M.RATE_BADLY: ("score",),
    M.RECTIFY: ("note",),
    M.REOPEN: ("note",),
    M.MERGE: ("main",),
    M.UNMERGE: ("note",),
}
"""What a move cannot do without."""


def rule(state: WorkOrderState, move: Move, parties: frozenset[Party]) -> Rule:
    """The row for ``move`` in ``state``, made by somebody who acts as ``parties``.

    Raises:
        IllegalTransitionError: the table has no such move.
        NotAllowedError: it has, but not for these parties.
    """
    found = FLOW.get((state, move))
    if found is None:
        raise IllegalTransitionError(state.value, move.value)
    if not found.by & parties:
        raise NotAllowedError
    return found


def moves_of(state: WorkOrderState, parties: frozenset[Party]) -> list[Move]:
    """What somebody who acts as ``parties`` may do next."""
    return [move for (here, move), row in FLOW.items() if here is state and row.by & parties]
