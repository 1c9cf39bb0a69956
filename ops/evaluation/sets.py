"""The sets of tests/evaluation: reading them, and the fixed sample that ``make test`` asks."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from hotline.settings import ROOT
from ops.progress import SetUpError

BLIND = "blind"
DEVELOPMENT = "development"
PARTS = (
    "questions",
    "follow_ups",
    "out_of_scope",
    "flows",
    "emergencies",
    "numbers",
    "dialogues",
    "merges",
    "desk_fields",
)

_FOLDERS = {BLIND: ROOT / "tests" / "evaluation", DEVELOPMENT: ROOT / "tests" / "evaluation" / "development"}
_SAMPLED = {"questions": 4, "emergencies": 1, "numbers": 1, "desk_fields": 1}  # every how many rows; two elsewhere

Row = Mapping[str, str]
Sets = Mapping[str, Sequence[Row]]


def load_sets(which: str = BLIND) -> dict[str, list[Row]]:
    """The rows of every part by name; the development sets lack some parts.

    Raises:
        SetUpError: there are no sets called ``which``.
    """
    if which not in _FOLDERS:
        raise SetUpError(f"没有叫「{which}」的评测集；EVAL_SETS 可以是 {'、'.join(_FOLDERS)}。")
    folder = _FOLDERS[which]
    return {part: _read(folder / f"{part}.tsv") for part in PARTS if (folder / f"{part}.tsv").exists()}


def sample(sets: Sets) -> dict[str, list[Row]]:
    """Every fourth question, all emergencies and numbers (some share a text), every second of the rest.

    Dialogues that check a case are left out. Wrong proofs count against the case itself, and the
    acceptance tests that share the running line check the same demonstration cases.
    """
    sampled = {part: list(rows[:: _SAMPLED.get(part, 2)]) for part, rows in sets.items() if part != "dialogues"}
    if "dialogues" in sets:
        apart = [d for d in by_dialogue(sets["dialogues"]) if not any("intent=check_status" in r["expect"] for r in d)]
        sampled["dialogues"] = [row for dialogue in apart[::2] for row in dialogue]
    return sampled


def by_dialogue(rows: Sequence[Row]) -> list[list[Row]]:
    """The turns of each dialogue, in their order."""
    talks: dict[str, list[Row]] = {}
    for row in rows:
        talks.setdefault(row["id"], []).append(row)
    return list(talks.values())


def _read(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE))
