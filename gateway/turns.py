"""One turn, from a citizen's words to stored replies. Chat and calls share it.

recorded (masked) → danger? → who has the floor → dialogue engine → recorded → returned.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from desk.handoff import HandoffRules, Heard
from gateway.desk_link import DeskLink, NoDesk
from gateway.emergencies import Emergency, EmergencyWatch
from gateway.feed import EventFeed
from gateway.replies import Sentences
from hotline.citizen_text import clean_text
from hotline.conversation import BOT_ANSWERS, ConversationState, Trigger
from hotline.desk import Handoff, HandoffReason, Needs, QueueTrigger
from hotline.errors import IllegalTransitionError, PartDownError
from hotline.events import ConversationEvent, EventType
from hotline.messages import Channel, CitizenMessage, Reply, Understanding
from hotline.ports import DialogueAnswer, DialogueEngine, SpeechChange
from hotline.privacy import CONTACT_PLACEHOLDER, PROOF_PLACEHOLDER, mask_text
from hotline.work_orders import Urgency
from storage.ports import ConversationRecord, Store, StoredTurn, TurnOutcome

logger = logging.getLogger(__name__)

# Asking for a person works even while the dialogue engine is down.
_WANTS_PERSON = re.compile(
    r"转人工|轉人工|人工(客服|服务|坐席)?$|真人|找(个|個)?人|接线员|接線員|揾(个|個)?人|搵(个|個)?人"
)
# Answers of which not a word is kept: proofs of identity, and names with the number to call.
_HIDDEN = {"identity_proof": PROOF_PLACEHOLDER, "contact": CONTACT_PLACEHOLDER}
_FIGURES = str.maketrans("零〇洞一幺二两三四五六七八九０１２３４５６７８９Ｘｘ", "00011223456789" + "0123456789" + "XX")
_CODE = re.compile(r"(?<!\d)\d{6,8}(?!\d)|[0-9A-Z]{31}\d{12}")
_LAST_FOUR = re.compile(r"(?<![\dA-Za-z])\d{3}[\dXx](?!\d)")
_NAMED = re.compile(r"\d[，,、。 ]*[\u4e00-\u9fff]{2,4}(?:[，,。 ]|$)|(?:叫|姓名|申请人|我是)")
_WISH = 16  # characters of a sentence that is a wish for a person and nothing else
_RATES = re.compile("满意|[分星評评]")  # may be a rating: the store is asked what was said of corrections
_CALL_ME = re.compile(
    r"(?:给我|俾我|畀我|请|帮我|叫人|安排)?(?:回(?:个|個)?(?:电话?|電話?|拨|撥)|打(?:返|回)(?:电话|電話)?(?:给我|俾我|畀我)|覆(?:我|電|电))|不(?:想)?等了?.{0,6}(?:打|回)(?:给我|电)"
)
# 「你是真人吗」 asks what answers; 「我要的是真人」 is a wish.
_ASKS_WHAT_ANSWERS = re.compile(
    r"^(?!.*[要想找搵揾转轉换換]).*(?:(?:是|系|係|咪)(?:不是)?(?:一?[个個])?真人|真人(?:还是|還是|定))"
)
_WANTS_NO_PERSON = re.compile(r"(不用|不要|不想|别|唔使|唔好|唔要)(再)?[转轉]?(接)?人工")
# Said by somebody who waits: also without the word for a person (「不用转了，继续登记」, not 「不用转账」).
_WAITS_NO_LONGER = re.compile(
    r"(不用|不必|不要|不想|无需|別|别|唔使|唔好|唔要)(再|帮我|同我|幫我)*[转轉接]"
    r"(接|去|过去|過去)?(人工|真人|了|啦|喇|嘞|[，,。；;！!\s]|$)"
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class TurnResult:
    """What a turn came to. ``expects``: what the line waits for next (``identity_proof`` …).
    ``speech_change``: how a caller wants to be spoken to from now on."""

    turn_id: str
    state: ConversationState
    replies: list[Reply]
    understanding: Understanding
    expects: str | None
    speech_change: SpeechChange | None = None


@dataclass(frozen=True)
class OwnAnswer:
    """An answer of the gateway's own to words the engine need not see: 「再说一遍」 on a call."""

    reply: Reply
    intent: str


class TurnService:
    """Takes a citizen's words through a turn. See the module for the order of things."""

    def __init__(
        self,
        *,
        store: Store,
        engine: DialogueEngine,
        feed: EventFeed,
        emergencies: EmergencyWatch,
        sentences: Sentences,
        session_turns: int,
        rules: HandoffRules | None = None,
        desk: DeskLink | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._store = store
        self._engine = engine
        self._feed = feed
        self._emergencies = emergencies
        self._sentences = sentences
        self._session_turns = session_turns
        self._rules = rules or HandoffRules()
        self._desk = desk or NoDesk()
        self._now = now
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._renewals: set[asyncio.Task[None]] = set()

    async def take(
        self,
        conversation: ConversationRecord,
        raw_text: object,
        channel: Channel,
        confidence: float = 1.0,
        client_message_id: str | None = None,
        wish: HandoffReason | None = None,
        own: OwnAnswer | None = None,
    ) -> TurnResult:
        """One turn of ``conversation``; turns of one conversation run one after the other. ``wish``: a
        person is wanted, whatever the engine makes of the words.

        ``own`` is the answer where the engine is not to be asked; what it waits for stays open.
        Danger and an agent who has the floor come before it.

        Raises:
            BadInputError: the text cannot be taken (nothing is recorded).
            ConversationClosedError: it has ended.
            StorageDownError: nothing can be recorded, so nothing is answered.
        """
        text = clean_text(raw_text)
        lock = self._locks.setdefault(conversation.conversation_id, asyncio.Lock())
        async with lock:
            return await self._take(
                conversation.conversation_id, text, channel, confidence, client_message_id, wish, own
            )

    async def hand_off(
        self, conversation: ConversationRecord, channel: Channel, reason: HandoffReason = HandoffReason.KEY
    ) -> TurnResult:
        """A person is wanted, said by key or button rather than in words."""
        return await self.take(conversation, "转人工", channel, wish=reason)

    async def close(self) -> None:
        for task in list(self._renewals):
            task.cancel()
        await asyncio.gather(*self._renewals, return_exceptions=True)

    async def _take(
        self,
        conversation_id: str,
        text: str,
        channel: Channel,
        confidence: float,
        client_message_id: str | None,
        wish: HandoffReason | None,
        own: OwnAnswer | None,
    ) -> TurnResult:
        record = await self._store.get_conversation(conversation_id)
        message = CitizenMessage(
            conversation_id=conversation_id,
            turn_id=uuid.uuid4().hex,
            channel=channel,
            text=_allowed(text, record.issued_payloads),
            confidence=confidence,
            client_message_id=client_message_id,
        )
        begun = await self._store.begin_turn(message, _kept_text(text, record), self._now())
        if begun.duplicate is not None and begun.duplicate.answered:
            return _stored_result(begun.duplicate, begun.conversation)
        if begun.duplicate is not None:
            # Recorded before a crash and never answered: the answer is made now, once.
            message = message.model_copy(update={"turn_id": begun.duplicate.turn_id})
        self._feed.publish(begun.events)
        if wish is None and _says_person(message.text):
            wish = HandoffReason.WORD
        outcome = await self._answer(message, begun.conversation, wish, own)
        if outcome.trigger is Trigger.HANDOFF_REQUESTED:
            outcome = await self._with_needs(message, outcome)
        return await self._finish(message, outcome, begun.conversation)

    async def _answer(
        self, message: CitizenMessage, record: ConversationRecord, wish: HandoffReason | None, own: OwnAnswer | None
    ) -> TurnOutcome:
        if emergency := self._emergencies.look(message.text):
            if record.state is ConversationState.AGENT:
                await self._desk.alert(record.conversation_id, emergency.kind, emergency.reply.text)
            return self._danger(emergency, record)
        if record.state not in BOT_ANSWERS:
            return TurnOutcome(**_still_open(record))  # an agent has the floor
        if own is not None:
            understanding = Understanding(intent=own.intent, confidence=1.0)
            return TurnOutcome(replies=[_masked(own.reply)], understanding=understanding, **_still_open(record))
        if record.state is ConversationState.QUEUED and record.contact and _CALL_ME.search(message.text):
            return self._call_back(record)
        if _RATES.search(message.text) and await self._store.events_of(
            record.conversation_id, EventType.RECALL_CONSENT
        ):
            message = message.model_copy(update={"recall_answered": True})
        try:
            answer = await self._engine.answer(message, record.state.value)
        except PartDownError as error:
            return self._part_down(message, record, error, wish)
        if answer.rating is not None:
            # Before the thanks for it: what cannot be kept is not acknowledged.
            change = await self._store.rate(record.conversation_id, answer.rating, "", self._now())
            self._feed.publish(change.events)
        return self._by_rule(message, record, self._outcome(message, answer, record, wish), answer)

    def _danger(self, emergency: Emergency, record: ConversationRecord) -> TurnOutcome:
        understanding = Understanding(intent=f"emergency_{emergency.kind}", confidence=1.0)
        trigger = Trigger.HANDOFF_REQUESTED if record.state in BOT_ANSWERS else None
        return TurnOutcome(
            replies=[emergency.reply],
            understanding=understanding,
            trigger=trigger,
            handoff=Handoff(reason=HandoffReason.CRISIS, urgency=Urgency.EMERGENCY),
            danger=True,
            **_still_open(record),
        )

    def _call_back(self, record: ConversationRecord) -> TurnOutcome:
        """The caller's own number is known, so nothing is asked: the place is given up for a call."""
        return TurnOutcome(
            replies=[self._sentences.call_back(record.contact_shown)],
            understanding=Understanding(intent="call_back", confidence=1.0),
            trigger=Trigger.HANDOFF_CANCELLED,
            leaving=QueueTrigger.CALL_BACK_CHOSEN,
            **_still_open(record),
        )

    def _by_rule(
        self, message: CitizenMessage, record: ConversationRecord, outcome: TurnOutcome, answer: DialogueAnswer
    ) -> TurnOutcome:
        """``outcome`` with the handoff that a rule brings, where nobody asked for one."""
        understood = answer.understanding
        heard = Heard(
            text=message.text,
            channel=message.channel,
            confidence=message.confidence,
            intent=understood.intent,
            sure=understood.confidence,
            in_flow=bool(record.flow or answer.flow),
            answered=bool(understood.item_key or understood.candidates),
            urgent=answer.urgent,
        )
        brought = self._rules.look(record.conversation_id, heard)
        if brought is None or outcome.trigger is Trigger.HANDOFF_CANCELLED:
            return outcome
        if outcome.trigger is Trigger.HANDOFF_REQUESTED:  # asked for as well: the graver reason counts
            return outcome.model_copy(update={"handoff": brought}) if answer.urgent else outcome
        if record.state is ConversationState.QUEUED and not answer.urgent:
            return outcome  # waits already
        told = self._sentences.handoff_by_rule(brought.reason)
        # What was not understood needs no second sentence that offers the person who is now coming.
        replies = [told] if brought.reason is HandoffReason.MISUNDERSTOOD else [*outcome.replies, told]
        payloads = [b.payload for r in replies for b in r.buttons]
        update = {"replies": replies, "trigger": Trigger.HANDOFF_REQUESTED, "handoff": brought}
        return outcome.model_copy(update={**update, "issued_payloads": payloads})

    async def _with_needs(self, message: CitizenMessage, outcome: TurnOutcome) -> TurnOutcome:
        """``outcome`` with what an agent should know for this caller, from the whole talk."""
        turns = await self._store.history(message.conversation_id)
        needs: Needs = self._desk.needs(turns, message.text, outcome.understanding)
        handoff = outcome.handoff or Handoff()
        return outcome.model_copy(update={"handoff": handoff.model_copy(update={"needs": needs})})

    def _part_down(
        self,
        message: CitizenMessage,
        record: ConversationRecord,
        error: PartDownError,
        wish: HandoffReason | None,
    ) -> TurnOutcome:
        wants_person = wish is not None or _names_person(message.text)
        reply = self._sentences.handoff() if wants_person else self._sentences.part_down(error)
        return TurnOutcome(
            replies=[reply],
            understanding=Understanding(intent="handoff" if wants_person else None),
            trigger=Trigger.HANDOFF_REQUESTED if wants_person else None,
            handoff=Handoff(reason=wish or HandoffReason.WORD) if wants_person else None,
            **_still_open(record),
            events=[self._part_down_event(message.conversation_id, message.turn_id, error.code)],
        )

    def _outcome(
        self, message: CitizenMessage, answer: DialogueAnswer, record: ConversationRecord, wish: HandoffReason | None
    ) -> TurnOutcome:
        trigger, leaving, note = None, None, ""
        replies = [_masked(reply) for reply in answer.replies]
        if answer.handoff or wish is not None:
            trigger = Trigger.HANDOFF_REQUESTED
            if not answer.handoff:  # the engine took the wish for something else: the wish counts
                replies = [self._sentences.handoff()]
        elif answer.call_back and record.state is ConversationState.QUEUED:
            trigger, leaving = Trigger.HANDOFF_CANCELLED, QueueTrigger.CALL_BACK_CHOSEN
            note = mask_text(f"机器人已登记回电，单号 {answer.call_back}")
        elif record.state is ConversationState.QUEUED and (
            # In the middle of a form the words are the form's answer too, so the engine names another intent.
            answer.handoff_cancelled or _WAITS_NO_LONGER.search(message.text)
        ):
            trigger = Trigger.HANDOFF_CANCELLED
        down = answer.part_down
        events = [self._part_down_event(record.conversation_id, None, down)] if down else []
        if answer.recall is not None:
            events.append(recall_consent(record.conversation_id, answer.recall, self._now()))
        return TurnOutcome(
            replies=replies,
            understanding=answer.understanding,
            trigger=trigger,
            handoff=Handoff(reason=wish or HandoffReason.WORD) if trigger is Trigger.HANDOFF_REQUESTED else None,
            leaving=leaving,
            leaving_note=note,
            expects=answer.expects,
            flow=answer.flow,
            speech_change=answer.speech_change,
            issued_payloads=[b.payload for r in replies for b in r.buttons],
            events=events,
        )

    async def _finish(self, message: CitizenMessage, outcome: TurnOutcome, before: ConversationRecord) -> TurnResult:
        try:
            change = await self._store.finish_turn(message.turn_id, outcome, self._now())
        except IllegalTransitionError:
            # The state changed while the bot was thinking; its words still count, its wish doesn't. (Where
            # an agent came in, the store keeps its words back too.)
            outcome = outcome.model_copy(update={"trigger": None, "handoff": None, "leaving": None})
            change = await self._store.finish_turn(message.turn_id, outcome, self._now())
        self._feed.publish(change.events)
        self._desk.told(change.desk)
        self._keep_engine_history_short(change.conversation)
        replies = change.turn.replies if change.turn is not None else outcome.replies
        if change.conversation.state is ConversationState.QUEUED and before.state is not ConversationState.QUEUED:
            logger.info("conversation %s queued", message.conversation_id)
        return TurnResult(
            turn_id=message.turn_id,
            state=change.conversation.state,
            replies=replies,
            understanding=outcome.understanding,
            expects=change.conversation.expects,
            speech_change=outcome.speech_change,
        )

    def _keep_engine_history_short(self, record: ConversationRecord) -> None:
        """The engine reads its whole session at every turn; long ones would slow every answer."""
        if record.flow or not record.turn_count or record.turn_count % self._session_turns:
            return
        task = asyncio.create_task(self._renew(record.conversation_id))
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    async def _renew(self, conversation_id: str) -> None:
        lock = self._locks.setdefault(conversation_id, asyncio.Lock())
        async with lock:
            try:
                await self._engine.renew_session(conversation_id)
            except PartDownError:
                logger.warning("the engine's session was not renewed; the next multiple of turns tries again")

    def _part_down_event(self, conversation_id: str, turn_id: str | None, code: str) -> ConversationEvent:
        return ConversationEvent(
            conversation_id=conversation_id,
            turn_id=turn_id,
            type=EventType.PART_DOWN,
            at=self._now(),
            data={"part": code.removesuffix("_down"), "code": code},
        )


def recall_consent(conversation_id: str, agreed: bool, at: datetime, **contact: str) -> ConversationEvent:
    """Yes or no to being told where an answer turns out wrong, as it stands in the trail."""
    return ConversationEvent(
        conversation_id=conversation_id,
        turn_id=None,
        type=EventType.RECALL_CONSENT,
        at=at,
        data={"agreed": agreed, **contact},
    )


def _says_person(text: str) -> bool:
    """Whether a sentence is a wish for a person and nothing else: it is heard in any state, also in the
    middle of a form."""
    return len(text) <= _WISH and _names_person(text)


def _names_person(text: str) -> bool:
    """Whether a person is asked for by a word, refusals and 「你是真人吗」 left out."""
    refused = _WANTS_NO_PERSON.search(text) or _ASKS_WHAT_ANSWERS.search(text)
    return bool(_WANTS_PERSON.search(text)) and not refused


def _still_open(record: ConversationRecord) -> dict[str, Any]:
    """What stays as it was where the engine was not asked: its question is still open, so the next
    words may still be proofs, and its buttons are still good."""
    return {"expects": record.expects, "flow": record.flow, "issued_payloads": record.issued_payloads}


def _allowed(text: str, issued_payloads: list[str]) -> str:
    """``text`` as the engine may see it.

    The engine takes a leading slash for a command that sets intents and slots. Only what the
    line itself offered as a button in its last reply passes; anybody's own slash becomes a word.
    """
    if not text.startswith(("/", "@")):
        return text
    return text if text in issued_payloads else "／" + text.lstrip("/@ ")


def _kept_text(text: str, record: ConversationRecord) -> str:
    if record.expects in _HIDDEN:
        return _HIDDEN[str(record.expects)]
    said = text.translate(_FIGURES)
    # Number, name and last four in one breath: a name cannot be told from other words, so nothing is kept.
    if _CODE.search(said) and (_LAST_FOUR.search(said) or (record.expects == "case_reference" and _NAMED.search(said))):
        return PROOF_PLACEHOLDER
    return mask_text(text)


def _masked(reply: Reply) -> Reply:
    """Replies are built from the hub's masked fields; this is the second look."""
    return reply.model_copy(
        update={
            "text": mask_text(reply.text, own_words=False),
            "speech_text": mask_text(reply.speech_text, own_words=False),
            "buttons": [b.model_copy(update={"title": mask_text(b.title, own_words=False)}) for b in reply.buttons],
            "card": _masked_values(reply.card),
        }
    )


def _masked_values(value: Any) -> Any:
    """A card with the texts in it masked; an unmasked one would be refused by the store, answer and all."""
    if isinstance(value, str):
        return mask_text(value, own_words=False)
    if isinstance(value, dict):
        return {name: _masked_values(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked_values(inner) for inner in value]
    return value


def _stored_result(turn: StoredTurn, record: ConversationRecord) -> TurnResult:
    return TurnResult(
        turn_id=turn.turn_id,
        state=turn.state or record.state,
        replies=turn.replies,
        understanding=turn.understanding or Understanding(),
        expects=record.expects,
    )
