"""Sentences said often (greeting, prompts, standing facts) are made once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from hotline.ports import MANDARIN, Speech, Synthesiser

_MAX_CHARACTERS = 80  # longer sentences are rarely said twice


class CachedSynthesiser:
    """An LRU in memory in front of another synthesiser; ``max_bytes`` bounds its sound."""

    def __init__(self, inner: Synthesiser, max_bytes: int = 48 << 20) -> None:
        self._inner = inner
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[str, float, str], Speech] = OrderedDict()
        self._bytes = 0
        self.name = inner.name
        self.hits = 0

    async def synthesise(self, sentence: str, speed: float = 1.0, language: str = MANDARIN) -> Speech:
        key = (sentence, speed, language)
        if (known := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            self.hits += 1
            return known
        speech = await self._inner.synthesise(sentence, speed, language)
        if len(sentence) <= _MAX_CHARACTERS and key not in self._kept:
            self._kept[key] = speech
            self._bytes += len(speech.pcm)
            while self._bytes > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.pcm)
        return speech

    async def warm(self, sentences: Iterable[str]) -> None:
        """Makes sentences ahead of the first call. Raises SynthesiserDownError."""
        for sentence in sentences:
            await self.synthesise(sentence)

    async def close(self) -> None:
        await self._inner.close()
