"""The desk's protocols. Storage has a real and an in-memory adapter of the books; one contract test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from hotline.conversation import Trigger
from hotline.desk import (
    AgentProfile,
    AgentRecord,
    AgentTrigger,
    Callback,
    CallbackReason,
    CallbackState,
    CallbackTrigger,
    DeskChange,
    DeskEvent,
    Offer,
    OfferTrigger,
    QueueEntry,
    QueueTrigger,
)
from hotline.messages import Aspect, Reply


class Contact(BaseModel):
    """How to reach somebody: ``sealed`` for the record, ``shown`` masked for the screen."""

    model_config = ConfigDict(frozen=True)

    sealed: str = ""
    shown: str = ""


class QueueBook(Protocol):
    """The queue. Every step moves entry, conversation, offers, agent and call-back in one transaction."""

    async def queue(self) -> list[QueueEntry]:
        """All open entries in the order they are to be served."""
        ...

    async def accept(self, conversation_id: str, agent: str, at: datetime, *, replacing: bool = False) -> DeskChange:
        """``agent`` takes the conversation. ``replacing``: from whoever has it (a supervisor).

        Raises NotFoundError, TakenError, TooManyConversationsError, NotSignedInError,
        IllegalTransitionError (nobody waits there).
        """
        ...

    async def release(
        self, conversation_id: str, agent: str, trigger: Trigger, at: datetime, note: dict[str, Any] | None = None
    ) -> DeskChange:
        """The agent gives it up: AGENT_RETURNED, CLOSED or REQUEUED. ``note`` is the data of an
        AGENT_NOTE event, its text masked. Raises NotYoursError, NotFoundError."""
        ...

    async def leave(
        self,
        conversation_id: str,
        how: QueueTrigger,
        at: datetime,
        contact: Contact | None = None,
        note: str = "",
    ) -> DeskChange:
        """The citizen leaves the queue: CALL_BACK_CHOSEN or DROPPED leave a call-back task,
        CANCELLED none. Raises NotFoundError, IllegalTransitionError (does not wait)."""
        ...

    async def tell_positions(self, at: datetime) -> DeskChange:
        """A QUEUE event for everyone whose position differs from the one told last."""
        ...


class OfferBook(Protocol):
    async def offer(
        self, conversation_id: str, agent: str, at: datetime, expires_at: datetime, assigned_by: str | None = None
    ) -> DeskChange:
        """Rings ``agent``. Raises NotFoundError, IllegalTransitionError (not ready, not waiting)."""
        ...

    async def end_offer(self, offer_id: str, trigger: OfferTrigger, at: datetime, agent: str) -> DeskChange:
        """Accept, decline, time out, withdraw. Raises NotFoundError, OfferEndedError; ACCEPT also what
        :meth:`QueueBook.accept` raises."""
        ...

    async def offers(self, entry_id: str | None = None) -> list[Offer]:
        """The open offers; of one entry all that were ever made."""
        ...


class AgentBook(Protocol):
    async def agents(self) -> list[AgentRecord]: ...

    async def sign_in(self, profile: AgentProfile, at: datetime) -> DeskChange:
        """An agent comes to the desk; one who is there already keeps the state (a second tab)."""
        ...

    async def move_agent(self, username: str, trigger: AgentTrigger, at: datetime) -> DeskChange:
        """Raises NotFoundError, IllegalTransitionError. LOST sends the conversations back to the queue."""
        ...


class CallbackBook(Protocol):
    async def callbacks(self, states: Sequence[CallbackState]) -> list[Callback]:
        """Oldest first."""
        ...

    async def callback(self, callback_id: str) -> Callback:
        """Raises NotFoundError."""
        ...

    async def add_callback(
        self, conversation_id: str, reason: CallbackReason, at: datetime, contact: Contact, note: str = ""
    ) -> DeskChange:
        """A task without a place in the queue. One open task a conversation: a second is merged into it."""
        ...

    async def move_callback(
        self, callback_id: str, trigger: CallbackTrigger, agent: str, at: datetime, note: str = ""
    ) -> DeskChange:
        """Raises NotFoundError, IllegalTransitionError, NotYoursError (claimed by somebody else)."""
        ...


class DeskTrail(Protocol):
    async def send(
        self,
        conversation_id: str,
        agent: str,
        name: str,
        text: str,
        client_message_id: str,
        at: datetime,
        *,
        read_out: bool = False,
    ) -> DeskChange:
        """An agent's message in the conversation's trail; ``text`` is masked. The same
        ``client_message_id`` again answers what the first one made. ``read_out``: to be spoken on a
        call even while the agent speaks there. Raises NotYoursError."""
        ...

    async def note_event(self, event: DeskEvent) -> DeskEvent:
        """``event`` with its seq."""
        ...

    async def desk_events_after(self, seq: int, limit: int = 200) -> list[DeskEvent]: ...

    async def desk_seq(self) -> int:
        """The seq of the last event."""
        ...

    async def purge_desk_before(self, at: datetime) -> int:
        """Erases the desk's own events before ``at``; open tasks stay."""
        ...


class DeskBooks(QueueBook, OfferBook, AgentBook, CallbackBook, DeskTrail, Protocol):
    """All of them, for the composition root."""


class Passage(BaseModel):
    """What a guide says about one aspect of a service, ready to be sent or read out."""

    model_config = ConfigDict(frozen=True)

    item_key: str
    item_name: str
    aspect: Aspect
    score: float
    reply: Reply


class FieldsSaid(BaseModel):
    """The parts of a request as far as somebody has told them; empty where not."""

    model_config = ConfigDict(frozen=True)

    type: str = ""
    category: str = ""
    service_key: str = ""
    department: str = ""
    urgency: str = ""
    town: str = ""
    place: str = ""
    when: str = ""
    happened: str = ""


class AssistAnswer(BaseModel):
    passages: list[Passage] = Field(default_factory=list)
    fields: FieldsSaid = FieldsSaid()


class AssistKnowledge(Protocol):
    """The catalogue and the readers of places, times and matters, wherever they are loaded."""

    async def look(self, text: str, aspect: Aspect | None = None, limit: int = 3) -> AssistAnswer:
        """Passages for ``text``, best first, and the fields it tells. Raises ActionsDownError."""
        ...


class EngineSlots(Protocol):
    """What the dialogue engine knows of a conversation."""

    async def slots(self, conversation_id: str) -> dict[str, Any]:
        """Raises DialogueDownError."""
        ...

    async def set_slots(self, conversation_id: str, values: dict[str, Any]) -> None:
        """Raises DialogueDownError."""
        ...
