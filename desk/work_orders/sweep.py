"""Looks after the clocks: a reminder before the due day, 督办 after it."""

from __future__ import annotations

import logging
from datetime import timedelta

from desk.work_orders import clock as clocks
from desk.work_orders.actors import SYSTEM
from desk.work_orders.clock import Standing
from desk.work_orders.effects import Act
from desk.work_orders.service import WorkOrders
from hotline.errors import IllegalTransitionError
from hotline.work_order_flow import RUNNING, Move
from hotline.work_order_record import VersionConflictError, WorkOrderFilter, WorkOrderRecord
from hotline.work_orders import WorkOrderState

logger = logging.getLogger(__name__)

_PAGE = 200
_REVISITED_FROM = frozenset({WorkOrderState.RECTIFYING, WorkOrderState.RECTIFIED})


async def sweep(orders: WorkOrders) -> int:
    """Reminds and escalates whatever is due for it → how many were changed."""
    changed = 0
    for record in await _near_due(orders):
        try:
            changed += await _look_at(orders, record)
        except (VersionConflictError, IllegalTransitionError) as error:
            # Somebody works on it this very moment: the next round looks again.
            logger.info("work order %s left alone: %s", record.number, error.code)
    return changed


async def _near_due(orders: WorkOrders) -> list[WorkOrderRecord]:
    # A working day is at most about ten days of the calendar away (the long holidays).
    horizon = orders.today() + timedelta(days=10 + 2 * orders.house.limits.warning_days)
    wanted = (
        WorkOrderFilter(states=RUNNING, due_before=horizon, visible_confidential=True),
        WorkOrderFilter(states=_REVISITED_FROM, revisit_before=orders.today(), visible_confidential=True),
    )
    found: list[WorkOrderRecord] = []
    for each in wanted:
        page = 1
        while (part := (await orders.house.store.find(each, page, _PAGE)).orders) and len(part) == _PAGE:
            found += part
            page += 1
        found += part
    return found


async def _look_at(orders: WorkOrders, record: WorkOrderRecord) -> bool:
    if record.state in _REVISITED_FROM:
        if record.escalated:
            return False
        if record.state is WorkOrderState.RECTIFIED:  # the revisit is the hotline's own to make
            note = f"应在 {record.revisit_due} 前回访，已超期"
            await orders.note(record, record.model_copy(update={"escalated": True}), "revisit_overdue", note=note)
            return True
        act = Act(Move.ESCALATE, note=f"应在 {record.revisit_due} 前整改并回访，已超期，系统自动督办")
        await orders.act(record.number, act, SYSTEM, version=record.version)
        return True
    if record.clock.provisional:
        record = await _reckoned_again(orders, record)
    match orders.standing(record):
        case Standing.OVERDUE if not record.escalated and record.state is not WorkOrderState.ESCALATED:
            act = Act(Move.ESCALATE, note=f"应在 {record.clock.due_on} 前答复，已超期，系统自动督办")
            await orders.act(record.number, act, SYSTEM, version=record.version)
            return True
        case Standing.DUE_SOON if not record.clock.warned:
            clock = record.clock.model_copy(update={"warned": True})
            note = f"应在 {record.clock.due_on} 前答复"
            await orders.note(record, record.model_copy(update={"clock": clock}), "due_soon", note=note)
            return True
    return False


async def _reckoned_again(orders: WorkOrders, record: WorkOrderRecord) -> WorkOrderRecord:
    """The due day, once the year's holidays have been published."""
    clock = clocks.reckoned(record.clock, orders.house.calendar)
    if clock == record.clock:
        return record
    note = f"节假日安排已公布，期限由 {record.clock.due_on} 改为 {clock.due_on}"
    return await orders.note(record, record.model_copy(update={"clock": clock}), "reckoned", note=note)
