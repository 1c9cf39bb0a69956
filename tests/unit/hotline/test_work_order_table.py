"""The one table of a work order's flow."""

from __future__ import annotations

import pytest

from desk.work_orders.names import MOVES, PARTIES, STATES
from hotline.errors import IllegalTransitionError
from hotline.work_order_flow import CLOSED, FLOW, NEEDS, OWNER, RUNNING, Move, NotAllowedError, Party, moves_of, rule
from hotline.work_orders import WorkOrderState

S, M, P = WorkOrderState, Move, Party


def reachable(start: WorkOrderState) -> set[WorkOrderState]:
    seen, new = {start}, {start}
    while new:
        new = {row.to for (state, _), row in FLOW.items() if state in new} - seen
        seen |= new
    return seen


def test_every_state_has_an_owner_who_can_act_or_nothing_more_is_to_be_done() -> None:
    assert set(OWNER) == set(WorkOrderState)
    for state, owner in OWNER.items():
        moves = moves_of(state, frozenset({owner, P.SUPERVISOR} if owner is P.HOTLINE else {owner}))
        assert moves or state is S.WITHDRAWN, state
    assert not set(OWNER.values()) & {P.CITIZEN, P.SYSTEM}


def test_every_state_is_reached_from_the_first_and_every_move_is_used_and_named() -> None:
    assert reachable(S.RECEIVED) == set(WorkOrderState)
    assert {move for _, move in FLOW} == set(Move)
    assert set(NEEDS) <= set(Move)
    assert set(STATES) == set(WorkOrderState)
    assert set(Move) <= set(MOVES)
    assert set(PARTIES) == set(Party)


def test_from_every_state_that_runs_the_matter_can_be_brought_to_an_end() -> None:
    for state in RUNNING | {S.WAITING, S.ANSWERED, S.RECTIFYING}:
        assert S.COMPLETED in reachable(state) or S.RATED in reachable(state), state


def test_whatever_runs_can_be_escalated_by_the_clock_and_what_waits_or_is_closed_cannot() -> None:
    system = frozenset({P.SYSTEM})
    escalated = {state for state in S if M.ESCALATE in moves_of(state, system)}
    assert escalated == (RUNNING - {S.ESCALATED}) | {S.RECTIFYING}
    assert S.WAITING not in RUNNING
    assert not RUNNING & CLOSED


@pytest.mark.parametrize("state", WorkOrderState)
@pytest.mark.parametrize("move", Move)
def test_a_move_is_in_the_table_and_for_this_party_or_named_as_neither(state: WorkOrderState, move: Move) -> None:
    row = FLOW.get((state, move))
    for party in Party:
        if row is None:
            with pytest.raises(IllegalTransitionError):
                rule(state, move, frozenset({party}))
        elif party in row.by:
            assert rule(state, move, frozenset({party})).to is row.to
        else:
            with pytest.raises(NotAllowedError):
                rule(state, move, frozenset({party}))


def test_a_disputed_dispatch_is_reviewed_by_a_supervisor_alone() -> None:
    for move in (M.UPHOLD, M.REDISPATCH):
        assert FLOW[S.RETURNED, move].by == {P.SUPERVISOR}
        assert FLOW[S.RETURNED, move].to is S.DISPATCHED


def test_a_bad_rating_leads_back_to_the_department_and_to_a_revisit() -> None:
    assert FLOW[S.COMPLETED, M.RATE_BADLY].to is S.RECTIFYING
    assert OWNER[S.RECTIFYING] is P.DEPARTMENT
    assert FLOW[S.RECTIFYING, M.RECTIFY].to is S.RECTIFIED
    assert moves_of(S.RECTIFIED, frozenset({P.HOTLINE})) == [M.FOLLOW_UP]
