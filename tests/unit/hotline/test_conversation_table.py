"""The floor of a conversation: the whole table, legal and illegal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hotline.conversation import BOT_ANSWERS, TRANSITIONS, ConversationState, Trigger, next_state
from hotline.errors import IllegalTransitionError
from hotline.messages import Channel
from storage.memory import MemoryStore
from storage.ports import NewConversation

S, T = ConversationState, Trigger

LEGAL = [
    (S.BOT, T.HANDOFF_REQUESTED, S.QUEUED),
    (S.QUEUED, T.HANDOFF_REQUESTED, S.QUEUED),
    (S.QUEUED, T.HANDOFF_CANCELLED, S.BOT),
    (S.QUEUED, T.AGENT_ACCEPTED, S.AGENT),
    (S.AGENT, T.AGENT_RETURNED, S.BOT),
    (S.AGENT, T.AGENT_REPLACED, S.AGENT),
    (S.AGENT, T.REQUEUED, S.QUEUED),
    (S.BOT, T.CLOSED, S.CLOSED),
    (S.QUEUED, T.CLOSED, S.CLOSED),
    (S.AGENT, T.CLOSED, S.CLOSED),
]
ILLEGAL = [(s, t) for s in S for t in T if (s, t) not in {(a, b) for a, b, _ in LEGAL}]
_PATHS = {S.BOT: [], S.QUEUED: [T.HANDOFF_REQUESTED], S.AGENT: [T.HANDOFF_REQUESTED, T.AGENT_ACCEPTED]}
_PATHS[S.CLOSED] = [T.CLOSED]


@pytest.mark.parametrize(("state", "trigger", "after"), LEGAL)
def test_a_legal_move_leads_where_the_table_says(state: S, trigger: T, after: S) -> None:
    assert next_state(state, trigger) is after


@pytest.mark.parametrize(("state", "trigger"), ILLEGAL)
def test_an_illegal_move_raises_and_names_itself(state: S, trigger: T) -> None:
    before = dict(TRANSITIONS)
    with pytest.raises(IllegalTransitionError) as told:
        next_state(state, trigger)
    assert (told.value.state, told.value.trigger) == (state.value, trigger.value)
    assert state.value in told.value.detail
    assert before == TRANSITIONS


@pytest.mark.parametrize(("state", "trigger"), ILLEGAL)
async def test_an_illegal_move_changes_nothing_in_a_stored_conversation(state: S, trigger: T) -> None:
    store, at = MemoryStore(), datetime(2026, 11, 22, tzinfo=UTC)
    await store.create_conversation(
        NewConversation(conversation_id="c", channel=Channel.WEB, token_hash="0" * 64, at=at)
    )
    for step in _PATHS[state]:
        await store.set_state("c", step, at)
    before, trail = await store.get_conversation("c"), await store.events_after("c", 0)
    assert before.state is state
    with pytest.raises(IllegalTransitionError):
        await store.set_state("c", trigger, at)
    assert await store.get_conversation("c") == before
    assert await store.events_after("c", 0) == trail


def test_the_table_holds_nothing_beyond_what_is_tested() -> None:
    assert {(s, t): after for s, t, after in LEGAL} == TRANSITIONS


def test_nothing_leaves_a_closed_conversation() -> None:
    assert not [state for state, _ in TRANSITIONS if state is S.CLOSED]


def test_the_bot_answers_only_while_no_agent_has_the_floor() -> None:
    assert {S.BOT, S.QUEUED} == BOT_ANSWERS
