"""The conversation behind a call: the same turns as chat, with a form for the ear."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gateway.services import Services
from gateway.turns import TurnResult
from hotline.events import ConversationEvent, EventType
from hotline.messages import Channel, Reply, Understanding
from storage.ports import ConversationRecord
from voice.ports import SpokenReply

# Long numbers come with pauses: cutting them off is what callers complain of most.
_PATIENT_MS = {"case_reference": 1800, "identity_proof": 1800, "contact": 1800, "work_order": 1800, "appointment": 1800}


class CallDialogue:
    """A :class:`voice.ports.Dialogue`. One conversation a call."""

    def __init__(self, house: Services, record: ConversationRecord) -> None:
        self._house = house
        self._record = record

    async def greet(self) -> SpokenReply:
        reply = self._house.sentences.call_greeting(recorded=False)
        return _spoken("greeting", [reply], Understanding(), self._record.state.value, None)

    async def answer(self, text: str, confidence: float) -> SpokenReply:
        result = await self._house.turns.take(self._record, text, Channel.VOICE, confidence)
        self._house.metrics.turns.labels(Channel.VOICE.value, result.state.value).inc()
        return _of_result(result)

    async def handoff(self) -> SpokenReply:
        return _of_result(await self._house.turns.hand_off(self._record, Channel.VOICE))

    async def log(self, kind: EventType, data: dict[str, Any]) -> None:
        """Leaves an event of the call itself in the conversation's trail."""
        event = ConversationEvent(
            conversation_id=self._record.conversation_id, turn_id=None, type=kind, at=datetime.now(UTC), data=data
        )
        self._house.feed.publish([await self._house.store.append(event)])


def _of_result(result: TurnResult) -> SpokenReply:
    patience = _PATIENT_MS.get(result.expects or "")
    spoken = _spoken(result.turn_id, result.replies, result.understanding, result.state.value, patience)
    return replace(spoken, speech_change=result.speech_change)


def _spoken(
    turn_id: str, replies: list[Reply], understanding: Understanding, state: str, patience: int | None
) -> SpokenReply:
    """Several replies of one turn are one frame and one speech, in their order."""
    joined = Reply(
        text="\n".join(r.text for r in replies),
        speech_text="".join(r.speech_text for r in replies),
        buttons=[b for r in replies for b in r.buttons],
        card=next((r.card for r in replies if r.card), None),
        sources=[s for r in replies for s in r.sources],
    )
    payload = joined.model_dump(mode="json")
    payload["understanding"] = understanding.model_dump(mode="json")
    return SpokenReply(
        turn_id=turn_id, speech_text=joined.speech_text, payload=payload, state=state, endpoint_silence_ms=patience
    )
