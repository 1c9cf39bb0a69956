"""Each rule of the lint, shown to find the fault it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any
from unittest.mock import patch

import pytest

from hotline.catalogue import Confidence, Element, Fact, RegionScope, ServiceItem
from hotline.messages import Aspect
from knowledge_base.__main__ import main
from knowledge_base.catalogue import Catalogue, load_catalogue
from knowledge_base.lint import Least, lint
from knowledge_base.lint_phrases import better_elsewhere
from knowledge_base.models import RequestCategory

TODAY = date(2026, 11, 22)
KEY = "JZ04"
LIMIT = {"kind": "法定", "number": 10, "unit": "工作日"}
Change = Callable[[ServiceItem], dict[str, Any]]


@pytest.fixture(scope="module")
def good() -> Catalogue:
    return load_catalogue()


def rules(catalogue: Catalogue) -> set[str]:
    """The rules broken, but for ``better_elsewhere``, which takes a second and is tested by itself."""
    with patch("knowledge_base.lint.better_elsewhere", return_value=[]):
        return {finding.rule for finding in lint(catalogue, TODAY)}


def with_item(catalogue: Catalogue, **changes: Any) -> Catalogue:
    item = catalogue[KEY].model_copy(update=changes)
    return replace(catalogue, items={**catalogue.items, KEY: item})


def a_fact(**changes: Any) -> Fact:
    written = {
        "text": "办理补领收工本费",
        "source": "S4",
        "as_of": TODAY,
        "confidence": Confidence.SOURCED,
        "region_scope": RegionScope.PROVINCE,
    }
    return Fact.model_validate(written | changes)


def with_fact(catalogue: Catalogue, **changes: Any) -> Catalogue:
    return with_item(catalogue, facts={**catalogue[KEY].facts, Aspect.FEE: [a_fact(**changes)]})


def with_element(catalogue: Catalogue, **changes: Any) -> Catalogue:
    return with_item(catalogue, elements={**catalogue[KEY].elements, Element.RESULT: [a_fact(**changes)]})


FACT_FAULTS = pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"source": "S99"}, "unknown_source"),
        ({"source": "G"}, "unsourced"),
        ({"source": "S4 G"}, "unsourced"),
        ({"source": "S4", "confidence": "G"}, "unsourced"),
        ({"valid_to": date(2026, 11, 21)}, "expired"),
        ({"as_of": date(2026, 12, 1)}, "future"),
        ({"text": "", "unknown": "工本费20元是否属实", "confidence": "U", "source": "U"}, "figure_in_unsure"),
        ({"text": "", "unknown": "是不是二十元", "confidence": "U", "source": "U"}, "figure_in_unsure"),
        ({"text": "急办加微信"}, "advertisement"),
        ({"text": "不收费", "region_scope": "他市"}, "other_city_unnamed"),
        ({"text": "星星镇不收费", "region_scope": "镇"}, "unknown_town"),
        ({"text": "不收费。"}, "punctuation"),
        ({"text": "10个工作日内办结", "limit": LIMIT | {"number": 5}}, "limit_mismatch"),
        ({"text": "110个工作日内办结", "limit": LIMIT}, "limit_mismatch"),
        ({"text": "10日内办结", "limit": LIMIT}, "limit_mismatch"),
        ({"text": "承诺10个工作日内办结", "limit": LIMIT}, "limit_mismatch"),
    ],
)


@FACT_FAULTS
def test_a_planted_fault_in_a_fact_is_found(good: Catalogue, changes: dict[str, Any], rule: str) -> None:
    assert rules(with_fact(good, **changes)) == {rule}


@FACT_FAULTS
def test_a_planted_fault_in_an_element_is_found(good: Catalogue, changes: dict[str, Any], rule: str) -> None:
    assert rules(with_element(good, **changes)) == {rule}


def test_a_limit_that_its_text_states_is_right(good: Catalogue) -> None:
    assert rules(with_fact(good, text="受理后10个工作日内发放", limit=LIMIT)) == set()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda item: {"code": "TEST440605"}, "code_form"),
        (lambda item: {"code": "TEST440605000000NH9" + item.code[19:]}, "code_form"),
        (lambda item: {"synthetic_code": False}, "code_form"),
        (lambda item: {"catalog_code": "442106041002"}, "code_form"),
        (lambda item: {"valid_to": date(2026, 1, 1)}, "expired"),
        (lambda item: {"questions": item.questions[:29]}, "few_questions"),
        (lambda item: {"aliases": item.aliases[:7]}, "few_aliases"),
        (lambda item: {"elements": {}}, "missing_element"),
        (lambda item: {"related": ["ZZ99"]}, "unknown_related"),
        (lambda item: {"related": [KEY]}, "unknown_related"),
        (lambda item: {"aliases": [*item.aliases, "办居住证"]}, "duplicate"),
        (lambda item: {"aliases": [*item.aliases, "申领「居住证」"]}, "duplicate"),
        (lambda item: {"questions": [*item.questions, "居住证怎么办？"]}, "duplicate"),
        (lambda item: {"questions": [*item.questions, item.questions[0]]}, "duplicate"),
        (lambda item: {"aliases": [*item.aliases, "居住证包过"]}, "advertisement"),
        (lambda item: {"summary": "补领居住证收20元"}, "figure_in_summary"),
        (lambda item: {"contact": item.contact.model_copy(update={"number": "99999"})}, "unknown_phone"),
        (lambda item: {"facts": {k: v for k, v in item.facts.items() if k != "where"}}, "missing_aspect"),
    ],
)
def test_a_planted_fault_in_a_guide_is_found(good: Catalogue, change: Change, rule: str) -> None:
    assert rules(with_item(good, **change(good[KEY]))) == {rule}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"town": "星星镇"}, "unknown_town"),
        ({"town": "丹灶镇"}, "code_form"),
        ({"source": "S99"}, "unknown_source"),
        ({"synthetic": False}, "placeholder"),
    ],
)
def test_a_planted_fault_in_a_hall_is_found(good: Catalogue, changes: dict[str, Any], rule: str) -> None:
    code, hall = next((c, h) for c, h in good.halls.items() if h.town == "狮山镇")
    halls = {**good.halls, code: hall.model_copy(update=changes)}
    assert rules(replace(good, halls=halls)) == {rule}


def test_a_place_name_in_two_towns_is_found(good: Catalogue) -> None:
    town = good.towns["丹灶镇"].model_copy(update={"misheard": ["罗村"]})
    assert rules(replace(good, towns={**good.towns, "丹灶镇": town})) == {"duplicate"}


def test_a_phone_line_without_a_known_source_is_found(good: Catalogue) -> None:
    line = good.phones["12345"].model_copy(update={"source": "S98"})
    assert rules(replace(good, phones={**good.phones, "12345": line})) == {"unknown_source"}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"service_key": "ZZ99"}, "unknown_service"),
        ({"source": "S99", "confidence": "S"}, "unknown_source"),
        ({"source": "S4"}, "unsourced"),
        ({"department": None}, "unsourced"),
        ({"words": ["违建"]}, "duplicate"),
    ],
)
def test_a_planted_fault_in_a_request_category_is_found(good: Catalogue, changes: dict[str, Any], rule: str) -> None:
    noise = RequestCategory.model_validate(good.requests["noise"].model_dump() | changes)
    assert rules(replace(good, requests={**good.requests, "noise": noise})) == {rule}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({"line": "0757-99999"}, "unknown_phone"), ({"words": ["狮山"]}, "duplicate"), ({"words": ["顺德"]}, "duplicate")],
)
def test_a_planted_fault_in_a_neighbour_is_found(good: Catalogue, changes: dict[str, Any], rule: str) -> None:
    first, *others = good.neighbours
    assert rules(replace(good, neighbours=(first.model_copy(update=changes), *others))) == {rule}


@pytest.mark.parametrize("pattern", ["(没合上", "路灯.{0", "6}(坏|黑)"])
def test_a_torn_or_broken_pattern_is_found(good: Catalogue, pattern: str) -> None:
    words = {**good.triage_words, "urgency.urgent": (pattern,)}
    assert rules(replace(good, triage_words=words)) == {"pattern"}


@pytest.mark.parametrize(
    ("phrase", "meant"), [("护照到期怎么换", "CJ01"), ("公积金租房提取", "GJ01"), ("生育津贴几时到账", "YB05")]
)
@pytest.mark.parametrize("field", ["aliases", "questions"])
def test_a_phrase_that_another_service_answers_better_is_found(
    good: Catalogue, field: str, phrase: str, meant: str
) -> None:
    (finding,) = better_elsewhere(with_item(good, **{field: [*getattr(good[KEY], field), phrase]}))
    assert (finding.rule, finding.field) == ("better_elsewhere", field)
    assert f"「{phrase}」更像 {meant}" in finding.message


def test_a_single_service_has_nobody_to_be_better(good: Catalogue) -> None:
    assert list(better_elsewhere(replace(good, items={KEY: good[KEY]}))) == []


def test_a_guide_just_begun_may_have_fewer_phrases(good: Catalogue) -> None:
    begun = with_item(good, aliases=good[KEY].aliases[:2], questions=good[KEY].questions[:5])
    assert {f.rule for f in lint(begun, TODAY)} == {"few_aliases", "few_questions"}
    assert lint(begun, TODAY, Least(aliases=2, questions=5)) == []


def test_the_check_is_quick(good: Catalogue) -> None:
    begun = process_time()
    lint(good, TODAY)
    assert process_time() - begun < 5


def test_a_finding_names_file_field_and_reason(good: Catalogue) -> None:
    (finding,) = lint(with_fact(good, source="S99"), TODAY)
    assert str(finding) == ("guides/residence/JZ04.yml：facts.fee.0：来源 S99 没有登记在 sources.yml 里")


def test_the_command_fails_on_findings_and_passes_without(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--folder", str(folder)]) == 0
    assert "没有发现问题" in capsys.readouterr().out
    guide = folder / "guides/residence/JZ04.yml"
    guide.write_text(guide.read_text(encoding="utf-8").replace("source: S4", "source: S99"), encoding="utf-8")
    assert main(["lint", "--folder", str(folder)]) == 1
    assert "来源 S99" in capsys.readouterr().out


def test_the_command_says_which_guide_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "guides/residence/JZ04.yml").write_text("key: [", encoding="utf-8")
    assert main(["lint", "--folder", str(folder)]) == 1
    assert "JZ04.yml" in capsys.readouterr().err
