"""The desk's four tables, legal and illegal, whole; and that docs/desk.md draws them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import pytest

from hotline.conversation import BOT_ANSWERS, ConversationState
from hotline.desk import (
    AGENT_TRANSITIONS,
    CALLBACK_TRANSITIONS,
    OFFER_TRANSITIONS,
    OPEN,
    QUEUE_TRANSITIONS,
    RUNG,
    AgentState,
    AgentTrigger,
    CallbackState,
    CallbackTrigger,
    OfferState,
    OfferTrigger,
    QueueState,
    QueueTrigger,
    estimate_wait_s,
    next_agent_state,
    next_callback_state,
    next_offer_state,
    next_queue_state,
)
from hotline.errors import IllegalTransitionError
from hotline.settings import ROOT
from voice.bridge import HEARS

TABLES: list[tuple[str, Any, Any, dict[Any, Any], Any]] = [
    ("queue", QueueState, QueueTrigger, QUEUE_TRANSITIONS, next_queue_state),
    ("agent", AgentState, AgentTrigger, AGENT_TRANSITIONS, next_agent_state),
    ("offer", OfferState, OfferTrigger, OFFER_TRANSITIONS, next_offer_state),
    ("callback", CallbackState, CallbackTrigger, CALLBACK_TRANSITIONS, next_callback_state),
]
MOVES = [(name, s, t, table, step) for name, states, triggers, table, step in TABLES for s in states for t in triggers]


@pytest.mark.parametrize(("name", "state", "trigger", "table", "step"), MOVES)
def test_every_move_is_the_tables_or_a_named_error(
    name: str, state: StrEnum, trigger: StrEnum, table: dict[Any, Any], step: Any
) -> None:
    if (state, trigger) in table:
        assert step(state, trigger) is table[state, trigger]
    else:
        with pytest.raises(IllegalTransitionError) as told:
            step(state, trigger)
        assert (told.value.state, told.value.trigger) == (state.value, trigger.value)


def test_what_has_ended_stays_ended() -> None:
    for states, table, open_ in (
        (QueueState, QUEUE_TRANSITIONS, OPEN),
        (OfferState, OFFER_TRANSITIONS, (OfferState.OPEN,)),
        (CallbackState, CALLBACK_TRANSITIONS, (CallbackState.OPEN, CallbackState.CLAIMED)),
    ):
        assert {s for s, _ in table} == set(open_), states


def test_every_state_can_be_reached_and_every_offers_end_tells_the_agent() -> None:
    for _, states, _, table, _ in TABLES:
        first = next(iter(states))
        reached = {first}
        for _ in states:
            reached |= {after for (s, _), after in table.items() if s in reached}
        assert reached == set(states)
    assert set(RUNG) == set(OfferTrigger)
    assert all((AgentState.RINGING, trigger) in AGENT_TRANSITIONS for trigger in RUNG.values())


def test_nobody_rings_twice_and_nobody_busy_rings() -> None:
    ringing = [s for (s, t) in AGENT_TRANSITIONS if t is AgentTrigger.RANG]
    assert ringing == [AgentState.READY]


def test_who_serves_cannot_sign_out_and_whoever_is_there_can_be_lost() -> None:
    assert (AgentState.BUSY, AgentTrigger.SIGNED_OUT) not in AGENT_TRANSITIONS
    there = set(AgentState) - {AgentState.OFFLINE}
    assert {s for (s, t) in AGENT_TRANSITIONS if t is AgentTrigger.LOST} == there


def test_the_bot_does_not_answer_while_an_agent_has_the_floor() -> None:
    assert ConversationState.AGENT not in BOT_ANSWERS


@pytest.mark.parametrize(
    ("position", "on_duty", "mean", "seconds"),
    [(1, 0, 180, None), (1, 1, 180, 180), (3, 1, 180, 540), (3, 2, 180, 270), (1, 20, 180, 30), (50, 20, 180, 450)],
)
def test_the_estimate_is_honest(position: int, on_duty: int, mean: float, seconds: int | None) -> None:
    assert estimate_wait_s(position, on_duty, mean) == seconds


@pytest.mark.parametrize(("name", "states", "triggers", "table", "step"), TABLES)
def test_docs_draw_exactly_the_table(name: str, states: Any, triggers: Any, table: dict[Any, Any], step: Any) -> None:
    text = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")
    drawing = re.search(rf"<!-- {name} -->\n```mermaid\n(.*?)```", text, re.DOTALL)
    assert drawing, name
    drawn = re.findall(r"^\s*(\w+) --> (\w+): (\w+)$", drawing[1], re.MULTILINE)
    assert sorted(drawn) == sorted((s.value, to.value, t.value) for (s, t), to in table.items())


def test_docs_say_who_hears_whom_on_a_call() -> None:
    text = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")
    rows = {m[1]: m[2] for m in re.finditer(r"^\| `(\w+)` 听得到 \| (.*?) \|$", text, re.MULTILINE)}
    written = {role: set(re.findall(r"`(\w+)`", voices)) for role, voices in rows.items()}
    assert written == {role.value: {v.value for v in voices} for role, voices in HEARS.items()}
