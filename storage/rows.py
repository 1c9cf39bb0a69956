"""Between table rows and the contract's data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hotline.events import ConversationEvent
from storage.ports import ConversationRecord, StoredTurn


def record_of(row: sa.Row[Any]) -> ConversationRecord:
    return ConversationRecord.model_validate(dict(row._mapping))


def turn_of(row: sa.Row[Any]) -> StoredTurn:
    values = dict(row._mapping)
    values["replies"] = values["replies"] or []
    return StoredTurn.model_validate(values)


def event_of(row: sa.Row[Any]) -> ConversationEvent:
    return ConversationEvent.model_validate(dict(row._mapping))


def record_values(record: ConversationRecord) -> dict[str, Any]:
    return {**record.model_dump(), "channel": record.channel.value, "state": record.state.value}


def turn_values(turn: StoredTurn) -> dict[str, Any]:
    """A turn just begun: its answer's columns stay NULL."""
    return {
        "turn_id": turn.turn_id,
        "conversation_id": turn.conversation_id,
        "turn_seq": turn.turn_seq,
        "channel": turn.channel.value,
        "text": turn.text,
        "confidence": turn.confidence,
        "client_message_id": turn.client_message_id,
        "at": turn.at,
    }


def event_values(event: ConversationEvent) -> dict[str, Any]:
    return {
        "conversation_id": event.conversation_id,
        "seq": event.seq,
        "turn_id": event.turn_id,
        "type": event.type.value,
        "at": event.at,
        "data": event.data,
    }
