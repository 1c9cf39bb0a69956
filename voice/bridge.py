"""A caller and people at desks on one line: who hears whom, mixed in 20 ms frames.

:class:`Mixer` is the arithmetic, without clock or sockets; :class:`CallBridge` runs it in real time
between a call's session and the desks' sockets. Latency: a frame waits for the next tick (at most
20 ms) behind at most :data:`MOST_MS` of its own kind; what is older is dropped, so that a stall never
becomes a delay.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from hotline.errors import HotlineError
from voice.audio import FRAME_MS, Samples, StreamResampler, clip, to_pcm, to_samples
from voice.clock import Clock, RealClock

log = logging.getLogger(__name__)

FIRST_MS = 40  # of a burst wait for each other, so that the network's unevenness is not heard
MOST_MS = 120
RATES = (8000, 16000, 24000, 48000)
_OUTBOX = 25
_LAST_WORDS_S = 0.2


class Role(StrEnum):
    """Who somebody is on the line."""

    CALLER = "caller"
    AGENT = "agent"
    LISTEN = "listen"  # a supervisor who only hears
    WHISPER = "whisper"  # heard by the agent alone
    BARGE = "barge"  # heard by both: three on the line


HEARS: dict[Role, frozenset[Role]] = {
    Role.CALLER: frozenset({Role.AGENT, Role.BARGE}),
    Role.AGENT: frozenset({Role.CALLER, Role.WHISPER, Role.BARGE}),
    Role.LISTEN: frozenset({Role.CALLER, Role.AGENT, Role.BARGE}),
    Role.WHISPER: frozenset({Role.CALLER, Role.AGENT, Role.BARGE}),
    Role.BARGE: frozenset({Role.CALLER, Role.AGENT, Role.WHISPER}),
}
"""The whole rule of the line. docs/desk.md shows it; a test tries every pair."""


class DeskLineError(HotlineError):
    """What ``send`` of a desk raises once its socket is gone; the socket's reader takes the desk off."""

    code = "desk_line_down"
    citizen_sentence = "坐席这一头的声音断了，正在重连。"


class CallerLineError(HotlineError):
    """Told to every desk once, when the caller's line takes no more sound."""

    code = "caller_line_down"
    citizen_sentence = "对方的线路收不到声音了，可能已经断开。请等几秒；真断了，会自动留下回访任务。"


class _Ear:
    """What one party has said and nobody has heard yet."""

    def __init__(self, role: Role, frame: int, rate: int) -> None:
        self.role = role
        self._frame = frame
        self._per_ms = rate // 1000
        self._chunks: deque[Samples] = deque()
        self._held = 0
        self._flowing = False
        self.dropped = 0

    def push(self, samples: Samples) -> None:
        if len(samples):
            self._chunks.append(samples)
            self._held += len(samples)
        while self._held > MOST_MS * self._per_ms:
            oldest = self._chunks.popleft()
            self._held -= len(oldest)
            self.dropped += len(oldest)

    def pull(self) -> Samples | None:
        """The next frame; None while nothing, or not yet enough, has come."""
        if not self._flowing and self._held < FIRST_MS * self._per_ms:
            return None
        if self._held < self._frame:
            self._flowing = False
            return None
        self._flowing = True
        joined = np.concatenate(list(self._chunks))
        self._chunks.clear()
        rest = joined[self._frame :]
        self._held = len(rest)
        if len(rest):
            self._chunks.append(rest)
        return joined[: self._frame]


class Mixer:
    """Parties by name, all at ``rate``. ``hold``: caller and desk do not hear each other; ``muted``: the
    agent is heard by nobody."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.frame = rate * FRAME_MS // 1000
        self.hold = False
        self.muted = False
        self._parties: dict[str, _Ear] = {}

    def join(self, name: str, role: Role) -> None:
        self._parties[name] = _Ear(role, self.frame, self.rate)

    def leave(self, name: str) -> None:
        self._parties.pop(name, None)

    def become(self, name: str, role: Role) -> None:
        """Another role for somebody on the line (a supervisor who listened speaks)."""
        if name in self._parties:
            self._parties[name].role = role

    def roles(self) -> dict[str, Role]:
        return {name: ear.role for name, ear in self._parties.items()}

    def push(self, name: str, samples: Samples) -> None:
        """Sound from ``name``; nothing where they have left."""
        if name in self._parties:
            self._parties[name].push(samples)

    def mix(self) -> dict[str, Samples]:
        """One frame for everybody who has something to hear."""
        said = {name: frame for name, ear in self._parties.items() if (frame := ear.pull()) is not None}
        heard: dict[str, Samples] = {}
        for name, ear in self._parties.items():
            voices = [f for other, f in said.items() if other != name and self._passes(other, ear.role)]
            if voices:
                heard[name] = voices[0] if len(voices) == 1 else clip(np.sum(voices, axis=0, dtype=np.float64))
        return heard

    def _passes(self, speaker: str, listener: Role) -> bool:
        role = self._parties[speaker].role
        if role not in HEARS[listener] or (self.muted and role is Role.AGENT):
            return False
        return not (self.hold and Role.CALLER in (role, listener))


class BridgedCall(Protocol):
    """What the bridge needs of a call's session."""

    @property
    def rate(self) -> int: ...

    @property
    def speaking(self) -> bool:
        """The line itself speaks (an agent's text read out): the agent's voice waits."""
        ...

    async def play_frame(self, samples: Samples) -> None: ...


class Desk:
    """A desk's end of the bridge. ``send`` takes PCM at ``sample_rate`` or a dict, and raises DeskLineError
    once nobody is there. ``username`` and ``shown``: who sits there."""

    def __init__(
        self,
        name: str,
        sample_rate: int,
        rate: int,
        send: Callable[[bytes | dict[str, Any]], Awaitable[None]],
        username: str = "",
        shown: str = "",
    ) -> None:
        self.name, self.username, self.shown = name, username, shown
        self._inward = StreamResampler(sample_rate, rate)
        self._outward = StreamResampler(rate, sample_rate)
        self._send = send
        self._outbox: asyncio.Queue[bytes | dict[str, Any]] = asyncio.Queue(_OUTBOX)
        self._task = asyncio.ensure_future(self._run())
        self._task.add_done_callback(self._told_end)

    def heard(self, pcm: bytes) -> Samples:
        """Raises AudioFormatError: an odd number of bytes."""
        return self._inward.feed(to_samples(pcm))

    def say(self, samples: Samples) -> None:
        self.tell(to_pcm(self._outward.feed(samples)))

    def tell(self, frame: bytes | dict[str, Any]) -> None:
        """Queues a frame; a desk that does not take its sound loses the oldest, never the others' time."""
        while self._outbox.full():
            self._outbox.get_nowait()
            self._outbox.task_done()
        self._outbox.put_nowait(frame)

    async def _run(self) -> None:
        try:
            while True:
                await self._send(await self._outbox.get())
                self._outbox.task_done()
        except DeskLineError as error:
            log.info("%s: %s", self.name, error.code)

    def _told_end(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: %s", self.name, DeskLineError.code, exc_info=error)

    async def close(self) -> None:
        """What was told last (why it ends) still leaves, where the socket takes it soon."""
        if not self._task.done():
            told = asyncio.ensure_future(self._outbox.join())
            await asyncio.wait((told, self._task), timeout=_LAST_WORDS_S, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class CallBridge:
    """One call's line to the desks. Set it as ``session.bridge``; ``run`` until ``close``."""

    CALLER = "caller"

    def __init__(self, call: BridgedCall, clock: Clock | None = None) -> None:
        self._call = call
        self._clock = clock or RealClock()
        self.mixer = Mixer(call.rate)
        self.mixer.join(self.CALLER, Role.CALLER)
        self._desks: dict[str, Desk] = {}
        self._names = itertools.count()
        self._tone = _hold_tone(call.rate)
        self._tone_at = 0
        self._task: asyncio.Task[None] | None = None
        self._fault: CallerLineError | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    def caller(self, samples: Samples) -> None:
        """The tap: the caller's sound at the call's rate."""
        self.mixer.push(self.CALLER, samples)

    def join(
        self,
        role: Role,
        sample_rate: int,
        send: Callable[[bytes | dict[str, Any]], Awaitable[None]],
        username: str = "",
        shown: str = "",
    ) -> Desk:
        if role is Role.AGENT and not self.has_agent:
            self.mixer.muted = False  # whoever was muted before has left
        desk = Desk(f"{role.value}-{next(self._names)}", sample_rate, self.mixer.rate, send, username, shown)
        self._desks[desk.name] = desk
        self.mixer.join(desk.name, role)
        self._tell_party(desk, role, True)
        return desk

    def state(self) -> dict[str, Any]:
        """``hold``, ``muted``, and who is on the line beside the caller."""
        roles = self.mixer.roles()
        parties = [{"role": roles[desk.name].value, "name": desk.shown} for desk in self._desks.values()]
        return {"hold": self.mixer.hold, "muted": self.mixer.muted, "parties": parties}

    async def dismiss_agents(self, but: str, reason: str = "replaced") -> None:
        """Somebody else has the caller now (or the same agent elsewhere): who had them is heard no more."""
        roles = self.mixer.roles()
        for desk in [d for d in self._desks.values() if roles[d.name] is Role.AGENT and d.username != but]:
            desk.tell({"type": "ended", "reason": reason})
            await self.leave(desk)

    def desk_sound(self, desk: Desk, pcm: bytes) -> None:
        self.mixer.push(desk.name, desk.heard(pcm))

    def become(self, desk: Desk, role: Role) -> None:
        self.mixer.become(desk.name, role)
        desk.tell({"type": "role", "role": role.value})
        self._tell_party(desk, role, True)

    async def leave(self, desk: Desk) -> None:
        role = self.mixer.roles().get(desk.name)
        self.mixer.leave(desk.name)
        self._desks.pop(desk.name, None)
        await desk.close()
        if role is not None:
            self._tell_party(desk, role, False)

    def _tell_party(self, desk: Desk, role: Role, joined: bool) -> None:
        self.tell({"type": "party", "role": role.value, "name": desk.shown, "joined": joined, **self.state()})

    def set_hold(self, on: bool) -> None:
        self.mixer.hold = on
        self._tone_at = 0
        self.tell({"type": "hold", "on": on})

    def set_mute(self, on: bool) -> None:
        self.mixer.muted = on
        self.tell({"type": "mute", "on": on})

    def tell(self, frame: dict[str, Any]) -> None:
        """A text frame to every desk (the live transcript, who came and went)."""
        for desk in list(self._desks.values()):
            desk.tell(frame)

    @property
    def has_agent(self) -> bool:
        return Role.AGENT in self.mixer.roles().values()

    async def close(self, reason: str) -> None:
        self.tell({"type": "ended", "reason": reason})
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for desk in list(self._desks.values()):
            await self.leave(desk)

    async def _run(self) -> None:
        due = self._clock.now()
        while True:
            due += FRAME_MS / 1000
            if (ahead := due - self._clock.now()) > 0:
                await self._clock.sleep(ahead)
            elif ahead < -0.2:
                due = self._clock.now()  # stalled: what was missed is not made up for by a burst
            await self._tick()

    async def _tick(self) -> None:
        heard = self.mixer.mix()
        for name, desk in list(self._desks.items()):
            if (frame := heard.get(name)) is not None:
                desk.say(frame)
        frame = heard.get(self.CALLER)
        if frame is None and (self.mixer.hold or not self.has_agent):
            frame = self._hold_frame()  # never silence: the caller would think the line is dead
        if frame is None or self._call.speaking or self._fault is not None:
            return
        try:
            await self._call.play_frame(frame)
        except Exception as error:  # a door's own errors have no common base
            self._fault = CallerLineError()
            log.warning("%s", self._fault.code, exc_info=error)
            self.tell({"type": "error", "code": self._fault.code, "detail": self._fault.citizen_sentence})

    def _hold_frame(self) -> Samples:
        start = self._tone_at
        self._tone_at = (start + self.mixer.frame) % len(self._tone)
        return self._tone[start : start + self.mixer.frame]


def _hold_tone(rate: int) -> Samples:
    """Two soft beeps every four seconds: somebody is coming, the line lives."""
    tone = np.zeros(4 * rate)
    for start in (0.0, 0.35):
        at = np.arange(int(0.2 * rate)) / rate
        shape = np.sin(np.pi * at / 0.2) ** 2
        begin = int(start * rate)
        tone[begin : begin + len(at)] = 1800 * shape * np.sin(2 * np.pi * 440 * at)
    return clip(tone)
