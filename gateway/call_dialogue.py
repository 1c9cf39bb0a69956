"""The conversation behind a call: the same turns as chat, with a form for the ear.

Keeps what the caller heard last, in memory alone: 「再说一遍」 begins where the caller spoke into it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gateway.call_words import asks_again, only_refuses, refuses_recording
from gateway.services import Services
from gateway.turns import OwnAnswer, TurnResult
from hotline.errors import HotlineError
from hotline.events import ConversationEvent, EventType
from hotline.messages import Channel, Reply, Understanding
from hotline.privacy import mask_text
from storage.ports import ConversationRecord
from voice.ports import SpokenReply
from voice.recording import CallRecording

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Said:
    """The last answer of a call; ``unheard`` is the rest of it where the caller spoke into it."""

    turn_id: str
    reply: Reply
    unheard: str | None = None


class CallDialogue:
    """A :class:`voice.ports.Dialogue`. One conversation a call.

    ``recording`` is the call's, where it is recorded.
    """

    def __init__(self, house: Services, record: ConversationRecord, recording: CallRecording | None = None) -> None:
        self._house = house
        self._record = record
        self._recording = recording
        self._last: _Said | None = None

    async def greet(self) -> SpokenReply:
        reply = self._house.sentences.call_greeting(recorded=self._recording is not None)
        self._last = _Said("greeting", reply)
        return _spoken("greeting", [reply], Understanding(), self._record.state.value, None)

    async def answer(self, text: str, confidence: float) -> SpokenReply:
        if refuses_recording(text):
            return await self._refused(text, confidence)
        if self._last is not None and asks_again(text):
            return await self._again(self._last, text, confidence)
        return await self._turn(text, confidence)

    async def handoff(self) -> SpokenReply:
        return self._heard(await self._house.turns.hand_off(self._record, Channel.VOICE))

    async def cut(self, turn_id: str, heard: str, unheard: str) -> None:
        """The caller spoke into a speech: kept for 「再说一遍」, and noted in the trail, masked."""
        if self._last is not None and self._last.turn_id == turn_id:
            self._last = replace(self._last, unheard=unheard)
        words = {"heard": mask_text(heard, own_words=False), "unheard": mask_text(unheard, own_words=False)}
        try:
            await self.log(EventType.SPEECH, {"phase": "cut", **words}, turn_id)
        except HotlineError as problem:  # the call goes on; the trail lacks one line
            logger.warning("a cut speech was not noted: %s", problem.code)

    async def log(self, kind: EventType, data: dict[str, Any], turn_id: str | None = None) -> None:
        """Leaves an event of the call itself in the conversation's trail."""
        event = ConversationEvent(
            conversation_id=self._record.conversation_id, turn_id=turn_id, type=kind, at=datetime.now(UTC), data=data
        )
        self._house.feed.publish([await self._house.store.append(event)])

    async def _turn(self, text: str, confidence: float, own: OwnAnswer | None = None) -> SpokenReply:
        result = await self._house.turns.take(self._record, text, Channel.VOICE, confidence, own=own)
        self._house.metrics.turns.labels(Channel.VOICE.value, result.state.value).inc()
        return self._heard(result)

    def _heard(self, result: TurnResult) -> SpokenReply:
        # 「好的，我慢一点说」 is nothing to repeat: what came before it is.
        if result.replies and result.speech_change is None:
            self._last = _Said(result.turn_id, _joined(result.replies))
        return _of_result(result)

    async def _again(self, last: _Said, text: str, confidence: float) -> SpokenReply:
        """The last answer: whole on the screen; for the ear from where the caller spoke into it."""
        reply = await self._turn(text, confidence, OwnAnswer(last.reply, "repeat"))
        if reply.payload.get("text") != last.reply.text or not last.unheard:
            return reply  # an agent has the floor, or it was heard to its end
        self._last = _Said(reply.turn_id, last.reply)
        return replace(reply, speech_text=last.unheard)

    async def _refused(self, text: str, confidence: float) -> SpokenReply:
        """The caller does not want to be recorded: erased first, then said, then the rest answered."""
        told = self._house.sentences.recording(await self._erase())
        if only_refuses(text):
            last = self._last
            reply = await self._turn(text, confidence, OwnAnswer(told, "refuse_recording"))
            self._last = last
            return reply
        reply = await self._turn(text, confidence)
        payload = reply.payload | {"text": f"{told.text}\n{reply.payload['text']}"}
        return replace(reply, payload=payload, speech_text=told.speech_text + reply.speech_text)

    async def _erase(self) -> str:
        """What to say of it (replies.yml)."""
        recording = self._recording
        if recording is None or not recording.active:
            return "not_recorded"
        try:
            await recording.erase()
            await self.log(EventType.RECORDING, {"state": "refused"})
        except (OSError, HotlineError) as problem:
            logger.error("a refused recording was not erased: %s", type(problem).__name__)
            return "recording_not_erased"
        return "recording_refused"


def _of_result(result: TurnResult) -> SpokenReply:
    spoken = _spoken(result.turn_id, result.replies, result.understanding, result.state.value, result.expects)
    danger = (result.understanding.intent or "").startswith("emergency_")
    return replace(spoken, speech_change=result.speech_change, urgent=danger)


def _joined(replies: list[Reply]) -> Reply:
    """Several replies of one turn are one frame and one speech, in their order."""
    return Reply(
        text="\n".join(r.text for r in replies),
        speech_text="".join(r.speech_text for r in replies),
        buttons=[b for r in replies for b in r.buttons],
        card=next((r.card for r in replies if r.card), None),
        sources=[s for r in replies for s in r.sources],
    )


def _spoken(
    turn_id: str, replies: list[Reply], understanding: Understanding, state: str, expects: str | None
) -> SpokenReply:
    joined = _joined(replies)
    payload = joined.model_dump(mode="json")
    payload["understanding"] = understanding.model_dump(mode="json")
    return SpokenReply(turn_id=turn_id, speech_text=joined.speech_text, payload=payload, state=state, expects=expects)
