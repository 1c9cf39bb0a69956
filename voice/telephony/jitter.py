"""RTP packets as they come from the network → sound in order: pure, the time is handed in.

A recogniser listens, not an ear: what is in order passes at once, and only a gap waits for its
packet. So a good network adds no delay, and a bad one no more than ``wait_s`` a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Conceal = Callable[[int], bytes]
"""Samples wanted → that much 16-bit PCM in place of what was lost."""

WAIT_S = 0.06
_MAX_GAP_S = 0.4  # longer ones are a pause of the sender, not loss
_MAX_HELD = 25
_JUMP = 1000  # packets; further away is another stream


@dataclass
class JitterCounts:
    """Packets. ``lost`` were concealed or left out, ``late`` came after that."""

    received: int = 0
    lost: int = 0
    late: int = 0
    duplicate: int = 0
    reordered: int = 0


@dataclass
class _Held:
    timestamp: int
    pcm: bytes | None
    arrived: float


class JitterBuffer:
    """One stream. ``push`` and ``due`` return the PCM that may be heard now, in order.

    ``heard`` is told of each real piece, so that the concealment can go on from it.
    """

    def __init__(
        self, conceal: Conceal, heard: Callable[[bytes], None], *, rate: int = 8000, wait_s: float = WAIT_S
    ) -> None:
        self.counts = JitterCounts()
        self._conceal = conceal
        self._heard = heard
        self._rate = rate
        self._wait_s = wait_s
        self._next: int | None = None  # sequence number, unwrapped
        self._next_timestamp: int | None = None
        self._held: dict[int, _Held] = {}
        self._passed: set[int] = set()  # lately, to tell a duplicate from a late one

    def reset(self) -> None:
        """Another stream begins."""
        self._next = self._next_timestamp = None
        self._held.clear()
        self._passed.clear()

    def push(self, sequence: int, timestamp: int, pcm: bytes | None, now: float) -> list[bytes]:
        """A packet: 16-bit sequence number, 32-bit timestamp; ``pcm`` None for one without sound."""
        self.counts.received += 1
        if self._next is None:
            self._next = sequence
        number = self._next + _signed(sequence - self._next, 16)
        if abs(number - self._next) > _JUMP:
            self.reset()
            self._next = number = sequence
        if number in self._held or number in self._passed:
            self.counts.duplicate += 1
            return []
        if number < self._next:
            self.counts.late += 1
            return []
        if self._held and number < max(self._held):
            self.counts.reordered += 1
        self._held[number] = _Held(timestamp, pcm, now)
        return self.due(now)

    def due(self, now: float) -> list[bytes]:
        """What may wait no longer."""
        ready: list[bytes] = []
        while self._held:
            assert self._next is not None
            first = min(self._held)
            if first > self._next:
                oldest = min(held.arrived for held in self._held.values())
                if now - oldest < self._wait_s and len(self._held) <= _MAX_HELD:
                    break
                self.counts.lost += first - self._next
                ready += self._gap(self._held[first])
            held = self._held.pop(first)
            self._next = first + 1
            self._remember(first)
            if held.pcm is not None:
                self._next_timestamp = held.timestamp + len(held.pcm) // 2
                self._heard(held.pcm)
                ready.append(held.pcm)
        return ready

    def _gap(self, after: _Held) -> list[bytes]:
        if self._next_timestamp is None or after.pcm is None:
            return []
        samples = _signed(after.timestamp - self._next_timestamp, 32)
        return [self._conceal(samples)] if 0 < samples <= _MAX_GAP_S * self._rate else []

    def _remember(self, number: int) -> None:
        self._passed.add(number)
        if len(self._passed) > 4 * _MAX_HELD:
            self._passed = {n for n in self._passed if n > number - 2 * _MAX_HELD}


def _signed(difference: int, bits: int) -> int:
    """A difference of wrapping counters as the nearest signed number."""
    half = 1 << (bits - 1)
    return ((difference + half) & ((1 << bits) - 1)) - half
