"""The one trail of a conversation: pages, desk, insights and tests read the same events."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class EventType(StrEnum):
    CONVERSATION_STARTED = "conversation_started"  # data: channel, state, greeting (what was said first)
    CITIZEN_MESSAGE = "citizen_message"  # data: text (masked), confidence
    REPLY = "reply"  # data: Reply, plus understanding
    STATE = "state"  # data: state
    QUEUE = "queue"  # data: position
    AGENT_MESSAGE = "agent_message"  # data: text
    HANDLING = "handling"  # data: agent, what (took | returned | replaced | requeued | closed)
    RATING = "rating"  # data: score, comment
    CALL_STARTED = "call_started"  # data: call_id, encoding, sample_rate, caller (masked), caller_key (keyed digest)
    TRANSCRIPT = "transcript"  # data: text (masked), confidence
    SPEECH = "speech"  # data: phase (start | end | cut)
    CALL_ENDED = "call_ended"  # data: reason
    PART_DOWN = "part_down"  # data: part, code


class ConversationEvent(BaseModel):
    """One arrow of a turn. ``seq`` is given by the store, rising within a conversation."""

    model_config = ConfigDict(frozen=True)

    conversation_id: str
    turn_id: str | None
    type: EventType
    at: datetime
    data: dict[str, Any] = Field(default_factory=dict)
    seq: int = 0
