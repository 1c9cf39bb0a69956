"""Candidates for merging: by matter, place and time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desk.work_orders.duplicates import WINDOW, candidates, compare
from hotline.work_order_record import RequestReading, StoredReading

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LAMP = RequestReading(
    said="桂城海五路路灯坏了", matter="路灯坏了", town="桂城街道", place="海五路", category="lamps", vector=[1.0, 0.0]
)


def lamp(**more: Any) -> RequestReading:
    return LAMP.model_copy(update=more)


def stored(number: str, reading: RequestReading = LAMP, days: float = 0) -> StoredReading:
    return StoredReading(number=number, created_at=NOW - timedelta(days=days), reading=reading)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"town": None}, True),
        ({"town": "大沥镇"}, False),
        ({"place": "桂澜路", "said": "桂城桂澜路路灯坏了"}, False),
        ({"place": "", "said": "海五路路灯坏了好耐"}, True),  # the place stands there, though it was not read
        ({"place": "", "said": "路灯坏了"}, False),
        ({"vector": [0.0, 1.0], "matter": "有人摆摊", "category": "vendors"}, False),
        ({"vector": None}, True),  # the words and the category are left to compare
        ({"vector": None, "matter": "有人摆摊", "category": "vendors"}, False),
        ({"vector": [1.0, 0.0, 0.0]}, True),  # another model's vector says nothing
    ],
)
def test_one_matter_at_one_place(other: dict[str, Any], same: bool) -> None:
    assert (compare(LAMP, lamp(**other)) is not None) is same
    assert (compare(lamp(**other), LAMP) is not None) is same


def test_days_that_contradict_each_other_keep_two_apart() -> None:
    assert compare(lamp(day="11-3"), lamp(day="11-20")) is None
    assert compare(lamp(day="11-3"), lamp(day="11-3"))
    assert compare(lamp(day="11-3"), lamp())


def test_without_any_place_only_nearly_the_same_words_in_one_town_are_one() -> None:
    nowhere = {"place": "", "said": "路灯坏了"}
    assert compare(lamp(**nowhere), lamp(**nowhere))
    assert compare(lamp(**nowhere), lamp(**nowhere, vector=[0.6, 0.8], matter="河涌好臭", category=None)) is None


def test_the_best_come_first_with_why_and_old_ones_not_at_all() -> None:
    mine = stored("mine")
    others = [
        mine,
        stored("old", days=WINDOW.days + 1),
        stored("less", lamp(vector=[0.6, 0.8], matter="灯坏")),
        stored("best", days=3),
        stored("elsewhere", lamp(place="桂澜路", said="桂澜路")),
    ]
    found = candidates(mine, others)
    assert [each.number for each in found] == ["best", "less"]
    assert found[0].score > found[1].score
    assert "海五路" in found[0].why
    assert candidates(mine, others, most=1) == found[:1]
    assert "没有比较意思" in candidates(mine, [stored("blind", lamp(vector=None))])[0].why
