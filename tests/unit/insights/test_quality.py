"""The rules as code, on trails written by hand; people's blind reviews."""

from __future__ import annotations

from typing import Any

import pytest
from trails import T0, Trail

from hotline.insights import Review
from insights.quality import RULES, check, kappa, told
from insights.reviewing import agreement, next_place, settled

CASE_CARD = {"kind": "case", "title": "…"}


def sourced(trail: Trail, second: float, waited: float = 1.0, sources: Any = ({"field": "facts.fee", "version": "1"},)) -> Trail:  # fmt: skip
    trail.turns += 1
    turn = f"{trail.name}t{trail.turns}"
    trail.add("citizen_message", second, turn, text="办证")
    known = {"intent": "ask_fee", "aspect": "fee", "item_key": "JZ02", "confidence": 0.9, "candidates": []}
    return trail.add("reply", second + waited, turn, text="免费", sources=list(sources), understanding=known)


def broken(trail: Trail) -> set[str]:
    return {finding.rule for finding in check(trail.made())[1]}


def greeted(text: str) -> Trail:
    trail = Trail()
    trail.events[0] = trail.events[0]._replace(data={"greeting": text})
    return trail


def test_every_rule_in_the_table_is_code_and_the_other_way_round() -> None:
    assert [row["rule"] for row in told()["rules"]] == list(RULES)


def test_a_good_conversation_has_a_hundred() -> None:
    trail = sourced(greeted("您好，我是人工智能助手"), 2)
    assert check(trail.made()) == (100.0, [])


@pytest.mark.parametrize(
    ("rule", "trail"),
    [
        ("greeting", greeted("人工智能为您服务")),
        ("ai_notice", greeted("您好，请讲")),
        ("answer_in_time", sourced(Trail(), 2, waited=15.5)),
        ("fact_with_source", sourced(Trail(), 2, sources=())),
        ("identity_before_status", Trail().add("citizen_message", 1, "t", text="查进度").add("reply", 2, "t", text="办结", card=CASE_CARD)),
        ("forbidden_words", Trail().add("agent_message", 5, text="这个不归我管")),
        ("no_advertisement", Trail().add("agent_message", 5, text="加微信帮您代办")),
        ("person_on_demand", Trail().ask("转人工", 3, intent="handoff")),
        ("every_turn_answered", Trail().add("citizen_message", 1, "t", text="办证")),
    ],
)  # fmt: skip
def test_each_rule_is_broken_by_what_breaks_it_and_names_the_turn(rule: str, trail: Trail) -> None:
    assert rule in broken(trail)
    assert (check(trail.made())[0] or 0) < 100


def test_status_after_the_proofs_is_right() -> None:
    trail = Trail().add("citizen_message", 1, "t", text="［已隐去：身份核对信息］")
    assert "identity_before_status" not in broken(trail.add("reply", 2, "t", text="办结", card=CASE_CARD))


def test_while_an_agent_has_the_floor_the_bots_silence_is_right() -> None:
    trail = sourced(Trail(), 2).handed_over(5).add("state", 9, state="agent")
    assert broken(trail.add("citizen_message", 12, "z", text="那我要带什么")) == set()


def test_rules_that_do_not_apply_say_nothing() -> None:
    assert check(Trail().made()) == (None, [])


def review(name: str, place: int, passed: bool | None, conversation: str = "c") -> Review:
    done = None if passed is None else T0
    return Review(
        conversation_id=conversation, reviewer=name, place=place, passed=passed, score=80, asked_at=T0, done_at=done
    )


def test_two_alike_settle_it_and_a_third_settles_what_they_do_not() -> None:
    assert [(s.passed, s.agreed) for s in settled([review("a", 1, True), review("b", 2, True)])] == [(True, True)]
    two = [review("a", 1, True), review("b", 2, False)]
    assert settled(two) == []
    load = [*two, review("c", 1, None, "d"), review("d", 1, None, "d"), review("d", 2, None, "e")]
    assert next_place(two, load, ["a", "b", "d", "c"]) == "c"
    assert next_place([*two, review("c", 3, None)], load, ["c", "d"]) is None
    assert next_place([review("a", 1, True), review("b", 2, None)], load, ["c"]) is None
    assert next_place(two, load, ["a", "b"]) is None
    assert [(s.passed, s.agreed) for s in settled([*two, review("c", 3, False)])] == [(False, False)]


def test_agreement_is_one_when_all_are_alike_and_nothing_is_known_of_no_pairs() -> None:
    alike = [review(n, p, v, c) for c, v in (("x", True), ("y", False)) for n, p in (("a", 1), ("b", 2))]
    assert agreement(alike) == 1.0
    assert agreement([]) is None
    assert kappa([(True, False), (False, True)]) == -1.0
