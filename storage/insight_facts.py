"""What was counted of conversations and work orders, on SQLite or PostgreSQL.

Counting replaces: what a conversation gave before is taken off its cells and what it gives now is
added, in one transaction, so that counting twice, or in pieces, or after a crash, gives the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hotline.insight_ports import Behind, OrdersWanted, Row
from hotline.insights import (
    ALL,
    DIMENSIONS,
    LOCAL,
    MEASURES,
    ORDER_MEASURES,
    ConversationFacts,
    Counted,
    Grain,
    OrderFacts,
    Span,
    TrailConversation,
    TrailEvent,
    TurnFacts,
    bucket_of,
    came_late,
    day_bucket,
    day_of,
)
from hotline.work_order_flow import CLOSED, RUNNING
from storage.insight_behind import conversations_behind
from storage.insight_orders import orders_behind
from storage.insight_tables import (
    LINE,
    RULE_SUMS,
    agent_cells,
    cells,
    gap_months,
    line_facts,
    order_cells,
    orders,
    recalls,
    rule_cells,
    texts,
    turn_facts,
)
from storage.runner import Runner
from storage.tables import conversations, events, work_orders

CellKey = tuple[Any, ...]
_TOUCHED = timedelta(hours=96)  # a conversation may change whether those before it were repeated
_NEIGHBOURS = timedelta(hours=216)
CHUNK = 400  # values of one IN list
_AGENT_SUMS = ("taken", "agent_s", "agent_messages", "ratings", "rating_sum")

WithRepeats = Callable[[list[ConversationFacts]], list[ConversationFacts]]


def text_key(text: str) -> bytes:
    """Tells texts apart; equal texts have equal keys."""
    return sha256(text.encode()).digest()[:16]


def upsert(connection: sa.Connection, table: sa.Table) -> Any:
    """``INSERT`` that may say what to do ON CONFLICT; alike in both dialects."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def add_up(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], sums: Iterable[str]) -> None:
    """Adds each row's ``sums`` to the row with the same key."""
    if not rows:
        return
    statement = upsert(connection, table)
    added = {name: table.c[name] + statement.excluded[name] for name in sums}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=added), rows
    )


def replace(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Inserts rows, or puts them in the place of those with the same key."""
    if not rows:
        return
    statement = upsert(connection, table)
    keys = {c.name for c in table.primary_key.columns}
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=values), rows
    )


def cell_keys(facts: ConversationFacts) -> tuple[CellKey, ...]:
    """The cells a conversation counts in: hour, hour of the week and day by channel; day and month by every
    dimension."""
    place = (facts.channel, facts.town, facts.area, facts.department)
    hour = bucket_of(facts.started_at, Grain.HOUR)
    return (
        (Grain.HOUR_OF_WEEK.value, bucket_of(facts.started_at, Grain.HOUR_OF_WEEK), facts.channel, ALL, ALL, ALL),
        (Grain.HOUR.value, hour, facts.channel, ALL, ALL, ALL),
        (LINE, hour // 100, facts.channel, ALL, ALL, ALL),
        (Grain.DAY.value, hour // 100, *place),
        (Grain.MONTH.value, hour // 10000, *place),
    )


_RULES_FROM = 2
"""Of those cells the line's days, days and months also count what rules were broken."""


class Sums:
    """Differences by cell, gathered before they are written."""

    def __init__(self) -> None:
        self.cells: dict[CellKey, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.agents: dict[CellKey, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.rules: dict[CellKey, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def take(self, facts: ConversationFacts, sign: float) -> None:
        keys = cell_keys(facts)
        for key in keys:
            cell = self.cells[key]
            for name, value in facts.measures.items():
                cell[name] += sign * value
        if facts.score is not None:
            broken = {finding["rule"] for finding in facts.broken}
            for key in keys[_RULES_FROM:]:
                for rule, score in ((ALL, facts.score), *((rule, 0.0) for rule in broken)):
                    sums = self.rules[(*key, rule)]
                    sums[0] += sign
                    sums[1] += sign * score
        if facts.agent:
            m = facts.measures
            agent = self.agents[(bucket_of(facts.started_at, Grain.DAY), facts.agent)]
            agent["taken"] += sign
            for name in _AGENT_SUMS[1:]:
                agent[name] += sign * m.get(name, 0.0)

    def cell_rows(self) -> list[dict[str, Any]]:
        head = ("grain", "bucket", *DIMENSIONS)
        return [
            {**dict(zip(head, key, strict=True)), **{name: cell.get(name, 0.0) for name in MEASURES}}
            for key, cell in self.cells.items()
        ]

    def rule_rows(self) -> list[dict[str, Any]]:
        head = ("grain", "bucket", *DIMENSIONS, "rule", *RULE_SUMS)
        return [dict(zip(head, (*key, *sums), strict=True)) for key, sums in self.rules.items()]

    def agent_rows(self) -> list[dict[str, Any]]:
        return [
            {"bucket": key[0], "agent": key[1], **{name: cell.get(name, 0.0) for name in _AGENT_SUMS}}
            for key, cell in self.agents.items()
        ]


def fact_row(facts: ConversationFacts) -> dict[str, Any]:
    return {**facts._asdict(), "day": bucket_of(facts.started_at, Grain.DAY)}


def turn_rows(turns: Iterable[TurnFacts]) -> list[dict[str, Any]]:
    return [
        {
            "turn_id": t.turn_id, "conversation_id": t.conversation_id, "hour": bucket_of(t.at, Grain.HOUR), "at": t.at,
            "channel": t.channel, "town": t.town, "area": t.area, "item_key": t.item_key, "outcome": t.outcome,
            "gap": t.gap, "cited": t.cited, "text_key": text_key(t.text) if t.text else None,
        }
        for t in turns
    ]  # fmt: skip


class SqlLineFacts:
    """:class:`hotline.insight_ports.LineFacts`. ``with_repeats`` marks one caller's conversations."""

    def __init__(self, runner: Runner, with_repeats: WithRepeats) -> None:
        self._runner = runner
        self._with_repeats = with_repeats

    async def uncounted(self, limit: int) -> list[TrailConversation]:
        query = (
            sa.select(conversations)
            .outerjoin(line_facts, line_facts.c.conversation_id == conversations.c.conversation_id)
            .where(sa.or_(line_facts.c.seq.is_(None), line_facts.c.seq < conversations.c.event_seq))
            .order_by(conversations.c.updated_at)
            .limit(limit)
        )

        def work(connection: sa.Connection) -> list[TrailConversation]:
            found = connection.execute(query).mappings().all()
            trails: dict[str, list[TrailEvent]] = defaultdict(list)
            ids = [row["conversation_id"] for row in found]
            for start in range(0, len(ids), CHUNK):
                some = sa.select(events).where(events.c.conversation_id.in_(ids[start : start + CHUNK]))
                for e in connection.execute(some.order_by(events.c.conversation_id, events.c.seq)):
                    trails[e.conversation_id].append(TrailEvent(e.seq, e.turn_id, e.type, e.at, e.data))
            return [_trail(row, trails[row["conversation_id"]]) for row in found]

        return await self._runner.run(work, readonly=True)

    async def count(self, batch: Sequence[Counted]) -> None:
        def work(connection: sa.Connection) -> None:
            count_into(connection, batch, self._with_repeats)

        if batch:
            await self._runner.run(work, readonly=False)

    async def cells(
        self, span: Span, by: Sequence[str] = (), grain: Grain | None = None, measures: Sequence[str] = tuple(MEASURES)
    ) -> list[Row]:
        def work(connection: sa.Connection) -> list[Row]:
            sums = [sa.func.sum(cells.c[name]).label(name) for name in measures]
            if grain is Grain.HOUR_OF_WEEK:
                return week_sums(connection, sums, span, by)
            return span_sums(connection, cells, sums, span, by, grain, by_line=True)

        return await self._runner.run(work, readonly=True)

    async def conversations(
        self, span: Span, measure: str | None, limit: int, offset: int = 0, about: Behind = Behind()
    ) -> list[Row]:  # fmt: skip
        def work(connection: sa.Connection) -> list[Row]:
            return conversations_behind(connection, span, measure, limit, offset, about)

        return await self._runner.run(work, readonly=True)

    async def agents(self, span: Span, grain: Grain | None = None) -> list[Row]:
        a = agent_cells.c
        labels = [a.agent, *day_or_month(a.bucket, grain)]
        query = (
            sa.select(*labels, *(sa.func.sum(a[name]).label(name) for name in _AGENT_SUMS))
            .where(a.bucket.between(day_bucket(span.first), day_bucket(span.last)))
            .group_by(*labels)
            .order_by(*(reversed(labels) if grain else (sa.func.sum(a.taken).desc(), a.agent)))
        )

        def work(connection: sa.Connection) -> list[Row]:
            return [dict(row) for row in connection.execute(query).mappings()]

        return await self._runner.run(work, readonly=True)


def day_or_month(bucket: sa.ColumnElement[int], grain: Grain | None) -> list[sa.ColumnElement[Any]]:
    """A day's number as a label, as it is or as its month's; nothing where no ``grain`` is asked for."""
    if grain is None:
        return []
    if grain is Grain.DAY:
        return [bucket]
    hundred: sa.ColumnElement[int] = sa.literal_column("100")
    return [sa.cast((bucket - bucket % hundred) / hundred, sa.Integer).label("bucket")]


class SqlOrderBook:
    """:class:`hotline.insight_ports.OrderBook`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def uncounted_orders(self, limit: int) -> list[str]:
        query = (
            sa.select(work_orders.c.number)
            .outerjoin(orders, orders.c.number == work_orders.c.number)
            .where(sa.or_(orders.c.version.is_(None), orders.c.version < work_orders.c.version))
            .order_by(work_orders.c.created_at, work_orders.c.number)
            .limit(limit)
        )

        def work(connection: sa.Connection) -> list[str]:
            return list(connection.execute(query).scalars())

        return await self._runner.run(work, readonly=True)

    async def count_orders(self, counted: Sequence[OrderFacts], told: Sequence[TurnFacts] = ()) -> None:
        def work(connection: sa.Connection) -> None:
            count_orders_into(connection, counted)
            keep_turns(connection, told)

        if counted or told:
            await self._runner.run(work, readonly=False)

    async def order_cells(self, span: Span, by: Sequence[str] = ()) -> list[Row]:
        def work(connection: sa.Connection) -> list[Row]:
            sums = [sa.func.sum(order_cells.c[name]).label(name) for name in ORDER_MEASURES]
            return span_sums(connection, order_cells, sums, span, by, None)

        return await self._runner.run(work, readonly=True)

    async def open_orders(self, at: datetime, by: Sequence[str] = ()) -> list[Row]:
        today = at.astimezone(LOCAL).date()
        o = orders.c
        runs = o.state.in_([state.value for state in RUNNING])
        query = (
            sa.select(
                *(o[name] for name in by),
                sa.func.count().label("open"),
                sa.func.coalesce(sa.func.sum(sa.case((runs & (o.due_on < today), 1), else_=0)), 0).label("overdue"),
                sa.func.coalesce(
                    sa.func.sum(sa.case((runs & o.due_on.between(today, today + timedelta(days=2)), 1), else_=0)), 0
                ).label("due_soon"),
            )
            .where(o.completed_at.is_(None), o.state.not_in([state.value for state in CLOSED]))
            .group_by(*(o[name] for name in by))
        )

        def work(connection: sa.Connection) -> list[Row]:
            return [dict(row) for row in connection.execute(query).mappings()]

        return await self._runner.run(work, readonly=True)

    async def behind(self, wanted: OrdersWanted, limit: int, offset: int = 0) -> list[Row]:
        return await self._runner.run(lambda c: orders_behind(c, wanted, limit, offset), readonly=True)


def count_into(connection: sa.Connection, batch: Sequence[Counted], with_repeats: WithRepeats) -> None:
    new = {counted.facts.conversation_id: counted.facts for counted in batch}
    old = _known(connection, new)
    after = {**old, **new}
    by_caller: dict[str, list[ConversationFacts]] = defaultdict(list)
    for facts in after.values():
        if facts.caller_key:
            by_caller[facts.caller_key].append(facts)
    for talks in by_caller.values():
        began = [t.started_at for t in talks if t.conversation_id in new]
        for marked in with_repeats(talks):
            # Farther ones were read as neighbours only; their own neighbours were not.
            if any(abs(marked.started_at - at) <= _TOUCHED for at in began):
                after[marked.conversation_id] = marked
    sums = Sums()
    changed = []
    for key, facts in after.items():
        before = old.get(key)
        if before == facts:
            continue
        if before is not None:
            sums.take(before, -1.0)
        sums.take(facts, 1.0)
        changed.append(fact_row(facts))
    replace(connection, line_facts, changed)
    add_up(connection, cells, sums.cell_rows(), MEASURES)
    add_up(connection, agent_cells, sums.agent_rows(), _AGENT_SUMS)
    add_up(connection, rule_cells, sums.rule_rows(), RULE_SUMS)
    keep_turns(connection, [turn for counted in batch for turn in counted.turns])


def keep_turns(connection: sa.Connection, turns: Sequence[TurnFacts]) -> None:
    said = {text_key(t.text): t.text for t in turns if t.text}
    if said:
        statement = upsert(connection, texts).on_conflict_do_nothing(index_elements=[texts.c.text_key])
        connection.execute(statement, [{"text_key": key, "text": text} for key, text in said.items()])
    rows = turn_rows(turns)
    replace(connection, turn_facts, rows)
    months = sorted({row["hour"] // 10000 for row in rows})
    changed = [{"month": month, "changes": 1, "counted": 0, "names": {}} for month in months]
    add_up(connection, gap_months, changed, ["changes"])


def forget_counted(connection: sa.Connection, conversation_ids: Sequence[str]) -> None:
    """Erases what is kept of these conversations one by one, and texts that nobody else said. What was
    added to cells stays: it points at nobody."""
    t = turn_facts.c
    of_them = t.conversation_id.in_(conversation_ids)
    keys = [
        bytes(k)
        for k in connection.execute(sa.select(t.text_key).where(of_them, t.text_key.is_not(None)).distinct()).scalars()
    ]
    gaps = connection.execute(sa.select(t.hour).where(of_them, t.gap.is_not(None)).distinct()).scalars()
    # What is packed holds a line for each of these turns; the next round counts the months again.
    again = gap_months.c.month.in_(sorted({hour // 10000 for hour in gaps}))
    connection.execute(sa.update(gap_months).where(again).values(changes=gap_months.c.changes + 1, packed=None))
    for table in (turn_facts, line_facts, recalls):
        connection.execute(sa.delete(table).where(table.c.conversation_id.in_(conversation_ids)))
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        still_said = sa.select(t.text_key).where(t.text_key.in_(some))
        connection.execute(sa.delete(texts).where(texts.c.text_key.in_(some), texts.c.text_key.not_in(still_said)))


def count_orders_into(connection: sa.Connection, counted: Sequence[OrderFacts]) -> None:
    latest = {order.number: order for order in counted}
    numbers = list(latest)
    sums: dict[CellKey, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for start in range(0, len(numbers), CHUNK):
        some = sa.select(orders).where(orders.c.number.in_(numbers[start : start + CHUNK]))
        for row in connection.execute(some).mappings():
            take_order(sums, OrderFacts(**dict(row)), -1.0)
    for order in latest.values():
        take_order(sums, order, 1.0)
    replace(connection, orders, [order._asdict() for order in latest.values()])
    add_up(connection, order_cells, order_cell_rows(sums), ORDER_MEASURES)


def order_cell_rows(sums: Mapping[CellKey, Mapping[str, float]]) -> list[dict[str, Any]]:
    head = ("grain", "bucket", "type", "town", "department")
    return [
        {**dict(zip(head, key, strict=True)), **{name: cell.get(name, 0.0) for name in ORDER_MEASURES}}
        for key, cell in sums.items()
    ]


def take_order(sums: dict[CellKey, dict[str, float]], order: OrderFacts, sign: float) -> None:
    """Filed counts on the day it was filed, everything else on the day it was completed."""
    place = (order.type, order.town, order.department)

    def add(at: datetime, values: Mapping[str, float]) -> None:
        day = bucket_of(at, Grain.DAY)
        for key in ((Grain.DAY.value, day, *place), (Grain.MONTH.value, day // 100, *place)):
            for name, value in values.items():
                sums[key][name] += sign * value

    add(
        order.filed_at,
        {
            "filed": 1.0, "returned": float(order.returned), "escalated": float(order.escalated),
            "reopened": float(order.reopened),
        },
    )  # fmt: skip
    if order.completed_at is None:
        return
    done: dict[str, float] = {
        "completed": 1.0,
        "completed_in_time": float(not came_late(order)),
        "handling_days": (order.completed_at - order.filed_at).total_seconds() / 86400,
    }
    if order.score:
        done |= {
            "order_ratings": 1.0,
            "order_rating_sum": float(order.score),
            "order_rated_badly": float(order.score <= 2),
        }
    add(order.completed_at, done)


def span_sums(
    connection: sa.Connection,
    table: sa.Table,
    sums: Sequence[sa.ColumnElement[Any]],
    span: Span,
    by: Sequence[str],
    grain: Grain | None,
    by_line: bool = False,
    where: Sequence[sa.ColumnElement[bool]] = (),
) -> list[Row]:
    """Sums over a span, from the fewest cells that make it up: whole months and the days at its ends, or,
    where nothing but the channel matters (``by_line``: the table has such cells), the line's days."""
    t = table.c
    filters = {name: value for name, value in span.filters.items() if name in t}
    first, last = day_bucket(span.first), day_bucket(span.last)
    conditions = [t[name] == value for name, value in filters.items()] + list(where)
    plain = by_line and set(filters) | set(by) <= {"channel", "rule", "topic_id"}
    as_month = (t.bucket - t.bucket % 100) / 100
    bucket: sa.ColumnElement[Any] = t.bucket
    parts: list[sa.ColumnElement[bool]]
    if grain is Grain.HOUR:
        parts = [(t.grain == Grain.HOUR.value) & t.bucket.between(first * 100, last * 100 + 23)]
    elif plain:
        parts = [(t.grain == LINE) & t.bucket.between(first, last)]
        bucket = as_month if grain is Grain.MONTH else t.bucket
    elif grain is Grain.DAY:
        parts = [(t.grain == Grain.DAY.value) & t.bucket.between(first, last)]
    else:
        parts = month_parts(table, span)
        bucket = sa.case((t.grain == Grain.DAY.value, as_month), else_=t.bucket)
    labels: list[sa.ColumnElement[Any]] = [t[name] for name in by]
    if grain is not None:
        whole = bucket if bucket is t.bucket else sa.cast(bucket, sa.Integer)
        labels.append(whole.label("bucket"))
    names = [label.name for label in labels] + [total.name for total in sums]
    keys = len(labels)
    gathered: dict[tuple[Any, ...], list[Any]] = {}
    for part in parts:
        query = sa.select(*labels, *sums).where(part, *conditions)
        if labels:
            query = query.group_by(*labels)
        for row in connection.execute(query):
            values = [value or 0 for value in row[keys:]]
            key = tuple(row[:keys])
            known = gathered.get(key)
            gathered[key] = values if known is None else [a + b for a, b in zip(known, values, strict=True)]
    return [dict(zip(names, (*key, *gathered[key]), strict=True)) for key in sorted(gathered)]


def week_sums(
    connection: sa.Connection, sums: Sequence[sa.ColumnElement[Any]], span: Span, by: Sequence[str]
) -> list[Row]:
    """Sums by hour of the week: of whole months as they were added up, of the days at the ends by their hours."""
    t = cells.c
    conditions = [t[name] == value for name, value in span.filters.items()]
    months, ends = whole_months(span)
    gathered: dict[tuple[Any, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))

    def add(bucket: sa.ColumnElement[Any], part: sa.ColumnElement[bool], week_hour: Callable[[int], int]) -> None:
        labels = [*(t[name] for name in by), bucket.label("bucket")]
        query = sa.select(*labels, *sums).where(part, *conditions).group_by(*labels)
        for row in connection.execute(query).mappings():
            known = gathered[(*(row[name] for name in by), week_hour(int(row["bucket"])))]
            for total in sums:
                known[total.name] += row[total.name] or 0.0

    if months is not None:
        first, last = (day_bucket(day) // 100 * 1000 for day in months)
        part = (t.grain == Grain.HOUR_OF_WEEK.value) & t.bucket.between(first, last + 167)
        add(t.bucket % sa.literal_column("1000"), part, lambda bucket: bucket)
    for begin, finish in ends:
        part = (t.grain == Grain.HOUR.value) & t.bucket.between(day_bucket(begin) * 100, day_bucket(finish) * 100 + 23)
        add(t.bucket, part, lambda bucket: day_of(bucket).weekday() * 24 + bucket % 100)
    names = (*by, "bucket")
    return [{**dict(zip(names, key, strict=True)), **gathered[key]} for key in sorted(gathered)]


def whole_months(span: Span) -> tuple[tuple[date, date] | None, list[tuple[date, date]]]:
    """First and last day of the months that lie in the span whole (None: none does), and the days before
    and after them."""
    first_whole = span.first if span.first.day == 1 else _next_month(span.first)
    first_after = (span.last + timedelta(days=1)).replace(day=1)
    if first_whole >= first_after:
        return None, [(span.first, span.last)]
    ends = ((span.first, first_whole - timedelta(days=1)), (first_after, span.last))
    return (first_whole, first_after - timedelta(days=1)), [(a, b) for a, b in ends if a <= b]


def month_parts(table: sa.Table, span: Span) -> list[sa.ColumnElement[bool]]:
    """Conditions that together cover the span once: months that lie in it whole, days before and after."""
    t = table.c
    months, ends = whole_months(span)
    parts: list[sa.ColumnElement[bool]] = [
        (t.grain == Grain.DAY.value) & t.bucket.between(day_bucket(begin), day_bucket(finish)) for begin, finish in ends
    ]
    if months is not None:
        first, last = (day_bucket(day) // 100 for day in months)
        parts.insert(0, (t.grain == Grain.MONTH.value) & t.bucket.between(first, last))
    return parts


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _known(connection: sa.Connection, new: Mapping[str, ConversationFacts]) -> dict[str, ConversationFacts]:
    """What was counted of these conversations, and of their callers' others within 72 hours."""
    f = line_facts.c
    found: dict[str, ConversationFacts] = {}

    def take(query: sa.Select[Any]) -> None:
        for row in connection.execute(query).mappings():
            values = {name: row[name] for name in ConversationFacts._fields}
            found[row["conversation_id"]] = ConversationFacts(**values)

    ids = list(new)
    for start in range(0, len(ids), CHUNK):
        take(sa.select(line_facts).where(f.conversation_id.in_(ids[start : start + CHUNK])))
    callers: dict[str, list[datetime]] = defaultdict(list)
    for facts in new.values():
        if facts.caller_key:
            callers[facts.caller_key].append(facts.started_at)
    keys = list(callers)
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        times = [at for key in some for at in callers[key]]
        take(
            sa.select(line_facts).where(
                f.caller_key.in_(some), f.started_at.between(min(times) - _NEIGHBOURS, max(times) + _NEIGHBOURS)
            )
        )
    return found


def _trail(row: sa.RowMapping, trail: list[TrailEvent]) -> TrailConversation:
    """``caller_key``: a digest that a call's start carries, else one of the sender's name."""
    key = next((e.data.get("caller_key") for e in trail if e.type == "call_started"), None)
    if key is None and row["external_id"]:
        key = sha256(f"{row['channel']}:{row['external_id']}".encode()).hexdigest()[:32]
    return TrailConversation(row["conversation_id"], row["channel"], key, row["created_at"], row["event_seq"], trail)
