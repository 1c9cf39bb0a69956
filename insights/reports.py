"""日报、周报、月报: sentences written from the figures, the tables under them; nothing that figures don't say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from hotline.errors import BadInputError
from hotline.insight_ports import AlertBook
from hotline.insights import Alert, Span
from insights.dashboard import Dashboard
from insights.figures import FIGURES, Unit

_FILE = Path(__file__).with_name("reports.yml")
_TOWN_FIGURES = ("conversations", "containment", "handoff_rate", "satisfaction", "orders_filed", "orders_in_time")
_TOPICS_SHOWN, _ALERTS_SHOWN = 12, 20
_SAME_SHARE, _SAME_COUNT = 0.005, 0.02


@cache
def wording() -> dict[str, Any]:
    return dict(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def period(kind: str, day: date) -> Span:
    """The day, the week from Monday, or the month that ``day`` lies in."""
    match kind:
        case "day":
            return Span(first=day, last=day)
        case "week":
            first = day - timedelta(days=day.weekday())
            return Span(first=first, last=first + timedelta(days=6))
        case "month":
            first = day.replace(day=1)
            return Span(first=first, last=(first + timedelta(days=32)).replace(day=1) - timedelta(days=1))
    raise BadInputError("报告只有 day、week、month 三种。")


async def make_report(
    dashboard: Dashboard, alerts: Sequence[Alert], kind: str, span: Span, demo: bool
) -> dict[str, Any]:
    """Title, sections of sentences, and tables: as JSON for a page, and what PDF and XLSX are made of."""
    summary = await dashboard.summary(span)
    topics = (await dashboard.topics(span, limit=200))["topics"]
    towns = await dashboard.breakdown(span, "town", _TOWN_FIGURES)
    values = _values(summary, topics, alerts)
    told = wording()
    sections = [_section(section, values) for section in told["sections"]]
    talks = summary["figures"]["conversations"]
    if not talks["value"] and not talks["hidden"]:
        sections = [{"title": told["sections"][0]["title"], "sentences": [told["none"]]}]
    return {
        "kind": kind, "from": span.first.isoformat(), "to": span.last.isoformat(), "demo": demo,
        "title": told["heading"].format(title=told["titles"][kind], days=span.first if span.days == 1 else f"{span.first}至{span.last}"),
        "notice": told["demo"] if demo else "", "footer": told["footer"].format(k=dashboard.k),
        "sections": sections, "figures": _figure_rows(summary),
        "towns": {"titles": {k: t["title"] for k, t in towns["titles"].items()}, "rows": [
            {"town": row["town"] or "不明", **{k: shown(row[k], FIGURES[k].unit) for k in _TOWN_FIGURES}} for row in towns["rows"]
        ]},
        "topics": [
            {"name": t["name"], "turns": t["turns"], "before": t["before"], "words": t["words"][:5]} for t in topics[:_TOPICS_SHOWN]
        ],
        "alerts": [
            {"title": a.title, "at": a.at.isoformat(), "people": a.people, "expected": a.expected, "state": a.state}
            for a in alerts[:_ALERTS_SHOWN]
        ],
    }  # fmt: skip


async def alerts_of(book: AlertBook, first: Any, last: Any, town: str | None = None) -> list[Alert]:
    """All of them, newest first."""
    found: list[Alert] = []
    while page := await book.newest(first, last, town, found[-1].alert_id if found else None):
        found += page
    return found


def shown(value: float | None, unit: Unit) -> str:
    """A value as people read it; empty where it is not known or hidden."""
    return "" if value is None else str(wording()["units"][unit.value].format(value))


def _values(summary: Mapping[str, Any], topics: Sequence[Mapping[str, Any]], alerts: Sequence[Alert]) -> dict[str, str]:
    """Everything a sentence may name; what is not known or hidden is not among it."""
    values: dict[str, str] = {}
    for key, told in summary["figures"].items():
        if told["value"] is None:
            continue
        values[key] = shown(told["value"], FIGURES[key].unit)
        if told["before"] is not None:
            _changes(values, key, told["value"], told["before"], FIGURES[key].unit)
    if "containment" in values:
        values.setdefault("containment_change_note", "")
    values |= {key: str(told["value"]) for key, told in summary["now"].items() if told["value"] is not None}
    if topics:
        values |= {"topic_first": topics[0]["name"], "topic_first_turns": str(topics[0]["turns"])}
        risen = [t for t in topics if t["before"] and t["turns"] > 1.3 * t["before"]]
        if risen:
            most = max(risen, key=lambda t: t["turns"] - t["before"])
            values |= {
                "topic_rising": most["name"], "topic_rising_turns": str(most["turns"]), "topic_rising_before": str(most["before"]),
            }  # fmt: skip
    if alerts:
        values["alerts"] = str(len(alerts))
    return values


def _changes(values: dict[str, str], key: str, value: float, before: float, unit: Unit) -> None:
    told = wording()
    if unit is Unit.SHARE:
        difference = value - before
        way = "same" if abs(difference) < _SAME_SHARE else "up" if difference > 0 else "down"
        values[f"{key}_change_note"] = told["share_changes"][way].format(abs(difference) * 100)
    elif before:
        change = value / before - 1
        way = "same" if abs(change) < _SAME_COUNT else "up" if change > 0 else "down"
        values[f"{key}_change"] = told["changes"][way].format(abs(change))


def _section(section: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    sentences = []
    for sentence in section["sentences"]:
        # A figure hidden because it is of few people takes the sentence that would tell it with it.
        needed = {*sentence.get("needs", ()), *(name for _, name, _, _ in Formatter().parse(sentence["text"]) if name)}
        if needed <= set(values) and not any(name in values for name in sentence.get("when_not", ())):
            sentences.append(sentence["text"].format(**values))
    return {
        "title": section["title"],
        "sentences": sentences,
        **({"list": section["list"]} if "list" in section else {}),
    }


def _figure_rows(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    rows = []
    for key, told in summary["figures"].items():
        hidden = wording()["table"]["hidden"].format(k=summary["k"]) if told["hidden"] else ""
        unit = FIGURES[key].unit
        rows.append({"key": key, "title": told["title"], "value": hidden or shown(told["value"], unit), "before": shown(told["before"], unit)})  # fmt: skip
    hidden = wording()["table"]["hidden"].format(k=summary["k"])
    rows += [
        {"key": k, "title": t["title"], "value": hidden if t["hidden"] else str(t["value"]), "before": ""}
        for k, t in summary["now"].items()
    ]
    return rows
