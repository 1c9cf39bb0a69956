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
    QUEUE = "queue"  # data: position (from 1), estimate_s (None where nobody can say)
    AGENT_MESSAGE = "agent_message"  # data: text, agent (the name shown), message_id
    AGENT_NOTE = "agent_note"  # data: text, agent, slots; for colleagues, never shown to the citizen
    HANDLING = "handling"  # data: agent, what (took | returned | replaced | requeued | closed | joined | left)
    ALERT = "alert"  # data: kind, numbers; the agent's screen shows it
    RATING = "rating"  # data: score, comment
    RECALL_CONSENT = "recall_consent"  # data: agreed, contact_shown (masked), contact_key (the number, sealed)
    CALL_STARTED = (
        "call_started"  # data: call_id, door, encoding, sample_rate, caller (masked), caller_key (keyed digest)
    )
    TRANSCRIPT = "transcript"  # data: text (masked), confidence
    SPEECH = "speech"  # data: phase (cut), heard and unheard (masked)
    RECORDING = "recording"  # data: state (started | refused), recording_id
    CALL_ENDED = "call_ended"  # data: call_id, door, reason, seconds, network (packets of a SIP call)
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
