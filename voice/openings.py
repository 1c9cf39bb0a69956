"""The sounds that may fill the wait for an answer: made ahead, played only where it is late.

An opening tells the caller that the words were heard, and nothing else: it is chosen before the
answer is known, so whatever it said could be false.
"""

from __future__ import annotations

import asyncio
import logging

from hotline.errors import HotlineError
from hotline.ports import Speech, Synthesiser
from voice.player import Manner, Opening
from voice.prompts import Prompts
from voice.speech_text import sentences

log = logging.getLogger(__name__)

_LATE_S = 1.6  # after the first opening
_SILENT_S = 0.85  # nobody hears nothing for longer, however long the end of the words was waited for


class Openings:
    """One call's openings, in the manner the caller is spoken to.

    Args:
        after_ms: how long after the end-point the first may sound; 0 turns openings off.
    """

    def __init__(self, synthesiser: Synthesiser, prompts: Prompts, after_ms: int) -> None:
        self._synthesiser = synthesiser
        self._texts = (prompts.opening, prompts.opening_late)
        self._after_s = after_ms / 1000
        self._made: dict[tuple[float, str], list[Speech]] = {}
        self._making: set[asyncio.Task[None]] = set()

    def prepare(self, manner: Manner) -> None:
        """Makes them in the background, once for each pace and language."""
        key = (manner.speed, manner.language)
        if self._after_s and key not in self._made:
            self._made[key] = []
            task = asyncio.ensure_future(self._make(key))
            self._making.add(task)
            task.add_done_callback(self._making.discard)

    async def _make(self, key: tuple[float, str]) -> None:
        try:
            made = [await self._synthesiser.synthesise(s, *key) for text in self._texts for s in sentences(text)]
        except HotlineError as problem:  # the answers will say so; an opening alone is not missed
            log.info("开场声没有合成：%s", problem.code)
            return
        self._made[key] = made

    def ready(self, manner: Manner, since: float, silent: float) -> list[Opening]:
        """Those to play, ``since`` seconds after the end-point and ``silent`` after the caller's last
        sound; empty where they are not made yet."""
        made = self._made.get((manner.speed, manner.language), [])
        first = max(0.0, min(self._after_s - since, _SILENT_S - silent))
        return [Opening(first + number * _LATE_S, speech) for number, speech in enumerate(made)]

    async def close(self) -> None:
        for task in list(self._making):
            task.cancel()
        await asyncio.gather(*self._making, return_exceptions=True)
