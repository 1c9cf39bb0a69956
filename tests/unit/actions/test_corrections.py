"""「不是社保，是医保」: what is put right, in Mandarin and Cantonese; and what chooses, names or answers nothing."""

from __future__ import annotations

import pytest

from actions.case_reference import find_proof
from actions.corrections import aspect_said, correction_of, names_a_matter
from actions.said import could_be_a_name
from actions.service import option_place
from hotline.messages import Aspect


@pytest.mark.parametrize(
    ("said", "right", "wrong"),
    [
        ("不是社保，是医保", "医保", "社保"),
        ("唔系积分，系人才入户", "人才入户", "积分"),
        ("我问的是多少钱，不是几天", "多少钱", "几天"),
        ("听错啦，系居住证唔系身份证", "居住证", "身份证"),
        ("没有丢，是到期换", "到期换", "丢"),
        ("反了，我是要新开一个", "新开一个", ""),
        ("搞错咗，我系想问人才入户", "人才入户", ""),
        ("我不是要补社保卡，我要激活", "激活", "补社保卡"),
        ("不是不是 我说的是居住证 不是身份证", "居住证", "身份证"),
        ("谁说我要离婚了，我要结婚", "结婚", "离婚"),
        ("你答的是材料，我问的是几天", "几天", "材料"),
        ("我问的是哪里办，你说的是多久", "哪里办", "多久"),
        ("材料我知道了，我问的是去哪里办", "去哪里办", "材料"),
        ("不是，是医保的", "医保", ""),
    ],
)
def test_a_correction_tells_right_from_wrong(said: str, right: str, wrong: str) -> None:
    found = correction_of(said)
    assert found is not None
    assert right in found.right
    assert wrong in found.wrong


@pytest.mark.parametrize(
    "said", ["我没有房产证", "不是本地户口可以办吗", "是不是要带户口本", "不是的", "不是，我没有", "居住证怎么办"]
)
def test_what_only_sounds_like_a_correction_is_none(said: str) -> None:
    assert correction_of(said) is None


@pytest.mark.parametrize(
    ("said", "aspect"),
    [
        ("多少钱", Aspect.FEE),
        ("能领几多钱", Aspect.AMOUNT),
        ("要带咩嘢证件", Aspect.MATERIALS),
        ("喺边度办", Aspect.WHERE),
        ("星期六开不开门", Aspect.WHEN_OPEN),
        ("手机上能不能弄", Aspect.ONLINE),
        ("怎么领", Aspect.STEPS),
        ("居住证", None),
    ],
)
def test_an_aspect_is_told_by_its_words(said: str, aspect: Aspect | None) -> None:
    assert aspect_said(said) is aspect


@pytest.mark.parametrize("said", ["多少钱", "去边度办", "要几多日", "几点关门"])
def test_words_that_only_ask_name_no_matter(said: str) -> None:
    assert not names_a_matter(said)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("第二个", 1), ("2", 1), ("选三", 2), ("就第一个吧", 0), ("最后嗰个", 6), ("倒数第二个", 5),
        ("下周三上午", None), ("三点钟", None), ("十二月二号", None), ("第二天", None), ("我有两个孩子", None),
    ],
)  # fmt: skip
def test_only_a_place_in_the_list_chooses_from_it(said: str, place: int | None) -> None:
    assert option_place(said, 7) == place


@pytest.mark.parametrize("said", ["陈小明", "欧阳明", "谢丽华", "仝小明"])
def test_a_name_may_be_rare(said: str) -> None:
    assert could_be_a_name(said)


@pytest.mark.parametrize("said", ["确认", "取消", "要补咩嘢", "转人工", "再说一遍", "多少钱", "下午", "没有", "谢谢"])
def test_wishes_and_answers_are_no_names(said: str) -> None:
    assert not could_be_a_name(said)
    assert find_proof(said, "613482", name_asked=True).name is None
