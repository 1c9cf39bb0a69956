"""Counts one conversation from its trail: pure, so that counting again gives the same.

Called for every conversation of a year when demonstration traffic is loaded, hence plain tuples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from hotline.insights import (
    LOCAL,
    UNKNOWN,
    ConversationFacts,
    Counted,
    HandoffReason,
    Outcome,
    Said,
    ServicePlace,
    TrailConversation,
    TrailEvent,
    TurnFacts,
)
from insights.quality import check

FIRST_ANSWER_S = 15.0
LOW_CONFIDENCE = 0.5
LOW_RECOGNITION = 0.6
REPEAT_WITHIN = timedelta(hours=72)
CORRECTED_WITHIN_S = 120.0
"""A person asked for this soon after an answer means that the answer did not do."""

_REFUSED = frozenset({"nlu_fallback", "out_of_scope"})
_PERSON = frozenset({"handoff", "call_back"})
_SAYS_NOTHING = frozenset(
    "greet goodbye thank affirm deny repeat slower louder choose_language bot_challenge rate cancel cancel_handoff "
    "handoff choose_option none_of_them abuse_words".split()
)
_PLACEHOLDER = re.compile(r"［已隐去|^[／/@]")
_CITED = 500
_SHORTEST = 3  # characters of a text that can be about something
_SHORTEST_TOLD = 8  # of one given as an answer: shorter ones are places, times, yes and no


@dataclass
class Reader:
    """``places`` by service key; ``look`` reads a text (knowledge_base/said.py)."""

    places: Mapping[str, ServicePlace]
    look: Callable[[str], Said]

    def read(self, talk: TrailConversation) -> Counted:
        """The conversation counted; turns in the order they were taken."""
        tally = _Tally(talk)
        for event in talk.events:
            tally.hear(event)
        return tally.close(self)


@dataclass
class _Turn:
    turn_id: str
    at: datetime
    text: str
    confidence: float = 0.0
    intent: str | None = None
    item_key: str | None = None
    outcome: str = Outcome.SILENT.value
    answered_at: datetime | None = None
    gap: str | None = None
    cited: str | None = None


@dataclass
class _Tally:
    talk: TrailConversation
    turns: list[_Turn] = field(default_factory=list)
    m: dict[str, float] = field(default_factory=dict)
    state: str = "bot"
    since: datetime = field(init=False)
    last: datetime = field(init=False)
    asked_at: datetime | None = None
    queued_at: datetime | None = None
    reason: str | None = None
    agent: str | None = None
    rating: int | None = None
    agreed: bool = False
    part_down: bool = False
    towns: list[str] = field(default_factory=list)
    call_began: datetime | None = None

    def __post_init__(self) -> None:
        self.since = self.last = self.talk.started_at

    def add(self, name: str, value: float = 1.0) -> None:
        self.m[name] = self.m.get(name, 0.0) + value

    def hear(self, event: TrailEvent) -> None:
        data = event.data
        self.last = max(self.last, event.at)
        match event.type:
            case "citizen_message":
                self.turns.append(_Turn(event.turn_id or "", event.at, str(data.get("text", ""))))
                self.add("turns")
                self.asked_at = self.asked_at or event.at
            case "reply":
                self._reply(event)
            case "transcript":
                self._heard(data)
            case "state":
                self._moved(str(data.get("state")), event.at)
            case "agent_message":
                self.add("agent_messages")
            case "handling":
                self._handled(data)
            case "rating":
                self.rating = int(data.get("score", 0)) or self.rating
            case "recall_consent":
                self.agreed = bool(data.get("agreed"))
            case "call_started":
                self.call_began = event.at
                self.m["calls"] = 1.0
            case "call_ended":
                if self.state == "queued":
                    self._left_queue(event.at, "abandoned")
                self._phase(event.at)
                self.state = "closed"
            case "part_down":
                self.part_down = True
                self.m["parts_down"] = 1.0

    def _heard(self, data: Mapping[str, Any]) -> None:
        confidence = float(data.get("confidence", 1.0))
        self.add("recognised_turns")
        self.add("recognition_sum", confidence)
        if confidence < LOW_RECOGNITION:
            self.add("recognition_low")

    def _reply(self, event: TrailEvent) -> None:
        if "first_answers" not in self.m and (began := self.asked_at or self.call_began) is not None:
            # A call is taken at once and greets: what the caller waits for begins when he has spoken.
            waited = (event.at - began).total_seconds()
            self.m["first_answers"], self.m["first_answer_s"] = 1.0, waited
            self.m["first_answers_15s"] = 1.0 if waited <= FIRST_ANSWER_S else 0.0
        turn = next((t for t in reversed(self.turns) if t.turn_id == event.turn_id), None)
        if turn is None:
            return
        if turn.answered_at is not None:  # a turn of several replies is counted once; each cites its own
            turn.cited = _joined(turn.cited, _cited(event.data.get("sources") or ()))
            return
        turn.answered_at = event.at
        understanding = event.data.get("understanding") or {}
        turn.intent = understanding.get("intent")
        turn.item_key = understanding.get("item_key")
        turn.confidence = float(understanding.get("confidence") or 0.0)
        turn.cited = _cited(event.data.get("sources") or ())
        turn.outcome = outcome_of(understanding, event.data, self.part_down).value
        self.part_down = False
        self._count_turn(turn)

    def _count_turn(self, turn: _Turn) -> None:
        if turn.intent is not None:
            self.add("understood_turns")
            self.add("confidence_sum", turn.confidence)
            if turn.confidence < LOW_CONFIDENCE:
                self.add("low_confidence_turns")
        match turn.outcome:
            case Outcome.REFUSED.value:
                self.add("refused_turns")
                turn.gap = "refused"
            case Outcome.ASKED_BACK.value:
                self.add("asked_back_turns")
            case Outcome.ANSWERED.value:
                self.add("answered_turns")
                if turn.confidence < LOW_CONFIDENCE and turn.item_key:  # a known incident fits by its words
                    turn.gap = "low_confidence"
            case Outcome.EMERGENCY.value:
                self.m["emergencies"] = 1.0

    def _phase(self, at: datetime) -> None:
        name = {"bot": "bot_s", "queued": "queue_s", "agent": "agent_s"}.get(self.state)
        if name:
            self.add(name, max(0.0, (at - self.since).total_seconds()))
        self.since = at

    def _moved(self, state: str, at: datetime) -> None:
        if state == self.state:
            return
        self._phase(at)
        if state == "queued":
            self.queued_at = at
            self._why(at)
        elif self.state == "queued":
            self._left_queue(at, {"agent": "taken", "bot": "queue_cancelled"}.get(state, "abandoned"))
        self.state = state

    def _left_queue(self, at: datetime, how: str) -> None:
        waited = (at - self.queued_at).total_seconds() if self.queued_at else 0.0
        self.queued_at = None
        if how != "taken":
            self.m[how] = 1.0
            return
        if "agent_taken" not in self.m:
            self.m["agent_taken_15s"] = 1.0 if waited <= FIRST_ANSWER_S else 0.0
        self.m["agent_taken"] = 1.0
        self.m.pop("abandoned", None)
        self.m.pop("queue_cancelled", None)

    def _why(self, at: datetime) -> None:
        """The first reason counts: a conversation is handed over once, however often it queues."""
        if self.reason is not None:
            return
        turn = self.turns[-1] if self.turns else None
        reason = HandoffReason.OTHER
        if turn is not None:
            before = self.turns[-2] if len(self.turns) > 1 else None
            if turn.outcome == Outcome.EMERGENCY.value:
                reason = HandoffReason.EMERGENCY
            elif turn.outcome == Outcome.PART_DOWN.value:
                reason = HandoffReason.PART_DOWN
            elif turn.outcome == Outcome.REFUSED.value or (
                before is not None and before.outcome == Outcome.REFUSED.value
            ):
                reason = HandoffReason.NOT_UNDERSTOOD
            elif turn.outcome == Outcome.PERSON.value:
                reason = HandoffReason.ASKED
            if (
                before is not None
                and before.outcome == Outcome.ANSWERED.value
                and (at - before.at).total_seconds() <= CORRECTED_WITHIN_S
            ):
                self.m["corrected"] = 1.0
                before.gap = before.gap or "corrected"
        self.reason = reason.value
        self.m["handoffs"] = self.m[f"handoff_{self.reason}"] = 1.0

    def _handled(self, data: Mapping[str, Any]) -> None:
        if data.get("what") in ("took", "replaced"):
            self.agent = str(data.get("agent") or "") or self.agent

    def close(self, reader: Reader) -> Counted:
        if self.state in ("bot", "queued", "agent"):
            self._phase(self.last)
        m, talk = self.m, self.talk
        m["conversations"] = m["people"] = 1.0
        if m.get("handoffs") is None and m.get("answered_turns") and self._left_content():
            m["contained"] = 1.0
        if talk.caller_key:
            m["identified"] = 1.0
            if m.get("contained"):
                m["identified_contained"] = 1.0
        if self.rating:
            m["ratings"], m["rating_sum"], m[f"rated_{self.rating}"] = 1.0, float(self.rating), 1.0
            if self.rating <= 2:
                for turn in self.turns:
                    if turn.outcome in (Outcome.ANSWERED.value, Outcome.ASKED_BACK.value):
                        turn.gap = turn.gap or "rated_badly"
        item = next((t.item_key for t in reversed(self.turns) if t.item_key), None)
        place = reader.places.get(item or "", ServicePlace(UNKNOWN, UNKNOWN))
        town = self._town(reader)
        score, broken = check(talk)
        facts = ConversationFacts(
            talk.conversation_id, talk.seq, talk.channel, town, place.area, place.department, talk.started_at,
            self.last, talk.caller_key, self.reason, self.agent, self.rating, item, m,
            self.agreed, score, [finding._asdict() for finding in broken],
        )  # fmt: skip
        return Counted(facts, [self._facts_of(turn, facts, reader) for turn in self.turns])

    def _left_content(self) -> bool:
        """The last thing the line said was no refusal."""
        spoken = [t.outcome for t in self.turns if t.outcome != Outcome.FLOW.value]
        return bool(spoken) and spoken[-1] == Outcome.ANSWERED.value

    def _town(self, reader: Reader) -> str:
        for turn in reversed(self.turns):
            if turn.text and (town := reader.look(turn.text).town):
                return town
        return UNKNOWN

    def _facts_of(self, turn: _Turn, whole: ConversationFacts, reader: Reader) -> TurnFacts:
        place = reader.places.get(turn.item_key or "")
        return TurnFacts(
            turn.turn_id, whole.conversation_id, turn.at, whole.channel, whole.town,
            place.area if place else UNKNOWN, turn.item_key, turn.intent, turn.confidence, turn.outcome, turn.gap,
            matter_text(turn, reader.look), turn.cited,
        )  # fmt: skip


def outcome_of(understanding: Mapping[str, Any], reply: Mapping[str, Any], part_down: bool) -> Outcome:
    """What a turn came to, from the understanding its reply carries."""
    intent = understanding.get("intent")
    if intent is not None and intent.startswith("emergency_"):
        return Outcome.EMERGENCY
    if part_down:
        return Outcome.PART_DOWN
    told = any(str(source.get("item_code")).startswith("incident:") for source in reply.get("sources") or ())
    if understanding.get("item_key") or told:
        return Outcome.ANSWERED
    if understanding.get("candidates"):
        return Outcome.ASKED_BACK
    if intent in _PERSON:
        return Outcome.PERSON
    if intent is None or intent in _REFUSED or understanding.get("aspect"):
        return Outcome.REFUSED
    if reply.get("sources"):
        return Outcome.ANSWERED
    return Outcome.FLOW


def _joined(*cited: str | None) -> str | None:
    return ";".join(filter(None, cited))[:_CITED] or None


def _cited(sources: Sequence[Mapping[str, Any]]) -> str | None:
    told = ";".join(dict.fromkeys(f"{s.get('field')}@{s.get('version')}" for s in sources))
    return told[:_CITED] or None


def matter_text(turn: _Turn, look: Callable[[str], Said]) -> str:
    """The words of a turn that are worth mining; empty for greetings, proofs, buttons, follow-ups."""
    text = turn.text.strip()
    if len(text) < _SHORTEST or _PLACEHOLDER.search(text) or turn.intent in _SAYS_NOTHING:
        return ""
    if turn.intent == "inform" and len(text) < _SHORTEST_TOLD:
        return ""
    return look(text).matter


def with_repeats(talks: list[ConversationFacts]) -> list[ConversationFacts]:
    """The conversations of one caller with 72-hour repeats and the day's first visit marked.

    A later conversation repeats an earlier one where it begins within 72 hours of its end and is
    about the same area; where either area is unknown it counts too, since nobody can say it isn't.
    """
    talks = sorted(talks, key=lambda t: (t.started_at, t.conversation_id))
    marked, days = [], set()
    for n, talk in enumerate(talks):
        m = {k: v for k, v in talk.measures.items() if k not in ("repeated", "contained_repeated")}
        if _came_again(talks, n):
            m["repeated"] = 1.0
            if m.get("contained"):
                m["contained_repeated"] = 1.0
        day = talk.started_at.astimezone(LOCAL).date()
        m["people"] = 0.0 if day in days else 1.0
        days.add(day)
        marked.append(talk._replace(measures=m))
    return marked


def _came_again(talks: list[ConversationFacts], n: int) -> bool:
    talk = talks[n]
    for later in islice(talks, n + 1, None):
        if later.started_at - talk.ended_at > REPEAT_WITHIN:
            return False
        if talk.area == later.area or UNKNOWN in (talk.area, later.area):
            return True
    return False
