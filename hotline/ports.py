"""The protocols between the rooms. Each has a real adapter, an in-memory one, one contract test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from pydantic import AwareDatetime, BaseModel, ConfigDict

from hotline.audit import AuditEntry, AuditFindings, Head
from hotline.cases import Case, IdentityProof, Verification
from hotline.catalogue import ServiceHall, ServiceItem
from hotline.messages import CitizenMessage, Reply, Transcript, Understanding
from hotline.work_orders import Appointment, AppointmentDraft, SlotPeriod, WorkOrder, WorkOrderDraft

MANDARIN, CANTONESE = "cmn", "yue"


class SpeechChange(StrEnum):
    """How a caller wants to be spoken to from now on."""

    SLOWER = "slower"
    LOUDER = "louder"
    CANTONESE = "cantonese"
    MANDARIN = "mandarin"


class SearchHit(BaseModel):
    """A service and the probability (0..1) that it is the one meant."""

    model_config = ConfigDict(frozen=True)

    item_key: str
    score: float


class ServiceSearch(Protocol):
    """Finds services in what a citizen said."""

    def search(self, text: str, limit: int = 5) -> list[SearchHit]:
        """Ranked hits, best first; empty where the text holds nothing to search for."""
        ...


class DataHub(Protocol):
    """The district's data hub. Every method raises HubDownError when it cannot answer in time."""

    async def service_item(self, item_code: str) -> ServiceItem:
        """One service. Raises NotFoundError."""
        ...

    async def service_halls(self, town: str | None = None) -> list[ServiceHall]:
        """The halls of a town, or all."""
        ...

    async def verify_identity(
        self, case_reference: str, proof: IdentityProof, verification_id: str | None = None
    ) -> Verification:
        """Hands proofs to the hub. Raises CaseNotFoundError; a locked case answers LOCKED."""
        ...

    async def case(self, case_reference: str, verification_id: str) -> Case:
        """A case, by number or query code. Raises CaseNotFoundError, IdentityRequiredError."""
        ...

    async def ping(self) -> None:
        """Returns when the hub answers."""
        ...


class RequestRegister(Protocol):
    """Where requests are filed and appointments booked: the line's own work orders (which hands
    them over to the hub) or the hub itself. Every method raises HubDownError when that cannot
    answer in time. ``idempotency_key`` makes a repeated call
    answer what the first one made."""

    async def file_request(self, draft: WorkOrderDraft, idempotency_key: str) -> WorkOrder:
        """Files a work order. Raises BadInputError where the hub refuses its content."""
        ...

    async def work_order(self, number: str, contact_mobile: str) -> WorkOrder:
        """A filed request, for whoever knows its number and the mobile given with it.
        Raises NotFoundError where either is wrong."""
        ...

    async def free_slots(self, hall_code: str, day: date) -> list[SlotPeriod]:
        """The half days of a day at a hall. Raises NotFoundError (no such hall)."""
        ...

    async def book(self, draft: AppointmentDraft, idempotency_key: str) -> Appointment:
        """Books. Raises BadInputError (not a day that can be booked), SlotTakenError."""
        ...


class AuditLog(Protocol):
    """What the line's people looked at and changed. Entries are chained and never rewritten
    (:mod:`hotline.audit`). Every method may raise PartDownError: then the look or change it was
    to record must not happen either."""

    async def record(self, actor: str, action: str, subject: str, data: Mapping[str, Any] | None = None) -> AuditEntry:
        """Appends; call it before the look or the change. ``actor`` is a user name (or ``system``),
        ``action`` a snake_case verb phrase, ``subject`` ``kind:identifier``. ``data`` is masked here."""
        ...

    async def entries(self, after: int = 0, limit: int = 200) -> list[AuditEntry]:
        """Entries with ``seq`` above ``after``, in order."""
        ...

    async def head(self) -> Head | None:
        """The last entry's number and hash, to be kept elsewhere."""
        ...

    async def verify(self, known: Head | None = None) -> AuditFindings:
        """Walks the whole log; ``known`` is a head that somebody kept."""
        ...


class DialogueAnswer(BaseModel):
    """What the dialogue engine made of one message."""

    replies: list[Reply]
    understanding: Understanding
    handoff: bool = False
    handoff_cancelled: bool = False
    expects: str | None = None  # what the next message will hold: ``identity_proof`` …
    flow: str | None = None  # the form under way, if any
    speech_change: SpeechChange | None = None  # 「慢一点」「讲粤语」: for the call's voice
    urgent: bool = False  # danger: to the head of the queue
    part_down: str | None = None  # code of a part that an action missed
    rating: int | None = None  # 1..5: the citizen rates the service
    recall: bool | None = None  # yes or no to being told where an answer turns out wrong
    call_back: str | None = None  # receipt of a call-back the bot filed: nobody has to wait any more


class DialogueEngine(Protocol):
    """Answers a citizen's message. Raises DialogueDownError or ActionsDownError."""

    async def answer(self, message: CitizenMessage, state: str = "bot") -> DialogueAnswer:
        """``state`` is the conversation's: a caller who waits for a person may go on asking."""
        ...

    async def renew_session(self, conversation_id: str) -> None:
        """Shortens the engine's own history, keeping its slots."""
        ...

    async def ping(self) -> None: ...


@dataclass(frozen=True)
class RecognitionOptions:
    """What a session is asked for, beyond the words.

    ``phrases`` are expected to be said: the only ones listened for where the engine has grammars
    (Vosk), preferred where it has hotwords, without effect elsewhere. ``alternatives`` is how many
    readings to give (0: one reading with confidences). ``words`` asks for word times. ``verbatim``
    keeps the text as the engine writes it, with its spaces between words.
    """

    phrases: tuple[str, ...] = ()
    alternatives: int = 0
    words: bool = False
    verbatim: bool = False


class RecogniserSession(Protocol):
    """One utterance. Audio is 16-bit mono little-endian PCM at the recogniser's rate. All methods
    may block for as long as a model thinks: call them in a worker thread, one after the other."""

    def accept_chunk(self, pcm: bytes) -> None: ...

    def partial(self) -> Transcript | None:
        """What was heard so far, or None where the engine has nothing to tell yet."""
        ...

    def finish(self) -> Transcript:
        """The final transcript, once."""
        ...


@runtime_checkable
class SpeculativeSession(RecogniserSession, Protocol):
    """A session whose ``finish`` is costly, so that it is worth deciding early: as soon as the
    speaker pauses, for the case that the pause is the end."""

    def pause_began(self) -> None:
        """Decides on what was heard so far. What follows is silence, or ``speech_resumed`` comes."""
        ...

    def speech_resumed(self) -> None:
        """The decision is thrown away."""
        ...


@runtime_checkable
class SegmentingSession(RecogniserSession, Protocol):
    """A session that finds the ends of sentences by itself, for streams longer than an utterance."""

    def segment(self) -> Transcript | None:
        """The sentence that ended in the sound accepted since last asked, taken off; else None."""
        ...


class Recogniser(Protocol):
    """A loaded model, shared by calls. ``sample_rate`` in Hz."""

    name: str
    sample_rate: int

    def start(self, options: RecognitionOptions | None = None) -> RecogniserSession: ...


class Speech(BaseModel):
    """A piece of sound: 16-bit mono little-endian PCM at ``sample_rate`` Hz."""

    model_config = ConfigDict(frozen=True)

    pcm: bytes
    sample_rate: int


class Synthesiser(Protocol):
    """Turns one sentence into sound. Raises SynthesiserDownError."""

    name: str

    async def synthesise(self, sentence: str, speed: float = 1.0, language: str = MANDARIN) -> Speech:
        """``language`` is :data:`MANDARIN` or :data:`CANTONESE`; an engine that cannot speak it
        raises SynthesiserDownError, so that the next one is asked."""
        ...

    async def close(self) -> None: ...


class SpeechStream(Protocol):
    """Sentences in, sound out, in order, the first as soon as it is made."""

    def speak(
        self, sentences: Sequence[str], speed: float = 1.0, language: str = MANDARIN
    ) -> AsyncIterator[Speech]: ...


class RecordedTurn(BaseModel):
    """Where in a recording somebody speaks, in seconds from its start. ``who``: caller or line."""

    model_config = ConfigDict(frozen=True)

    turn_id: str
    who: str
    begun_s: float
    ended_s: float


class Recording(BaseModel):
    """What is known of a call's recording; the sound itself is a sealed file of that name.
    ``ended_at`` is None while the call goes on, and after a crash until the next start."""

    model_config = ConfigDict(frozen=True)

    recording_id: str
    conversation_id: str
    call_id: str
    sample_rate: int  # Hz
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    seconds: float = 0.0
    size_bytes: int = 0
    turns: tuple[RecordedTurn, ...] = ()


class RecordingRegister(Protocol):
    """The list of recordings. The SQL adapter may raise StorageDownError."""

    async def keep(self, recording: Recording) -> None:
        """Adds it, or replaces what was known of it."""
        ...

    async def find(self, recording_id: str) -> Recording:
        """Raises NotFoundError."""
        ...

    async def of_conversation(self, conversation_id: str) -> list[Recording]:
        """Oldest first."""
        ...

    async def listed(self, started_before: datetime | None = None) -> list[Recording]:
        """All, or those started before; oldest first."""
        ...

    async def remove(self, recording_id: str) -> bool:
        """False where there was none."""
        ...
