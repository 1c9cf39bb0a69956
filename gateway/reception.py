"""Opens a call for any door: place, conversation, session, trail and figures; and closes it again."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.call_dialogue import CallDialogue
from gateway.following import follow
from gateway.live_calls import DeskCall, overheard, told_to_the_caller
from gateway.services import Services
from hotline.errors import HotlineError
from hotline.events import EventType
from hotline.messages import Channel
from hotline.privacy import mask_phone
from voice.ports import EventSink
from voice.telephony.line import IncomingCall, LiveCall

logger = logging.getLogger(__name__)


class Reception:
    """The :class:`~voice.telephony.line.Switchboard` of the gateway."""

    def __init__(self, house: Services) -> None:
        self._house = house

    def refusal(self, number: str | None) -> HotlineError | None:
        return self._house.calls.refusal(number)

    @asynccontextmanager
    async def call(self, incoming: IncomingCall, send: EventSink) -> AsyncIterator[LiveCall]:
        """See the port. The trail has the door, the masked number, why the call ended and what the
        network did to it."""
        house, door = self._house, incoming.door.value
        try:
            with house.calls.place(incoming.number):
                async with self._recorded(incoming, send) as call:
                    yield call
        except HotlineError as error:
            house.metrics.calls_refused.labels(door, error.code).inc()
            raise

    @asynccontextmanager
    async def _recorded(self, incoming: IncomingCall, send: EventSink) -> AsyncIterator[LiveCall]:
        house, door = self._house, incoming.door.value
        record, token = await house.new_conversation(Channel.VOICE, caller=house.callers.caller(incoming.number))
        call_id, recording = uuid.uuid4().hex, None
        if house.recordings is not None and incoming.record:
            recording = await house.recordings.begin(record.conversation_id, call_id, incoming.sample_rate)
        dialogue = CallDialogue(house, record, recording)
        said_why: list[str] = []
        call: DeskCall | None = None

        async def noting(frame: dict[str, Any] | bytes) -> None:
            if isinstance(frame, dict) and frame.get("type") == "ended":
                said_why.append(str(frame.get("reason")))
            await send(frame)

        listened = overheard(noting, lambda: call)
        session = house.speech.session(dialogue, listened, recording.tape if recording else None)
        call = DeskCall(call_id, record.conversation_id, token, incoming, session, recorded=recording is not None)
        begun = time.monotonic()
        await dialogue.log(
            EventType.CALL_STARTED,
            {
                "call_id": call.call_id,
                "door": door,
                "encoding": incoming.encoding,
                "sample_rate": incoming.sample_rate,
                "caller": masked_number(incoming.number),
                "caller_key": record.caller_key,
                "recording_id": recording.recording.recording_id if recording else None,
            },
        )
        told = follow(house.store, house.feed, record.conversation_id, record.event_seq)
        house.metrics.calls.labels(door).inc()
        try:
            async with told_to_the_caller(call, told, house.sentences):
                with house.calls.under_way(call):
                    yield call
        except asyncio.CancelledError:
            call.reason = "shutdown"
            raise
        finally:
            await session.abandon()
            if recording is not None and house.recordings is not None:
                await house.recordings.end(recording)
            house.metrics.calls.labels(door).dec()
            if call.reason == "line":
                call.reason = said_why[-1] if said_why else "failed"
            house.metrics.calls_ended.labels(door, call.reason).inc()
            for kind, count in call.network.items():
                house.metrics.packets.labels(kind).inc(count)
            seconds = round(time.monotonic() - begun, 1)
            ended = {"call_id": call.call_id, "door": door, "reason": call.reason, "seconds": seconds}
            try:
                await dialogue.log(EventType.CALL_ENDED, ended | ({"network": call.network} if call.network else {}))
            except HotlineError as error:  # the call is over all the same
                logger.error("the end of call %s could not be written down: %s", call.call_id, error.detail)
            await house.desk.call_ended(call.conversation_id, call.reason)


def masked_number(number: object) -> str | None:
    """``138****1234``; None for what is no whole telephone number (an extension, a name)."""
    return mask_phone(number) if isinstance(number, str) and len(number) >= 7 else None
