"""Rules both adapters share. Pure: no I/O, so both behave alike by construction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from hotline.conversation import ConversationState, Trigger, next_state
from hotline.desk import QueuePlace
from hotline.errors import BadInputError
from hotline.events import ConversationEvent, EventType
from hotline.messages import CitizenMessage
from hotline.privacy import mask_text
from storage.errors import TurnIdTakenError, UnmaskedTextError
from storage.ports import ConversationRecord, NewConversation, StoredTurn, TurnOutcome

# Identifiers are random or official strings in which eleven digits in a row mean nothing: about
# one UUID in some hundreds holds what looks like a telephone number, item codes nearly always do.
_IDENTIFIER_KEYS = frozenset({"id", "key", "code", "payload", "version", "url", "field", "case_number"})
_IDENTIFIER_SUFFIXES = ("_id", "_code", "_key")


def as_utc(at: datetime) -> datetime:
    """``at`` in UTC. Raises ValueError for a naive one: nobody knows what time it means."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("datetime without offset")
    return at.astimezone(UTC)


def hash_token(token: str) -> str:
    """What is kept of a bearer token: its sha256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def external_key(external_id: str | None) -> str | None:
    """``external_id`` as it is kept: a digest where it holds a person's number."""
    if external_id is None or mask_text(external_id) == external_id:
        return external_id
    return f"sha256:{hashlib.sha256(external_id.encode()).hexdigest()}"


def require_masked(value: Any, where: str, *, own_words: bool = True) -> None:
    """Second lock behind the caller's masking. Walks dicts and lists; skips identifiers.

    Raises:
        UnmaskedTextError: masking would still change a text; names ``where`` only.
    """
    if isinstance(value, str):
        if mask_text(value, own_words=own_words) != value:
            raise UnmaskedTextError(where)
    elif isinstance(value, int) and not isinstance(value, bool):
        require_masked(str(value), where, own_words=own_words)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in _IDENTIFIER_KEYS and not str(name).endswith(_IDENTIFIER_SUFFIXES):
                require_masked(inner, f"{where}.{name}", own_words=own_words)
    elif isinstance(value, list | tuple):
        for inner in value:
            require_masked(inner, where, own_words=own_words)


def check_rating(score: int, comment_masked: str) -> None:
    if not 1 <= score <= 5:
        raise BadInputError("评分请选 1 到 5 分。")
    require_masked(comment_masked, "rating.comment")


def check_outcome(outcome: TurnOutcome) -> None:
    for reply in outcome.replies:
        require_masked(reply.model_dump(mode="json"), "reply", own_words=False)
    require_masked(outcome.leaving_note, "callback.note")
    for event in outcome.events:
        require_masked(event.data, f"event.{event.type.value}")


def new_record(new: NewConversation) -> ConversationRecord:
    at = as_utc(new.at)
    return ConversationRecord(
        conversation_id=new.conversation_id,
        channel=new.channel,
        external_id=external_key(new.external_id),
        caller_key=new.caller_key,
        contact=new.contact,
        contact_shown=new.contact_shown,
        token_hash=new.token_hash,
        state=ConversationState.BOT,
        event_seq=1,
        created_at=at,
        updated_at=at,
    )


def new_turn(message: CitizenMessage, masked_text: str, turn_seq: int, at: datetime) -> StoredTurn:
    return StoredTurn(
        turn_id=message.turn_id,
        conversation_id=message.conversation_id,
        turn_seq=turn_seq,
        channel=message.channel,
        text=masked_text,
        confidence=message.confidence,
        client_message_id=message.client_message_id,
        at=at,
    )


def moved(record: ConversationRecord, trigger: Trigger | None, at: datetime) -> ConversationRecord:
    """``record`` after ``trigger``. Asking again keeps the place in the queue; leaving it gives
    the place up. Raises IllegalTransitionError."""
    if trigger is None:
        return record.model_copy(update={"updated_at": at})
    state = next_state(record.state, trigger)
    queued_at = None
    if state is ConversationState.QUEUED:
        queued_at = record.queued_at if record.state is ConversationState.QUEUED else at
    return record.model_copy(update={"state": state, "queued_at": queued_at, "updated_at": at})


def silenced(record: ConversationRecord, outcome: TurnOutcome, taken_meanwhile: bool = False) -> TurnOutcome:
    """``outcome`` as it counts once an agent has the floor, or had it since the turn began: the bot says
    nothing and changes nothing, for that sentence was the agent's to answer.

    Its question stays open, so that it can go on from there when it is handed back. A warning of
    danger is the one thing that is said all the same.
    """
    if record.state is not ConversationState.AGENT and not taken_meanwhile:
        return outcome
    kept = {"expects": record.expects, "flow": record.flow, "issued_payloads": record.issued_payloads}
    replies = outcome.replies if outcome.danger else []
    return outcome.model_copy(update={"replies": replies, "trigger": None, "handoff": None, "leaving": None, **kept})


def answered(record: ConversationRecord, outcome: TurnOutcome, at: datetime) -> ConversationRecord:
    """``record`` after a turn that came to ``outcome``. Raises IllegalTransitionError."""
    return moved(record, outcome.trigger, at).model_copy(
        update={
            "expects": outcome.expects,
            "flow": outcome.flow,
            "issued_payloads": list(outcome.issued_payloads),
        }
    )


def rated(
    record: ConversationRecord, score: int, comment_masked: str, at: datetime
) -> tuple[ConversationRecord, ConversationEvent]:
    """``record`` with its rating, and the RATING event."""
    event = ConversationEvent(
        conversation_id=record.conversation_id,
        turn_id=None,
        type=EventType.RATING,
        at=at,
        data={"score": score, "comment": comment_masked},
    )
    update = {"rating_score": score, "rating_comment": comment_masked, "rated_at": at, "updated_at": at}
    return record.model_copy(update=update), event


def known_turn(same: Sequence[StoredTurn], message: CitizenMessage) -> StoredTurn | None:
    """The turn ``message`` already made, of the turns with its turn id or client message id.

    Raises TurnIdTakenError: the turn id is another conversation's.
    """
    ours = [turn for turn in same if turn.conversation_id == message.conversation_id]
    if len(ours) < len(same):
        raise TurnIdTakenError
    if message.client_message_id is not None:
        for turn in ours:
            if turn.client_message_id == message.client_message_id:
                return turn
    return ours[0] if ours else None


def started_event(record: ConversationRecord, greeting: str = "") -> ConversationEvent:
    return ConversationEvent(
        conversation_id=record.conversation_id,
        turn_id=None,
        type=EventType.CONVERSATION_STARTED,
        at=record.created_at,
        data={
            "channel": record.channel.value,
            "state": record.state.value,
            **({"greeting": greeting} if greeting else {}),
        },
        seq=1,
    )


def message_event(turn: StoredTurn) -> ConversationEvent:
    return ConversationEvent(
        conversation_id=turn.conversation_id,
        turn_id=turn.turn_id,
        type=EventType.CITIZEN_MESSAGE,
        at=turn.at,
        data={"text": turn.text, "confidence": turn.confidence},
    )


def reply_events(turn: StoredTurn, outcome: TurnOutcome, at: datetime) -> list[ConversationEvent]:
    """The caller's extra events, bound to this turn, then one REPLY for each reply."""
    bound = {"conversation_id": turn.conversation_id, "turn_id": turn.turn_id}
    understanding = outcome.understanding.model_dump(mode="json")
    extra = [event.model_copy(update=bound) for event in outcome.events]
    return extra + [
        ConversationEvent(
            type=EventType.REPLY,
            at=at,
            data={**reply.model_dump(mode="json"), "understanding": understanding},
            **bound,
        )
        for reply in outcome.replies
    ]


def state_events(
    before: ConversationRecord, after: ConversationRecord, place: QueuePlace | None, turn_id: str | None
) -> list[ConversationEvent]:
    """STATE where it changed, QUEUE where ``place`` is given."""
    told: list[tuple[EventType, dict[str, Any]]] = []
    if after.state is not before.state:
        told.append((EventType.STATE, {"state": after.state.value}))
    if place is not None:
        told.append((EventType.QUEUE, place.model_dump()))
    return [
        ConversationEvent(
            conversation_id=after.conversation_id, turn_id=turn_id, type=kind, at=after.updated_at, data=data
        )
        for kind, data in told
    ]


def numbered(events: Iterable[ConversationEvent], last_seq: int) -> list[ConversationEvent]:
    """``events`` with the seqs that follow ``last_seq``, times in UTC."""
    return [
        event.model_copy(update={"seq": seq, "at": as_utc(event.at)})
        for seq, event in enumerate(events, start=last_seq + 1)
    ]
