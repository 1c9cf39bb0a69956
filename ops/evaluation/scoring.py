"""Counting: tallies, spread, calibration, edit distance. Nothing here knows the line."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

# Measures that count what went wrong; every other counts what went right.
_LOWER_IS_BETTER = frozenset({"answered_wrongly", "false_alarms", "calibration_error", "cer"})


def lower_is_better(key: str) -> bool:
    """Whether less is better for a measure ``part.measure.group``."""
    return key.split(".")[1] in _LOWER_IS_BETTER


@dataclass
class Tally:
    """``count`` of ``total`` rows (of characters, for an error rate). A mean over rows may be a fraction."""

    count: float = 0
    total: int = 0

    def add(self, counted: bool) -> None:
        self.count += counted
        self.total += 1

    @property
    def rate(self) -> float:
        return self.count / self.total if self.total else 0.0


def standard_error(rate: float, rows: int) -> float:
    """Of a share ``rate`` (0..1; more is taken as 1) seen in ``rows`` independent rows; 0 for no rows."""
    share = min(1.0, max(0.0, rate))
    return math.sqrt(share * (1 - share) / rows) if rows else 0.0


@dataclass(frozen=True)
class Miss:
    """A row that went wrong. ``label`` has keys and intents only; ``grade`` is worse the higher it is."""

    row: str
    label: str
    text: str
    grade: int = 0


@dataclass
class Section:
    """What one set gave. Tallies are kept by ``part.measure.group``; a confusion is (wanted, got)."""

    part: str
    tallies: dict[str, Tally] = field(default_factory=dict)
    confusions: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    misses: list[Miss] = field(default_factory=list)

    def count(self, measure: str, counted: bool, groups: Iterable[str] = ("all",)) -> None:
        for group in groups:
            self.tallies.setdefault(f"{self.part}.{measure}.{group}", Tally()).add(counted)

    def miss(self, row: str, label: str, text: str, grade: int = 0) -> None:
        self.misses.append(Miss(row, label, text, grade))

    def worst(self, most: int = 20) -> list[Miss]:
        """The gravest first, rows of one grade in the set's order."""
        return sorted(self.misses, key=lambda miss: -miss.grade)[:most]

    def as_json(self) -> dict[str, Any]:
        """Confusions as ``[wanted, got, rows]``, the most frequent first; every miss with its text."""
        return {
            "confusions": {
                name: [[wanted, got, rows] for (wanted, got), rows in pairs.most_common()]
                for name, pairs in self.confusions.items()
            },
            "misses": [vars(miss) for miss in self.worst(len(self.misses))],
        }


@dataclass(frozen=True)
class Bin:
    """Rows whose score lies in [low, high) (the last also holds ``high``); ``right`` and ``score`` are means."""

    low: float
    high: float
    rows: int
    score: float
    right: float


def reliability(scored: Sequence[tuple[float, bool]], bins: int = 10) -> list[Bin]:
    """Bins of equal width over 0..1 for pairs (score, whether it was right); empty ones are kept with zeros."""
    held: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for score, right in scored:
        held[min(bins - 1, max(0, int(score * bins)))].append((score, right))
    return [
        Bin(
            low=n / bins,
            high=(n + 1) / bins,
            rows=len(pairs),
            score=sum(score for score, _ in pairs) / len(pairs) if pairs else 0.0,
            right=sum(right for _, right in pairs) / len(pairs) if pairs else 0.0,
        )
        for n, pairs in enumerate(held)
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: how far score and truth lie apart in a bin, weighed by its rows."""
    rows = sum(each.rows for each in bins)
    return sum(each.rows * abs(each.score - each.right) for each in bins) / rows if rows else 0.0


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance."""
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]
