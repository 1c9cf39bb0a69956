"""Each rule of the lint, shown to find the fault it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hotline.catalogue import Confidence, Fact, RegionScope, ServiceItem
from hotline.messages import Aspect
from knowledge_base.__main__ import main
from knowledge_base.catalogue import Catalogue, load_catalogue
from knowledge_base.lint import lint

TODAY = date(2026, 11, 22)
KEY = "JZ04"
Change = Callable[[ServiceItem], dict[str, Any]]


@pytest.fixture(scope="module")
def good() -> Catalogue:
    return load_catalogue()


def rules(catalogue: Catalogue) -> set[str]:
    return {finding.rule for finding in lint(catalogue, TODAY)}


def with_item(catalogue: Catalogue, **changes: Any) -> Catalogue:
    item = catalogue[KEY].model_copy(update=changes)
    return replace(catalogue, items={**catalogue.items, KEY: item})


def with_fact(catalogue: Catalogue, **changes: Any) -> Catalogue:
    written = {
        "text": "办理补领收工本费",
        "source": "S4",
        "as_of": TODAY,
        "confidence": Confidence.SOURCED,
        "region_scope": RegionScope.PROVINCE,
    }
    fact = Fact.model_validate(written | changes)
    facts = {**catalogue[KEY].facts, Aspect.FEE: [fact]}
    return with_item(catalogue, facts=facts)


@pytest.mark.parametrize(
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
    ],
)
def test_a_planted_fault_in_a_fact_is_found(good: Catalogue, changes: dict[str, Any], rule: str) -> None:
    assert rules(with_fact(good, **changes)) == {rule}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda item: {"code": "TEST440605"}, "code_form"),
        (lambda item: {"code": "TEST440605000000NH9" + item.code[19:]}, "code_form"),
        (lambda item: {"synthetic_code": False}, "code_form"),
        (lambda item: {"catalog_code": "442106041002"}, "code_form"),
        (lambda item: {"valid_to": date(2026, 1, 1)}, "expired"),
        (lambda item: {"questions": item.questions[:4]}, "few_questions"),
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
