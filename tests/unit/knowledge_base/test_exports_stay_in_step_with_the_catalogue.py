"""The committed training lookups are what the catalogue gives today."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jieba
import pytest
import yaml

from knowledge_base.__main__ import main
from knowledge_base.catalogue import load_catalogue
from knowledge_base.export import DEFAULT_NLU_DATA, exports, write_nlu_exports


@pytest.mark.parametrize("name", ["lookups/towns.yml", "jieba/userdict.txt"])
def test_the_committed_file_equals_a_fresh_export(name: str) -> None:
    fresh = exports(load_catalogue())[name]
    assert (DEFAULT_NLU_DATA / name).read_text(encoding="utf-8") == fresh, "先运行 python -m knowledge_base export"


def test_the_town_lookup_is_training_data_that_names_every_town() -> None:
    catalogue = load_catalogue()
    text = exports(catalogue)["lookups/towns.yml"]
    data = yaml.safe_load(text)
    assert text.startswith('version: "3.1"')
    (lookup,) = data["nlu"]
    listed = [line.removeprefix("- ") for line in lookup["examples"].splitlines()]
    assert lookup["lookup"] == "town"
    assert {"桂城", "狮山镇", "罗村", "盐步"} <= set(listed)
    assert all(catalogue.town_named(word) for word in listed)


def test_mishearings_are_not_looked_for_inside_sentences() -> None:
    for text in exports(load_catalogue()).values():
        assert "理水" not in text  # it occurs in 处理水管


def test_jieba_reads_every_word_of_the_dictionary(tmp_path: Path) -> None:
    words = tmp_path / "userdict.txt"
    words.write_text(exports(load_catalogue())["jieba/userdict.txt"], encoding="utf-8")
    tokenizer = jieba.Tokenizer()
    tokenizer.load_userdict(str(words))
    assert tokenizer.lcut("我想办居住证") == ["我", "想", "办居住证"]
    for line in words.read_text(encoding="utf-8").splitlines():
        word, weight, tag = line.split(" ")
        assert (int(weight), tag) == (10, "nz")
        assert tokenizer.FREQ[word] == 10


def test_the_order_of_loading_does_not_change_the_export() -> None:
    catalogue = load_catalogue()
    turned = replace(catalogue, items=dict(reversed(catalogue.items.items())))
    assert exports(turned) == exports(catalogue)


def test_the_command_writes_both_files(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "nlu"
    assert main(["export", "--folder", str(folder), "--nlu-data", str(out)]) == 0
    written = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert written == {"lookups/towns.yml", "jieba/userdict.txt"}


def test_a_right_file_is_left_untouched(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    first, _ = write_nlu_exports(catalogue, tmp_path)
    before = first.stat().st_mtime_ns
    assert write_nlu_exports(catalogue, tmp_path)[0].stat().st_mtime_ns == before
