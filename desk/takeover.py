"""Taking a conversation over and giving it back: what the agent sees first, what the bot learns after."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from desk.mood import Mood, mood_of
from desk.summary import Outcome, Summary, summarise
from hotline.conversation import ConversationState, Trigger
from hotline.desk import Callback, DeskChange, QueueEntry
from hotline.desk_ports import EngineSlots, QueueBook
from hotline.errors import BadInputError, DialogueDownError
from hotline.events import ConversationEvent, EventType
from hotline.messages import Aspect, Channel
from hotline.privacy import mask_text

logger = logging.getLogger(__name__)

SHOWN_SLOTS = frozenset(
    "service_item last_aspect candidates case_reference identity_outcome work_order_number town dialect".split()
)
"""What an agent sees of the engine's slots. Proofs are in none of them; drafts are sealed."""

TAUGHT_SLOTS = frozenset("service_item last_aspect town dialect work_order_number".split())
"""What an agent may tell the bot when handing back."""

_IDENTITY = {"verified": "verified", "locked": "locked", "unavailable": "unavailable"}
_DIALECTS = ("mandarin", "cantonese")


class Place(Protocol):
    """What of a conversation's record the picture shows."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def channel(self) -> Channel: ...
    @property
    def state(self) -> ConversationState: ...
    @property
    def flow(self) -> str | None: ...
    @property
    def expects(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def rating_score(self) -> int | None: ...
    @property
    def event_seq(self) -> int: ...


class Earlier(BaseModel):
    """A conversation of the same caller, in short."""

    model_config = ConfigDict(frozen=True)

    conversation_id: str
    channel: Channel
    at: AwareDatetime
    state: ConversationState
    services: list[str] = Field(default_factory=list)
    unanswered: int = 0
    notes: list[str] = Field(default_factory=list)
    rating: int | None = None


class Line(BaseModel):
    """One line of the transcript: ``who`` is citizen, bot, agent or house."""

    model_config = ConfigDict(frozen=True)

    seq: int
    at: AwareDatetime
    who: str
    type: EventType
    text: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class Picture(BaseModel):
    """The whole picture, before anything is accepted. ``seq``: follow the events from here."""

    conversation_id: str
    channel: Channel
    state: ConversationState
    started_at: AwareDatetime
    seq: int
    entry: QueueEntry | None = None
    callback: Callback | None = None
    transcript: list[Line]
    service: dict[str, str] | None = None
    aspect: str | None = None
    slots: dict[str, Any] = Field(default_factory=dict)
    slots_known: bool = True
    identity: str = "none"  # none | asked | verified | locked | unavailable
    mood: Mood
    summary: Summary
    earlier: list[Earlier] = Field(default_factory=list)


def picture(
    record: Place,
    events: Sequence[ConversationEvent],
    slots: Mapping[str, Any] | None,
    entry: QueueEntry | None = None,
    callback: Callback | None = None,
    earlier: Sequence[Earlier] = (),
) -> Picture:
    """``slots`` None where the engine does not answer: then the trail alone tells."""
    known = {k: v for k, v in (slots or {}).items() if k in SHOWN_SLOTS and v not in (None, [], "")}
    summary = summarise(events, entry.reason.value if entry else None, record.flow, record.expects)
    answered = next((a for a in reversed(summary.asked) if a.item_key), None)
    return Picture(
        conversation_id=record.conversation_id,
        channel=record.channel,
        state=record.state,
        started_at=record.created_at,
        seq=record.event_seq,
        entry=entry,
        callback=callback.model_copy(update={"contact": ""}) if callback else None,
        transcript=[line for line in map(line_of, events) if line is not None],
        service={"key": answered.item_key or "", "name": answered.service or ""} if answered else None,
        aspect=answered.aspect if answered else None,
        slots=known,
        slots_known=slots is not None,
        identity=_identity(record.expects, slots or {}),
        mood=mood_of([str(e.data.get("text", "")) for e in events if e.type is EventType.CITIZEN_MESSAGE]),
        summary=summary,
        earlier=list(earlier),
    )


def earlier_of(record: Place, events: Sequence[ConversationEvent]) -> Earlier:
    asked = summarise(events).asked
    return Earlier(
        conversation_id=record.conversation_id,
        channel=record.channel,
        at=record.created_at,
        state=record.state,
        services=list(dict.fromkeys(a.service for a in asked if a.service)),
        unanswered=sum(a.outcome in (Outcome.NOT_UNDERSTOOD, Outcome.UNKNOWN, Outcome.PART_DOWN) for a in asked),
        notes=[str(e.data.get("text", "")) for e in events if e.type is EventType.AGENT_NOTE],
        rating=record.rating_score,
    )


_WHO = {
    EventType.CITIZEN_MESSAGE: "citizen",
    EventType.REPLY: "bot",
    EventType.AGENT_MESSAGE: "agent",
    EventType.AGENT_NOTE: "agent",
}
_UNSEEN = frozenset({EventType.SPEECH, EventType.QUEUE})


def line_of(event: ConversationEvent) -> Line | None:
    """An event as an agent reads it; None where there is nothing to read."""
    if event.type in _UNSEEN:
        return None
    data = {k: v for k, v in event.data.items() if k not in ("text", "speech_text", "buttons", "contact_key")}
    return Line(
        seq=event.seq,
        at=event.at,
        who=_WHO.get(event.type, "house"),
        type=event.type,
        text=str(event.data.get("text", "")),
        data=data,
    )


def _identity(expects: str | None, slots: Mapping[str, Any]) -> str:
    outcome = _IDENTITY.get(str(slots.get("identity_outcome") or ""))
    return outcome or ("asked" if expects == "identity_proof" else "none")


class Takeover:
    """Gives conversations back."""

    def __init__(self, books: QueueBook, engine: EngineSlots) -> None:
        self._books = books
        self._engine = engine

    async def give_back(
        self, conversation_id: str, agent: str, name: str, note: str, slots: Mapping[str, Any], now: datetime
    ) -> tuple[DeskChange, bool]:
        """The bot goes on from here, knowing ``slots``; whether it could be told them.

        Raises:
            BadInputError: a slot that agents do not set, or a value it cannot have.
            NotYoursError: somebody else's conversation.
        """
        values = checked_slots(slots)
        taught = True
        entry = next((e for e in await self._books.queue() if e.conversation_id == conversation_id), None)
        if values and entry is not None and entry.agent == agent:
            # Before the floor changes hands: the bot's first answer must know it already.
            try:
                await self._engine.set_slots(conversation_id, values)
            except DialogueDownError:
                logger.warning("the engine did not learn what the agent filled in; the note has it")
                taught = False
        data = {"text": mask_text(note), "agent": name, "slots": values}
        change = await self._books.release(conversation_id, agent, Trigger.AGENT_RETURNED, now, data)
        return change, taught


def checked_slots(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Raises BadInputError, naming the field."""
    for name, value in slots.items():
        if name not in TAUGHT_SLOTS:
            raise BadInputError(f"「{name}」不能由坐席填写；可填：{'、'.join(sorted(TAUGHT_SLOTS))}。")
        if value is not None and (not isinstance(value, str) or not value or len(value) > 64):
            raise BadInputError(f"「{name}」要是一段不超过 64 个字的文字。")
        if name == "dialect" and value is not None and value not in _DIALECTS:
            raise BadInputError("「dialect」只能是 mandarin 或 cantonese。")
        if name == "last_aspect" and value is not None and value not in set(Aspect):
            raise BadInputError("「last_aspect」不是所认得的方面。")
        if value is not None and mask_text(value) != value:
            raise BadInputError(f"「{name}」里像是有个人信息，不能交给机器人。")
    return dict(slots)
