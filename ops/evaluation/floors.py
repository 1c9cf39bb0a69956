"""Floors: how good the line was when it was last measured, less a margin. See tests/evaluation/floors.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from hotline.settings import ROOT
from ops.evaluation.scoring import Tally, lower_is_better, standard_error

FILE = ROOT / "tests" / "evaluation" / "floors.yml"
HOW_TO_RECORD = "运行 make eval EVAL_ARGS=--record-floors 记下门槛"

_LEAST_MARGIN = 0.015
_MARGIN_ERRORS = 2
_SAMPLE_ERRORS = 3
_HEAD = """\
# 准确率的门槛，由 make eval EVAL_ARGS=--record-floors 写，不手改。
# 每项：measured 是记录时量到的，rows 是几句（字错率是几个字）；
# floor（越低越好的写 ceiling）是 measured 让出两个标准误，至少 1.5 个百分点；再记只升不降，要放低就删掉那一项再记。
# make eval 有一项低于门槛就不通过；make test 只问一部分句子，从 measured 让出三个标准误。
"""


@dataclass(frozen=True)
class Floor:
    """``limit`` is the least rate allowed, or the highest where lower is better."""

    measured: float
    rows: int
    limit: float


def limit_of(key: str, tally: Tally) -> float:
    """What a later measurement may not fall below (above, where lower is better)."""
    margin = max(_MARGIN_ERRORS * standard_error(tally.rate, tally.total), _LEAST_MARGIN)
    limit = tally.rate + margin if lower_is_better(key) else tally.rate - margin
    return round(max(0.0, limit), 4)


def record(tallies: Mapping[str, Tally], day: str, file: Path = FILE) -> None:
    """Writes the floors that ``tallies`` set; ``day`` is the ISO date of the measurement.

    A floor only rises: the one that stands stays where it asks for more. Who means to lower one takes its
    entry out, where everybody sees it.
    """
    standing = yaml.safe_load(file.read_text(encoding="utf-8"))["measures"] or {} if file.exists() else {}
    measures = {
        key: {
            "measured": round(tally.rate, 4),
            "rows": tally.total,
            "ceiling" if lower_is_better(key) else "floor": limit_of(key, tally),
        }
        for key, tally in sorted(tallies.items())
        if tally.total
    }
    for key, entry in standing.items():
        side = "ceiling" if lower_is_better(key) else "floor"
        if key in measures and (measures[key][side] < entry[side]) != lower_is_better(key):
            measures[key] = entry
    body = yaml.safe_dump({"recorded": day, "measures": measures}, allow_unicode=True, sort_keys=False, width=200)
    file.write_text(_HEAD + body, encoding="utf-8")


def load(file: Path = FILE) -> dict[str, Floor]:
    """Floors by measure; none before the first recording."""
    table = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {
        key: Floor(entry["measured"], entry["rows"], entry["ceiling" if lower_is_better(key) else "floor"])
        for key, entry in (table["measures"] or {}).items()
    }


def fallen(tallies: Mapping[str, Tally], floors: Mapping[str, Floor]) -> list[str]:
    """A sentence for each measure beyond its floor, and for each floor that nothing was measured for.

    A recogniser other than the recorded one has no floor, and the recorded one is not missed.
    """
    told = []
    for key, floor in floors.items():
        tally = tallies.get(key)
        if tally is None or not tally.total:
            if not key.startswith("speech."):
                told.append(f"{key} 有门槛，这次却没有量到。")
        elif _beyond(key, tally.rate, floor.limit):
            told.append(_sentence(key, tally, floor.limit, floor))
    return told


def fallen_in_sample(tallies: Mapping[str, Tally], floors: Mapping[str, Floor]) -> list[str]:
    """A sentence for each measure of a sample that chance does not explain, and each without a floor."""
    told = []
    for key, tally in tallies.items():
        if not tally.total:
            continue
        if (floor := floors.get(key)) is None:
            told.append(f"{key} 还没有门槛：{HOW_TO_RECORD}。")
            continue
        limit = sample_limit(key, tally.total, floor)
        if _beyond(key, tally.rate, limit):
            told.append(_sentence(key, tally, limit, floor))
    return told


def sample_limit(key: str, rows: int, floor: Floor) -> float:
    """The limit for a sample of ``rows`` rows: three of its standard errors, and never stricter than the floor."""
    margin = _SAMPLE_ERRORS * standard_error(floor.measured, rows)
    if lower_is_better(key):
        return max(floor.limit, floor.measured + margin)
    return min(floor.limit, floor.measured - margin)


def without_floor(tallies: Mapping[str, Tally], floors: Mapping[str, Floor]) -> list[str]:
    return [key for key, tally in tallies.items() if tally.total and key not in floors]


def _beyond(key: str, rate: float, limit: float) -> bool:
    return rate > limit if lower_is_better(key) else rate < limit


def _sentence(key: str, tally: Tally, limit: float, floor: Floor) -> str:
    side = "高于上限" if lower_is_better(key) else "低于门槛"
    return f"{key} 是 {tally.rate:.1%}（{tally.total}），{side} {limit:.1%}；记录时是 {floor.measured:.1%}（{floor.rows}）。"
