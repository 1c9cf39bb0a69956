"""Planted bursts and their truth: what happened where, from when, and who told of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hotline.insights import LOCAL
from ops.demo.rhythm import rhythm

_FILE = Path(__file__).with_name("bursts.yml")
_FEWEST, _MOST = 6, 45
_HOURS = (3, 18)


@dataclass(frozen=True)
class Burst:
    """``calls`` people tell of ``what`` from ``town`` between ``begins`` and ``ends``; most of them in
    the middle, as word gets round."""

    burst_id: str
    what: str
    town: str
    begins: datetime
    ends: datetime
    calls: int

    @property
    def peak(self) -> datetime:
        return self.begins + (self.ends - self.begins) / 2

    def as_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "begins": self.begins.isoformat(),
            "ends": self.ends.isoformat(),
            "peak": self.peak.isoformat(),
        }


@cache
def kinds() -> dict[str, dict[str, Any]]:
    told = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {kind["what"]: {**kind, "places": told["places"]} for kind in told["kinds"]}


def said_of(what: str, chance: random.Random) -> str:
    kind = kinds()[what]
    return str(chance.choice(kind["texts"])).format(place=chance.choice(kind["places"]))


def plant(days: Sequence[date], how_many: int, chance: random.Random) -> list[Burst]:
    """Bursts spread over the year (the first eight weeks stay quiet: there is nothing yet to compare
    with), the same kind never twice in a town within four weeks."""
    planted: list[Burst] = []
    towns = list(rhythm()["towns"])
    usable = days[56:-2] or days
    while len(planted) < how_many:
        what, town, day = chance.choice(list(kinds())), chance.choice(towns), chance.choice(usable)
        if any(b.what == what and b.town == town and abs((b.begins.date() - day).days) < 28 for b in planted):
            continue
        begins = datetime.combine(day, time(chance.randint(6, 17), chance.randint(0, 59)), LOCAL)
        hours = chance.uniform(*_HOURS)
        planted.append(
            Burst(
                f"B{len(planted) + 1:03d}",
                what,
                town,
                begins,
                begins + timedelta(hours=hours),
                chance.randint(_FEWEST, _MOST),
            )
        )
    return sorted(planted, key=lambda b: b.begins)


def moments(burst: Burst, chance: random.Random) -> list[datetime]:
    """When each of its callers calls."""
    length = (burst.ends - burst.begins).total_seconds()
    return sorted(burst.begins + timedelta(seconds=chance.betavariate(1.6, 1.8) * length) for _ in range(burst.calls))
