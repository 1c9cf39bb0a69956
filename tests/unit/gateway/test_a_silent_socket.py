"""A socket that is open and sends nothing does not hold a call for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.routes.calls import SocketLine
from voice.clock import VirtualClock
from voice.telephony.line import Door, IncomingCall, LiveCall, carry


class MuteSocket:
    """Never receives; keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.closed = False

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send_json(self, frame: dict[str, Any]) -> None:
        self.sent.append(frame)

    async def close(self) -> None:
        self.closed = True


class QuietSession:
    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.heard = 0

    async def audio(self, data: bytes) -> None:
        self.heard += len(data)


async def test_who_never_starts_is_told_and_let_go() -> None:
    socket = MuteSocket()
    line = SocketLine(socket, idle_s=60.0)  # type: ignore[arg-type]
    assert await line.start_frame(within_s=0.01) is None
    assert socket.sent == [{"type": "ended", "reason": "idle"}]
    assert socket.closed


async def test_a_call_without_any_frame_hears_silence_and_ends_as_idle() -> None:
    socket, session, clock = MuteSocket(), QuietSession(), VirtualClock()
    incoming = IncomingCall(Door.WEBSOCKET, "pcm_s16le", 8000)
    call = LiveCall("c", "v", "t", incoming, session)  # type: ignore[arg-type]
    carrying = asyncio.create_task(carry(call, SocketLine(socket, idle_s=60.0), clock))  # type: ignore[arg-type]
    await clock.settle()
    await clock.advance(59.0)
    assert not carrying.done()
    assert abs(session.heard / 16000 - 59.0) < 0.2
    await clock.advance(1.2)
    await carrying
    assert call.reason == "idle"
    assert socket.sent == [{"type": "ended", "reason": "idle"}]
