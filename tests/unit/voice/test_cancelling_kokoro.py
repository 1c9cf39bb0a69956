"""A sentence that nobody will hear does not keep the worker from the next one."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest

from voice.tts.kokoro import KokoroSynthesiser


class Endless:
    """A model that computes until it is told to terminate, and at once for short sentences."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.terminated = 0

    def run(self, outputs, inputs, options):
        if inputs["tokens"].size > 6:
            self.started.set()
            while not options.terminate:
                pass
            self.terminated += 1
            raise RuntimeError("terminated")
        return (np.full(2400, 0.1, np.float32),)


async def test_an_interrupted_sentence_is_given_up_at_once() -> None:
    kokoro = KokoroSynthesiser(Path("nowhere"))
    model = kokoro._session = Endless()
    kokoro._phonemes = lambda sentence: (sentence, None)
    kokoro._vocab = {"请": 1, "好": 2}
    kokoro._voice = np.zeros((10, 256), np.float32)
    try:
        long = asyncio.create_task(kokoro.synthesise("请请请请请请请请"))
        await asyncio.to_thread(model.started.wait, 10)
        long.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long
        async with asyncio.timeout(10):
            assert (await kokoro.synthesise("好")).pcm
        assert model.terminated == 1
        waiting = asyncio.create_task(kokoro.synthesise("好"))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    finally:
        await kokoro.close()
