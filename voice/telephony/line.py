"""What a door and the call behind it say to each other, and the one loop that carries a call.

A door is a :class:`Line`: it yields what the caller sends and takes what the session says. The
rest is here, once: feeding, silence for a caller whose telephone sends none, the idle limit,
the end. Docs: docs/voice.md, «入口».
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np

from hotline.errors import HotlineError
from voice.audio import FRAME_MS, Encoding, encode
from voice.clock import Clock
from voice.ports import EventSink
from voice.session import CallSession

FRAME_S = FRAME_MS / 1000
# A network stalls for a moment; only a longer rest is a telephone that sends no silence. TCP brings
# late what UDP would have lost, so it is waited for longer.
FILL_AFTER_TCP_S = 1.0
FILL_AFTER_UDP_S = 0.2
_TEND_S = 0.1


class Door(StrEnum):
    """Through which a call came in; a label in events and metrics."""

    WEBSOCKET = "websocket"
    AUDIOSOCKET = "audiosocket"
    SIP = "sip"


@dataclass(frozen=True)
class IncomingCall:
    """``number``: the caller's, as announced; used for limits, masked before it is kept.
    ``record``: False where the door was told not to record."""

    door: Door
    encoding: str
    sample_rate: int
    number: str | None = None
    record: bool = True


@dataclass
class LiveCall:
    """A call under way. ``reason`` is why it ended, as the trail keeps it; ``network`` counts packets."""

    call_id: str
    conversation_id: str
    token: str
    incoming: IncomingCall
    session: CallSession
    recorded: bool = False
    reason: str = "failed"
    network: dict[str, int] = field(default_factory=dict)


class Switchboard(Protocol):
    """Where doors bring their calls."""

    def refusal(self, number: str | None) -> HotlineError | None:
        """Why no call can be taken now from this caller; None where one can."""
        ...

    def call(self, incoming: IncomingCall, send: EventSink) -> AbstractAsyncContextManager[LiveCall]:
        """A call with a conversation of its own; leaving the block ends it and writes its end down.

        Raises:
            HotlineError: the line is full, or nothing can be recorded.
        """
        ...


@dataclass(frozen=True)
class Key:
    digit: str


@dataclass(frozen=True)
class HungUp:
    """``reason``: ``caller`` (in good order), ``vanished``, or a named error's code."""

    reason: str = "caller"


Signal = bytes | Key | HungUp
"""Bytes are sound in the call's format; empty ones only say that the caller is still there."""


class Line(Protocol):
    """One caller's connection. ``idle_s`` without any signal end the call for ``idle_reason``."""

    idle_s: float
    idle_reason: str
    fill_after_s: float

    async def receive(self) -> Signal:
        """The next thing from the caller. Raises HotlineError for what cannot be taken."""
        ...

    async def send(self, frame: dict[str, object] | bytes) -> None: ...

    async def complain(self, error: HotlineError) -> None:
        """Tells the caller's side, where it can be told, that it sent something wrong."""
        ...

    async def run(self) -> None:
        """Whatever the line does beside (pacing). Returns or raises OSError where the line is lost."""
        ...


def silence_of(incoming: IncomingCall) -> bytes:
    """One frame (20 ms) of silence in the call's format."""
    zeros = np.zeros(incoming.sample_rate * FRAME_MS // 1000, np.int16)
    return encode(zeros, Encoding(incoming.encoding))


async def carry(call: LiveCall, line: Line, clock: Clock) -> None:
    """Carries a started call to its end, and notes why it ended (``line``: the session ended it).

    Closing the connection is the door's; what the session has running is ended by whoever opened it.
    """
    session, silence = call.session, silence_of(call.incoming)
    feeding = asyncio.Lock()
    heard_at = sound_at = silent_until = clock.now()

    async def hear() -> str:
        nonlocal heard_at, sound_at
        while True:
            try:
                signal = await line.receive()
                heard_at = clock.now()
                if isinstance(signal, HungUp):
                    return signal.reason
                if isinstance(signal, Key):
                    await session.dtmf(signal.digit)
                elif signal:
                    sound_at = heard_at
                    async with feeding:
                        await session.audio(signal)
            except HotlineError as error:
                await line.complain(error)

    async def tend() -> str:
        nonlocal silent_until
        while True:
            await clock.sleep(_TEND_S)
            now = clock.now()
            if now - heard_at >= line.idle_s:
                return line.idle_reason
            if now - sound_at >= line.fill_after_s:
                silent_until = max(silent_until, sound_at)
                frames = int((now - silent_until) / FRAME_S + 0.5)
                silent_until += frames * FRAME_S
                async with feeding:
                    await session.audio(silence * frames)

    async def run() -> str:
        with contextlib.suppress(OSError):
            await line.run()
        return "vanished"

    async def session_ends() -> str:
        await session.ended.wait()
        return "line"

    tasks = [asyncio.create_task(work()) for work in (session_ends, hear, tend, run)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        call.reason = next(task.result() for task in tasks if task.done())
        if call.reason == "caller":
            await session.stop()
        elif call.reason == line.idle_reason:
            await line.send({"type": "ended", "reason": call.reason})
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
