"""办件进度: the number, the check, the status; proofs are the hub's alone."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from line_parts import LAST_FOUR, NAME, PHONE, Clock, Line, case_record, make_hub, make_tools, words

from data_hub.memory import InMemoryDataHub
from hotline.cases import CaseState


def talk_with(hub: InMemoryDataHub | None = None) -> Line:
    return Line(make_tools(hub or make_hub()))


def never_kept(line: Line) -> None:
    """The proofs are in no slot and in nothing that was said."""
    kept = json.dumps([line.slots, line.said], ensure_ascii=False)
    for proof in (NAME, LAST_FOUR, PHONE):
        assert proof not in kept


async def test_number_then_proofs_bring_the_status() -> None:
    line = talk_with()
    asked = await line.case_form("查一下办到哪了", "check_status")
    assert asked[0]["expects"] == "case_reference"
    assert asked[0]["flow"] == "case_status_form"
    asked = await line.case_form("六一三四八二")
    assert asked[0]["expects"] == "identity_proof"
    told = await line.case_form(f"{NAME}，{LAST_FOUR}")
    assert "审核中" in words(told)
    assert "最迟办结日期：2026-12-01" in words(told)
    assert "演示数据" in words(told)
    assert told[0]["reply"]["card"]["kind"] == "case"
    assert told[0]["reply"]["sources"][0]["field"] == "state"
    assert told[0].get("expects") is None
    assert line.slots["service_item"] == "JZ02"
    never_kept(line)


async def test_everything_in_one_breath_is_taken_in_one_turn() -> None:
    line = talk_with()
    told = await line.case_form(f"查613482，{NAME}，{LAST_FOUR}", "check_status")
    assert "审核中" in words(told)
    never_kept(line)


@pytest.mark.parametrize(
    ("first", "asked_next", "second"),
    [
        (NAME, "needs_id_last4", LAST_FOUR),
        (LAST_FOUR, "needs_name", NAME),
        ("尾号一二三X", "needs_name", f"我叫{NAME}"),
    ],
)
async def test_one_proof_after_the_other_is_enough(first: str, asked_next: str, second: str) -> None:
    line = talk_with()
    await line.case_form("613482")
    asked = await line.case_form(first)
    assert ("还差申请人姓名" if asked_next == "needs_name" else "还差身份证后四位") in words(asked)
    assert asked[0]["expects"] == "identity_proof"
    assert "审核中" in words(await line.case_form(second))
    never_kept(line)


async def test_an_unknown_number_is_asked_again() -> None:
    line = talk_with()
    asked = await line.case_form("999999")
    assert "没有查到这个办件号" in words(asked)
    assert line.slots["case_reference"] is None
    assert "审核中" in words(await line.case_form("613482") + await line.case_form(f"{NAME} {LAST_FOUR}"))


async def test_an_unreadable_number_is_asked_again_and_then_a_person_offered() -> None:
    line = talk_with()
    await line.case_form("查进度", "check_status")
    first = await line.case_form("嗯那个什么来着", "nlu_fallback")
    assert "没有听清号码" in words(first)
    second = await line.case_form("嗯那个什么来着", "nlu_fallback")
    assert [b["payload"] for b in second[0]["reply"]["buttons"]] == ["转人工"]


async def test_three_wrong_proofs_lock_the_case_for_everybody() -> None:
    hub = make_hub()
    line = talk_with(hub)
    await line.case_form("613482")
    assert "还可以试 2 次" in words(await line.case_form(f"{NAME}，9999"))
    assert "还可以试 1 次" in words(await line.case_form(f"{NAME}，9998"))
    assert "锁定" in words(await line.case_form(f"{NAME}，9997"))
    assert line.slots["case_reference"] is None
    other = talk_with(hub)
    assert "锁定" in words(await other.case_form(f"613482，{NAME}，{LAST_FOUR}"))
    assert "审核中" not in words(line.said + other.said)
    never_kept(line)
    never_kept(other)


async def test_a_wrong_answer_does_not_tell_which_proof_was_wrong() -> None:
    wrong_name, wrong_digits = talk_with(), talk_with()
    for line, proof in ((wrong_name, f"陈大文，{LAST_FOUR}"), (wrong_digits, f"{NAME}，9999")):
        await line.case_form("613482")
        await line.case_form(proof)
    assert words(wrong_name.said) == words(wrong_digits.said)


async def test_a_full_id_number_is_taken_for_its_last_four() -> None:
    line = talk_with()
    await line.case_form("613482")
    assert "审核中" in words(await line.case_form(f"{NAME}，99010119000101{LAST_FOUR}"))
    never_kept(line)


async def test_a_wrong_phone_given_along_fails_the_check() -> None:
    line = talk_with()
    await line.case_form("613482")
    assert "身份信息对不上" in words(await line.case_form(f"{NAME}，{LAST_FOUR}，13800000099"))


async def test_a_hub_that_is_down_ends_the_form_with_a_sentence_and_keeps_the_number() -> None:
    hub = make_hub()
    hub.available = False
    line = talk_with(hub)
    told = await line.case_form("613482")
    assert "数据中台暂时联系不上" in words(told)
    assert told[0]["part_down"] == "hub_down"
    assert line.slots["identity_outcome"] is None
    hub.available = True
    asked = await line.case_form("查进度", "check_status")
    assert asked[0]["expects"] == "identity_proof", "the number was given once and is not asked for again"
    assert "审核中" in words(await line.case_form(f"{NAME}，{LAST_FOUR}"))


async def test_a_hub_that_goes_down_between_check_and_status_says_so() -> None:
    hub = make_hub()
    line = talk_with(hub)
    await line.case_form("613482")
    line.slots["requested_slot"] = "identity_outcome"
    await line.run("validate_case_status_form", f"{NAME}，{LAST_FOUR}")
    hub.available = False
    told = await line.run("action_case_status", "")
    assert "数据中台暂时联系不上" in words(told)
    never_kept(line)


async def test_a_question_about_a_service_costs_no_attempt() -> None:
    line = talk_with()
    await line.case_form("613482")
    await line.run("validate_case_status_form", "居住证收费吗", "ask_fee")
    assert not line.slots.get("form_retries")
    assert line.slots["identity_outcome"] is None


async def test_asking_again_within_ten_minutes_needs_no_second_check() -> None:
    line = talk_with()
    await line.case_form(f"613482，{NAME}，{LAST_FOUR}")
    assert "审核中" in words(await line.case_form("那现在呢", "check_status"))


async def test_a_check_that_ran_out_is_asked_for_again_inside_the_form() -> None:
    clock = Clock()
    line = talk_with(make_hub(now=clock))
    await line.case_form(f"613482，{NAME}，{LAST_FOUR}")
    clock.now += timedelta(minutes=11)
    sent = await line.case_form("那现在呢", "check_status")
    assert "审核中" not in words(sent)
    assert line.follow_up == "case_status_form", "only inside the form are the proofs read, and never kept"
    asked = await line.case_form("那现在呢", "check_status")
    assert asked[0]["expects"] == "identity_proof"
    assert "审核中" in words(await line.case_form(f"{NAME}，{LAST_FOUR}"))


async def test_another_number_begins_another_check() -> None:
    line = talk_with(make_hub(case_record(), case_record("700100", state=CaseState.MAILED)))
    await line.case_form(f"613482，{NAME}，{LAST_FOUR}")
    asked = await line.case_form("再查一个700100", "check_status")
    assert asked[0]["expects"] == "identity_proof"
    assert "已邮寄" not in words(asked)
    assert "已邮寄" in words(await line.case_form(f"{NAME}，{LAST_FOUR}"))


@pytest.mark.parametrize("state", list(CaseState))
async def test_every_state_is_told_in_words(state: CaseState) -> None:
    record = case_record(state=state, completed_on=date(2026, 11, 20), todo="补交照片")
    line = talk_with(make_hub(record))
    told = await line.case_form(f"613482，{NAME}，{LAST_FOUR}")
    text = words(told)
    assert line.tools.wording.table("case_states")[state.value] in text
    assert "补交照片" in text
    assert state.value not in text
    remedy = state in (CaseState.NOT_ACCEPTED, CaseState.COMPLETED_REFUSED)
    assert ("行政复议" in text) is remedy
