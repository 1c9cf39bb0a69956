"""When a person is brought unasked."""

from __future__ import annotations

from typing import Any

import pytest

from desk.handoff import HandoffRules, Heard, tells_age
from hotline.desk import HandoffReason
from hotline.messages import Channel
from hotline.work_orders import Urgency

R = HandoffReason


def heard(**more: Any) -> Heard:
    return Heard(**{"text": "你好", "channel": Channel.WEB, "confidence": 1.0, "intent": "greet", **more})


MISSED = heard(intent="nlu_fallback")
CLEAR = heard(intent="ask_fee", answered=True)
MUMBLED = heard(channel=Channel.VOICE, confidence=0.2)

TURNS: dict[str, tuple[list[Heard], list[HandoffReason | None]]] = {
    "one misunderstanding is none too many": ([MISSED, CLEAR, MISSED], [None, None, None]),
    "two in a row are": ([MISSED, MISSED], [None, R.MISUNDERSTOOD]),
    "and the count begins again": ([MISSED, MISSED, MISSED, MISSED], [None, R.MISUNDERSTOOD, None, R.MISUNDERSTOOD]),
    "in a form free words are no misunderstanding": ([heard(intent="nlu_fallback", in_flow=True)] * 3, [None] * 3),
    "a service that was found all the same is none": ([heard(intent="nlu_fallback", answered=True)] * 3, [None] * 3),
    "speech that is not clear twice": ([MUMBLED, MUMBLED], [None, R.UNCLEAR_SPEECH]),
    "typed text is always clear": ([heard(confidence=0.1)] * 3, [None] * 3),
    "abuse at once": ([heard(intent="abuse_words")], [R.ABUSE]),
    "words that the classifier only guesses at": (
        [heard(intent="abuse_words", sure=0.45)] * 2,
        [None, R.MISUNDERSTOOD],
    ),
    "what is surely not ours was understood": ([heard(intent="out_of_scope", sure=0.8)] * 2, [None, None]),
    "a guess that led to a service was one": ([heard(intent="ask_general", sure=0.3, answered=True)] * 2, [None, None]),
    "a courtesy is none": ([heard(intent="thank", sure=0.3)] * 2, [None, None]),
    "what only looks like abuse is none, and twice in a row it was not understood": (
        [heard(intent="abuse_words", sure=0.5)] * 2,
        [None, R.MISUNDERSTOOD],
    ),
    "despair at once": ([heard(intent="crisis", urgent=True)], [R.CRISIS]),
}


@pytest.mark.parametrize("case", TURNS)
def test_the_rules(case: str) -> None:
    turns, wanted = TURNS[case]
    rules = HandoffRules()
    brought = [rules.look("c", turn) for turn in turns]
    assert [b.reason if b else None for b in brought] == wanted


def test_despair_stands_at_the_head_of_the_queue() -> None:
    brought = HandoffRules().look("c", heard(urgent=True))
    assert brought is not None
    assert brought.urgency is Urgency.EMERGENCY


def test_counts_are_of_one_conversation() -> None:
    rules = HandoffRules()
    assert [rules.look(c, MISSED) for c in ("a", "b")] == [None, None]


def test_a_rule_that_is_off_brings_nobody() -> None:
    rules = HandoffRules(misunderstandings=0, unclear_turns=0)
    assert [rules.look("c", turn) for turn in (MISSED, MISSED, MISSED, MUMBLED, MUMBLED)] == [None] * 5


@pytest.mark.parametrize(
    "text", ["我今年七十二岁了", "我72岁", "我都八十几岁啦", "本人今年68岁", "我是老人家，不会弄", "我今年六十五岁"]
)
def test_an_age_said_of_oneself_counts_where_it_is_set(text: str) -> None:
    assert tells_age(text, 65)
    assert HandoffRules().look("c", heard(text=text)) is None
    brought = HandoffRules(elder_age=65).look("c", heard(text=text))
    assert brought is not None
    assert brought.reason is R.ELDERLY


@pytest.mark.parametrize(
    "text", ["我妈七十二岁", "我今年三十岁", "满65岁的老人证怎么办", "我帮我爸办，他80岁", "老年人优待证", "我64岁"]
)
def test_somebody_elses_age_does_not(text: str) -> None:
    assert not tells_age(text, 65)
