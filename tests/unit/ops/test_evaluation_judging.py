"""What counts as right: the grammar of ``expect``, and each set's judge, on answers made up here."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from hotline.ports import SearchHit
from ops.evaluation import judging, numbers, search
from ops.evaluation.asking import Client, Progress, ask_all
from ops.evaluation.expect import Expectation, parse
from ops.evaluation.scoring import Section
from ops.evaluation.sets import PARTS, by_dialogue, load_sets, sample
from ops.progress import SetUpError


def turn(text: str = "", state: str = "bot", **heard: Any) -> dict[str, Any]:
    understanding = {"intent": "ask_general", "aspect": None, "item_key": None, "candidates": []} | heard
    return {"state": state, "replies": [{"text": text}], "understanding": understanding}


def rates(section: Section) -> dict[str, tuple[float, int]]:
    return {
        key.split(".", 1)[1]: (tally.count, tally.total)
        for key, tally in section.tallies.items()
        if key.endswith(".all")
    }


def test_expectations_are_read_with_their_alternatives():
    assert parse("item=JZ02;says=甲|乙;refused;state=queued") == [
        Expectation("item", ("JZ02",)),
        Expectation("says", ("甲", "乙")),
        Expectation("refused"),
        Expectation("state", ("queued",)),
    ]


@pytest.mark.parametrize(
    "wrong", ["", "item=", "item", "refused=1", "refused=", "says=", "says=甲|", "say=甲", "item=A;"]
)
def test_what_is_no_expectation_is_refused(wrong):
    with pytest.raises(ValueError, match="not an expectation"):
        parse(wrong)


@pytest.mark.parametrize(
    ("expect", "answer", "holds"),
    [
        ("item=JZ02", turn(item_key="JZ02"), True),
        ("item=JZ02", turn(candidates=["JZ02"]), False),
        ("offered=JZ02", turn(item_key="JZ02"), True),
        ("offered=JZ02", turn(candidates=["JZ01", "JZ02"]), True),
        ("offered=JZ02", turn(), False),
        ("aspect=fee", turn(aspect="fee"), True),
        ("intent=rate", turn(intent="greet"), False),
        ("state=queued", turn(state="queued"), True),
        ("says=审核|补正", turn("目前补正中"), True),
        ("says=审核|补正", turn("没有查到"), False),
        ("says_not=审核|补正", turn("目前补正中"), False),
        ("says_not=审核|补正", turn("没有查到"), True),
        ("refused", turn(candidates=["JZ02"]), True),
        ("refused", turn(item_key="JZ02"), False),
    ],
)
def test_an_expectation_looks_at_what_was_answered(expect, answer, holds):
    (expectation,) = parse(expect)
    assert expectation.holds(answer) is holds


def test_questions_tell_first_offered_and_confidently_wrong_apart():
    row = {"id": "Q", "text": "t", "variety": "noisy", "item_key": "JZ02", "aspect": "fee"}
    answers = [
        turn(item_key="JZ02", aspect="fee"),
        turn(candidates=["JZ01", "JZ02"], aspect="fee"),
        turn(item_key="SB09", aspect="where"),
        turn(intent="nlu_fallback"),
    ]
    section = judging.questions([row | {"id": f"Q{n}"} for n in range(4)], [[a] for a in answers])
    assert rates(section) == {
        "top1.all": (1, 4),
        "offered.all": (2, 4),
        "aspect.all": (2, 4),
        "answered_right.all": (1, 4),
        "answered_wrongly.all": (1, 4),
    }
    assert section.tallies["questions.top1.noisy"].total == 4
    assert section.confusions["services"] == {("JZ02", "JZ01"): 1, ("JZ02", "SB09"): 1, ("JZ02", "—"): 1}
    assert section.confusions["answered_wrongly"] == {("JZ02", "SB09"): 1}
    assert [miss.row for miss in section.worst()] == ["Q2", "Q3", "Q1"], "a wrong answer is worse than none"


def test_a_service_beyond_the_third_is_not_offered():
    assert judging.offers(turn(candidates=["A", "B", "C", "D"])) == ["A", "B", "C"]
    assert judging.offers(turn(item_key="A", candidates=["A", "B"])) == ["A", "B"]


def test_follow_ups_are_judged_by_their_second_turn():
    row = {"id": "F", "first_text": "a", "second_text": "b", "item_key": "JZ02", "second_item_key": "HZ06", "second_aspect": "fee"}  # fmt: skip
    section = judging.follow_ups(
        [row, row],
        [[turn(), turn(item_key="HZ06", aspect="fee")], [turn(), turn(item_key="JZ02", aspect="fee")]],
    )
    assert rates(section) == {"service.all": (1, 2), "service_and_aspect.all": (1, 2), "answered_wrongly.all": (1, 2)}


def test_naming_near_services_is_no_answer_but_no_plain_refusal_either():
    rows = [{"id": f"O{n}", "text": "t"} for n in range(3)]
    section = judging.out_of_scope(rows, [[turn()], [turn(candidates=["JZ01"])], [turn(item_key="JZ01")]])
    assert rates(section) == {"refused.all": (2, 3), "without_offers.all": (1, 3)}


def test_a_flow_is_right_by_its_own_name_only():
    rows = [{"id": f"W{n}", "text": "t", "intent": "deny"} for n in range(3)]
    answers = [[turn(intent=intent)] for intent in ("deny", "none_of_them", "emergency_fire")]
    section = judging.flows(rows, answers)
    assert rates(section) == {"intent.all": (1, 3)}
    assert section.confusions["intents"] == {("deny", "none_of_them"): 1, ("deny", "emergency"): 1}


@pytest.mark.parametrize(
    ("number", "intent", "reply", "right"),
    [
        ("119", "emergency_fire", "请马上打 119", True),
        ("119", "emergency_fire", "请马上打 120 或者 119", True),
        ("119+120", "emergency_fire", "请马上打 119", False),
        ("119+120", "emergency_fire", "请马上打 119、120", True),
        ("12356", "crisis", "心理援助 12356", True),
        ("119", "ask_phone", "请打 119", False),
        ("110", "emergency_crime", "拨 12110 或 1103", False),
        ("96110", "emergency_fraud_suspected", "请打 96110", True),
        ("96110", "emergency_fraud", "先打 110，再打 96110", True),
        ("96110", "ask_phone", "请打 96110，或者 110", True),
        ("96110", "ask_phone", "请打 110，或者 96110", False),
        ("96110", "emergency_fraud", "请打 110", False),
        ("96110", "emergency_crime", "请打 110，或者 96110", False),
    ],
)
def test_danger_is_recognised_where_the_alarm_is_raised_and_every_number_named(number, intent, reply, right):
    row = {"id": "E", "text": "t", "is_emergency": "1", "number": number}
    assert rates(judging.emergencies([row], [[turn(reply, intent=intent)]])) == {"recognised.all": (right, 1)}


def test_a_look_alike_must_not_raise_the_alarm():
    rows = [{"id": f"E{n}", "text": "t", "is_emergency": "0", "number": ""} for n in range(3)]
    answers = [[turn("可拨 119", intent=intent)] for intent in ("ask_fee", "emergency_fire", "crisis")]
    assert rates(judging.emergencies(rows, answers)) == {"false_alarms.all": (2, 3)}


def test_a_dialogue_is_right_where_every_turn_is():
    rows = [
        {"id": "D1", "turn": "1", "text": "a", "expect": "item=JZ02"},
        {"id": "D1", "turn": "2", "text": "b", "expect": "says=甲乙丙;state=bot"},
        {"id": "D2", "turn": "1", "text": "c", "expect": "refused"},
    ]
    section = judging.dialogues(rows, [[turn(item_key="JZ02"), turn("丁")], [turn()]])
    assert rates(section) == {"turns.all": (2, 3), "whole.all": (1, 2)}
    (miss,) = section.misses
    assert miss.row == "D1.2"
    assert "甲乙丙" not in miss.label, "labels must not give the set's words away"


def hit(key: str, score: float) -> SearchHit:
    return SearchHit(item_key=key, score=score)


def test_search_is_judged_by_its_first_three_and_by_what_its_score_says():
    row = {"id": "Q", "text": "t", "variety": "mandarin", "item_key": "B"}
    ranked = [[hit("B", 0.95)], [hit("A", 0.55), hit("C", 0.1), hit("B", 0.1)], []]
    section, calibration = search.judge([row] * 3, ranked, [[hit("A", 0.15)]])
    assert rates(section)["top1.all"] == (1, 3)
    assert rates(section)["top3.all"] == (2, 3)
    assert calibration["questions"]["rows"] == 2, "no hit states no score"
    assert calibration["questions"]["error"] == pytest.approx((0.05 + 0.55) / 2)
    assert calibration["with_out_of_scope"]["error"] == pytest.approx((0.05 + 0.55 + 0.15) / 3)
    assert section.tallies["search.calibration_error.all"].rate == pytest.approx(0.3)


def number(kind: str, value: str, valid: str = "1", **more: str) -> dict[str, str]:
    return {"id": "N", "text": "t", "today": "2026-11-24", "kind": kind, "value": value, "valid": valid} | more


@pytest.mark.parametrize(
    ("row", "read", "right"),
    [
        (number("amount", "3500.5"), {"kind": "amount", "value": 3500.5, "valid": True}, True),
        (number("amount", "3500"), {"kind": "amount", "value": 3500.0, "valid": True}, True),
        (number("amount", "3500"), {"kind": "amount", "value": "三千五", "valid": True}, False),
        (number("date", "2026-11-25"), {"kind": "date", "value": "2026-11-25", "valid": True}, True),
        (number("date", "2026-11-25"), {"kind": "date", "value": "2026-11-26", "valid": True}, False),
        (number("date", "2026-11-25"), {"kind": "date", "value": "2026-11-25", "valid": False}, False),
        (number("date", "2026-02-30", "0"), {"kind": "date", "value": "2026-02-30", "valid": True}, False),
        (number("plate", "粤EO1234", "0"), {"kind": "plate", "value": "粤E01234", "valid": False}, True),
        (number("phone", "13800000000"), {"kind": "query_code", "value": "13800000000", "valid": True}, False),
    ],
)
def test_a_number_is_right_by_kind_value_and_validity(row, read, right):
    assert numbers.matches(row, read) is right


def test_numbers_are_read_day_by_day_and_what_was_not_said_is_told_apart():
    rows = [
        number("phone", "13800000000", id="N1", text="a"),
        number("date", "2026-11-25", id="N2", text="a"),
        number("amount", "5", id="N3", text="b", today="2026-12-01"),
    ]
    days = []

    def tool(today, asked):
        days.append((today, [row["id"] for row in asked]))
        both = [{"kind": r["kind"], "value": r["value"], "valid": True} for r in rows[:2]]
        extra = [{"kind": "amount", "value": 5, "valid": True}, {"kind": "phone", "value": "1", "valid": False}]
        return {row["id"]: both if row["text"] == "a" else extra for row in asked}

    section = numbers.judge(rows, tool)
    assert days == [("2026-11-24", ["N1", "N2"]), ("2026-12-01", ["N3"])]
    assert rates(section) == {"read.all": (3, 3), "nothing_else.all": (1, 2)}
    assert section.tallies["numbers.read.date"].total == 1


class Echo:
    def talk(self, *texts):
        return [turn(text) for text in texts]


def test_answers_stand_in_the_order_of_the_questions_and_progress_is_told():
    told: list[str] = []
    talks = ask_all(Echo(), [[str(n)] for n in range(50)], Progress("单句提问", 50, told.append))
    assert [talk[0]["replies"][0]["text"] for talk in talks] == [str(n) for n in range(50)]
    assert "50 个问完" in told[-1]


def test_every_part_of_the_sets_is_asked_and_judged():
    rows = {
        "questions": [{"id": "Q1", "text": "a", "variety": "noisy", "item_key": "JZ02", "aspect": "fee"}],
        "dialogues": [{"id": "D1", "turn": "1", "text": "a", "expect": "refused"}],
    }
    sections, lost = judging.ask_and_judge(Echo(), rows, lambda _: None)
    assert list(sections) == ["questions", "dialogues"]
    assert lost == 0


def test_the_client_leaves_the_queue_again_and_takes_a_refusal_for_nothing_understood():
    said: list[str] = []

    def line(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/conversations"):
            return httpx.Response(201, json={"conversation_id": "c", "token": "t", "replies": []})
        assert request.headers["Authorization"] == "Bearer t"
        said.append(json.loads(request.content)["text"])
        if said[-1] == "太长":
            return httpx.Response(422, json={})
        return httpx.Response(200, json=turn(said[-1], state="queued" if said[-1] == "转人工" else "bot"))

    client = Client("http://line", httpx.MockTransport(line))
    assert client.talk("太长", "转人工")[0]["understanding"]["intent"] is None
    assert said == ["太长", "转人工", "不用转了"]


def test_a_line_that_fails_ends_the_evaluation():
    broken = Client("http://line", httpx.MockTransport(lambda _: httpx.Response(500)))
    with pytest.raises(httpx.HTTPError):
        ask_all(broken, [["a"]] * 9, Progress("单句提问", 9, lambda _: None))


def test_both_sets_can_be_read_and_no_other():
    assert set(load_sets()) == set(PARTS)
    assert "questions" in load_sets("development")
    with pytest.raises(SetUpError, match="没有叫"):
        load_sets("training")


def test_the_sample_is_the_same_each_time_and_leaves_the_demonstration_cases_alone():
    sets = load_sets()
    sampled = sample(sets)
    assert sampled == sample(sets)
    assert sampled["questions"] == sets["questions"][::4]
    assert sampled["emergencies"] == sets["emergencies"]
    assert {row["variety"] for row in sampled["questions"]} == {"mandarin", "cantonese", "noisy"}
    assert len(by_dialogue(sampled["dialogues"])) >= 10
    assert not any("check_status" in row["expect"] for row in sampled["dialogues"])


def test_every_expectation_of_the_dialogues_can_be_read():
    assert all(parse(row["expect"]) for row in load_sets()["dialogues"])
