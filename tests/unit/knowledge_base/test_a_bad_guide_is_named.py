"""Loading: what is refused, and how the editor is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotline.errors import GuideError
from knowledge_base.catalogue import load_catalogue, reload_or_keep

GUIDE = "guides/residence/JZ04.yml"


def spoil(folder: Path, old: str, new: str, name: str = GUIDE) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("summary:", "sumary:", "summary", "缺少这个字段"),
        ("summary:", "sumary:", "sumary", "没有这个字段，请检查拼写"),
        ("code: TEST", "code: 1 #", "code", "加引号"),
        ("as_of: 2026-11-22", "as_of: 去年", "facts.conditions.0.as_of", "应当是日期"),
        ("confidence: S", "confidence: 真", "facts.conditions.0.confidence", "不是允许的取值"),
        ("  conditions:", "  condition:", "facts.condition", "不是允许的取值"),
        ("confidence: S", "confidence: U", "facts.conditions.0", "标为 U（不确定）的只能写 unknown"),
        ("    - text: 在同一个市", "    - unknown: 在同一个市", "facts.conditions.0", "不能写 unknown"),
        ("key: JZ04", "key: JZ99", "key", "与文件名 JZ04.yml 不一致"),
        ("area: residence", "area: household", "area", "与文件夹 residence 不一致"),
        ("related:", "name: 又一个名称\nrelated:", "行", "写了两次"),
        ("summary: ", "summary: [", "行", "YAML 写法不对"),
    ],
)
def test_the_error_names_file_field_and_reason(folder: Path, old: str, new: str, field: str, reason: str) -> None:
    spoil(folder, old, new)
    with pytest.raises(GuideError) as caught:
        load_catalogue(folder)
    assert GUIDE in caught.value.detail
    assert field in caught.value.detail
    assert reason in caught.value.detail


def test_the_yaml_error_names_the_line(folder: Path) -> None:
    (folder / GUIDE).write_text("key: JZ04\nname: [居住证\nfee: 1\n", encoding="utf-8")
    with pytest.raises(GuideError) as caught:
        load_catalogue(folder)
    assert "第 3 行" in caught.value.detail


def test_two_guides_cannot_share_a_code(folder: Path) -> None:
    taken = load_catalogue(folder)["JZ03"].code
    own = load_catalogue(folder)["JZ04"].code
    spoil(folder, own, taken)
    with pytest.raises(GuideError) as caught:
        load_catalogue(folder)
    assert "code" in caught.value.detail
    assert "JZ03.yml" in caught.value.detail


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("towns.yml", "towns: 狮山\n", "应当是一个列表"),
        ("halls.yml", "- 大厅\n", "最外层"),
        ("phones.yml", "phones:\n- {number: '12345'}\n", "phones.0.name"),
        (GUIDE, "只是一句话\n", "名称: 内容"),
        (GUIDE, "as_of: 2026-13-45\n", "YAML 写法不对"),
        (GUIDE, "name: \x07\n", "YAML 写法不对"),
    ],
)
def test_a_table_or_guide_of_the_wrong_shape_is_named(folder: Path, name: str, content: str, reason: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(GuideError) as caught:
        load_catalogue(folder)
    assert name in caught.value.detail
    assert reason in caught.value.detail


def test_a_guide_that_is_not_utf8_is_named(folder: Path) -> None:
    (folder / GUIDE).write_bytes("name: 居住证".encode("gb18030"))
    with pytest.raises(GuideError, match="不是 UTF-8"):
        load_catalogue(folder)


def test_a_missing_table_is_named(folder: Path) -> None:
    (folder / "sources.yml").unlink()
    with pytest.raises(GuideError, match=r"sources\.yml"):
        load_catalogue(folder)


def test_a_folder_without_guides_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GuideError, match="没有找到任何办事指南"):
        load_catalogue(tmp_path)


def test_a_bad_edit_keeps_the_last_good_catalogue(folder: Path) -> None:
    good = load_catalogue(folder)
    spoil(folder, "summary:", "sumary:")
    kept, error = reload_or_keep(good, folder)
    assert kept is good
    assert error is not None
    assert GUIDE in error.detail


def test_a_good_edit_is_taken_and_changes_the_hash(folder: Path) -> None:
    old = load_catalogue(folder)
    spoil(folder, "summary: ", "summary: 新的")
    new, error = reload_or_keep(old, folder)
    assert error is None
    assert new["JZ04"].summary.startswith("新的")
    assert new.content_hash != old.content_hash


def test_untouched_files_are_not_read_into_a_new_catalogue(folder: Path) -> None:
    old = load_catalogue(folder)
    assert reload_or_keep(old, folder) == (old, None)
    assert reload_or_keep(old, folder)[0] is old
    assert load_catalogue(folder).content_hash == old.content_hash


def test_the_catalogue_reads_like_a_mapping(folder: Path) -> None:
    catalogue = load_catalogue(folder)
    assert "JZ04" in catalogue
    assert "ZZ99" not in catalogue
    assert list(catalogue) == sorted(catalogue.items)
    assert catalogue.by_code[catalogue["JZ04"].code] is catalogue["JZ04"]
