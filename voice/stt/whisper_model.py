"""faster-whisper's model, reading as much as there is to hear.

Whisper was trained on windows of 30 seconds, and every utterance is padded to that with nothing, so
that three seconds of speech cost as much as thirty. Its encoder takes shorter windows: at fifteen
seconds the words are as right as before in less than half the time; at ten they begin to suffer
(docs/adr/0014 has the figures).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

_LEAST_FRAMES = 1500  # 15 s of 10 ms each
_STEP = 100


class ShortWindowWhisper(WhisperModel):  # type: ignore[misc]
    """``short`` may be switched off: then the padding is read as well."""

    short = True

    def encode(self, features: NDArray[np.float32]) -> Any:
        return super().encode(without_padding(features) if self.short else features)


def without_padding(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features (…, mel, frames) without the zeros at the end, at least fifteen seconds of them."""
    heard = np.flatnonzero(features.any(axis=tuple(range(features.ndim - 1))))
    last = int(heard[-1]) + 1 if len(heard) else 0
    frames = max(_LEAST_FRAMES, -(-last // _STEP) * _STEP)
    return features[..., :frames]
