"""A synthesiser that makes a plain tone, as long as the sentence, for tests without a model."""

from __future__ import annotations

import numpy as np

from hotline.ports import MANDARIN, Speech
from voice.audio import clip, to_pcm


class ScriptedSynthesiser:
    """``ms_per_character`` of tone for each character; ``failures`` are raised first.

    ``spoken``, ``languages`` and ``speeds`` keep what was asked, in order.
    """

    name = "scripted"

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        ms_per_character: float = 100.0,
        failures: list[Exception] | None = None,
        always_fail: Exception | None = None,
    ) -> None:
        self.spoken: list[str] = []
        self.languages: list[str] = []
        self.speeds: list[float] = []
        self.closed = False
        self._sample_rate = sample_rate
        self._ms = ms_per_character
        self._failures = failures or []
        self._always_fail = always_fail

    async def synthesise(self, sentence: str, speed: float = 1.0, language: str = MANDARIN) -> Speech:
        if self._always_fail is not None:
            raise self._always_fail
        if self._failures:
            raise self._failures.pop(0)
        self.spoken.append(sentence)
        self.languages.append(language)
        self.speeds.append(speed)
        count = int(self._sample_rate * self._ms * len(sentence) / 1000 / speed)
        tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(count) / self._sample_rate)
        return Speech(pcm=to_pcm(clip(tone)), sample_rate=self._sample_rate)

    async def close(self) -> None:
        self.closed = True
