"""What a citizen says and what the line answers, as data."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Channel(StrEnum):
    """Where a citizen speaks to us from."""

    WEB = "web"
    REST = "rest"
    VOICE = "voice"


class Aspect(StrEnum):
    """What is asked about a service (docs/interfaces.md lists the same values)."""

    MATERIALS = "materials"
    CONDITIONS = "conditions"
    STEPS = "steps"
    TIME_LIMIT = "time_limit"
    FEE = "fee"
    WHERE = "where"
    WHEN_OPEN = "when_open"
    ONLINE = "online"
    PHONE = "phone"
    AMOUNT = "amount"
    STATUS = "status"
    GENERAL = "general"


class Button(BaseModel):
    """A choice offered under a reply. ``payload`` is sent back as the message's text."""

    model_config = ConfigDict(frozen=True)

    title: str
    payload: str


class Source(BaseModel):
    """Where a fact in a reply comes from: a field of a guide or of the data hub."""

    model_config = ConfigDict(frozen=True)

    item_code: str
    field: str
    version: str


class Reply(BaseModel):
    """One answer, with a form for the screen and a form for the ear.

    ``text`` may hold line breaks and lists; ``speech_text`` is plain sentences that a
    synthesiser can read. ``card`` is structured data a page may draw (``kind`` names its
    shape); ``sources`` names the origin of every fact in ``text``.
    """

    text: str
    speech_text: str = ""
    buttons: list[Button] = Field(default_factory=list)
    card: dict[str, Any] | None = None
    sources: list[Source] = Field(default_factory=list)

    def model_post_init(self, _context: Any) -> None:
        if not self.speech_text:
            self.speech_text = self.text


class Understanding(BaseModel):
    """How a turn was understood. ``confidence`` is the intent's probability, 0..1.

    ``item_key`` is the service that was answered (null where none was);
    ``candidates`` are the keys offered where the bot asks which one is meant.
    """

    intent: str | None = None
    aspect: Aspect | None = None
    confidence: float = 0.0
    item_key: str | None = None
    item_code: str | None = None
    item_name: str | None = None
    candidates: list[str] = Field(default_factory=list)


class CitizenMessage(BaseModel):
    """One utterance of a citizen on its way in.

    ``confidence`` is the recogniser's (1.0 for typed text). ``client_message_id`` makes a
    repeated delivery harmless. ``recall_answered``: whether to be told of a correction was asked and
    answered before, in the talk or on the page.
    """

    model_config = ConfigDict(frozen=True)

    conversation_id: str
    turn_id: str
    channel: Channel
    text: str
    confidence: float = 1.0
    client_message_id: str | None = None
    recall_answered: bool = False


class HeardWord(BaseModel):
    """A word as it was heard: ``start`` and ``end`` in seconds from the first sound of the session."""

    model_config = ConfigDict(frozen=True)

    text: str
    start: float
    end: float
    confidence: float = 1.0


class Alternative(BaseModel):
    """Another reading of the same sound. ``score`` is the engine's own: higher is likelier, no more."""

    model_config = ConfigDict(frozen=True)

    text: str
    score: float = 0.0
    words: tuple[HeardWord, ...] = ()


class Transcript(BaseModel):
    """What a recogniser heard. ``confidence`` 0..1; partial results have ``final=False``.

    ``words`` and ``alternatives`` are given where the engine has them and was asked
    (:class:`hotline.ports.RecognitionOptions`). They stay inside the house: no frame carries them.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    confidence: float = 1.0
    final: bool = True
    words: tuple[HeardWord, ...] = Field(default=(), exclude=True)
    alternatives: tuple[Alternative, ...] = Field(default=(), exclude=True)
