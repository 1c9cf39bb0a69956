"""How the desk's fields are judged: F1 by field, nothing counted twice."""

from __future__ import annotations

import pytest

from ops.evaluation import desk_fields

EMPTY = dict.fromkeys(desk_fields.FIELDS, "")


@pytest.mark.parametrize(
    ("field", "wanted", "got", "right"),
    [
        ("town", "桂城街道", "桂城街道", True),
        ("town", "桂城街道", "桂城", False),
        ("place", "南海大道", "桂城南海大道", True),
        ("place", "南海大道", "大道", False),
        ("place", "南海大道", "", False),
        ("when", "", "昨晚", False),
        ("when", "昨晚", "昨晚上", True),
    ],
)
def test_what_counts_as_the_same(field: str, wanted: str, got: str, right: bool) -> None:
    assert desk_fields.same(field, wanted, got) is right


def test_a_field_that_is_right_missed_or_made_up_is_counted_once() -> None:
    rows = [
        {"id": "A1", "text": "桂城南海大道昨晚有人唱歌好吵", **EMPTY, "town": "桂城街道", "type": "praise"},
        {"id": "A2", "text": "居住证怎么办", **EMPTY, "town": "狮山镇"},
    ]
    section = desk_fields.judge(rows)
    town = section.tallies["desk_fields.f1.town"]
    assert (town.count, town.total) == (2, 3)  # right once, missed once
    kind = section.tallies["desk_fields.f1.type"]
    assert (kind.count, kind.total) == (0, 2)  # filled with another
    assert section.tallies["desk_fields.f1.when"].count == 0  # made up
    assert section.tallies["desk_fields.f1.all"].count == 2
