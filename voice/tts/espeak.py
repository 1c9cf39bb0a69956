"""espeak-ng through pyttsx3, in worker processes of its own: always there, robotic."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from hotline.errors import SynthesiserDownError
from hotline.ports import CANTONESE, MANDARIN, Speech
from voice.tts import espeak_worker
from voice.tts.base import clamp_speed

log = logging.getLogger(__name__)

_TIMEOUT_S = 20.0  # the first sentence waits for a process to start


class EspeakSynthesiser:
    """Speaks through ``workers`` spawned processes; a broken pool is replaced once a sentence."""

    name = "espeak"

    def __init__(self, *, voice: str = espeak_worker.VOICE, workers: int = 2) -> None:
        self._voices = {MANDARIN: voice, CANTONESE: espeak_worker.CANTONESE_VOICE}
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def _running_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=espeak_worker.prepare,
            )
        return self._pool

    async def synthesise(self, sentence: str, speed: float = 1.0, language: str = MANDARIN) -> Speech:
        loop = asyncio.get_running_loop()
        for attempt in (1, 2):
            pool = self._running_pool()
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    pcm, rate = await loop.run_in_executor(
                        pool, espeak_worker.speak, sentence, clamp_speed(speed), self._voices[language]
                    )
                return Speech(pcm=pcm, sample_rate=rate)
            except BrokenProcessPool as problem:
                log.warning("espeak 进程意外退出（第 %d 次），重启", attempt)
                if self._pool is pool:
                    self._pool = None
                pool.shutdown(wait=False)
                if attempt == 2:
                    raise SynthesiserDownError from problem
            except (espeak_worker.SpeechLostError, TimeoutError, OSError) as problem:
                log.warning("espeak 没有合成出声音：%s", type(problem).__name__)
                raise SynthesiserDownError from problem
        raise SynthesiserDownError

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)
