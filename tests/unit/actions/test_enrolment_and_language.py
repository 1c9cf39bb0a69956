"""无纸化入学 checks, the way of speaking, repeating, and somebody else's case."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from line_parts import LAST_FOUR, NAME, Line, case_record, make_hub, make_tools, words
from pydantic import BaseModel

from actions.sealed import KEY_FILE, DraftSeal
from hotline.cases import DataCheck

CHECKS = [
    DataCheck(department="公安分局", subject="户籍", matched=True),
    DataCheck(department="社保局", subject="参保年限", matched=False, advice="请到社保局核对参保记录"),
    DataCheck(department="自然资源分局", subject="房产", matched=None),
]


def talk_with(hub: Any = None) -> Line:
    return Line(make_tools(hub or make_hub()))


async def test_without_a_number_the_checks_are_explained_from_the_guide() -> None:
    line = talk_with()
    sent = await line.turn("网报审核没过", "check_enrolment")
    assert "比对" in words(sent)
    assert sent[0]["reply"]["sources"]
    assert sent[-1]["expects"] == "case_reference"
    ended = await line.turn("没有号码", "deny")
    assert "转人工" in words(ended)
    assert line.loop is None


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ("房产那个没比中", "住建局、国土局"),
        ("话户口对唔上", "公安局"),
        ("税务那边没过", "地税局"),
        ("流管办没比对上", "流管办"),
    ],
)
async def test_a_check_that_is_named_is_answered_alone_and_with_what_to_do(said: str, who: str) -> None:
    line = talk_with()
    await line.turn("网报审核没过", "check_enrolment")
    sent = await line.turn(said, "check_enrolment")
    assert f"由{who}的数据来比" in words(sent)
    assert "人工复核" in words(sent)
    assert "营业执照" not in words(sent)
    assert len(sent[0]["reply"]["sources"]) == 2


async def test_with_the_identity_proved_the_department_that_did_not_match_is_named() -> None:
    line = talk_with(make_hub(case_record(checks=CHECKS)))
    await line.turn("学位网审话社保唔啱", "check_enrolment")
    await line.turn("613482")
    told = words(await line.turn(f"{NAME}，{LAST_FOUR}"))
    assert "社保局的参保年限数据：请到社保局核对参保记录" in told
    assert "自然资源分局" in told
    assert "我不能保证" in told
    assert "没有比对上的：\n- 公安" not in told


async def test_nobody_is_told_of_somebody_elses_case() -> None:
    for asked in ("我老公的居住证办到哪了", "帮我查我邻居嘅低保批咗未", "我妈的高龄津贴办好了没有"):
        line = talk_with()
        sent = await line.turn(asked, "check_status")
        assert "别人的办件" in words(sent)
        assert line.loop is None


async def test_cantonese_is_for_the_ear_and_stays_chosen() -> None:
    line = talk_with()
    await line.turn("讲广东话", "choose_language")
    assert line.slots["dialect"] == "cantonese"
    sent = await line.turn("谢谢", "thank")
    assert "唔使客气" in sent[0]["reply"]["speech_text"]
    assert "不用客气" in sent[0]["reply"]["text"]
    await line.turn("讲普通话", "choose_language")
    sent = await line.turn("谢谢", "thank")
    assert "不用客气" in sent[0]["reply"]["speech_text"]


@pytest.mark.parametrize(("intent", "manner"), [("slower", "slower"), ("louder", "louder")])
async def test_slower_and_louder_tell_the_voice(intent: str, manner: str) -> None:
    assert (await talk_with().turn("讲慢啲", intent))[0]["speech_speed"] == manner


async def test_the_last_answer_is_repeated_also_after_courtesies() -> None:
    line = talk_with()
    said = await line.turn("居住证收费吗", "ask_fee")
    await line.turn("谢谢", "thank")
    await line.turn("讲慢啲", "slower")
    again = await line.turn("再说一遍", "repeat")
    assert again[0]["reply"] == said[0]["reply"]


async def test_a_part_of_a_number_that_was_not_found_is_put_right() -> None:
    line = talk_with()
    await line.turn("查进度", "check_status")
    await line.turn("613489")
    sent = await line.turn("不对，最后是八二")
    assert sent[-1]["expects"] == "identity_proof"


class _Draft(BaseModel):
    words: str


def test_a_sealed_draft_shows_no_word_and_opens_with_its_key_alone(tmp_path: Path) -> None:
    seal = DraftSeal.in_folder(tmp_path)
    sealed = seal.seal(_Draft(words="桂城南海大道"))
    assert "桂城" not in sealed
    assert seal.open(sealed, _Draft) == _Draft(words="桂城南海大道")
    assert DraftSeal.in_folder(tmp_path).open(sealed, _Draft) is not None
    assert DraftSeal().open(sealed, _Draft) is None
    assert seal.open("x", _Draft) is None
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
