"""What the line could not answer, or answered badly: grouped, so that one change helps many.

The groups, and the turns of each month packed into a few bytes each, are kept by the process behind the
line (insights/gap_keeping.py). A page unpacks the months it looks at and counts people one by one: sums of
daily counts would not do, somebody who asks five days running is one person.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hotline.insight_ports import GapBook
from hotline.insights import DIMENSIONS, GapGroup, GapMonth, GapTurn, Span, day_bucket
from hotline.privacy import mask_text
from insights.suppression import hidden_in_row

TITLES = {
    "refused": "说了不知道",
    "low_confidence": "答了但把握低",
    "corrected": "答过又要人工",
    "rated_badly": "评价差",
}
_SHOWN, _EXAMPLE, _NAME = 100, 80, 20
_NAMED = ("gap", *DIMENSIONS)
_TURN = np.dtype([("day", "u1"), *((name, "<u2") for name in _NAMED), ("group", "<u4"), ("who", "<u8")])
UNGROUPED = 0
"""The group of a turn whose text has no vector yet."""

Turns = NDArray[np.void]


def packed(turns: Sequence[GapTurn], group_of: Callable[[GapTurn], int]) -> tuple[bytes, dict[str, list[str]]]:
    """A month's turns as bytes, and the names its numbers stand for."""
    names: dict[str, dict[str, int]] = {name: {} for name in _NAMED}
    rows = np.zeros(len(turns), dtype=_TURN)
    rows["day"] = [turn.day % 100 for turn in turns]
    for name, known in names.items():
        rows[name] = [known.setdefault(getattr(turn, name), len(known)) for turn in turns]
    rows["group"] = [group_of(turn) for turn in turns]
    rows["who"] = [_number(turn.who) for turn in turns]
    return rows.tobytes(), {name: list(known) for name, known in names.items()}


def _number(who: str) -> int:
    return int.from_bytes(hashlib.sha256(who.encode()).digest()[:8], "little")


class GapFinder:
    """``k``: no group of fewer people is shown."""

    def __init__(self, book: GapBook, k: int) -> None:
        self._book, self._k = book, k

    async def gaps(self, span: Span) -> dict[str, Any]:
        """Groups of at least k people, most first, as of ``as_of`` (None: nothing was counted yet). ``waiting``:
        turns that are in no group yet; ``recounting``: months that are being counted again, and lack till then."""
        months = await self._book.months(day_bucket(span.first) // 100, day_bucket(span.last) // 100)
        turns, names = await asyncio.to_thread(_looked_at, months, span)
        order, people = await asyncio.to_thread(_largest, turns, self._k)
        groups = {g.group_id: g for g in await self._book.groups(order)} if order else {}
        keys = [bytes.fromhex(key) for group in groups.values() for key in group.examples]
        texts = await self._book.texts(keys)
        shown = await asyncio.to_thread(self._shown, turns, names, [groups[n] for n in order if n in groups], people, texts)  # fmt: skip
        kinds = dict(zip(names["gap"], np.bincount(turns["gap"], minlength=len(names["gap"])).tolist(), strict=True))
        return {
            "as_of": as_of.isoformat() if (as_of := _as_of(months)) else None,
            "recounting": sum(m.packed is None for m in months),
            "turns": len(turns), "waiting": int((turns["group"] == UNGROUPED).sum()),
            "kinds": {kind: {"title": title, "turns": kinds.get(kind, 0)} for kind, title in TITLES.items()},
            "gaps": shown,
        }  # fmt: skip

    def _shown(
        self, turns: Turns, names: Mapping[str, list[str]], groups: Sequence[GapGroup], people: Mapping[int, int], texts: Mapping[bytes, str]
    ) -> list[dict[str, Any]]:  # fmt: skip
        turns = turns[np.isin(turns["group"], [group.group_id for group in groups])]
        turns = turns[np.argsort(turns["group"], kind="stable")]
        found = []
        for group in groups:
            begin, end = np.searchsorted(turns["group"], [group.group_id, group.group_id + 1])
            mine = turns[begin:end]
            examples = [mask_text(texts[k])[:_EXAMPLE] for k in map(bytes.fromhex, group.examples) if k in texts]
            if not examples:
                continue  # everything that was said of it has been erased
            found.append({
                "gap_id": group.gap_id, "name": group.name or examples[0][:_NAME], "words": group.words, "turns": len(mine),
                "people": people[group.group_id], "kinds": self._without_small(mine, "gap", names), "examples": examples,
                "item_keys": group.item_keys,
                "towns": {town or "不明": n for town, n in self._without_small(mine, "town", names).items()},
            })  # fmt: skip
        return found

    def _without_small(self, turns: Turns, by: str, names: Mapping[str, list[str]]) -> dict[str, int | None]:
        """Turns by ``by``, most first; None where fewer than k people said them, or one could be worked out."""
        said = np.bincount(turns[by], minlength=len(names[by]))
        people = np.bincount(_each_once(turns[by], turns["who"]), minlength=len(names[by]))
        order = [int(n) for n in np.argsort(-said, kind="stable") if said[n]]
        hidden = hidden_in_row([int(people[n]) for n in order], self._k)
        return {names[by][n]: None if at in hidden else int(said[n]) for at, n in enumerate(order)}


def _looked_at(months: Sequence[GapMonth], span: Span) -> tuple[Turns, dict[str, list[str]]]:
    """The span's turns together, under one set of names."""
    names: dict[str, dict[str, int]] = {name: {} for name in _NAMED}
    found = [np.zeros(0, dtype=_TURN)]
    for month in months:
        if month.packed is None:
            continue
        rows = np.frombuffer(month.packed, dtype=_TURN)
        days = [day - month.month * 100 for day in (day_bucket(span.first), day_bucket(span.last))]
        fits = (rows["day"] >= days[0]) & (rows["day"] <= days[1])
        for name, value in span.filters.items():
            known = month.names[name]
            fits &= rows[name] == known.index(value) if value in known else np.zeros(len(rows), dtype=bool)
        rows = rows[fits].copy()
        for name, told in names.items():
            places = [told.setdefault(value, len(told)) for value in month.names[name]]
            rows[name] = np.asarray(places or [0], dtype="<u2")[rows[name]]
        found.append(rows)
    return np.concatenate(found), {name: list(known) for name, known in names.items()}


def _largest(turns: Turns, k: int) -> tuple[list[int], dict[int, int]]:
    """Groups of at least k people, most people first, and how many people."""
    numbers, people = np.unique(_each_once(turns["group"], turns["who"]), return_counts=True)
    counts = {int(n): int(p) for n, p in zip(numbers, people, strict=True) if p >= k and n != UNGROUPED}
    order = sorted(counts, key=lambda n: (-counts[n], n))[:_SHOWN]
    return order, counts


def _each_once(values: NDArray[Any], who: NDArray[np.uint64]) -> NDArray[Any]:
    """``values``, once for each person."""
    order = np.lexsort((who, values))
    values, who = values[order], who[order]
    first = np.ones(len(values), dtype=bool)
    first[1:] = (values[1:] != values[:-1]) | (who[1:] != who[:-1])
    return values[first]


def _as_of(months: Sequence[GapMonth]) -> datetime | None:
    """When what is counted was counted; where there is more to count, the earliest."""
    behind = [m.at for m in months if m.changes > m.counted and m.at is not None]
    counted = [m.at for m in months if m.at is not None]
    return min(behind) if behind else max(counted, default=None)
