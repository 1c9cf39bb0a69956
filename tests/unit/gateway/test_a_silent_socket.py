"""A socket that is open and sends nothing does not hold a call for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.routes.calls import _carry, _start_frame


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


async def test_who_never_starts_is_told_and_let_go() -> None:
    socket = MuteSocket()
    assert await _start_frame(socket, idle_s=0.01) is None  # type: ignore[arg-type]
    assert socket.sent == [{"type": "ended", "reason": "idle"}]
    assert socket.closed


async def test_a_call_without_any_frame_ends_as_idle() -> None:
    socket = MuteSocket()
    assert await _carry(socket, QuietSession(), idle_s=0.01) == "idle"  # type: ignore[arg-type]
    assert socket.sent == [{"type": "ended", "reason": "idle"}]
    assert socket.closed
