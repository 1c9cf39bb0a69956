"""One utterance on its way into a recogniser, in worker threads, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

from hotline.errors import HotlineError, RecogniserDownError
from hotline.messages import Transcript
from hotline.ports import Recogniser, RecogniserSession
from voice.audio import Samples, StreamResampler, to_pcm

OnPartial = Callable[[Transcript], Awaitable[None]]


class Utterance:
    """Takes samples at the caller's rate; ``transcript`` is awaited once, after ``end``.

    ``executor`` runs the recogniser (None: the loop's own threads).
    """

    def __init__(
        self,
        recogniser: Recogniser,
        sample_rate: int,
        executor: Executor | None = None,
        on_partial: OnPartial | None = None,
    ) -> None:
        self._recogniser = recogniser
        self._resampler = StreamResampler(sample_rate, recogniser.sample_rate)
        self._executor = executor
        self._on_partial = on_partial
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._task = asyncio.ensure_future(self._run())

    def feed(self, samples: Samples) -> None:
        self._chunks.put_nowait(to_pcm(self._resampler.feed(samples)))

    def pause_began(self) -> None:
        """The speaker fell silent; nothing to do for an engine that decides as it goes."""

    def speech_resumed(self) -> None:
        """The silence was no end."""

    def end(self) -> None:
        self._chunks.put_nowait(None)

    async def transcript(self) -> Transcript:
        """The final transcript.

        Raises:
            RecogniserDownError: the engine could not be started or failed.
        """
        return await self._task

    async def drop(self) -> None:
        """Gives the utterance up; nothing more is asked of the recogniser."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> Transcript:
        loop = asyncio.get_running_loop()
        try:
            session = await loop.run_in_executor(self._executor, self._recogniser.start)
            last = ""
            while True:
                pcm, ended = await self._waiting()
                if pcm:
                    partial = await loop.run_in_executor(self._executor, _accept, session, pcm)
                    if partial is not None and partial.text != last and self._on_partial and not ended:
                        last = partial.text
                        await self._on_partial(partial)
                if ended:
                    return await loop.run_in_executor(self._executor, session.finish)
        except HotlineError:
            raise
        except Exception as problem:  # an engine's own errors have no common base
            raise RecogniserDownError from problem

    async def _waiting(self) -> tuple[bytes, bool]:
        """All sound that has come in meanwhile, and whether the utterance has ended."""
        chunks = [await self._chunks.get()]
        while not self._chunks.empty():
            chunks.append(self._chunks.get_nowait())
        return b"".join(chunk for chunk in chunks if chunk is not None), chunks[-1] is None


def _accept(session: RecogniserSession, pcm: bytes) -> Transcript | None:
    session.accept_chunk(pcm)
    return session.partial()
