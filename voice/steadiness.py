"""Is it a hum or the start of words? A cue from sound alone, for engines that give no words yet.

「嗯」 and 「哦」 hold one sound, louder and softer; words change theirs within a fifth of a second.
Measured on 33 sentences and 27 hums (docs/adr/0031-since-when-somebody-speaks.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.audio import Samples
from voice.turn_taking import Sound

_EDGES_HZ = (80, 300, 600, 1000, 1600, 2500, 3900)
_VARIED = 0.65  # mean change of the log band energies, beside one another, from frame to frame
_QUIET = 0.1  # of the loudest frame's energy: the fade of a hum is no syllable
_MOST = 2.0  # one change counts for no more: an abrupt end is one change
_FLOOR = 1e3


class Steadiness:
    """Fed the voiced frames of one utterance, tells how they sound until now."""

    def __init__(self, sample_rate: int, frame_samples: int) -> None:
        frequencies = np.fft.rfftfreq(frame_samples, 1 / sample_rate)
        self._bands = np.searchsorted(frequencies, _EDGES_HZ)
        self._window = np.hanning(frame_samples)
        self._last: NDArray[np.float64] | None = None
        self._loudest = 0.0
        self._changes: list[float] = []

    def push(self, frame: Samples) -> None:
        power = np.abs(np.fft.rfft(frame * self._window)) ** 2
        energies = np.add.reduceat(power, self._bands[:-1]) + _FLOOR
        energy = float(energies.sum())
        self._loudest = max(self._loudest, energy)
        if energy < _QUIET * self._loudest:
            return
        bands = np.log(energies)
        bands -= bands.mean()  # how a hum swells and fades is no change of its sound
        if self._last is not None:
            self._changes.append(min(_MOST, float(np.abs(bands - self._last).mean())))
        self._last = bands

    @property
    def sound(self) -> Sound:
        changes = self._changes
        return Sound.VARIED if changes and sum(changes) / len(changes) > _VARIED else Sound.STEADY
