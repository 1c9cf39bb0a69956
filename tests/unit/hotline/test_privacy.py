"""Masking: what identifies a person goes, what the talk needs stays."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_hub.reference.seed import synthetic_cases
from hotline.privacy import mask_id_card, mask_name, mask_phone, mask_text
from knowledge_base.catalogue import load_catalogue

MASKED = [
    ("我的电话是13800000001", "我的电话是138****0001"),
    ("138 0000 0001", "138****0001"),
    ("138-0000-0001", "138****0001"),
    ("１３８００００００１２", "138****0012"),
    ("一三八零零零零零零零一", "138****0001"),
    ("幺三八零零零零零零零二", "138****0002"),
    ("打一三八 零零零零 零零零一找我", "打138****0001找我"),
    ("+8613800000001", "+86138****0001"),
    ("+86 13800000001", "+86 138****0001"),
    ("008613800000001", "0086138****0001"),
    ("13800000001，13800000002", "138****0001，138****0002"),
    ("13800000001 13800000002", "138****0001 138****0002"),
    ("138，0000，0001", "138****0001"),
    ("138.0000.0001", "138****0001"),
    ("13800000001x", "138****0001x"),
    ("990101190001011234", "9901************34"),
    ("身份证99010119000101123X", "身份证9901************3X"),
    ("99010119000101123x", "9901************3X"),
    ("990101 19000101 123X", "9901************3X"),
    ("990101 1900 0101 123X", "9901************3X"),
    ("九九零一零一一九零零零一零一一二三四", "9901************34"),
    ("九九零一零一一九零零零一零一一二三X", "9901************3X"),
    ("卡号6222000000000001234", "卡号********1234"),
    ("6222 0000 0000 0012", "********0012"),
    ("我家电话0757-80000000", "我家电话0757-****0000"),
    ("陈小明，1234", "陈*，****"),
    ("陈小明 一二三四", "陈* ****"),
    ("我叫陈小明，567X", "我叫陈*，****"),
    ("身份证后四位567X", "身份证后四位****"),
    ("尾号是一二三四", "尾号是****"),
    ("我叫陈小明", "我叫陈*"),
    ("我想查我同事李丽华的件办成怎样了", "我想查我同事李*的件办成怎样了"),
    ("我老婆叫黄志强嘅居住证攞得未", "我老婆叫黄*嘅居住证攞得未"),
    ("姓名：李四", "姓名：李*"),
]

KEPT = [
    "我同事的件办成怎样了",
    "老板欠我工资，房东不退押金",
    "我想问居住证怎么办",
    "查询码613482",
    "查询码 61348277",
    "六一三四八二",
    "打12345或者12356",
    "2026年11月22日",
    "要交三千五百块",
    "王村有1234元补贴",
    "公积金能提1500元",
    "几天能办好，10个工作日还是15个工作日",
    "我要查办件 613482，谢谢",
]


@pytest.mark.parametrize(("said", "kept"), MASKED)
def test_what_identifies_a_person_is_masked(said: str, kept: str) -> None:
    assert mask_text(said) == kept


@pytest.mark.parametrize("said", KEPT)
def test_what_identifies_nobody_stays(said: str) -> None:
    assert mask_text(said) == said


def test_case_numbers_and_query_codes_stay() -> None:
    cases = [record.case for record in synthetic_cases(list(load_catalogue().items.values()), date(2026, 11, 22))]
    references = [reference for case in cases for reference in (case.case_number, case.query_code)]
    assert len(references) > 20
    for reference in references:
        assert mask_text(reference) == reference
        assert mask_text(f"我要查{reference}，到哪了") == f"我要查{reference}，到哪了"


def test_the_lines_own_replies_keep_office_numbers_but_no_mobile() -> None:
    assert mask_text("咨询电话 0757-86330000，大厅", own_words=False) == "咨询电话 0757-86330000，大厅"
    assert mask_text("手机 13800000001", own_words=False) == "手机 138****0001"


def test_single_masks_have_the_forms_of_the_privacy_rules() -> None:
    assert mask_id_card("990101 19000101 123x") == "9901************3X"
    assert mask_phone("138-0000-1234") == "138****1234"
    assert mask_name("陈小明") == "陈*"
    assert mask_name("") == ""


def test_strange_digits_do_not_break_a_mask() -> None:
    assert mask_phone("²²²²1234567").endswith("4567")


_alphabet = st.sampled_from([*"0123456789０５零一幺二两三四五六七八九Xx -－—，,.。、我叫陈小明是后四位号码a\n元块"])
_speech = st.lists(_alphabet, max_size=45).map("".join)
_mobile = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
_around = st.text(st.sampled_from("我的电话是，。 ：Xxabc:,.-"), max_size=8)
_writings = st.sampled_from(
    [
        lambda n: n,
        lambda n: f"{n[:3]} {n[3:7]} {n[7:]}",
        lambda n: f"{n[:3]}-{n[3:7]}-{n[7:]}",
        lambda n: " ".join(n),
        lambda n: n.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
        lambda n: n.translate(str.maketrans("0123456789", "零一二三四五六七八九")),
        lambda n: f"+86{n}",
        lambda n: f"86 {n}",
    ]
)


@settings(max_examples=150, deadline=None)
@given(_speech)
@example("13800000001138000000011")
@example("6222 0000 0000 0000 123 13800000001")
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once
    bare = mask_text(text, own_words=False)
    assert mask_text(bare, own_words=False) == bare


@settings(max_examples=150, deadline=None)
@given(_around, _mobile, _writings, _around)
def test_no_mobile_number_survives(before: str, number: str, written, after: str) -> None:
    kept = unicodedata.normalize("NFKC", mask_text(before + written(number) + after))
    kept = kept.translate(str.maketrans("零一二三四五六七八九", "0123456789"))
    assert number not in re.sub(r"[\s\-]", "", kept)
