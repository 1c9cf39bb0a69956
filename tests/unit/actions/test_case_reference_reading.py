"""Numbers and proofs as people say them."""

from __future__ import annotations

import pytest

from actions.case_reference import digits_as_said, find_case_reference, find_proof
from hotline.cases import IdentityProof

_NUMBER = "TEST440605124000NH54421060410002026110000001"[:31] + "202611000012"

REFERENCES = [
    ("613482", "613482"),
    ("查询码是61348277", "61348277"),
    ("六一三四八二", "613482"),
    ("六幺三四八二", "613482"),
    ("六 一 三 四 八 二", "613482"),
    ("613 482", "613482"),
    ("6-1-3-4-8-2", "613482"),
    ("六一三，四八二", "613482"),
    ("６１３４８２", "613482"),
    ("我个办件号系六一三四八二啊", "613482"),
    ("查613482，关美玲，1234", "613482"),
    ("613482 1234", "613482"),
    ("洞洞一三四八", "001348"),
    (_NUMBER, _NUMBER),
    (_NUMBER.lower(), _NUMBER),
    (f"办件号 {_NUMBER[:20]} {_NUMBER[20:]} 谢谢", _NUMBER),
    ("12345", None),
    ("1234", None),
    ("13800000001", None),
    ("990101190001011234", None),
    ("居住证怎么办", None),
    ("", None),
]


@pytest.mark.parametrize(("said", "reference"), REFERENCES)
def test_a_number_is_read_as_it_is_said(said: str, reference: str | None) -> None:
    assert find_case_reference(said) == reference


PROOFS = [
    ("关美玲，123X", ("关美玲", "123X", None)),
    ("我叫关美玲，身份证后四位一二三四", ("关美玲", "1234", None)),
    ("我係关美玲，尾号一二三x", ("关美玲", "123X", None)),
    ("申请人关美玲 后四位是1 2 3 4", ("关美玲", "1234", None)),
    ("1234", (None, "1234", None)),
    ("一二三四", (None, "1234", None)),
    ("幺二三四", (None, "1234", None)),
    ("关美玲", ("关美玲", None, None)),
    ("关美玲，1234，电话13800000007", ("关美玲", "1234", "13800000007")),
    ("手机号 138 0000 0007", (None, None, "13800000007")),
    ("990101190001011234", (None, "1234", None)),
    ("身份证号99010119000101123x，关美玲", ("关美玲", "123X", None)),
    ("居住证怎么办", (None, None, None)),
    ("我不知道", (None, None, None)),
    ("", (None, None, None)),
]


@pytest.mark.parametrize(("said", "proof"), PROOFS)
def test_proofs_are_read_as_they_are_said(said: str, proof: tuple[str | None, ...]) -> None:
    assert find_proof(said) == IdentityProof(name=proof[0], id_last4=proof[1], phone=proof[2])


def test_the_digits_of_the_reference_are_no_proof() -> None:
    assert find_proof("查613482，关美玲，1234", "613482") == IdentityProof(name="关美玲", id_last4="1234")
    assert find_proof("613482", "613482") == IdentityProof()


def test_a_rare_family_name_is_taken_where_only_the_name_was_asked() -> None:
    assert find_proof("仝小明").name is None
    assert find_proof("仝小明", name_asked=True).name == "仝小明"


def test_spoken_digits_become_figures_and_words_stay() -> None:
    assert digits_as_said("我要查 六一三 四八二") == "我要查 613482"
