"""One utterance on its way into a recogniser, in worker threads, in order.

The event loop only queues here. Whatever a session does may block, so each call of it, from its
start to its end, runs in ``executor``; between two calls all sound that came in meanwhile is put
together, so that a slow engine is asked less often and not later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum, auto

from hotline.errors import HotlineError, RecogniserDownError
from hotline.messages import Transcript
from hotline.ports import Recogniser, RecogniserSession, SpeculativeSession
from voice.audio import Samples, StreamResampler, to_pcm

OnPartial = Callable[[Transcript], Awaitable[None]]

SPECULATE_AFTER_MS = 200.0
"""A gap between two syllables is shorter; the wait for the end of an utterance is longer."""


class _Mark(Enum):
    PAUSED = auto()
    RESUMED = auto()
    ENDED = auto()


@dataclass
class _Waiting:
    """What came in since the session was last free."""

    pcm: bytes = b""
    resumed: bool = False
    paused: bool = False
    ended: bool = False
    quiet: bool = False  # the speaker has fallen silent: no time for anything but the decision


class Utterance:
    """Takes samples at the caller's rate; ``transcript`` is awaited once, after ``end``.

    Engines that decide on a whole utterance at once are told of silence early: ``pause_began`` when
    silence begins, ``speech_resumed`` when it turns out to be no end. The decision made in between is
    also given as a partial result, so that turn-taking sees the words before the end is certain.

    Args:
        executor: runs the recogniser (None: the loop's own threads).
        speculate_after_ms: silence fed after ``pause_began`` before the engine is told.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        sample_rate: int,
        executor: Executor | None = None,
        on_partial: OnPartial | None = None,
        speculate_after_ms: float = SPECULATE_AFTER_MS,
    ) -> None:
        self._recogniser = recogniser
        self._resampler = StreamResampler(sample_rate, recogniser.sample_rate)
        self._executor = executor
        self._on_partial = on_partial
        self._shown = ""
        self._patience = int(speculate_after_ms * sample_rate / 1000)
        self._silence: int | None = None  # samples since the pause began; None while speech goes on
        self._told = False  # that there is a pause
        self._queue: asyncio.Queue[bytes | _Mark] = asyncio.Queue()
        self._task = asyncio.ensure_future(self._run())

    def feed(self, samples: Samples) -> None:
        self._queue.put_nowait(to_pcm(self._resampler.feed(samples)))
        if self._silence is None or self._told:
            return
        self._silence += len(samples)
        if self._silence >= self._patience:
            self._told = True
            self._queue.put_nowait(_Mark.PAUSED)

    def pause_began(self, silent: int = 0) -> None:
        """The speaker fell silent: what is fed from now on is silence, as the last ``silent`` samples
        were. Told twice, it holds once."""
        if self._silence is None:
            self._silence = silent

    def speech_resumed(self) -> None:
        """The silence was no end. Harmless where no pause had begun."""
        if self._told:
            self._queue.put_nowait(_Mark.RESUMED)
        self._silence, self._told = None, False

    def end(self) -> None:
        self._queue.put_nowait(_Mark.ENDED)

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
            while True:
                came = await self._waiting()
                if came.ended:
                    return await loop.run_in_executor(self._executor, _finish, session, came)
                await self._show(await loop.run_in_executor(self._executor, _accept, session, came))
        except HotlineError:
            raise
        except Exception as problem:  # an engine's own errors have no common base
            raise RecogniserDownError from problem

    async def _show(self, partial: Transcript | None) -> None:
        if partial is not None and partial.text != self._shown and self._on_partial is not None:
            self._shown = partial.text
            await self._on_partial(partial)

    async def _waiting(self) -> _Waiting:
        """All that has come in meanwhile; a pause that is over already is none."""
        came, chunks = _Waiting(), []
        item: bytes | _Mark = await self._queue.get()
        while True:
            match item:
                case bytes():
                    chunks.append(item)
                case _Mark.PAUSED:
                    came.paused = True
                case _Mark.RESUMED:
                    came.paused, came.resumed = False, True
                case _Mark.ENDED:
                    came.ended = True
            if self._queue.empty():
                came.pcm = b"".join(chunks)
                came.quiet = self._silence is not None
                return came
            item = self._queue.get_nowait()


def _accept(session: RecogniserSession, came: _Waiting) -> Transcript | None:
    _take(session, came)
    if isinstance(session, SpeculativeSession) and came.quiet:
        if came.paused:
            session.pause_began()
            return session.partial()
        return None
    return session.partial()


def _finish(session: RecogniserSession, came: _Waiting) -> Transcript:
    _take(session, came)
    return session.finish()


def _take(session: RecogniserSession, came: _Waiting) -> None:
    if came.resumed and isinstance(session, SpeculativeSession):
        session.speech_resumed()
    if came.pcm:
        session.accept_chunk(came.pcm)
