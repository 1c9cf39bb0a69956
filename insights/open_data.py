"""Open data: counts by month, town and area, without a person in them.

Small cells are hidden, and with each a second of its row and column, so that no total gives one away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hotline.insight_ports import LineFacts
from hotline.insights import Grain, Span
from insights.suppression import hidden_in_table

HIDDEN = "*"
MEASURES = ("people", "conversations", "handoffs", "contained", "ratings")
TITLES = {"people": "人次", "conversations": "对话", "handoffs": "转人工", "contained": "机器办完", "ratings": "评价"}


async def open_table(facts: LineFacts, span: Span, k: int, names: Mapping[str, str]) -> list[list[Any]]:
    """Head, then a row a month, town and area. ``names``: areas by key. Hidden counts are ``*``; a
    measure is hidden wherever the number of people is."""
    rows = await facts.cells(span, ("town", "area"), Grain.MONTH, MEASURES)
    table: list[list[Any]] = [["月份", "镇街", "领域", *(TITLES[m] for m in MEASURES)]]
    for month in sorted({row["bucket"] for row in rows}):
        mine = [row for row in rows if row["bucket"] == month]
        towns, areas = sorted({r["town"] for r in mine}), sorted({r["area"] for r in mine})
        cell = {(r["town"], r["area"]): r for r in mine}
        hidden = {
            m: hidden_in_table([[round(cell.get((t, a), {}).get(m, 0)) for a in areas] for t in towns], k)
            for m in MEASURES
        }
        for (t, town), (a, area) in ((x, y) for x in enumerate(towns) for y in enumerate(areas)):
            row = cell.get((town, area))
            if row is None or not row["conversations"]:
                continue
            values = [HIDDEN if (t, a) in hidden[m] or (t, a) in hidden["people"] else round(row[m]) for m in MEASURES]
            table.append(
                [f"{month // 100}-{month % 100:02d}", town or "不明", names.get(area, area) or "不明", *values]
            )
    return table
