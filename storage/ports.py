"""What the store keeps, as data, and its ports.

Five small protocols, all implemented by :class:`storage.sql.SqlStore` and
:class:`storage.memory.MemoryStore`; one contract test runs against both. Every ``at`` is an
aware datetime (naive ones raise ValueError) and comes back in UTC. Every method of the SQL
store may raise :class:`storage.errors.StorageDownError`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hotline.conversation import ConversationState, Trigger
from hotline.desk import DeskEvent, Handoff, QueueTrigger
from hotline.events import ConversationEvent, EventType
from hotline.messages import Channel, CitizenMessage, Reply, Understanding
from hotline.ports import SpeechChange


class NewConversation(BaseModel):
    """``token_hash`` is the sha256 of the bearer token in hex (:func:`storage.rules.hash_token`).

    ``external_id`` is the sender's name in another system (REST ``sender``), unique among the
    open conversations of a channel. One that looks like a telephone or ID number is kept as a
    digest; :meth:`ConversationStore.find_by_external` finds it all the same. ``caller_key`` is a
    keyed digest of who speaks (gateway.callers), by which earlier conversations are found;
    ``contact`` the caller's number, sealed, so that a dropped call can be called back after a
    restart too; ``contact_shown`` the same masked.
    """

    model_config = ConfigDict(frozen=True)

    conversation_id: str = Field(min_length=1, max_length=64)
    channel: Channel
    token_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    external_id: str | None = Field(default=None, max_length=256)
    caller_key: str | None = Field(default=None, max_length=64)
    contact: str = ""
    contact_shown: str = ""
    greeting: str = ""  # what the line said first; kept with the start, for quality review
    at: AwareDatetime


class ConversationRecord(BaseModel):
    """A conversation as it stands. ``queued_at`` is set while it waits for an agent."""

    model_config = ConfigDict(frozen=True)

    conversation_id: str
    channel: Channel
    external_id: str | None
    caller_key: str | None = None
    contact: str = ""
    contact_shown: str = ""
    token_hash: str
    state: ConversationState
    expects: str | None = None
    flow: str | None = None
    issued_payloads: list[str] = Field(default_factory=list)
    turn_count: int = 0
    event_seq: int = 0  # seq of the last event
    created_at: AwareDatetime
    updated_at: AwareDatetime
    queued_at: AwareDatetime | None = None
    rating_score: int | None = None
    rating_comment: str | None = None
    rated_at: AwareDatetime | None = None


class StoredTurn(BaseModel):
    """One turn. ``text`` is masked; ``state`` is the conversation's after the answer.

    ``answered_at`` is None until :meth:`TurnStore.finish_turn`.
    """

    model_config = ConfigDict(frozen=True)

    turn_id: str
    conversation_id: str
    turn_seq: int
    channel: Channel
    text: str
    confidence: float
    client_message_id: str | None
    at: AwareDatetime
    replies: list[Reply] = Field(default_factory=list)
    understanding: Understanding | None = None
    state: ConversationState | None = None
    answered_at: AwareDatetime | None = None

    @property
    def answered(self) -> bool:
        return self.answered_at is not None


class BegunTurn(BaseModel):
    """``turn`` is the stored turn, new or known. ``duplicate`` is the same turn where the
    message had been delivered before (then nothing was written and ``events`` is empty)."""

    turn: StoredTurn
    duplicate: StoredTurn | None = None
    conversation: ConversationRecord
    events: list[ConversationEvent] = Field(default_factory=list)

    @property
    def turn_seq(self) -> int:
        return self.turn.turn_seq


class TurnOutcome(BaseModel):
    """What a turn came to. ``expects``, ``flow`` and ``issued_payloads`` replace the old ones.

    ``trigger`` moves the conversation's state; None leaves it as it is *then*, so an agent who
    took over while the bot was thinking keeps the floor. ``events`` are extra arrows of the
    turn (a part down, a transcript): they precede the replies in the trail. ``speech_change`` is for
    the call under way and not kept. ``handoff`` says why a person is wanted, where ``trigger`` asks
    for one; ``leaving`` how the queue is left where ``trigger`` leaves it (asked to be called back:
    the task is stored in the same step, ``leaving_note`` with it). ``danger``: the reply is a warning that is said whoever has the floor.
    """

    replies: list[Reply] = Field(default_factory=list)
    understanding: Understanding = Field(default_factory=Understanding)
    trigger: Trigger | None = None
    expects: str | None = None
    flow: str | None = None
    issued_payloads: list[str] = Field(default_factory=list)
    events: list[ConversationEvent] = Field(default_factory=list)
    speech_change: SpeechChange | None = None
    handoff: Handoff | None = None
    leaving: QueueTrigger | None = None
    leaving_note: str = ""
    danger: bool = False


class Change(BaseModel):
    """A conversation after a change, and the events it left, with their seq.

    ``turn`` is the answered turn where a turn made the change; ``desk`` what the desk is told.
    """

    conversation: ConversationRecord
    events: list[ConversationEvent]
    desk: list[DeskEvent] = Field(default_factory=list)
    turn: StoredTurn | None = None


class ConversationStore(Protocol):
    async def create_conversation(self, new: NewConversation) -> ConversationRecord:
        """Stores it with its CONVERSATION_STARTED event.

        An open conversation with the same channel and external_id is returned instead (two
        first messages at once make one conversation). Raises ConversationExistsError.
        """
        ...

    async def get_conversation(self, conversation_id: str) -> ConversationRecord:
        """Raises NotFoundError."""
        ...

    async def find_by_external(self, channel: Channel, external_id: str) -> ConversationRecord | None:
        """The open (not CLOSED) conversation of that sender, or None."""
        ...

    async def set_state(self, conversation_id: str, trigger: Trigger, at: datetime) -> Change:
        """Moves the state, leaving STATE (where it changed) and QUEUE (where queued) events.

        Raises NotFoundError; IllegalTransitionError, and nothing has changed.
        """
        ...

    async def queue_position(self, conversation_id: str) -> int | None:
        """1 for the head of the queue, by urgency and waiting time; None where it doesn't wait.
        Raises NotFoundError."""
        ...


class TurnStore(Protocol):
    async def begin_turn(self, message: CitizenMessage, masked_text: str, at: datetime) -> BegunTurn:
        """Stores the citizen's message, masked, with its CITIZEN_MESSAGE event.

        ``message.text`` is not stored, ``masked_text`` is. A repeated ``client_message_id`` or
        ``turn_id`` stores nothing and returns the stored turn, also once CLOSED.
        Raises NotFoundError, ConversationClosedError, UnmaskedTextError, TurnIdTakenError.
        """
        ...

    async def finish_turn(self, turn_id: str, outcome: TurnOutcome, at: datetime) -> Change:
        """Stores answer, conversation state, queue and events in one transaction.

        Where an agent came in while the bot was thinking, the bot's replies are not stored and not
        to be said (``Change.turn.replies`` is empty), except a warning of danger.

        Trail order: ``outcome.events``, a REPLY per reply, STATE, QUEUE. Raises NotFoundError,
        TurnAlreadyAnsweredError, UnmaskedTextError, IllegalTransitionError; nothing changed.
        """
        ...

    async def unanswered_turns(self, conversation_id: str | None = None) -> list[StoredTurn]:
        """Turns begun and never finished, oldest first; of all conversations where None."""
        ...

    async def history(self, conversation_id: str, after_turn_id: str | None = None) -> list[StoredTurn]:
        """Turns in order, those after ``after_turn_id`` where given. Raises NotFoundError."""
        ...

    async def rate(self, conversation_id: str, score: int, comment_masked: str, at: datetime) -> Change:
        """Keeps the latest rating, 1..5; each leaves a RATING event.

        Raises NotFoundError, BadInputError, UnmaskedTextError.
        """
        ...


class EventTrail(Protocol):
    async def append(self, event: ConversationEvent) -> ConversationEvent:
        """The event with its seq: rising within the conversation, no gap, no duplicate.

        Raises NotFoundError, UnmaskedTextError.
        """
        ...

    async def events_after(self, conversation_id: str, seq: int, limit: int = 200) -> list[ConversationEvent]:
        """Events with a higher seq, in order, at most ``limit``; empty where there are none."""
        ...

    async def events_of(self, conversation_id: str, kind: EventType) -> list[ConversationEvent]:
        """All events of one kind, in order."""
        ...


class CallerHistory(Protocol):
    async def conversations_of(self, caller_key: str, limit: int = 10) -> list[ConversationRecord]:
        """Who spoke before: the conversations of one caller, newest first."""
        ...

    async def in_state(self, state: ConversationState) -> list[ConversationRecord]:
        """All conversations in ``state``, oldest first (what a restart must look after)."""
        ...


class Retention(Protocol):
    async def forget(self, conversation_id: str) -> bool:
        """Erases a conversation with its turns and events; False where there was none."""
        ...

    async def purge_before(self, at: datetime) -> int:
        """Erases the conversations last changed before ``at``, except those that wait for or
        are with an agent, or whose citizen is still to be called back. Returns how many."""
        ...


class StoreLifecycle(Protocol):
    async def ping(self) -> None:
        """Returns when the store answers and has its tables."""
        ...

    async def close(self) -> None:
        """Gives connections back; the store is not used after this."""
        ...


class Store(ConversationStore, TurnStore, EventTrail, CallerHistory, Retention, StoreLifecycle, Protocol):
    """All ports together, for the composition root; users ask for the one port they need."""
