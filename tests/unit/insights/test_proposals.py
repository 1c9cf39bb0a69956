"""A proposed change adds its lines and touches nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hotline.errors import BadInputError
from hotline.settings import ROOT
from insights.proposals import draft_guide, unified, with_example, with_phrase
from knowledge_base.catalogue import load_catalogue

GUIDE = ROOT / "knowledge_base" / "guides" / "residence" / "JZ02.yml"
TRAINING = ROOT / "nlu_data" / "out_of_scope.yml"


@pytest.mark.parametrize("part", ["aliases", "questions"])
def test_a_phrase_is_added_to_the_part_and_the_patch_applies(part: str, tmp_path: Path) -> None:
    before = GUIDE.read_text(encoding="utf-8")
    after = with_phrase(before, part, "居住证几耐攞到手")
    assert len(after.splitlines()) == len(before.splitlines()) + 1
    (tmp_path / "JZ02.yml").write_text(before, encoding="utf-8")
    (tmp_path / "p.patch").write_text(unified("JZ02.yml", before, after), encoding="utf-8")
    subprocess.run(["git", "apply", "p.patch"], cwd=tmp_path, check=True)
    assert (tmp_path / "JZ02.yml").read_text(encoding="utf-8") == after


def test_an_example_is_added_to_its_intent_alone() -> None:
    before = TRAINING.read_text(encoding="utf-8")
    after = with_example(before, "out_of_scope", "公园里能不能放风筝呀")
    assert "+    - 公园里能不能放风筝呀" in unified("x.yml", before, after)
    assert after.replace("    - 公园里能不能放风筝呀\n", "", 1) == before


@pytest.mark.parametrize("phrase", ["居住证怎么办", "名: 值", "- 横线", "", "长" * 61, "换\n行"])
def test_what_is_there_already_or_would_break_the_file_is_refused(phrase: str) -> None:
    with pytest.raises(BadInputError):
        with_phrase(GUIDE.read_text(encoding="utf-8"), "questions", phrase)


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadInputError):
        with_example(TRAINING.read_text(encoding="utf-8"), "no_such_intent", "放风筝")


def test_a_drafted_guide_is_a_guide_that_claims_nothing() -> None:
    text = draft_guide("JZ98", f"TEST440605000000NH{4990000098000:013d}", "放风筝登记", "residence", "公安局", ["公园能放风筝吗"], "2026-11-25")  # fmt: skip
    import yaml

    from hotline.catalogue import ServiceItem

    item = ServiceItem.model_validate(yaml.safe_load(text))
    assert all(not fact.known for facts in item.facts.values() for fact in facts)
    assert item.key not in load_catalogue()
