"""The agents' desk as data: who waits, who serves, who was offered what, whom to call back.

Four transition tables. docs/desk.md draws them; a test keeps them alike. An illegal move raises
:class:`IllegalTransitionError` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hotline.errors import HotlineError, IllegalTransitionError
from hotline.events import ConversationEvent
from hotline.messages import Channel
from hotline.work_orders import Urgency

_State = TypeVar("_State", bound=StrEnum)
_Trigger = TypeVar("_Trigger", bound=StrEnum)


def _next(table: Mapping[tuple[_State, _Trigger], _State], state: _State, trigger: _Trigger) -> _State:
    try:
        return table[state, trigger]
    except KeyError:
        raise IllegalTransitionError(state.value, trigger.value) from None


# ---------------------------------------------------------------- the queue


class QueueState(StrEnum):
    """Where one handoff stands. The first three are open."""

    WAITING = "waiting"
    OFFERED = "offered"
    SERVING = "serving"
    DONE = "done"
    CANCELLED = "cancelled"
    CALL_BACK = "call_back"
    DROPPED = "dropped"


class QueueTrigger(StrEnum):
    OFFERED = "offered"
    OFFER_LAPSED = "offer_lapsed"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"
    CALL_BACK_CHOSEN = "call_back_chosen"
    DROPPED = "dropped"
    FINISHED = "finished"
    REPLACED = "replaced"
    REQUEUED = "requeued"


_Q, _QT = QueueState, QueueTrigger

QUEUE_TRANSITIONS: dict[tuple[QueueState, QueueTrigger], QueueState] = {
    (_Q.WAITING, _QT.OFFERED): _Q.OFFERED,
    (_Q.OFFERED, _QT.OFFER_LAPSED): _Q.WAITING,
    (_Q.WAITING, _QT.ACCEPTED): _Q.SERVING,  # an agent picks from the list
    (_Q.OFFERED, _QT.ACCEPTED): _Q.SERVING,
    (_Q.WAITING, _QT.CANCELLED): _Q.CANCELLED,
    (_Q.OFFERED, _QT.CANCELLED): _Q.CANCELLED,
    (_Q.WAITING, _QT.CALL_BACK_CHOSEN): _Q.CALL_BACK,
    (_Q.OFFERED, _QT.CALL_BACK_CHOSEN): _Q.CALL_BACK,
    (_Q.WAITING, _QT.DROPPED): _Q.DROPPED,
    (_Q.OFFERED, _QT.DROPPED): _Q.DROPPED,
    (_Q.SERVING, _QT.DROPPED): _Q.DROPPED,  # the line broke in the middle of the talk
    (_Q.SERVING, _QT.FINISHED): _Q.DONE,
    (_Q.SERVING, _QT.REPLACED): _Q.SERVING,
    (_Q.SERVING, _QT.REQUEUED): _Q.WAITING,
}

WAITS = (QueueState.WAITING, QueueState.OFFERED)
OPEN = (*WAITS, QueueState.SERVING)


def next_queue_state(state: QueueState, trigger: QueueTrigger) -> QueueState:
    return _next(QUEUE_TRANSITIONS, state, trigger)


# ---------------------------------------------------------------- agents


class AgentState(StrEnum):
    OFFLINE = "offline"
    READY = "ready"
    RINGING = "ringing"
    BUSY = "busy"
    AFTER_CALL = "after_call"
    PAUSED = "paused"


class AgentTrigger(StrEnum):
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    LOST = "lost"
    READY = "ready"
    PAUSE = "pause"
    RANG = "rang"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    WITHDRAWN = "withdrawn"
    TOOK = "took"
    FINISHED = "finished"
    WRAPPED_UP = "wrapped_up"


_A, _AT = AgentState, AgentTrigger

AGENT_TRANSITIONS: dict[tuple[AgentState, AgentTrigger], AgentState] = {
    (_A.OFFLINE, _AT.SIGNED_IN): _A.PAUSED,  # nobody is rung before having said so
    (_A.PAUSED, _AT.READY): _A.READY,
    (_A.AFTER_CALL, _AT.READY): _A.READY,
    (_A.AFTER_CALL, _AT.WRAPPED_UP): _A.READY,  # by the clock
    (_A.READY, _AT.PAUSE): _A.PAUSED,
    (_A.AFTER_CALL, _AT.PAUSE): _A.PAUSED,
    (_A.READY, _AT.RANG): _A.RINGING,
    (_A.RINGING, _AT.DECLINED): _A.READY,
    (_A.RINGING, _AT.TIMED_OUT): _A.PAUSED,  # away from the desk: the next caller is not rung there
    (_A.RINGING, _AT.WITHDRAWN): _A.READY,
    (_A.RINGING, _AT.TOOK): _A.BUSY,
    (_A.READY, _AT.TOOK): _A.BUSY,
    (_A.PAUSED, _AT.TOOK): _A.BUSY,
    (_A.AFTER_CALL, _AT.TOOK): _A.BUSY,
    (_A.BUSY, _AT.TOOK): _A.BUSY,  # several chats at once, within the limit
    (_A.BUSY, _AT.FINISHED): _A.AFTER_CALL,
    (_A.READY, _AT.SIGNED_OUT): _A.OFFLINE,
    (_A.PAUSED, _AT.SIGNED_OUT): _A.OFFLINE,
    (_A.AFTER_CALL, _AT.SIGNED_OUT): _A.OFFLINE,
    (_A.READY, _AT.LOST): _A.OFFLINE,
    (_A.RINGING, _AT.LOST): _A.OFFLINE,
    (_A.PAUSED, _AT.LOST): _A.OFFLINE,
    (_A.AFTER_CALL, _AT.LOST): _A.OFFLINE,
    (_A.BUSY, _AT.LOST): _A.OFFLINE,  # the conversations go back to the queue in the same step
}


def next_agent_state(state: AgentState, trigger: AgentTrigger) -> AgentState:
    return _next(AGENT_TRANSITIONS, state, trigger)


# ---------------------------------------------------------------- offers


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    WITHDRAWN = "withdrawn"


class OfferTrigger(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    TIME_OUT = "time_out"
    WITHDRAW = "withdraw"


_O, _OT = OfferState, OfferTrigger

OFFER_TRANSITIONS: dict[tuple[OfferState, OfferTrigger], OfferState] = {
    (_O.OPEN, _OT.ACCEPT): _O.ACCEPTED,
    (_O.OPEN, _OT.DECLINE): _O.DECLINED,
    (_O.OPEN, _OT.TIME_OUT): _O.TIMED_OUT,
    (_O.OPEN, _OT.WITHDRAW): _O.WITHDRAWN,  # the caller left, somebody else took it, the agent vanished
}

RUNG: dict[OfferTrigger, AgentTrigger] = {
    OfferTrigger.ACCEPT: AgentTrigger.TOOK,
    OfferTrigger.DECLINE: AgentTrigger.DECLINED,
    OfferTrigger.TIME_OUT: AgentTrigger.TIMED_OUT,
    OfferTrigger.WITHDRAW: AgentTrigger.WITHDRAWN,
}
"""What an offer's end does to the agent it rang."""


def next_offer_state(state: OfferState, trigger: OfferTrigger) -> OfferState:
    return _next(OFFER_TRANSITIONS, state, trigger)


# ---------------------------------------------------------------- call-backs (漏接回拨)


class CallbackState(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    REACHED = "reached"
    GIVEN_UP = "given_up"


class CallbackTrigger(StrEnum):
    CLAIM = "claim"
    REACHED = "reached"
    NO_ANSWER = "no_answer"
    RELEASE = "release"
    GIVE_UP = "give_up"


_C, _CT = CallbackState, CallbackTrigger

CALLBACK_TRANSITIONS: dict[tuple[CallbackState, CallbackTrigger], CallbackState] = {
    (_C.OPEN, _CT.CLAIM): _C.CLAIMED,
    (_C.OPEN, _CT.REACHED): _C.REACHED,  # the citizen came back first
    (_C.CLAIMED, _CT.REACHED): _C.REACHED,
    (_C.CLAIMED, _CT.NO_ANSWER): _C.OPEN,  # to be tried again
    (_C.CLAIMED, _CT.RELEASE): _C.OPEN,
    (_C.CLAIMED, _CT.GIVE_UP): _C.GIVEN_UP,  # with a reason, after several tries
}

CALLBACK_OPEN = (CallbackState.OPEN, CallbackState.CLAIMED)


def next_callback_state(state: CallbackState, trigger: CallbackTrigger) -> CallbackState:
    return _next(CALLBACK_TRANSITIONS, state, trigger)


# ---------------------------------------------------------------- records


class HandoffReason(StrEnum):
    """Why a person is wanted."""

    WORD = "word"
    KEY = "key"
    BUTTON = "button"
    MISUNDERSTOOD = "misunderstood"
    UNCLEAR_SPEECH = "unclear_speech"
    CRISIS = "crisis"
    ABUSE = "abuse"
    ELDERLY = "elderly"
    REQUEUED = "requeued"


class Needs(BaseModel):
    """What an agent should know for this caller; empty where nothing is known."""

    model_config = ConfigDict(frozen=True)

    area: str = ""
    town: str = ""
    dialect: str = ""


class Handoff(BaseModel):
    """A wish for a person, as it enters the queue."""

    model_config = ConfigDict(frozen=True)

    reason: HandoffReason = HandoffReason.WORD
    urgency: Urgency = Urgency.NORMAL
    needs: Needs = Needs()


HEAD_START: dict[Urgency, timedelta] = {
    Urgency.NORMAL: timedelta(0),
    Urgency.URGENT: timedelta(minutes=10),
    Urgency.EMERGENCY: timedelta(days=3650),
}
"""Who is urgent goes before whoever came up to this much earlier; an emergency before all others."""


def rank_at(queued_at: datetime, urgency: Urgency) -> datetime:
    """The moment by which the queue is ordered: urgency and waiting time in one figure."""
    return queued_at - HEAD_START[urgency]


USUAL_HANDLING_S = 180.0
"""What a talk takes while too few have been measured."""


def estimate_wait_s(position: int, on_duty: int, mean_handling_s: float) -> int | None:
    """Seconds until the ``position``-th in the queue is served, rounded up to half minutes; None where
    no agent is on duty: then nobody can say."""
    if on_duty <= 0:
        return None
    return 30 * ceil(position * mean_handling_s / on_duty / 30)


class QueueEntry(BaseModel):
    """One handoff. ``agent`` serves it or was offered it; ``rank_at`` see :func:`rank_at`."""

    model_config = ConfigDict(frozen=True)

    entry_id: str
    conversation_id: str
    channel: Channel
    state: QueueState = QueueState.WAITING
    reason: HandoffReason = HandoffReason.WORD
    urgency: Urgency = Urgency.NORMAL
    area: str = ""
    town: str = ""
    dialect: str = ""
    queued_at: AwareDatetime
    rank_at: AwareDatetime
    agent: str | None = None
    served_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    position_told: int | None = None


class QueuePlace(BaseModel):
    """Where somebody stands: ``position`` from 1; ``estimate_s`` see :func:`estimate_wait_s`."""

    model_config = ConfigDict(frozen=True)

    position: int
    estimate_s: int | None = None


class AgentProfile(BaseModel):
    """What an agent can do; an empty list means anything."""

    model_config = ConfigDict(frozen=True)

    username: str = Field(min_length=1, max_length=64)
    display_name: str = ""
    areas: list[str] = Field(default_factory=list)
    towns: list[str] = Field(default_factory=list)
    dialects: list[str] = Field(default_factory=list)


class AgentRecord(AgentProfile):
    """An agent at the desk. ``idle_since``: when the last talk ended (or the first readiness began)."""

    state: AgentState = AgentState.OFFLINE
    since: AwareDatetime
    idle_since: AwareDatetime


class Offer(BaseModel):
    """A conversation offered to an agent. ``assigned_by`` names the supervisor who chose the agent."""

    model_config = ConfigDict(frozen=True)

    offer_id: str
    entry_id: str
    conversation_id: str
    agent: str
    state: OfferState = OfferState.OPEN
    offered_at: AwareDatetime
    expires_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    assigned_by: str | None = None


class CallbackReason(StrEnum):
    ASKED = "asked"  # instead of waiting
    DROPPED = "dropped"  # hung up while waiting
    CUT_OFF = "cut_off"  # the line broke while an agent spoke
    RECALL = "recall"  # an answer they were given was wrong, and they want to be told


class Callback(BaseModel):
    """漏接回拨: somebody to be called. ``contact`` is sealed (never a number in the clear), empty
    where none is known: then the answer is left in the conversation. ``contact_shown`` is masked."""

    model_config = ConfigDict(frozen=True)

    callback_id: str
    conversation_id: str
    channel: Channel
    state: CallbackState = CallbackState.OPEN
    reason: CallbackReason
    contact: str = ""
    contact_shown: str = ""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    agent: str | None = None
    attempts: int = 0
    note: str = ""


class AgentMessage(BaseModel):
    """What an agent sends. ``client_message_id`` makes a repeated delivery harmless."""

    model_config = ConfigDict(frozen=True)

    message_id: str
    conversation_id: str
    client_message_id: str
    agent: str
    at: AwareDatetime
    seq: int = 0  # of its event in the conversation's trail


class DeskEventType(StrEnum):
    QUEUE = "queue"  # an entry changed
    OFFER = "offer"  # an offer was made or ended
    AGENT = "agent"  # an agent's state
    CALLBACK = "callback"
    ALERT = "alert"  # something an agent must see at once
    INVITE = "invite"  # a colleague asks the agent onto a call


class DeskEvent(BaseModel):
    """One line of the desk's own trail. ``seq`` rises without gaps; ``data`` holds no personal data."""

    model_config = ConfigDict(frozen=True)

    seq: int = 0
    type: DeskEventType
    at: AwareDatetime
    conversation_id: str | None = None
    agent: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class DeskChange(BaseModel):
    """What one step at the desk left behind, all of it stored in one transaction."""

    events: list[ConversationEvent] = Field(default_factory=list)
    desk: list[DeskEvent] = Field(default_factory=list)
    entry: QueueEntry | None = None
    offer: Offer | None = None
    agent: AgentRecord | None = None
    callback: Callback | None = None
    message: AgentMessage | None = None
    repeated: bool = False  # known already; nothing was written


# ---------------------------------------------------------------- errors


class NotYoursError(HotlineError):
    """Another agent has this conversation, or nobody has."""

    code = "not_yours"
    status = 409
    citizen_sentence = "这次对话现在不是由您接待，请刷新后再看。"


class TakenError(HotlineError):
    code = "already_taken"
    status = 409
    citizen_sentence = "这次对话已经由别的坐席接待。"


class TooManyConversationsError(HotlineError):
    code = "too_many_conversations"
    status = 409
    citizen_sentence = "您同时接待的对话已到上限，请先结束或交回一个。"


class NotSignedInError(HotlineError):
    code = "agent_offline"
    status = 409
    citizen_sentence = "请先打开坐席工作台并签入，再接待市民。"


class OfferEndedError(HotlineError):
    code = "offer_ended"
    status = 409
    citizen_sentence = "这次派单已经结束（市民离开、超时或已由别人接起）。"
