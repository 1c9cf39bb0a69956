"""Both sides of a call brought onto one time line, and given away second by second.

The caller's sound is one stream in order; the line's is placed where the caller hears it. Never
holds more than some seconds, whatever is sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from hotline.ports import RecordedTurn
from voice.audio import Samples

_PIECE_S = 1.0
_BEHIND_S = 0.5  # what the line has sent ahead is written when it has been heard
_GAP_S = 0.25  # packets later than this left a gap; less is jitter
_MOST_AHEAD_S = 20.0


class _Track:
    """Sound of one side from ``start`` on, by sample number."""

    def __init__(self) -> None:
        self.start = 0
        self.end = 0
        self._chunks: deque[tuple[int, Samples]] = deque()

    def put(self, at: int, samples: Samples) -> None:
        at = max(at, self.end, self.start)
        self._chunks.append((at, samples))
        self.end = at + len(samples)

    def cut(self, at: int) -> None:
        while self._chunks and self._chunks[-1][0] >= at:
            self._chunks.pop()
        if self._chunks and self.end > at:
            begun, samples = self._chunks.pop()
            self._chunks.append((begun, samples[: max(0, at - begun)]))
        self.end = min(self.end, max(at, self.start))

    def take(self, up_to: int) -> Samples:
        """Everything before sample ``up_to``, silence where there is nothing."""
        taken = np.zeros(max(0, up_to - self.start), np.int16)
        while self._chunks and self._chunks[0][0] < up_to:
            begun, samples = self._chunks.popleft()
            here = samples[: up_to - begun]
            taken[begun - self.start : begun - self.start + len(here)] = here
            if len(here) < len(samples):
                self._chunks.appendleft((up_to, samples[len(here) :]))
        self.start = max(self.start, up_to)
        return taken


class Tape:
    """A :class:`voice.ports.CallTape`.

    Args:
        on_piece: given both sides of the next piece, equally long.
        on_turn: given each turn, in seconds of the recording.
    """

    def __init__(
        self,
        sample_rate: int,
        on_piece: Callable[[Samples, Samples], None],
        on_turn: Callable[[RecordedTurn], None],
    ) -> None:
        self._rate = sample_rate
        self._on_piece = on_piece
        self._on_turn = on_turn
        self._caller, self._line = _Track(), _Track()
        self._zero: float | None = None  # the call's clock at the recording's start

    def _sample(self, at: float) -> int:
        if self._zero is None:
            self._zero = at
        return max(0, round((at - self._zero) * self._rate))

    def caller(self, samples: Samples, at: float) -> None:
        begun = self._sample(at) - len(samples)
        late = begun - self._caller.end > _GAP_S * self._rate
        self._caller.put(begun if late else self._caller.end, samples)
        # Sound sent faster than real time is written before its time, rather than kept.
        ahead = self._caller.end - round(_MOST_AHEAD_S * self._rate)
        self._give(max(self._sample(at) - round(_BEHIND_S * self._rate), ahead), _PIECE_S)

    def line(self, samples: Samples, at: float) -> None:
        self._line.put(self._sample(at), samples)

    def line_cut(self, at: float) -> None:
        self._line.cut(self._sample(at))

    def turn(self, turn_id: str, who: str, begun: float, ended: float) -> None:
        seconds = (self._sample(begun) / self._rate, self._sample(ended) / self._rate)
        self._on_turn(
            RecordedTurn(turn_id=turn_id, who=who, begun_s=round(seconds[0], 2), ended_s=round(seconds[1], 2))
        )

    def finish(self) -> None:
        """Gives away what is left."""
        self._give(max(self._caller.end, self._line.end), 0.0)

    def _give(self, up_to: int, at_least_s: float) -> None:
        if up_to - self._caller.start >= max(1, at_least_s * self._rate):
            self._on_piece(self._caller.take(up_to), self._line.take(up_to))
