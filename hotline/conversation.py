"""Who has the floor in a conversation, as one transition table.

``BOT → QUEUED → AGENT → BOT | QUEUED | CLOSED``. While an agent has the floor the dialogue engine
is not asked. docs/architecture.md draws this table; a test keeps the two alike.
"""

from __future__ import annotations

from enum import StrEnum

from hotline.errors import IllegalTransitionError


class ConversationState(StrEnum):
    BOT = "bot"
    QUEUED = "queued"
    AGENT = "agent"
    CLOSED = "closed"


class Trigger(StrEnum):
    HANDOFF_REQUESTED = "handoff_requested"
    HANDOFF_CANCELLED = "handoff_cancelled"
    AGENT_ACCEPTED = "agent_accepted"
    AGENT_RETURNED = "agent_returned"
    AGENT_REPLACED = "agent_replaced"
    REQUEUED = "requeued"
    CLOSED = "closed"


S, T = ConversationState, Trigger

TRANSITIONS: dict[tuple[ConversationState, Trigger], ConversationState] = {
    (S.BOT, T.HANDOFF_REQUESTED): S.QUEUED,
    (S.QUEUED, T.HANDOFF_REQUESTED): S.QUEUED,  # asking again keeps the place in the queue
    (S.QUEUED, T.HANDOFF_CANCELLED): S.BOT,
    (S.QUEUED, T.AGENT_ACCEPTED): S.AGENT,
    (S.AGENT, T.AGENT_RETURNED): S.BOT,
    (S.AGENT, T.AGENT_REPLACED): S.AGENT,  # a supervisor takes over: the citizen is never between two
    (S.AGENT, T.REQUEUED): S.QUEUED,  # passed on, or the agent's own line broke
    (S.BOT, T.CLOSED): S.CLOSED,
    (S.QUEUED, T.CLOSED): S.CLOSED,
    (S.AGENT, T.CLOSED): S.CLOSED,
}

BOT_ANSWERS = frozenset({S.BOT, S.QUEUED})
"""States in which the bot may answer: a caller who waits may go on asking."""


def next_state(state: ConversationState, trigger: Trigger) -> ConversationState:
    """The state after ``trigger``.

    Raises:
        IllegalTransitionError: the table has no such move; nothing has changed.
    """
    try:
        return TRANSITIONS[state, trigger]
    except KeyError:
        raise IllegalTransitionError(state.value, trigger.value) from None
