"""The work orders behind a figure, one by one: which are meant, as SQL and as a plain rule for memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from hotline.insight_ports import OrdersWanted, Row
from hotline.insights import LOCAL, ORDER_LISTS, OrderFacts, Span, came_late
from hotline.work_order_flow import CLOSED, RUNNING
from storage.insight_tables import orders
from storage.tables import work_orders

_FILTERED = ("town", "department")
_FLAGS = frozenset({"returned", "escalated", "reopened"})
_JUDGED = {"completed_in_time": False, "completed_late": True}
_SOON = timedelta(days=2)


def of_this_moment(measure: str) -> bool:
    return measure.startswith("orders_")


def orders_behind(connection: sa.Connection, wanted: OrdersWanted, limit: int, offset: int) -> list[Row]:
    """:meth:`hotline.insight_ports.OrderBook.behind`. Raises ValueError for a list there is not."""
    o = orders.c
    query = sa.select(orders, sa.func.coalesce(work_orders.c.confidential, sa.false()).label("confidential")).select_from(
        orders.outerjoin(work_orders, work_orders.c.number == o.number)
    )  # fmt: skip
    if wanted.number is not None:
        rows = connection.execute(query.where(o.number == wanted.number)).mappings()
        return [dict(row) for row in rows]
    query = query.where(*_conditions(wanted))
    if of_this_moment(wanted.measure):
        query = query.order_by(o.due_on.is_(None), o.due_on, o.number)
    else:
        query = query.order_by((o.filed_at if _by_filing(wanted.measure) else o.completed_at).desc(), o.number)
    judged = _JUDGED.get(wanted.measure)
    if judged is None:
        return [dict(row) for row in connection.execute(query.limit(limit).offset(offset)).mappings()]
    # On which local day an answer came, each database would say in its own way.
    in_turn = connection.execute(query, execution_options={"yield_per": 200})
    fitting = (row for row in in_turn.mappings() if came_late(_facts(row)) is judged)
    return [dict(row) for row in islice(fitting, offset, offset + limit)]


def is_behind(order: OrderFacts, wanted: OrdersWanted) -> bool:
    """The same rule for one order."""
    if wanted.number is not None:
        return order.number == wanted.number
    check(wanted.measure)
    span, measure = wanted.span, wanted.measure
    if wanted.type not in (None, order.type) or (span and any(getattr(order, n) != v for n, v in _filters(span).items())):  # fmt: skip
        return False
    if of_this_moment(measure):
        today = _today(wanted)
        if order.completed_at is not None or order.state in CLOSED:
            return False
        runs = order.due_on is not None and order.state in RUNNING
        soon = runs and today <= order.due_on <= today + _SOON  # type: ignore[operator]
        late = runs and order.due_on < today  # type: ignore[operator]
        return {"orders_open": True, "orders_overdue": late, "orders_due_soon": soon}[measure]
    at = order.filed_at if _by_filing(measure) else order.completed_at
    if at is None or (span and not span.first <= at.astimezone(LOCAL).date() <= span.last):
        return False
    if measure in _FLAGS:
        return bool(getattr(order, measure))
    if measure in _JUDGED:
        return came_late(order) is _JUDGED[measure]
    return _scored(order.score, measure)


def check(measure: str) -> None:
    if measure not in ORDER_LISTS:
        raise ValueError(measure)


def sorted_as_listed(found: Iterable[OrderFacts], measure: str) -> list[OrderFacts]:
    if of_this_moment(measure):
        return sorted(found, key=lambda o: (o.due_on is None, o.due_on or date.max, o.number))
    by_number = sorted(found, key=lambda o: o.number)
    return sorted(by_number, key=lambda o: (o.filed_at if _by_filing(measure) else o.completed_at) or o.filed_at, reverse=True)  # fmt: skip


def _by_filing(measure: str) -> bool:
    return measure == "filed" or measure in _FLAGS


def _scored(score: int | None, measure: str) -> bool:
    if measure == "order_rated_badly":
        return score is not None and score <= 2
    return score is not None if measure in ("order_ratings", "order_rating_sum") else True


def _conditions(wanted: OrdersWanted) -> list[sa.ColumnElement[bool]]:
    check(wanted.measure)
    o, span, measure = orders.c, wanted.span, wanted.measure
    found: list[sa.ColumnElement[bool]] = [o[n] == v for n, v in _filters(span).items()] if span else []
    if wanted.type is not None:
        found.append(o.type == wanted.type)
    if of_this_moment(measure):
        today = _today(wanted)
        found += [o.completed_at.is_(None), o.state.not_in([state.value for state in CLOSED])]
        if measure != "orders_open":
            late = measure == "orders_overdue"
            found.append(o.state.in_([state.value for state in RUNNING]))
            found.append(o.due_on < today if late else o.due_on.between(today, today + _SOON))
        return found
    at = o.filed_at if _by_filing(measure) else o.completed_at
    found.append(at.is_not(None))
    if span:
        after = datetime.combine(span.last + timedelta(days=1), time(), LOCAL)
        found += [at >= datetime.combine(span.first, time(), LOCAL), at < after]
    if measure in _FLAGS:
        found.append(o[measure].is_(True))
    if measure in ("order_ratings", "order_rating_sum", "order_rated_badly"):
        found.append(o.score <= 2 if measure == "order_rated_badly" else o.score.is_not(None))
    return found


def _filters(span: Span) -> dict[str, str]:
    return {name: value for name, value in span.filters.items() if name in _FILTERED}


def _today(wanted: OrdersWanted) -> date:
    assert wanted.at is not None
    return wanted.at.astimezone(LOCAL).date()


def _facts(row: Any) -> OrderFacts:
    return OrderFacts(**{name: row[name] for name in OrderFacts._fields})
