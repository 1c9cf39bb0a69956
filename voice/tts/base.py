"""What every synthesiser shares. The contract itself is in :mod:`hotline.ports`.

Sentences come in their spoken form (see :mod:`voice.speech_text`): no digits, no marks.
"""

from __future__ import annotations

from hotline.errors import SynthesiserDownError
from hotline.ports import MANDARIN, Speech, Synthesiser

__all__ = ["DownSynthesiser", "Speech", "Synthesiser", "clamp_speed"]

SLOWEST, FASTEST = 0.5, 2.0


def clamp_speed(speed: float) -> float:
    """1.0 is the engine's own pace; callers may ask for slower or faster within limits."""
    return min(FASTEST, max(SLOWEST, speed))


class DownSynthesiser:
    """Stands in where no engine can run: answers stay on the screen, the call goes on."""

    name = "none"

    async def synthesise(self, sentence: str, speed: float = 1.0, language: str = MANDARIN) -> Speech:
        raise SynthesiserDownError

    async def close(self) -> None:
        return None
