"""The line's health and topics over any days, from counted cells; nothing here looks at conversations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hotline.errors import BadInputError
from hotline.insight_ports import DutyBook, LineFacts, OrderBook, Row, TopicShelf
from hotline.insights import DESK_SECONDS, DIMENSIONS, Grain, Span
from insights.duty import added, load
from insights.figures import FIGURES, NOW_FIGURES, Figure, Unit
from insights.suppression import hidden_in_row, small

LONGEST = 3 * 366
_ORDER_DIMENSIONS = ("town", "department", "type")
_TREND = ("conversations", "containment", "handoff_rate", "answer_15s")
_DAYS_BY_HOUR, _DAYS_BY_DAY = 3, 120
TOPICS_SHOWN = 60
_TAKEN = ("taken", "agent_s", "agent_messages", "ratings", "rating_sum")


class Dashboard:
    """``k``: no cell of fewer people is shown."""

    def __init__(
        self,
        facts: LineFacts,
        orders: OrderBook,
        topics: TopicShelf,
        duty: DutyBook,
        k: int,
        now: Callable[[], datetime],
    ) -> None:
        self._facts, self._orders, self._topics, self._duty, self.k, self._now = facts, orders, topics, duty, k, now

    async def summary(self, span: Span) -> dict[str, Any]:
        """Every figure over the span, and over the one of the same length before it."""
        check(span)
        totals, before = await self._totals(span), await self._totals(span.before())
        figures = {f.key: {**self.shown(f, totals), "before": self.shown(f, before)["value"]} for f in FIGURES.values()}
        return {**head(span), "k": self.k, "figures": figures, "now": await self._open(span)}

    async def trends(self, span: Span, figures: Sequence[str] = (), grain: Grain | None = None) -> dict[str, Any]:
        """Figures by hour, day or month, whichever suits the span where none is asked for."""
        check(span)
        chosen = chosen_figures(figures or _TREND)
        if any(f.orders for f in chosen):
            raise BadInputError("工单的指标没有按时间的走势，请看汇总或分组。")
        grain = grain or fitting(span)
        if grain is Grain.HOUR and set(span.filters) - {"channel"}:
            raise BadInputError("按小时看时只能按渠道筛选，请改为按天。")
        rows = await self._facts.cells(span, (), grain, measures_of(chosen))
        buckets = [row["bucket"] for row in rows]
        shown = [{f.key: self.shown(f, row)["value"] for f in chosen} for row in rows]
        self._hide_the_second(shown, rows, chosen)
        series = {f.key: [row[f.key] for row in shown] for f in chosen}
        return {**head(span), "grain": grain.value, "buckets": buckets, "series": series, "titles": titles(chosen)}

    async def breakdown(self, span: Span, by: str, figures: Sequence[str] = ()) -> dict[str, Any]:
        """Figures by town, area, department, channel, or ``hour_of_week`` (weekday 0..6, hour)."""
        check(span)
        chosen = chosen_figures(figures or ("conversations", "containment", "handoff_rate", "satisfaction"))
        if by == "hour_of_week":
            if set(span.filters) - {"channel"}:
                raise BadInputError("一周各小时只能按渠道筛选。")
            rows = await self._facts.cells(span, (), Grain.HOUR_OF_WEEK, measures_of(chosen))
            rows = [{**row, "hour_of_week": row["bucket"]} for row in rows]
        elif by in DIMENSIONS or (by == "type" and all(f.orders for f in chosen)):
            rows = await self._by(span, by, chosen)
        else:
            raise BadInputError("分组只能按 channel、town、area、department、hour_of_week；工单的指标还可以按 type。")
        shown = [{by: row[by], **{f.key: self.shown(f, row)["value"] for f in chosen}} for row in rows]
        self._hide_the_second(shown, rows, chosen)
        return {**head(span), "by": by, "rows": shown, "titles": titles(chosen)}

    async def agents(self, span: Span, agent: str | None = None) -> dict[str, Any]:
        """Agents' load: conversations taken, time with citizens, after them and in between, ratings; and the
        load of all (or of one ``agent``) by day, over a longer time by month. ``None``: nothing is known of the time at the desk."""
        check(span)
        grain = Grain.DAY if span.days <= _DAYS_BY_DAY else Grain.MONTH
        taken_days, duty_days = await self._facts.agents(span, grain), await self._duty.duty(span, grain)
        taken = {name: added(rows, _TAKEN) for name, rows in _by(taken_days, "agent").items()}
        duty = {name: added(rows, DESK_SECONDS) for name, rows in _by(duty_days, "agent").items()}
        nothing = dict.fromkeys(_TAKEN, 0.0)
        rows: list[Row] = [{**taken.get(name, nothing), "agent": name} for name in dict.fromkeys([*taken, *duty])]
        rows.sort(key=lambda row: (-row["taken"], row["agent"]))
        return {**head(span), "grain": grain.value, "days": _days(taken_days, duty_days, agent), "rows": [
            {
                "agent": row["agent"],
                "load": load(duty[row["agent"]], row["taken"]) if row["agent"] in duty else None, "taken": round(row["taken"]), "minutes": round(row["agent_s"] / 60, 1),
                "seconds_each": round(row["agent_s"] / row["taken"], 1) if row["taken"] else None,
                "messages": round(row["agent_messages"]), "ratings": None if small(row["ratings"], self.k) else round(row["ratings"]),
                "satisfaction": round(row["rating_sum"] / row["ratings"], 2) if row["ratings"] >= self.k else None,
            }
            for row in rows
        ]}  # fmt: skip

    async def orders(self, span: Span, by: str) -> dict[str, Any]:
        """Work orders by town, department or type: the span's figures, and what is open and overdue now."""
        check(span)
        if by not in _ORDER_DIMENSIONS:
            raise BadInputError("工单只能按 town、department、type 分组。")
        chosen = [figure for figure in FIGURES.values() if figure.orders]
        counted = {row[by]: row for row in await self._by(span, by, chosen)}
        open_ = {row[by]: row for row in await self._orders.open_orders(self._now(), (by,))}
        keys = sorted({*counted, *open_})
        rows: list[Row] = [{by: key, **counted.get(key, {})} for key in keys]
        shown = [{by: row[by], **{f.key: self.shown(f, row)["value"] for f in chosen}} for row in rows]
        self._hide_the_second(shown, rows, chosen)
        for name in NOW_FIGURES:
            counts = [int(open_.get(key, {}).get(name.removeprefix("orders_"), 0)) for key in keys]
            hidden = hidden_in_row(counts, self.k)
            for n, row in enumerate(shown):
                row[name] = None if n in hidden else counts[n]
        told = {
            **titles(chosen),
            **{name: {"title": title, "unit": Unit.COUNT.value} for name, (title, _) in NOW_FIGURES.items()},
        }
        return {**head(span), "by": by, "rows": shown, "titles": told}

    async def topics(self, span: Span, grain: Grain | None = None, limit: int = TOPICS_SHOWN) -> dict[str, Any]:
        """What was asked about: topics by size, against the span before, with their course over time."""
        check(span)
        grain = grain or (Grain.MONTH if span.days > _DAYS_BY_DAY else Grain.DAY)
        if grain is Grain.HOUR:
            raise BadInputError("话题只按天或按月看。")
        kept = {k.topic.topic_id: k.topic for k in await self._topics.topics()}
        merged: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for part in kept.values():
            if part.merged_into is not None:
                merged[part.merged_into].append({"id": part.topic_id, "name": part.title})
        rows = await self._topics.topic_cells(span, ("topic_id",), grain)
        earlier = {r["topic_id"]: r["turns"] for r in await self._topics.topic_cells(span.before(), ("topic_id",))}
        buckets = sorted({row["bucket"] for row in rows})
        place = {bucket: n for n, bucket in enumerate(buckets)}
        found: dict[int, dict[str, Any]] = {}
        for row in rows:
            if (topic := kept.get(row["topic_id"])) is None:
                continue  # the pool of what fits none
            entry = found.setdefault(
                topic.topic_id,
                {
                    "id": topic.topic_id, "name": topic.title, "words": topic.words, "pinned": topic.pinned,
                    "renamed": topic.given_name is not None, "mined_name": topic.name, "merged": merged.get(topic.topic_id, []), "first_seen": topic.first_seen.isoformat(),
                    "turns": 0, "people": 0, "course": [0] * len(buckets),
                },
            )  # fmt: skip
            entry["turns"] += row["turns"]
            entry["people"] += row["people"]
            entry["course"][place[row["bucket"]]] = None if small(row["people"], self.k) else row["turns"]
        listed = sorted((t for t in found.values() if t["people"] >= self.k), key=lambda t: (-t["turns"], t["id"]))
        for entry in listed:
            before = earlier.get(entry["id"], 0)
            entry["before"] = None if small(before, self.k) else before
            entry["examples"] = kept[entry["id"]].examples if kept[entry["id"]].size >= self.k else []
        return {**head(span), "grain": grain.value, "buckets": buckets, "topics": listed[:limit]}

    async def topic_by(self, span: Span, topic_id: int, by: str) -> dict[str, Any]:
        """Who asks about one topic: by town, channel or area."""
        check(span)
        if by not in ("town", "channel", "area"):
            raise BadInputError("话题只能按 town、channel、area 分组。")
        rows = [r for r in await self._topics.topic_cells(span, ("topic_id", by)) if r["topic_id"] == topic_id]
        hidden = hidden_in_row([r["people"] for r in rows], self.k)
        shown = [{by: r[by], "turns": None if n in hidden else r["turns"]} for n, r in enumerate(rows)]
        return {**head(span), "topic_id": topic_id, "by": by, "rows": shown}

    def shown(self, figure: Figure, measures: Mapping[str, Any]) -> dict[str, Any]:
        """A figure's value; hidden where it is about fewer than k people."""
        weight = figure.weight(measures)
        hidden = small(weight, self.k)
        return {
            "title": figure.title, "unit": figure.unit.value, "better": figure.better, "hidden": hidden,
            "measure": None if figure.orders else ",".join(figure.top), "order_measure": figure.top[0] if figure.orders else None,
            "value": None if hidden else figure.value(measures), "of": None if hidden or not figure.bottom else weight,
        }  # fmt: skip

    def _hide_the_second(self, shown: list[dict[str, Any]], rows: Sequence[Row], figures: Sequence[Figure]) -> None:
        """A total of the same page must not give a hidden count away."""
        for figure in figures:
            if not figure.bottom:
                for n in hidden_in_row([round(figure.weight(row)) for row in rows], self.k):
                    shown[n][figure.key] = None

    async def _totals(self, span: Span) -> dict[str, float]:
        line = await self._facts.cells(span)
        order = await self._orders.order_cells(span) if _orders_fit(span) else []
        return {**(line[0] if line else {}), **(order[0] if order else {})}

    async def _by(self, span: Span, by: str, chosen: Sequence[Figure]) -> list[Row]:
        merged: dict[Any, Row] = {}
        if by in DIMENSIONS and any(not f.orders for f in chosen):
            merged = {row[by]: dict(row) for row in await self._facts.cells(span, (by,), None, measures_of(chosen))}
        if by in _ORDER_DIMENSIONS and any(f.orders for f in chosen):
            for row in await self._orders.order_cells(span, (by,)):
                merged.setdefault(row[by], {by: row[by]}).update(row)
        return [merged[key] for key in sorted(merged)]

    async def _open(self, span: Span) -> dict[str, Any]:
        """Of this moment, in the span's town and department; not known where a filter is one that orders lack."""
        told: dict[str, Any] = {}
        filters = span.filters if _orders_fit(span) else {}
        rows = await self._orders.open_orders(self._now(), tuple(filters))
        inside = [row for row in rows if all(row[name] == value for name, value in filters.items())]
        for key, (title, _) in NOW_FIGURES.items():
            count = sum(int(row[key.removeprefix("orders_")]) for row in inside)
            hidden = small(count, self.k)
            known = _orders_fit(span) and not hidden
            told[key] = {"title": title, "value": count if known else None, "hidden": hidden and _orders_fit(span)}
        return told


def _by(rows: Sequence[Row], name: str) -> dict[Any, list[Row]]:
    gathered: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        gathered[row[name]].append(row)
    return gathered


def _days(taken: Sequence[Row], duty: Sequence[Row], agent: str | None) -> list[dict[str, Any]]:
    """The load of all, or of one ``agent``, day by day."""
    mine = (_by([row for row in rows if agent in (None, row["agent"])], "bucket") for rows in (taken, duty))
    took, at_desk = mine
    days = []
    for day in sorted({*took, *at_desk}):
        number = sum(row["taken"] for row in took.get(day, ()))
        spent = load(added(at_desk[day], DESK_SECONDS), number) if day in at_desk else None
        days.append({"bucket": day, "taken": round(number), "load": spent})
    return days


def _orders_fit(span: Span) -> bool:
    """Work orders know no channel and no area."""
    return not set(span.filters) - {"town", "department"}


def check(span: Span) -> None:
    if span.last < span.first:
        raise BadInputError("日期反了：from 要早于 to。")
    if span.days > LONGEST:
        raise BadInputError("一次最多看三年，请把日期缩短。")


def chosen_figures(keys: Sequence[str]) -> list[Figure]:
    if unknown := [key for key in keys if key not in FIGURES]:
        raise BadInputError(f"没有这些指标：{'、'.join(unknown)}；有的见 docs/insights.md。")
    return [FIGURES[key] for key in keys]


def measures_of(figures: Sequence[Figure]) -> list[str]:
    """What the line's figures among these are made of."""
    return sorted({name for f in figures if not f.orders for name in (*f.top, *f.bottom)})


def fitting(span: Span) -> Grain:
    if span.days <= _DAYS_BY_HOUR and not set(span.filters) - {"channel"}:
        return Grain.HOUR
    return Grain.DAY if span.days <= _DAYS_BY_DAY else Grain.MONTH


def head(span: Span) -> dict[str, Any]:
    return {"from": span.first.isoformat(), "to": span.last.isoformat(), "filters": span.filters}


def titles(figures: Sequence[Figure]) -> dict[str, dict[str, str]]:
    return {f.key: {"title": f.title, "unit": f.unit.value} for f in figures}
