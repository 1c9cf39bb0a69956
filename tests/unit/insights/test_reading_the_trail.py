"""What one conversation counts for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from trails import READER, T0, Trail

from hotline.insights import MEASURES, ConversationFacts
from insights.reading import with_repeats


def facts(trail: Trail) -> ConversationFacts:
    return READER.read(trail.made()).facts


def test_an_answered_conversation_is_contained_and_knows_its_place() -> None:
    counted = READER.read(Trail().answered("我在桂城，居住证怎么办", 3).made())
    m = counted.facts.measures
    assert (counted.facts.town, counted.facts.area, counted.facts.department) == ("桂城街道", "residence", "公安局")
    assert m["contained"] == m["answered_turns"] == m["first_answers_15s"] == 1
    assert counted.turns[0].outcome == "answered"
    assert counted.turns[0].gap is None


def test_a_caller_waits_from_his_first_words_and_not_from_when_the_call_was_taken() -> None:
    trail = Trail(channel="voice", caller="k").add("call_started", 0, call_id="x").answered("居住证怎么办", 20)
    m = facts(trail).measures
    assert m["first_answer_s"] < 15
    assert m["first_answers_15s"] == 1


def test_every_measure_that_is_counted_has_a_name() -> None:
    trail = Trail(channel="voice", caller="k").add("call_started", 0, call_id="x").answered("居住证怎么办", 3)
    trail.ask("放风筝", 9).handed_over(20).add("state", 40, state="agent").add("agent_message", 50, text="好")
    trail.add("handling", 40, agent="坐席01", what="took").add("rating", 60, score=1, comment="")
    trail.add("part_down", 61, part="hub", code="hub_down").add("call_ended", 70, reason="caller")
    assert set(facts(trail).measures) <= set(MEASURES)


def test_a_conversation_that_ends_in_not_knowing_is_not_contained() -> None:
    assert "contained" not in facts(Trail().answered("居住证怎么办", 3).ask("公园能放风筝吗", 20)).measures


def test_asking_for_a_person_right_after_an_answer_says_the_answer_did_not_do() -> None:
    counted = READER.read(Trail().answered("居住证怎么办", 3).handed_over(30).made())
    assert counted.facts.handoff_reason == "asked"
    assert counted.facts.measures["corrected"] == 1
    assert counted.turns[0].gap == "corrected"


def test_asking_for_a_person_after_not_being_understood_is_told_apart() -> None:
    read = facts(Trail().ask("放风筝", 3).handed_over(30))
    assert read.handoff_reason == "not_understood"
    assert read.measures["handoff_not_understood"] == read.measures["handoffs"] == 1


@pytest.mark.parametrize(("waited", "within"), [(15.0, 1.0), (15.1, 0.0)])
def test_fifteen_seconds_in_the_queue_are_counted_to_the_second(waited: float, within: float) -> None:
    trail = Trail().handed_over(10).add("state", 10.5 + waited, state="agent")
    m = facts(trail).measures
    assert m["agent_taken"] == 1
    assert m["agent_taken_15s"] == within
    assert m["queue_s"] == pytest.approx(waited)


def test_hanging_up_in_the_queue_is_abandoning_and_cancelling_is_not() -> None:
    left = Trail(channel="voice").add("call_started", 0).handed_over(10).add("call_ended", 40, reason="caller")
    assert facts(left).measures["abandoned"] == 1
    cancelled = Trail().handed_over(10).add("state", 30, state="bot")
    assert "abandoned" not in facts(cancelled).measures
    assert facts(cancelled).measures["queue_cancelled"] == 1


def test_whoever_was_taken_after_all_did_not_abandon() -> None:
    trail = Trail().handed_over(5).add("state", 9, state="bot").handed_over(20).add("state", 25, state="agent")
    m = facts(trail).measures
    assert m["agent_taken"] == m["handoffs"] == 1
    assert "queue_cancelled" not in m


def test_the_agent_is_whoever_took_it() -> None:
    trail = Trail().handed_over(5).add("state", 9, state="agent").add("handling", 9, agent="坐席07", what="took")
    assert facts(trail.add("handling", 60, agent="坐席07", what="closed")).agent == "坐席07"


def test_a_bad_rating_marks_the_answers_and_a_good_one_does_not() -> None:
    bad = READER.read(Trail().answered("居住证怎么办", 3).add("rating", 9, score=2, comment="").made())
    good = READER.read(Trail().answered("居住证怎么办", 3).add("rating", 9, score=4, comment="").made())
    assert [bad.turns[0].gap, good.turns[0].gap] == ["rated_badly", None]


def test_who_may_be_told_of_a_wrong_answer_is_who_said_yes_last_and_not_who_wanted_a_call() -> None:
    called = facts(Trail().ask("打给我", 1, intent="call_back", confidence=0.9))
    yes = Trail().answered("居住证怎么办", 1).add("recall_consent", 9, agreed=True)
    assert (called.agreed_callback, facts(yes).agreed_callback) == (False, True)
    assert not facts(yes.add("recall_consent", 12, agreed=False)).agreed_callback


def test_every_reply_of_a_turn_cites_and_a_known_incident_is_an_answer() -> None:
    trail = Trail().ask("狮山为什么停水", 1)
    told = [{"item_code": "incident:1", "field": "text", "version": "v"}]
    trail.events[-1].data["sources"] = told  # type: ignore[index]
    trail.add(
        "reply", 2.5, "c1t1", text="…", sources=[{"item_code": "x", "field": "fee", "version": "2"}], understanding={}
    )
    turn = READER.read(trail.made()).turns[0]
    assert (turn.outcome, turn.gap, turn.cited) == ("answered", None, "text@v;fee@2")


def test_proofs_greetings_and_follow_ups_are_not_mined() -> None:
    trail = Trail().answered("居住证怎么办", 1).ask("［已隐去：身份核对信息］", 5).answered("那要多久", 9)
    texts = [turn.text for turn in READER.read(trail.ask("你好", 20, intent="greet").made()).turns]
    assert texts == ["居住证怎么办", "", "", ""]


def again(hours: float, item: str = "JZ02", name: str = "c2") -> ConversationFacts:
    return facts(Trail(name, caller="k", at=T0 + timedelta(hours=hours)).answered("办", 1, item))


@pytest.mark.parametrize(("hours", "item", "repeated"), [(71, "JZ02", True), (73, "JZ02", False), (71, "SB09", False)])
def test_coming_back_within_72_hours_about_the_same_area_is_a_repeat(hours: float, item: str, repeated: bool) -> None:
    first, second = with_repeats([again(0, name="c1"), again(hours, item)])
    assert ("repeated" in first.measures) is repeated
    assert ("contained_repeated" in first.measures) is repeated
    assert "repeated" not in second.measures


def test_a_caller_counts_once_a_day_as_a_person() -> None:
    people = [t.measures["people"] for t in with_repeats([again(0, name="a"), again(2, name="b"), again(30, name="c")])]
    assert people == [1, 0, 1]


def test_marking_repeats_twice_changes_nothing() -> None:
    once = with_repeats([again(0, name="a"), again(5, name="b")])
    assert with_repeats(once) == once
