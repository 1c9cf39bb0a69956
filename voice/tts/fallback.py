"""Tries engines in order for every sentence, so that one bad sentence is still heard."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hotline.errors import SynthesiserDownError
from hotline.ports import MANDARIN, Speech, Synthesiser

log = logging.getLogger(__name__)


class FallbackSynthesiser:
    """``engines`` best first. Raises SynthesiserDownError when all fail on a sentence."""

    def __init__(self, engines: Sequence[Synthesiser]) -> None:
        if not engines:
            raise ValueError("至少要有一个合成引擎")
        self._engines = list(engines)
        self.name = self._engines[0].name

    async def synthesise(self, sentence: str, speed: float = 1.0, language: str = MANDARIN) -> Speech:
        problem: SynthesiserDownError | None = None
        for engine in self._engines:
            try:
                return await engine.synthesise(sentence, speed, language)
            except SynthesiserDownError as down:
                log.warning("%s 没能合成这一句，换下一个引擎", engine.name)
                problem = down
        raise SynthesiserDownError from problem

    async def close(self) -> None:
        for engine in self._engines:
            await engine.close()
