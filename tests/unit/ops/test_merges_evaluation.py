"""Repeats are judged by pairs."""

from __future__ import annotations

import pytest

from hotline.work_order_record import RequestReading
from ops.evaluation.merges import judge

ROWS = [
    {"id": "1", "text": "海五路路灯坏了", "matter": "a"},
    {"id": "2", "text": "海五路的灯不亮", "matter": "a"},
    {"id": "3", "text": "海五路路灯太亮", "matter": "b"},
    {"id": "4", "text": "某处的灯", "matter": "a"},
]


def reading(place: str, vector: list[float]) -> RequestReading:
    return RequestReading(place=place, vector=vector, category="lamps", town="桂城街道")


def test_precision_counts_what_was_proposed_and_recall_what_is_one_matter() -> None:
    near = reading("海五路", [1.0, 0.0])
    section = judge(ROWS, [near, near, near, reading("桂澜路", [0.0, 1.0])])
    precision, recall = section.tallies["merges.precision.all"], section.tallies["merges.recall.all"]
    assert (precision.count, precision.total) == (1, 3)
    assert (recall.count, recall.total) == (1, 3)
    assert {miss.row for miss in section.misses} == {"1+3", "2+3", "1+4", "2+4"}


def test_every_row_needs_its_reading() -> None:
    with pytest.raises(ValueError, match="shorter"):
        judge(ROWS, [])
