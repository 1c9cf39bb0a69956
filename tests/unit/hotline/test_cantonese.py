"""Colloquial Cantonese as written Chinese."""

from __future__ import annotations

import pytest

from hotline.cantonese import table, to_written


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("张居住证唔见咗点补", "张居住证丢了怎么补"),
        ("俾人炒咗有冇失业金攞", "被人解雇了有没有失业金领"),
        ("要带咩嘢去", "要带什么去"),
        ("几时攞得", "什么时候能领"),
        ("间铺执咗笠点注销", "店铺倒闭了怎么注销"),
        ("使唔使预约", "要不要预约"),
        ("佢哋喺边度办", "他们在哪里办"),
        ("老细拖粮", "老板拖欠工资"),
        ("路边个渠盖冇咗", "路边个井盖没了"),
    ],
)
def test_what_is_said_in_cantonese_is_written_as_it_is_written(said: str, written: str) -> None:
    assert to_written(said) == written


@pytest.mark.parametrize(
    "text",
    [
        "劳动仲裁",
        "银行几点开门",
        "返还押金",
        "网点地址",
        "蚊子很多",
        "往返港澳",
        "调整基数",
        "食品经营许可",
        "紧急联系人",
        "知识产权",
        "冻结账户",
        "行政复议",
        "十点前交",
        "重点学校",
    ],
)
def test_standard_chinese_stays_as_it_is(text: str) -> None:
    assert to_written(text) == text


def test_what_was_written_once_needs_no_second_pass() -> None:
    for word in table().values():
        assert to_written(to_written(word)) == to_written(word), word


def test_the_table_has_two_columns_and_no_word_twice() -> None:
    assert len(table()) > 300
    assert all(word == word.strip() for pair in table().items() for word in pair)
