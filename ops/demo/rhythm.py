"""When people call and about what: shares and multipliers by hour, weekday, holiday and season."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).with_name("rhythm.yml")


@cache
def rhythm() -> dict[str, Any]:
    return dict(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def _within(day: date, first: str, last: str) -> bool:
    return first <= day.isoformat()[-len(first) :] <= last


def is_holiday(day: date) -> bool:
    told = rhythm()
    spring = told["spring_festival"].get(day.year)
    return any(_within(day, *days) for days in told["holidays"]) or bool(spring and _within(day, *spring))


def day_weight(day: date) -> float:
    """How busy a day is beside others (about 1)."""
    told = rhythm()
    return float(told["holiday"] if is_holiday(day) else told["weekdays"][day.weekday()])


def hour_weights(day: date) -> list[float]:
    rest = is_holiday(day) or day.weekday() >= 5
    return list(rhythm()["hours"]["restday" if rest else "workday"])


def area_weights(day: date) -> dict[str, float]:
    told = rhythm()
    weights = {area: float(share) for area, share in told["areas"].items()}
    for season in told["seasons"]:
        if _within(day, *season["days"]):
            for area in season["areas"]:
                weights[area] *= season["times"]
    if day.day in told["pay_day"]["days"]:
        for area in told["pay_day"]["areas"]:
            weights[area] *= told["pay_day"]["times"]
    return weights


@dataclass(frozen=True)
class Storm:
    """A day of heavy rain: these towns ask about these services many times as often."""

    day: date
    towns: list[str]
    items: list[str] = field(default_factory=list)
    times: float = 1.0


def storms(days: Sequence[date], chance: random.Random) -> dict[date, Storm]:
    told = rhythm()["storms"]
    season = [day for day in days if _within(day, *told["days"])]
    towns = list(rhythm()["towns"])
    chosen = chance.sample(season, min(told["how_many"], len(season)))
    return {
        day: Storm(day, sorted(chance.sample(towns, told["towns"])), told["items"], told["times"]) for day in chosen
    }


def year_before(last: date, days: int) -> list[date]:
    return [last - timedelta(days=n) for n in range(days - 1, -1, -1)]
