"""并单的候选: earlier requests that tell of the same thing, by meaning, place and time.

A machine only proposes: a person merges. What is compared was read out of the request when it was
filed (``RequestReading``): what happened, in words and as a vector, the place without its town, a
day of the calendar where one was named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from hotline.likeness import likeness
from hotline.work_order_record import RequestReading, StoredReading

WINDOW = timedelta(days=60)
"""Older requests are not looked at."""

# Fitted on tests/evaluation/development/merges.tsv; measured on tests/evaluation/merges.tsv.
SAME_PLACE = 0.6
_AT_THE_PLACE, _IN_THE_TOWN, _ANYWHERE = 0.32, 0.95, 1.1
_WORDS_WEIGHT, _SAME_CATEGORY, _OTHER_CATEGORY = 0.7, 0.2, -0.25
_MOST_ALIKE = 1.0 + _WORDS_WEIGHT + _SAME_CATEGORY
# Pairs of characters that many places share tell none apart.
_COMMON = frozenset(
    "大道 公园 小区 花园 工业 业园 业区 学校 小学 中学 广场 市场 医院 社区 新村 附近 门口 路口 旁边 大桥 公路 工地 北路 南路 东路 西路 中路".split()
)


@dataclass(frozen=True)
class Candidate:
    """``score`` 0..1, higher is likelier; ``why`` in Chinese."""

    number: str
    score: float
    why: str


def candidates(mine: StoredReading, others: Iterable[StoredReading], most: int = 5) -> list[Candidate]:
    """The likeliest repeats among ``others``, best first. Both ways in time: the main one may be later."""
    found = []
    for other in others:
        if other.number == mine.number or abs(other.created_at - mine.created_at) > WINDOW:
            continue
        if same := compare(mine.reading, other.reading):
            score, why = same
            found.append(Candidate(other.number, round(score, 3), why))
    return sorted(found, key=lambda each: -each.score)[:most]


def compare(one: RequestReading, other: RequestReading) -> tuple[float, str] | None:
    """How surely the two are one matter, and why; None where they are not."""
    if one.town and other.town and one.town != other.town:
        return None
    if one.day and other.day and one.day != other.day:
        return None
    alike, why = matter_alike(one, other)
    if one.place or other.place:
        near = place_alike(one, other)
        if near < SAME_PLACE or alike < _AT_THE_PLACE:
            return None
        return _score(alike, near), f"地点相同（{one.place or other.place}），{why}"
    if one.town and one.town == other.town:
        return (_score(alike, 0.5), f"都在{one.town}，{why}") if alike >= _IN_THE_TOWN else None
    return (_score(alike, 0.0), why) if alike >= _ANYWHERE else None


def _score(alike: float, near: float) -> float:
    return 0.3 + 0.4 * min(alike, _MOST_ALIKE) / _MOST_ALIKE + 0.3 * near


def matter_alike(one: RequestReading, other: RequestReading) -> tuple[float, str]:
    """How alike what happened is: meaning, words in common, category. Above 1 it is hardly another."""
    words = likeness(one.matter, other.matter) if one.matter and other.matter else 0.0
    alike, told = _WORDS_WEIGHT * words, []
    if one.vector is None or other.vector is None or len(one.vector) != len(other.vector):
        told.append("这次没有比较意思，请核对")
    else:
        meaning = float(np.dot(one.vector, other.vector))
        alike += meaning
        told.append(f"说的事相近（{meaning:.2f}）")
    if one.category and other.category:
        alike += _SAME_CATEGORY if one.category == other.category else _OTHER_CATEGORY
        if one.category == other.category:
            told.append("类别相同")
    return alike, "，".join(told)


def place_alike(one: RequestReading, other: RequestReading) -> float:
    """How surely both tell of one place, 0..1; a place read out of one may stand unread in the other."""
    found = [_held(a.place, b.place or b.said) for a, b in ((one, other), (other, one)) if a.place]
    return max(found, default=0.0)


def _held(place: str, text: str) -> float:
    """How much of ``place`` stands in ``text``, what many places are called left out."""
    pairs = {place[i : i + 2] for i in range(len(place) - 1)} - _COMMON
    return sum(pair in text for pair in pairs) / len(pairs) if pairs else float(place in text)
