"""Calls over a WebSocket (docs/interfaces.md, «Calls»): a thin door to voice.session."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from gateway.call_dialogue import CallDialogue
from gateway.live_calls import DeskCall, follower, overheard
from gateway.services import services_of
from hotline.errors import AudioFormatError, BadInputError, FrameOrderError, HotlineError
from hotline.events import EventType
from hotline.messages import Channel
from hotline.privacy import mask_phone
from voice.audio import parse_format
from voice.session import CallSession

router = APIRouter(prefix="/api/v1", tags=["通话"])

_TRY_AGAIN = 1013  # WebSocket close code


@router.websocket("/calls")
async def call(socket: WebSocket) -> None:
    """A call: a start frame, then sound both ways until somebody hangs up."""
    house = services_of(socket)
    await socket.accept()
    start = await _start_frame(socket, house.settings.call_idle_s)
    if start is None:
        return
    caller = start.get("caller")
    try:
        record, token = await house.new_conversation(Channel.VOICE, caller=house.callers.caller(caller))
    except HotlineError as error:  # nothing can be recorded, so nothing is answered: said, not kept silent
        await _send_error(socket, error)
        await socket.send_json({"type": "ended", "reason": error.code})
        await socket.close(_TRY_AGAIN)
        return
    call_id = uuid.uuid4().hex
    dialogue = CallDialogue(house, record)
    live: DeskCall | None = None
    session = house.speech.session(dialogue, overheard(_sender(socket), lambda: live))
    live = DeskCall(call_id, record.conversation_id, session)
    started = {
        "type": "started", "call_id": call_id, "conversation_id": record.conversation_id, "token": token,
    }  # fmt: skip
    await dialogue.log(
        EventType.CALL_STARTED,
        {
            "call_id": call_id,
            "encoding": start["encoding"],
            "sample_rate": start["sample_rate"],
            "caller": mask_phone(caller) if isinstance(caller, str) and len(caller) >= 7 else None,
        },
    )
    house.metrics.calls.inc()
    reason = "caller"
    try:
        if await session.start(start["encoding"], start["sample_rate"], started=started):
            async with house.desk.calls.on_call(live, follower(house), house.sentences, record.event_seq):
                reason = await _carry(socket, session, house.settings.call_idle_s)
    finally:
        house.metrics.calls.dec()
        await session.abandon()
        await dialogue.log(EventType.CALL_ENDED, {"call_id": call_id, "reason": reason})
        await house.desk.call_ended(record.conversation_id, reason)


async def _start_frame(socket: WebSocket, idle_s: float) -> dict[str, Any] | None:
    """The first good start frame; whatever comes before it is answered with a named error."""
    while True:
        try:
            frame = await _receive(socket, idle_s)
            if isinstance(frame, bytes):
                raise FrameOrderError
            if frame.get("type") != "start":
                raise FrameOrderError
            parse_format(frame.get("encoding"), frame.get("sample_rate"))
            return frame
        except WebSocketDisconnect:
            return None
        except TimeoutError:
            await socket.send_json({"type": "ended", "reason": "idle"})
            await socket.close()
            return None
        except (FrameOrderError, AudioFormatError, BadInputError) as error:
            await _send_error(socket, error)


async def _carry(socket: WebSocket, session: CallSession, idle_s: float) -> str:
    """Feeds the session until the call ends; returns why it did."""
    hearing = asyncio.create_task(_hear(socket, session, idle_s))
    ended = asyncio.create_task(session.ended.wait())
    try:
        await asyncio.wait({hearing, ended}, return_when=asyncio.FIRST_COMPLETED)
        reason = hearing.result() if hearing.done() else "line"
        if reason == "caller":
            await session.stop()
        elif reason == "idle":
            await socket.send_json({"type": "ended", "reason": "idle"})
        if reason != "vanished":
            await socket.close()
        return reason
    finally:
        for task in (hearing, ended):
            task.cancel()
        await asyncio.gather(hearing, ended, return_exceptions=True)


async def _hear(socket: WebSocket, session: CallSession, idle_s: float) -> str:
    while True:
        try:
            frame = await _receive(socket, idle_s)
            if isinstance(frame, bytes):
                await session.audio(frame)
                continue
            match frame.get("type"):
                case "dtmf":
                    await session.dtmf(str(frame.get("digit", "")))
                case "stop":
                    return "caller"
                case "start":
                    await session.start(frame.get("encoding"), frame.get("sample_rate"))
                case _:
                    raise BadInputError("不认识这种信号，只收 start、dtmf、stop 和声音。")
        except WebSocketDisconnect:
            return "vanished"
        except TimeoutError:
            return "idle"
        except HotlineError as error:
            await _send_error(socket, error)


async def _receive(socket: WebSocket, idle_s: float) -> dict[str, Any] | bytes:
    """The next frame. A caller's microphone never rests: TimeoutError after ``idle_s`` without any."""
    async with asyncio.timeout(idle_s):
        message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1000)
    if (sound := message.get("bytes")) is not None:
        return bytes(sound)
    try:
        frame = json.loads(message.get("text") or "")
    except (json.JSONDecodeError, RecursionError):
        raise BadInputError("这一帧不是 JSON 文字，请按接口格式发送。") from None
    if not isinstance(frame, dict):
        raise BadInputError("这一帧要是一个 JSON 对象。")
    return frame


def _sender(socket: WebSocket) -> Any:
    async def send(frame: dict[str, Any] | bytes) -> None:
        if isinstance(frame, bytes):
            await socket.send_bytes(frame)
        else:
            await socket.send_json(frame)

    return send


async def _send_error(socket: WebSocket, error: HotlineError) -> None:
    await socket.send_json({"type": "error", "code": error.code, "detail": error.detail})
