"""Sentences in, sound out, in order; the next sentence is made while one is being played."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from hotline.ports import MANDARIN, Speech, Synthesiser


class PrefetchingSpeechStream:
    """The ``SpeechStream`` of :mod:`hotline.ports` over a synthesiser.

    ``ahead`` sentences are under way at most. Closing the iterator early (a caller interrupts)
    cancels what is under way and leaves no task behind.
    """

    def __init__(self, synthesiser: Synthesiser, *, ahead: int = 2) -> None:
        self._synthesiser = synthesiser
        self._ahead = ahead

    async def speak(
        self, sentences: Sequence[str], speed: float = 1.0, language: str = MANDARIN
    ) -> AsyncIterator[Speech]:
        """Raises SynthesiserDownError when a sentence cannot be made; earlier ones were given."""
        waiting = deque(sentences)
        under_way: deque[asyncio.Task[Speech]] = deque()
        try:
            while waiting or under_way:
                while waiting and len(under_way) < self._ahead:
                    coroutine = self._synthesiser.synthesise(waiting.popleft(), speed, language)
                    under_way.append(asyncio.ensure_future(coroutine))
                speech = await under_way[0]
                under_way.popleft()
                yield speech
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
