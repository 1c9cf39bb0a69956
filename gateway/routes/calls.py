"""Calls over a WebSocket (docs/interfaces.md, «Calls»): a thin door to voice.session."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from gateway.reception import Reception
from gateway.services import services_of
from hotline.errors import AudioFormatError, BadInputError, FrameOrderError, HotlineError, LineBusyError
from voice.audio import parse_format
from voice.clock import RealClock
from voice.telephony.line import FILL_AFTER_TCP_S, Door, HungUp, IncomingCall, Key, Signal, carry

router = APIRouter(prefix="/api/v1", tags=["通话"])

START_WITHIN_S = 10.0
MAX_WAITING = 256
_TRY_AGAIN = 1013  # WebSocket close code


@router.websocket("/calls")
async def call(socket: WebSocket) -> None:
    """A call: a start frame, then sound both ways until somebody hangs up."""
    house = services_of(socket)
    await socket.accept()
    line = SocketLine(socket, house.settings.call_idle_s)
    if house.calls.waiting >= MAX_WAITING:
        await line.refuse(LineBusyError())
        return
    house.calls.waiting += 1
    try:
        incoming = await line.start_frame(min(START_WITHIN_S, house.settings.call_idle_s))
    finally:
        house.calls.waiting -= 1
    if incoming is None:
        return
    try:
        async with Reception(house).call(incoming, line.send) as live:
            started = {
                "type": "started", "call_id": live.call_id, "conversation_id": live.conversation_id,
                "token": live.token, "recorded": live.recorded,
            }  # fmt: skip
            if await live.session.start(incoming.encoding, incoming.sample_rate, started=started):
                await carry(live, line, RealClock())
    except HotlineError as error:  # full, or nothing can be recorded: said, not kept silent
        await line.refuse(error)
        return
    if live.reason != "vanished":
        await socket.close()


class SocketLine:
    """A WebSocket as a :class:`voice.telephony.line.Line`."""

    idle_reason = "idle"  # a caller's microphone never rests
    fill_after_s = FILL_AFTER_TCP_S

    def __init__(self, socket: WebSocket, idle_s: float) -> None:
        self._socket = socket
        self.idle_s = idle_s

    async def start_frame(self, within_s: float) -> IncomingCall | None:
        """What the first good start frame announces; whatever comes before it is answered with a
        named error. None where none came in time, or the caller is gone."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        return _announced(await self._frame())
                    except (FrameOrderError, AudioFormatError, BadInputError) as error:
                        await self.complain(error)
        except WebSocketDisconnect:
            return None
        except TimeoutError:
            await self.send({"type": "ended", "reason": "idle"})
            await self._socket.close()
            return None

    async def refuse(self, error: HotlineError) -> None:
        """Ends a call that could not begin."""
        await self.complain(error)
        await self.send({"type": "ended", "reason": error.code})
        await self._socket.close(_TRY_AGAIN)

    async def receive(self) -> Signal:
        try:
            frame = await self._frame()
        except WebSocketDisconnect:
            return HungUp("vanished")
        if isinstance(frame, bytes):
            return frame
        match frame.get("type"):
            case "dtmf":
                return Key(str(frame.get("digit", "")))
            case "stop":
                return HungUp()
            case "start":
                raise FrameOrderError("通话已经开始，不用再发开始信号。")
        raise BadInputError("不认识这种信号，只收 start、dtmf、stop 和声音。")

    async def send(self, frame: dict[str, Any] | bytes) -> None:
        if isinstance(frame, bytes):
            await self._socket.send_bytes(frame)
        else:
            await self._socket.send_json(frame)

    async def complain(self, error: HotlineError) -> None:
        await self.send({"type": "error", "code": error.code, "detail": error.detail})

    async def run(self) -> None:
        """The page's own player paces the sound."""
        await asyncio.Event().wait()

    async def _frame(self) -> dict[str, Any] | bytes:
        message = await self._socket.receive()
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


def _announced(frame: dict[str, Any] | bytes) -> IncomingCall:
    """The call that a start frame announces.

    Raises:
        FrameOrderError: no start frame. AudioFormatError: a format the line doesn't take.
    """
    if isinstance(frame, bytes) or frame.get("type") != "start":
        raise FrameOrderError
    encoding, rate = parse_format(frame.get("encoding"), frame.get("sample_rate"))
    caller = frame.get("caller")
    return IncomingCall(
        Door.WEBSOCKET,
        encoding.value,
        rate,
        caller if isinstance(caller, str) else None,
        record=frame.get("record") is not False,
    )
