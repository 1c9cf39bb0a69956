"""Agents' time at the desk, counted from the desk's own events: each event once, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hotline.desk import DeskEventType
from hotline.insight_ports import Row
from hotline.insights import DESK_SECONDS, DutyEvent, Grain, Span, Stand, day_bucket
from storage.desk_tables import desk_events
from storage.insight_facts import add_up, day_or_month, replace
from storage.insight_tables import desk_cells, marks
from storage.runner import Runner

Fold = Callable[
    [Mapping[str, Stand], Iterable[DutyEvent], datetime],
    tuple[dict[tuple[int, str], dict[str, float]], dict[str, Stand]],
]
_MARK = "desk_duty"
_BATCH = 5000


def duty_event(data: Mapping[str, Any], at: datetime) -> DutyEvent:
    """An agent's event as it is counted, under the name by which the trail of a conversation calls the agent."""
    return DutyEvent(str(data.get("display_name") or data.get("username") or ""), str(data.get("state")), at)


class SqlDutyBook:
    """:class:`hotline.insight_ports.DutyBook`. ``fold`` turns events into seconds (insights/duty.py)."""

    def __init__(self, runner: Runner, fold: Fold) -> None:
        self._runner, self._fold = runner, fold

    async def count_duty(self, until: datetime) -> int:
        e = desk_events.c

        def work(connection: sa.Connection) -> int:
            kept = connection.execute(sa.select(marks.c.value).where(marks.c.name == _MARK)).scalar() or {}
            stands = {a: Stand(s, datetime.fromisoformat(at)) for a, (s, at) in kept.get("stands", {}).items()}
            query = sa.select(e.seq, e.at, e.data).where(
                e.seq > kept.get("seq", 0), e.type == DeskEventType.AGENT.value
            )
            rows = connection.execute(query.order_by(e.seq).limit(_BATCH)).all()
            end = rows[-1].at if len(rows) == _BATCH else until  # what follows has not been read
            sums, stands = self._fold(stands, [duty_event(row.data, row.at) for row in rows], end)
            cells = [{"bucket": bucket, "agent": agent, **seconds} for (bucket, agent), seconds in sums.items()]
            add_up(connection, desk_cells, cells, DESK_SECONDS)
            value = {
                "seq": rows[-1].seq if rows else kept.get("seq", 0),
                "stands": {agent: [stand.state, stand.at.isoformat()] for agent, stand in stands.items()},
            }
            replace(connection, marks, [{"name": _MARK, "value": value}])
            return len(rows)

        return await self._runner.run(work, readonly=False)

    async def duty(self, span: Span, grain: Grain | None = None) -> list[Row]:
        d = desk_cells.c
        labels: list[sa.ColumnElement[Any]] = [d.agent, *day_or_month(d.bucket, grain)]
        query = (
            sa.select(*labels, *(sa.func.sum(d[name]).label(name) for name in DESK_SECONDS))
            .where(d.bucket.between(day_bucket(span.first), day_bucket(span.last)))
            .group_by(*labels)
            .order_by(*labels)
        )

        def work(connection: sa.Connection) -> list[Row]:
            return [dict(row) for row in connection.execute(query).mappings()]

        return await self._runner.run(work, readonly=True)


class MemoryDutyBook:
    """:class:`hotline.insight_ports.DutyBook` in memory. ``events``: what the desk told, in order."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self.events: list[DutyEvent] = []
        self._counted = 0
        self._stands: dict[str, Stand] = {}
        self._cells: dict[tuple[int, str], dict[str, float]] = {}

    async def count_duty(self, until: datetime) -> int:
        new = self.events[self._counted :]
        self._counted = len(self.events)
        sums, self._stands = self._fold(self._stands, new, until)
        for key, seconds in sums.items():
            known = self._cells.setdefault(key, dict.fromkeys(DESK_SECONDS, 0.0))
            for name, value in seconds.items():
                known[name] += value
        return len(new)

    async def duty(self, span: Span, grain: Grain | None = None) -> list[Row]:
        rows: dict[tuple[Any, ...], Row] = {}
        for (day, agent), seconds in self._cells.items():
            if day_bucket(span.first) <= day <= day_bucket(span.last):
                bucket = day // 100 if grain is Grain.MONTH else day
                key = (agent, bucket) if grain else (agent,)
                empty = {"agent": agent, **({"bucket": bucket} if grain else {}), **dict.fromkeys(DESK_SECONDS, 0.0)}
                row = rows.setdefault(key, empty)
                for name, value in seconds.items():
                    row[name] += value
        return [rows[key] for key in sorted(rows)]
