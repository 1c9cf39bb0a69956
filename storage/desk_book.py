"""The desk's steps, each on the rows of one transaction (storage.desk_rows).

One place for what belongs together: a conversation in ``queued`` has an entry that waits, one in
``agent`` an entry that is served; who leaves without having been served leaves a task to call back.
Both stores run this same book, so they cannot differ.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from hotline.conversation import ConversationState, Trigger
from hotline.desk import (
    CALLBACK_OPEN,
    OPEN,
    RUNG,
    USUAL_HANDLING_S,
    WAITS,
    AgentMessage,
    AgentProfile,
    AgentRecord,
    AgentState,
    AgentTrigger,
    Callback,
    CallbackReason,
    CallbackState,
    CallbackTrigger,
    DeskChange,
    DeskEvent,
    DeskEventType,
    Handoff,
    HandoffReason,
    NotSignedInError,
    NotYoursError,
    Offer,
    OfferEndedError,
    OfferState,
    OfferTrigger,
    QueueEntry,
    QueuePlace,
    QueueState,
    QueueTrigger,
    TakenError,
    TooManyConversationsError,
    estimate_wait_s,
    next_agent_state,
    next_callback_state,
    next_offer_state,
    next_queue_state,
    rank_at,
)
from hotline.desk_ports import Contact
from hotline.errors import IllegalTransitionError, NotFoundError
from hotline.events import ConversationEvent, EventType
from hotline.messages import Channel
from storage import rules
from storage.desk_rows import Rows
from storage.ports import ConversationRecord

_MEASURED = 50
_ENDS = {
    Trigger.HANDOFF_CANCELLED: QueueTrigger.CANCELLED,
    Trigger.AGENT_ACCEPTED: QueueTrigger.ACCEPTED,
    Trigger.AGENT_REPLACED: QueueTrigger.REPLACED,
    Trigger.AGENT_RETURNED: QueueTrigger.FINISHED,
    Trigger.REQUEUED: QueueTrigger.REQUEUED,
}
_HANDLING = {
    Trigger.AGENT_ACCEPTED: "took",
    Trigger.AGENT_REPLACED: "replaced",
    Trigger.AGENT_RETURNED: "returned",
    Trigger.REQUEUED: "requeued",
    Trigger.CLOSED: "closed",
}
_ON_DUTY = (AgentState.READY, AgentState.RINGING, AgentState.BUSY, AgentState.AFTER_CALL)


class DeskBook:
    """One transaction at the desk, at the moment ``at``. ``told`` collects what the desk hears."""

    def __init__(self, rows: Rows, at: datetime, max_conversations: int = 3) -> None:
        self._rows = rows
        self._at = rules.as_utc(at)
        self._max = max_conversations
        self._drafts: list[DeskEvent] = []
        self._callback: Callback | None = None

    # ------------------------------------------------------------ what conversations do

    def follow(
        self,
        after: ConversationRecord,
        trigger: Trigger | None,
        handoff: Handoff | None = None,
        agent: str | None = None,
        how: QueueTrigger | None = None,
        contact: Contact | None = None,
        note: str = "",
    ) -> QueueEntry | None:
        """Moves the entry of a conversation that moved by ``trigger``; ``how`` where several ways lead
        there. Who leaves without an answer leaves a task to be called back."""
        entry = self.open_entry(after.conversation_id)
        if trigger is None:
            return entry
        if trigger is Trigger.HANDOFF_REQUESTED:
            return self._wanted(after, entry, handoff or Handoff())
        if entry is None:
            return None
        if trigger is Trigger.CLOSED:
            step = QueueTrigger.FINISHED if entry.state is QueueState.SERVING else QueueTrigger.CANCELLED
        else:
            step = how or _ENDS[trigger]
        moved = self._move(entry, step, agent)
        if reason := self._to_be_called(entry, step):
            self._callback = self._to_call(after, reason, contact or Contact(), note)
        return moved

    def taken_since(self, conversation_id: str, at: datetime) -> bool:
        """Whether an agent came in at ``at`` or later, even one who has left again."""
        newest = self._rows.find(QueueEntry, order="queued_at", newest=True, limit=2, conversation_id=conversation_id)
        return any(entry.served_at is not None and entry.served_at >= at for entry in newest)

    def place(self, record: ConversationRecord) -> QueuePlace | None:
        """Where a waiting conversation stands."""
        if record.state is not ConversationState.QUEUED:
            return None
        waiting = self._rows.find(QueueEntry, order="rank_at", state=WAITS)
        return next((p for e, p in self._places(waiting) if e.conversation_id == record.conversation_id), None)

    def place_told(self, record: ConversationRecord) -> QueuePlace | None:
        """As :meth:`place`, remembered as told: it is told again when it changes."""
        place, entry = self.place(record), self.open_entry(record.conversation_id)
        if place is not None and entry is not None:
            self._rows.put(entry.model_copy(update={"position_told": place.position}))
        return place

    def told(self) -> list[DeskEvent]:
        """Numbers and writes what was told; call once, last: the numbers lock out other writers."""
        if not self._drafts:
            return []
        first = self._rows.next_seq(len(self._drafts))
        events = [draft.model_copy(update={"seq": first + n}) for n, draft in enumerate(self._drafts)]
        for event in events:
            self._rows.put(event)
        self._drafts = []
        return events

    # ------------------------------------------------------------ the queue

    def queue(self) -> list[QueueEntry]:
        return self._rows.find(QueueEntry, order="rank_at", state=OPEN)

    def open_entry(self, conversation_id: str) -> QueueEntry | None:
        return next(iter(self._rows.find(QueueEntry, conversation_id=conversation_id, state=OPEN)), None)

    def accept(self, conversation_id: str, agent: str, replacing: bool = False) -> DeskChange:
        before = self._rows.conversation(conversation_id)
        entry = self.open_entry(conversation_id)
        if entry is None:
            raise IllegalTransitionError(before.state.value, Trigger.AGENT_ACCEPTED.value)
        if entry.state is QueueState.SERVING and entry.agent == agent:
            return DeskChange(entry=entry, repeated=True)
        if entry.state is QueueState.SERVING and not replacing:
            raise TakenError
        known = self._agent(agent)
        if known.state is AgentState.OFFLINE:
            raise NotSignedInError
        self._check_room(agent, entry.channel)
        trigger = Trigger.AGENT_REPLACED if entry.state is QueueState.SERVING else Trigger.AGENT_ACCEPTED
        known = self._move_agent(known, AgentTrigger.TOOK)
        change = self._step(before, trigger, agent)
        for offer in self._rows.find(Offer, agent=agent, state=(OfferState.OPEN,)):
            self._end_offer(offer, OfferTrigger.WITHDRAW, ring=False)  # another one rang meanwhile
        return change.model_copy(update={"agent": known, "desk": self.told()})

    def release(
        self, conversation_id: str, agent: str, trigger: Trigger, note: dict[str, Any] | None = None
    ) -> DeskChange:
        if note:
            rules.require_masked(note, "agent_note")
        before = self._rows.conversation(conversation_id)
        entry = self.open_entry(conversation_id)
        if entry is None or entry.state is not QueueState.SERVING or entry.agent != agent:
            raise NotYoursError
        told = [self._event(before, EventType.AGENT_NOTE, note)] if note else []
        change = self._step(before, trigger, agent, told)
        return change.model_copy(update={"agent": self._agent(agent), "desk": self.told()})

    def leave(
        self, conversation_id: str, how: QueueTrigger, contact: Contact | None = None, note: str = ""
    ) -> DeskChange:
        rules.require_masked(note, "callback.note")
        before = self._rows.conversation(conversation_id)
        entry = self.open_entry(conversation_id)
        if entry is None:
            raise IllegalTransitionError(before.state.value, how.value)
        served = entry.state is QueueState.SERVING
        trigger = Trigger.AGENT_RETURNED if served else Trigger.HANDOFF_CANCELLED
        change = self._step(before, trigger, entry.agent if served else None, how=how, contact=contact, note=note)
        return change.model_copy(update={"callback": self._callback, "desk": self.told()})

    def tell_positions(self) -> DeskChange:
        events: list[ConversationEvent] = []
        for entry, place in self._places(self._rows.find(QueueEntry, order="rank_at", state=WAITS)):
            if entry.position_told == place.position:
                continue
            before = self._rows.conversation(entry.conversation_id)
            events += self._rows.leave(
                before, before, [self._event(before, EventType.QUEUE, place.model_dump())]
            ).events
            self._rows.put(entry.model_copy(update={"position_told": place.position}))
        return DeskChange(events=events)

    # ------------------------------------------------------------ offers

    def offer(self, conversation_id: str, agent: str, expires_at: datetime, assigned_by: str | None) -> DeskChange:
        before = self._rows.conversation(conversation_id)
        entry = self.open_entry(conversation_id)
        if entry is None:
            raise IllegalTransitionError(before.state.value, QueueTrigger.OFFERED.value)
        self._check_room(agent, entry.channel)
        known = self._move_agent(self._agent(agent), AgentTrigger.RANG)
        entry = self._move(entry, QueueTrigger.OFFERED, agent)
        offer = Offer(
            offer_id=uuid.uuid4().hex,
            entry_id=entry.entry_id,
            conversation_id=conversation_id,
            agent=agent,
            offered_at=self._at,
            expires_at=rules.as_utc(expires_at),
            assigned_by=assigned_by,
        )
        self._rows.put(offer)
        self._tell_offer(offer)
        return DeskChange(entry=entry, offer=offer, agent=known, desk=self.told())

    def end_offer(self, offer_id: str, trigger: OfferTrigger, agent: str) -> DeskChange:
        offer = next(iter(self._rows.find(Offer, offer_id=offer_id)), None)
        if offer is None:
            raise NotFoundError
        if offer.agent != agent:
            raise NotYoursError
        self._rows.conversation(offer.conversation_id)
        offer = self._rows.find(Offer, offer_id=offer_id)[0]  # as it is now that the conversation is locked
        if trigger is OfferTrigger.ACCEPT and offer.state is OfferState.ACCEPTED:
            return DeskChange(offer=offer, entry=self.open_entry(offer.conversation_id), repeated=True)
        if offer.state is not OfferState.OPEN:
            raise OfferEndedError
        if trigger is OfferTrigger.ACCEPT:
            change = self.accept(offer.conversation_id, agent)
            return change.model_copy(update={"offer": self._rows.find(Offer, offer_id=offer_id)[0]})
        offer = self._end_offer(offer, trigger)
        entry = self.open_entry(offer.conversation_id)
        if entry is not None and entry.state is QueueState.OFFERED:
            entry = self._move(entry, QueueTrigger.OFFER_LAPSED)
        return DeskChange(offer=offer, entry=entry, agent=self._agent(agent), desk=self.told())

    def offers(self, entry_id: str | None) -> list[Offer]:
        if entry_id is None:
            return self._rows.find(Offer, order="offered_at", state=(OfferState.OPEN,))
        return self._rows.find(Offer, order="offered_at", entry_id=entry_id)

    # ------------------------------------------------------------ agents

    def agents(self) -> list[AgentRecord]:
        return self._rows.find(AgentRecord, order="username")

    def sign_in(self, profile: AgentProfile) -> DeskChange:
        known = next(iter(self._rows.find(AgentRecord, username=profile.username)), None)
        state, since = AgentState.OFFLINE, {"since": self._at, "idle_since": self._at}
        if known is not None:
            state, since = known.state, {"since": known.since, "idle_since": known.idle_since}
        record = AgentRecord(**profile.model_dump(include=set(AgentProfile.model_fields)), state=state, **since)
        if state is AgentState.OFFLINE:
            record = self._move_agent(record, AgentTrigger.SIGNED_IN)
        else:
            self._rows.put(record)
        return DeskChange(agent=record, desk=self.told())

    def move_agent(self, username: str, trigger: AgentTrigger) -> DeskChange:
        known = self._agent(username)
        events: list[ConversationEvent] = []
        if trigger is AgentTrigger.LOST:
            next_agent_state(known.state, trigger)  # refused before anything is touched
            for entry in self._rows.find(QueueEntry, order="rank_at", agent=username, state=(QueueState.SERVING,)):
                before = self._rows.conversation(entry.conversation_id)
                events += self._step(before, Trigger.REQUEUED, username, keep_agent=True).events
            for offer in self._rows.find(Offer, agent=username, state=(OfferState.OPEN,)):
                self._rows.conversation(offer.conversation_id)
                self._end_offer(offer, OfferTrigger.WITHDRAW, ring=False)
        known = self._move_agent(known, trigger)
        return DeskChange(agent=known, events=events, desk=self.told())

    # ------------------------------------------------------------ call-backs

    def callbacks(self, states: Sequence[CallbackState]) -> list[Callback]:
        return self._rows.find(Callback, order="created_at", state=tuple(states))

    def callback(self, callback_id: str) -> Callback:
        found = self._rows.find(Callback, callback_id=callback_id)
        if not found:
            raise NotFoundError
        return found[0]

    def add_callback(self, conversation_id: str, reason: CallbackReason, contact: Contact, note: str) -> DeskChange:
        rules.require_masked(note, "callback.note")
        callback = self._to_call(self._rows.conversation(conversation_id), reason, contact, note)
        return DeskChange(callback=callback, desk=self.told())

    def move_callback(self, callback_id: str, trigger: CallbackTrigger, agent: str, note: str) -> DeskChange:
        rules.require_masked(note, "callback.note")
        known = self.callback(callback_id)
        self._rows.conversation(known.conversation_id)
        known = self.callback(callback_id)
        state = next_callback_state(known.state, trigger)
        if known.agent not in (None, agent):
            raise NotYoursError
        tried = trigger in (CallbackTrigger.NO_ANSWER, CallbackTrigger.REACHED, CallbackTrigger.GIVE_UP)
        known = known.model_copy(
            update={
                "state": state,
                "agent": None if state.value == "open" else agent,
                "attempts": known.attempts + tried,
                "note": note or known.note,
                "updated_at": self._at,
            }
        )
        self._rows.put(known)
        self._tell_callback(known)
        return DeskChange(callback=known, desk=self.told())

    # ------------------------------------------------------------ messages

    def send(
        self, conversation_id: str, agent: str, name: str, text: str, client_message_id: str, read_out: bool = False
    ) -> DeskChange:
        rules.require_masked(text, "agent_message", own_words=False)
        before = self._rows.conversation(conversation_id)
        same = self._rows.find(AgentMessage, conversation_id=conversation_id, client_message_id=client_message_id)
        if same and same[0].agent != agent:
            raise NotYoursError
        if same:
            return DeskChange(message=same[0], repeated=True)
        entry = self.open_entry(conversation_id)
        if entry is None or entry.state is not QueueState.SERVING or entry.agent != agent:
            raise NotYoursError
        message_id = uuid.uuid4().hex
        data = {"text": text, "agent": name, "message_id": message_id} | ({"read_out": True} if read_out else {})
        change = self._rows.leave(before, self._touched(before), [self._event(before, EventType.AGENT_MESSAGE, data)])
        message = AgentMessage(
            message_id=message_id,
            conversation_id=conversation_id,
            client_message_id=client_message_id,
            agent=agent,
            at=self._at,
            seq=change.events[0].seq,
        )
        self._rows.put(message)
        return DeskChange(events=change.events, message=message)

    def note_event(self, event: DeskEvent) -> DeskEvent:
        rules.require_masked(event.data, "desk_event")
        self._drafts.append(event)
        return self.told()[-1]

    # ------------------------------------------------------------ inside

    def _wanted(self, record: ConversationRecord, entry: QueueEntry | None, handoff: Handoff) -> QueueEntry:
        if entry is None:
            entry = QueueEntry(
                entry_id=uuid.uuid4().hex,
                conversation_id=record.conversation_id,
                channel=record.channel,
                reason=handoff.reason,
                urgency=handoff.urgency,
                **handoff.needs.model_dump(),
                queued_at=self._at,
                rank_at=rank_at(self._at, handoff.urgency),
            )
        else:
            rank = rank_at(entry.queued_at, handoff.urgency)
            if rank >= entry.rank_at:
                return entry
            entry = entry.model_copy(update={"urgency": handoff.urgency, "reason": handoff.reason, "rank_at": rank})
        self._rows.put(entry)
        self._tell_entry(entry)
        return entry

    def _move(self, entry: QueueEntry, step: QueueTrigger, agent: str | None = None) -> QueueEntry:
        """The entry after ``step``, with what hangs on it: offers, the agent who had it."""
        state = next_queue_state(entry.state, step)
        update: dict[str, Any] = {
            "state": state,
            "agent": agent if state in (QueueState.SERVING, QueueState.OFFERED) else None,
        }
        if step is QueueTrigger.ACCEPTED:
            update["served_at"] = self._at
        elif step is QueueTrigger.REQUEUED:
            update |= {"served_at": None, "reason": HandoffReason.REQUEUED, "position_told": None}
        if state not in OPEN:
            update |= {"ended_at": self._at, "agent": entry.agent if entry.state is QueueState.SERVING else None}
        moved = entry.model_copy(update=update)
        self._rows.put(moved)
        if step is not QueueTrigger.OFFER_LAPSED and entry.state is QueueState.OFFERED:
            for offer in self._rows.find(Offer, entry_id=entry.entry_id, state=(OfferState.OPEN,)):
                mine = step is QueueTrigger.ACCEPTED and offer.agent == agent
                self._end_offer(offer, OfferTrigger.ACCEPT if mine else OfferTrigger.WITHDRAW, ring=not mine)
        self._tell_entry(moved)
        return moved

    def _step(
        self,
        before: ConversationRecord,
        trigger: Trigger,
        agent: str | None,
        told: Iterable[ConversationEvent] = (),
        how: QueueTrigger | None = None,
        contact: Contact | None = None,
        note: str = "",
        keep_agent: bool = False,
    ) -> DeskChange:
        """Conversation and entry by one trigger, their events, and the agent who is free again."""
        had = self.open_entry(before.conversation_id)
        after = rules.moved(before, trigger, self._at)
        entry = self.follow(after, trigger, agent=agent, how=how, contact=contact, note=note)
        events = list(told)
        if what := _HANDLING.get(trigger):
            name = self._agent(agent).display_name if agent else ""
            events.append(self._event(before, EventType.HANDLING, {"agent": name or agent, "what": what}))
        events += rules.state_events(before, after, self.place_told(after), None)
        change = self._rows.leave(before, after, events)
        if had is not None and had.state is QueueState.SERVING and had.agent and not keep_agent:
            freed = trigger is not Trigger.AGENT_REPLACED or had.agent != agent
            if freed and not self._rows.find(QueueEntry, agent=had.agent, state=(QueueState.SERVING,)):
                self._move_agent(self._agent(had.agent), AgentTrigger.FINISHED)
        if trigger is Trigger.AGENT_ACCEPTED:
            for callback in self._rows.find(Callback, conversation_id=before.conversation_id, state=CALLBACK_OPEN):
                reached = {"state": next_callback_state(callback.state, CallbackTrigger.REACHED), "agent": agent}
                callback = callback.model_copy(update={**reached, "updated_at": self._at})
                self._rows.put(callback)
                self._tell_callback(callback)
        return DeskChange(events=change.events, entry=entry)

    def _end_offer(self, offer: Offer, trigger: OfferTrigger, ring: bool = True) -> Offer:
        offer = offer.model_copy(update={"state": next_offer_state(offer.state, trigger), "ended_at": self._at})
        self._rows.put(offer)
        self._tell_offer(offer)
        if ring:
            known = self._agent(offer.agent)
            if known.state is AgentState.RINGING:
                self._move_agent(known, RUNG[trigger])
        elif trigger is OfferTrigger.WITHDRAW:
            entry = self.open_entry(offer.conversation_id)
            if entry is not None and entry.state is QueueState.OFFERED and entry.agent == offer.agent:
                self._move(entry, QueueTrigger.OFFER_LAPSED)
        return offer

    def _check_room(self, agent: str, channel: Channel) -> None:
        serving = self._rows.find(QueueEntry, agent=agent, state=(QueueState.SERVING,))
        on_call = channel is Channel.VOICE and any(e.channel is Channel.VOICE for e in serving)
        if len(serving) >= self._max or on_call:
            raise TooManyConversationsError

    def _agent(self, username: str) -> AgentRecord:
        found = self._rows.find(AgentRecord, username=username)
        if not found:
            raise NotSignedInError
        return found[0]

    def _move_agent(self, known: AgentRecord, trigger: AgentTrigger) -> AgentRecord:
        state = next_agent_state(known.state, trigger)
        update: dict[str, Any] = {"state": state}
        if state is not known.state:
            update["since"] = self._at
        # Who declines goes to the end of the line; who was rung in vain keeps the place.
        if trigger in (AgentTrigger.FINISHED, AgentTrigger.DECLINED, AgentTrigger.SIGNED_IN):
            update["idle_since"] = self._at
        known = known.model_copy(update=update)
        self._rows.put(known)
        data = known.model_dump(mode="json", include={"username", "display_name", "state", "since"})
        self._tell(DeskEventType.AGENT, data, agent=known.username)
        return known

    @staticmethod
    def _to_be_called(entry: QueueEntry, step: QueueTrigger) -> CallbackReason | None:
        if step is QueueTrigger.CALL_BACK_CHOSEN:
            return CallbackReason.ASKED
        if step is QueueTrigger.DROPPED:
            return CallbackReason.CUT_OFF if entry.state is QueueState.SERVING else CallbackReason.DROPPED
        return None

    def _to_call(self, record: ConversationRecord, reason: CallbackReason, contact: Contact, note: str) -> Callback:
        open_ = self._rows.find(Callback, conversation_id=record.conversation_id, state=CALLBACK_OPEN)
        if open_:
            callback = open_[0].model_copy(
                update={
                    "contact": contact.sealed or open_[0].contact,
                    "contact_shown": contact.shown or open_[0].contact_shown,
                    "note": note or open_[0].note,
                    "updated_at": self._at,
                }
            )
        else:
            callback = Callback(
                callback_id=uuid.uuid4().hex,
                conversation_id=record.conversation_id,
                channel=record.channel,
                reason=reason,
                contact=contact.sealed or record.contact,
                contact_shown=contact.shown or record.contact_shown,
                created_at=self._at,
                updated_at=self._at,
                note=note,
            )
        self._rows.put(callback)
        self._tell_callback(callback)
        return callback

    def _places(self, waiting: list[QueueEntry]) -> list[tuple[QueueEntry, QueuePlace]]:
        """Waiting entries with their places, in order."""
        if not waiting:
            return []
        on_duty = len(self._rows.find(AgentRecord, state=_ON_DUTY))
        done = self._rows.find(QueueEntry, order="ended_at", limit=_MEASURED, newest=True, state=(QueueState.DONE,))
        took = [(e.ended_at - e.served_at).total_seconds() for e in done if e.ended_at and e.served_at]
        mean = sum(took) / len(took) if len(took) >= 5 else USUAL_HANDLING_S
        return [
            (entry, QueuePlace(position=n, estimate_s=estimate_wait_s(n, on_duty, mean)))
            for n, entry in enumerate(waiting, start=1)
        ]

    def _touched(self, record: ConversationRecord) -> ConversationRecord:
        return record.model_copy(update={"updated_at": max(record.updated_at, self._at)})

    def _event(self, record: ConversationRecord, kind: EventType, data: dict[str, Any]) -> ConversationEvent:
        return ConversationEvent(
            conversation_id=record.conversation_id, turn_id=None, type=kind, at=self._at, data=data
        )

    def _tell(self, kind: DeskEventType, data: dict[str, Any], **about: str | None) -> None:
        self._drafts.append(DeskEvent(type=kind, at=self._at, data=data, **about))

    def _tell_entry(self, entry: QueueEntry) -> None:
        data = _shown(entry, "position_told")
        self._tell(DeskEventType.QUEUE, data, conversation_id=entry.conversation_id, agent=entry.agent)

    def _tell_offer(self, offer: Offer) -> None:
        self._tell(DeskEventType.OFFER, _shown(offer), conversation_id=offer.conversation_id, agent=offer.agent)

    def _tell_callback(self, callback: Callback) -> None:
        data = _shown(callback, "contact", "note")
        self._tell(DeskEventType.CALLBACK, data, conversation_id=callback.conversation_id, agent=callback.agent)


def _shown(row: BaseModel, *hidden: str) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude=set(hidden))
