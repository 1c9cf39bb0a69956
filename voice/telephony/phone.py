"""What both telephone doors share: frames out at the pace they are heard, and the course of a call."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from hotline.errors import HotlineError
from voice.clock import Clock
from voice.telephony.line import FRAME_S, HungUp, IncomingCall, Signal, Switchboard, carry, silence_of

log = logging.getLogger(__name__)

_STALL_S = 0.2


class Pacer:
    """One frame each 20 ms, silence between speeches: exchanges drop a call that goes quiet.

    ``write`` puts one frame on the wire; an OSError it raises ends ``run``.
    """

    def __init__(self, clock: Clock, silence: bytes) -> None:
        self._clock = clock
        self._silence = silence
        self._waiting: deque[bytes] = deque()

    @property
    def waiting(self) -> int:
        """Frames of speech that have not left yet."""
        return len(self._waiting)

    def put(self, frame: bytes) -> None:
        self._waiting.append(frame)

    def clear(self) -> None:
        """The caller interrupts: nothing of the speech may still leave."""
        self._waiting.clear()

    async def run(self, write: Callable[[bytes], None]) -> None:
        due = self._clock.now()
        while True:
            write(self._waiting.popleft() if self._waiting else self._silence)
            due += FRAME_S
            if self._clock.now() - due > _STALL_S:
                due = self._clock.now()  # time lost is not made up by a burst
            await self._clock.sleep(due - self._clock.now())

    def flush(self, write: Callable[[bytes], None]) -> None:
        """The last frames of a speech, where the call ends with it."""
        while self._waiting:
            write(self._waiting.popleft())


class PhoneLine:
    """A :class:`~voice.telephony.line.Line` of a telephone: subclasses ``receive`` and ``write``."""

    def __init__(
        self, incoming: IncomingCall, clock: Clock, *, idle_s: float, idle_reason: str, fill_after_s: float
    ) -> None:
        self.incoming = incoming
        self.idle_s = idle_s
        self.idle_reason = idle_reason
        self.fill_after_s = fill_after_s
        self.pacer = Pacer(clock, silence_of(incoming))
        self._complaints: set[str] = set()

    async def answer(self) -> HungUp | None:
        """Picks up, once the call stands on our side; why not, where the caller has gone by then.
        Nothing to do where the connection is the call."""
        return None

    async def receive(self) -> Signal:
        raise NotImplementedError

    def write(self, frame: bytes) -> None:
        """One frame onto the wire, now. Raises OSError where the line is lost."""
        raise NotImplementedError

    def network(self) -> dict[str, int]:
        """What the network did, in packets; empty where nobody can tell."""
        return {}

    async def send(self, frame: dict[str, Any] | bytes) -> None:
        if isinstance(frame, bytes):
            self.pacer.put(frame)
        elif frame.get("phase") == "cut":
            self.pacer.clear()

    async def complain(self, error: HotlineError) -> None:
        """A telephone has no way to be told: the log is, once for each kind."""
        if error.code not in self._complaints:
            self._complaints.add(error.code)
            log.warning("%s call sent something wrong: %s %s", self.incoming.door.value, error.code, error.detail)

    async def run(self) -> None:
        await self.pacer.run(self.write)


async def take_call(line: PhoneLine, switchboard: Switchboard, clock: Clock) -> str:
    """The whole of one telephone call; returns why it ended. Hanging up is the door's.

    Raises:
        HotlineError: the call could not begin.
    """
    async with switchboard.call(line.incoming, line.send) as call:
        if (gone := await line.answer()) is not None:
            call.reason = gone.reason
            return call.reason
        try:
            if await call.session.start(line.incoming.encoding, line.incoming.sample_rate):
                await carry(call, line, clock)
                if call.reason == "line":
                    line.pacer.flush(line.write)
        finally:
            call.network = line.network()
        return call.reason
