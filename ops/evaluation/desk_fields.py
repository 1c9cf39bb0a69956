"""The fields of a form that the agents' desk fills from a sentence, against what a person read in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from actions.assist import fields_said
from knowledge_base.catalogue import load_catalogue
from knowledge_base.triage import load_categories
from ops.evaluation.scoring import Section, Tally
from ops.evaluation.sets import Row

FIELDS = ("town", "place", "when", "category", "type")
_FREE = ("place", "when")  # words of the citizen's own: near enough is right
_MOSTLY = 0.6


def judge(rows: Sequence[Row]) -> Section:
    """``desk_fields.f1.<field>`` and over all fields: twice the right ones of all that were filled and
    all that should have been (so count / total is the F1)."""
    catalogue, categories = load_catalogue(), load_categories()
    section = Section("desk_fields")
    for row in rows:
        said = fields_said(row["text"], catalogue, categories).model_dump()
        for field in FIELDS:
            wanted, got = row[field], said[field]
            if not wanted and not got:
                continue
            right = same(field, wanted, got)
            for group in ("all", field):
                tally = section.tallies.setdefault(f"desk_fields.f1.{group}", Tally())
                tally.count += 2 * right
                tally.total += bool(wanted) + bool(got)
            if not right:
                section.miss(
                    row["id"], f"{field}: {'要' if wanted else '不要'}，{'填了别的' if got else '没填'}", row["text"]
                )
    return section


def same(field: str, wanted: str, got: str) -> bool:
    """Whether ``got`` is what was meant; a place or a time may be told with a few words more or less."""
    if field not in _FREE or not wanted or not got:
        return wanted == got
    one, other = (re.sub(r"[的嘅里那这嗰呢边度处\s，,]|佛山市|南海区", "", text) for text in (wanted, got))
    short, long = sorted((one, other), key=len)
    return bool(short) and short in long and len(short) >= _MOSTLY * len(long)
