"""The work orders behind a figure, and one of them, masked (docs/interfaces.md, «统计»)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from desk.work_orders import names, views
from gateway.auth.guard import require_role
from gateway.insight_parts import now
from gateway.routes.insights import Looked, Manager, Parts
from gateway.routes.work_orders import actor_of
from gateway.services import Services, services_of
from hotline.errors import BadInputError, NotFoundError
from hotline.insight_ports import OrdersWanted, Row
from hotline.insights import LOCAL, ORDER_LISTS, OrderFacts, came_late
from hotline.privacy import mask_text
from hotline.work_order_flow import RUNNING
from hotline.work_orders import RequestType
from insights.dashboard import check

router = APIRouter(prefix="/api/v1/insights", tags=["统计"], dependencies=[Depends(require_role("manager"))])
House = Annotated[Services, Depends(services_of)]
# What a confidential report has in common with many others; the rest could tell who is meant.
_OF_ANY = frozenset("type type_name state state_name confidential filed_at completed_at in_time score".split())


@router.get("/work-orders")
async def work_orders(
    house: House,
    parts: Parts,
    manager: Manager,
    span: Looked,
    measure: str = "filed",
    type_: Annotated[RequestType | None, Query(alias="type")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> dict[str, Any]:
    """The work orders behind a figure: no content, and no number of a confidential one for who may not see it."""
    if measure not in ORDER_LISTS:
        raise BadInputError("没有这张工单名单；有的见 docs/insights.md。")
    if span.channel or span.area:
        raise BadInputError("工单不分渠道和领域，请去掉这两项筛选。")
    check(span)
    wanted = OrdersWanted(span, measure, now(), type_.value if type_ else None)
    rows = await parts.orders.behind(wanted, limit, offset)
    sees = actor_of(house, manager).confidential
    return {"demo": await parts.is_demo(), "title": ORDER_LISTS[measure], "work_orders": [_line(house, row, sees) for row in rows]}  # fmt: skip


@router.get("/work-orders/{number}")
async def work_order(
    house: House, parts: Parts, manager: Manager, number: Annotated[str, Path(max_length=32)]
) -> dict[str, Any]:
    """One of them, with what was said and done, masked. Who opened it stands in the audit log before it is read.
    ``kept`` false: only what was counted is known of it (a generated one)."""
    await house.audit.record(manager.username, "look_at_work_order", f"work_order:{number}", {"masked": True})
    actor = actor_of(house, manager)
    rows = await parts.orders.behind(OrdersWanted(number=number), 1)
    if not rows or (rows[0]["confidential"] and not actor.confidential):
        raise NotFoundError
    told = {"demo": await parts.is_demo(), **_line(house, rows[0], actor.confidential)}
    try:
        record = await house.orders.desk.seen(number, actor)
    except NotFoundError:
        return {**told, "kept": False, "description": "", "place": "", "answer": "", "history": []}
    lines = await house.orders.desk.house.store.history(number)
    steps = [views.line(entry, True) for entry in lines]
    name = (record.draft.contact_name or "").strip()

    def masked(words: str) -> str:
        """Also without the name the citizen gave, which nothing else may show to be one (「请联系何先生」)."""
        return mask_text(words).replace(name, f"{name[0]}**") if name else mask_text(words)

    return {
        **told, "kept": True, "description": masked(record.draft.happened), "place": masked(record.draft.place),
        "answer": masked(record.answer or ""),
        "history": [
            {**{key: step[key] for key in ("seq", "at", "party_name", "what", "what_name")}, "note": masked(step["note"])}
            for step in steps
        ],
    }  # fmt: skip


def _line(house: Services, row: Row, sees: bool) -> dict[str, Any]:
    """``in_time``: None where no limit was set, or it still runs and is not over."""
    order = OrderFacts(**{name: row[name] for name in OrderFacts._fields})
    category = house.orders.desk.categories.get(order.category)
    overdue = order.due_on is not None and order.state in RUNNING and order.due_on < now().astimezone(LOCAL).date()
    in_time = None if order.due_on is None else not came_late(order) if order.completed_at else False if overdue else None  # fmt: skip
    told = {
        "number": order.number, "type": order.type, "type_name": names.TYPES.get(order.type, order.type),
        "town": order.town, "department": order.department, "category_name": category.name if category else None,
        "state": order.state, "state_name": names.STATES.get(order.state, order.state),
        "filed_at": order.filed_at.isoformat(), "due_on": order.due_on.isoformat() if order.due_on else None,
        "completed_at": order.completed_at.isoformat() if order.completed_at else None, "in_time": in_time,
        "score": order.score, "returned": order.returned, "escalated": order.escalated, "reopened": order.reopened,
        "confidential": bool(row["confidential"]),
    }  # fmt: skip
    return told if sees or not told["confidential"] else {name: v if name in _OF_ANY else None for name, v in told.items()}  # fmt: skip
