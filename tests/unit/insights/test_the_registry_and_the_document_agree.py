"""docs/insights.md explains every figure as the code computes it."""

from __future__ import annotations

import re

import pytest

from hotline.insights import MEASURES, ORDER_MEASURES
from hotline.settings import ROOT
from insights.figures import FIGURES, NOW_FIGURES

DOCUMENT = (ROOT / "docs" / "insights.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_every_figure_is_explained_by_its_formula(figure: object) -> None:
    row = f"| `{figure.key}` | {figure.title} | {figure.formula} |"  # type: ignore[attr-defined]
    assert row in DOCUMENT


def test_no_figure_is_explained_that_is_not_there() -> None:
    told = set(re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", DOCUMENT, re.MULTILINE))
    assert told == {*FIGURES, *NOW_FIGURES}


def test_every_measure_is_listed() -> None:
    listed = set(re.findall(r"`(\w+)`（", DOCUMENT))
    assert {*MEASURES, *ORDER_MEASURES} <= listed


def test_a_figure_of_nothing_is_unknown_and_not_zero() -> None:
    assert FIGURES["containment"].value({"contained": 0.0, "conversations": 0.0}) is None
    assert FIGURES["containment"].value({"contained": 3.0, "conversations": 4.0}) == 0.75
    assert FIGURES["conversations"].value({}) == 0.0
