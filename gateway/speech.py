"""The speech engines of the gateway: loaded in the background, shared by all calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from gateway.metrics import Metrics
from gateway.replies import Sentences
from hotline.errors import BusyError, HotlineError, RecogniserDownError
from hotline.messages import Transcript
from hotline.ports import Recogniser, RecognitionOptions, Synthesiser
from hotline.settings import Settings
from voice.ports import CallTape, Dialogue, EventSink, TurnTimings
from voice.session import CallSession
from voice.stt.base import NOTHING_HEARD
from voice.stt.stream import Cutting, RecognitionStream
from voice.vad import VadFactory
from voice.warm import warm_up

logger = logging.getLogger(__name__)

T = TypeVar("T")


class SpeechEngines:
    """``warm_up`` loads the models; a call that comes earlier waits for them in its own thread."""

    def __init__(
        self,
        settings: Settings,
        recogniser: Recogniser,
        synthesiser: Synthesiser,
        vad: VadFactory,
        sentences: Sentences,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._recogniser = recogniser
        self._synthesiser = synthesiser
        self._vad = vad
        self._sentences = sentences
        self._metrics = metrics
        # Recognition uses several cores by itself: two at once, the others wait their turn.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="recognise")
        self._streams = 0
        self._states: dict[str, dict[str, Any]] = {
            "recogniser": {"status": "loading", "engine": recogniser.name},
            "synthesiser": {"status": "loading", "engine": synthesiser.name},
        }

    def states(self) -> dict[str, dict[str, Any]]:
        return self._states

    async def warm_up(self) -> None:
        """Loads both engines and speaks the standing sentences once: the first caller does not wait."""
        try:
            greetings = [self._sentences.call_greeting(recorded).speech_text for recorded in (True, False)]
            problems = await warm_up(self._recogniser, self._synthesiser, greetings)
        except (OSError, RuntimeError, ValueError, ImportError) as error:
            logger.exception("speech engines did not load")
            problems = [f"语音引擎没有加载成功（{type(error).__name__}）。"]
        for state in self._states.values():
            state |= {"status": "ok"} if not problems else {"status": "down", "detail": "".join(problems)}

    def session(self, dialogue: Dialogue, send: EventSink, tape: CallTape | None = None) -> CallSession:
        """``tape``: where the call is recorded."""
        return CallSession(
            recogniser=self._recogniser,
            synthesiser=self._synthesiser,
            vad=self._vad,
            dialogue=dialogue,
            settings=self._settings,
            send=send,
            executor=self._threads,
            on_timings=self._measure,
            tape=tape,
        )

    def listening(self) -> Listening:
        """Recognition alone, without a call."""
        return Listening(self)

    def open_stream(self, sample_rate: int, options: RecognitionOptions) -> RecognitionStream:
        """Blocking: for a worker thread."""
        cutting = Cutting(self._settings.endpoint_silence_ms, self._settings.max_utterance_s)
        return RecognitionStream(self._recogniser, self._vad, sample_rate, options, cutting)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs what blocks. What an engine raises becomes RecogniserDownError."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except HotlineError:
            raise
        except Exception as problem:  # an engine's own errors have no common base
            logger.exception("recognition failed")
            raise RecogniserDownError from problem

    def admit(self) -> None:
        """One more stream. Raises BusyError where there are as many as the settings allow."""
        if self._streams >= self._settings.asr_max_streams:
            raise BusyError
        self._streams += 1

    def release(self) -> None:
        self._streams -= 1

    def _measure(self, timings: TurnTimings) -> None:
        for part, milliseconds in timings.parts_ms().items():
            self._metrics.speech_seconds.labels(part).observe(milliseconds / 1000)

    async def close(self) -> None:
        await self._synthesiser.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


class Listening:
    """One stream of ``/asr``. A connection that sends no sound costs nothing but its socket."""

    def __init__(self, engines: SpeechEngines) -> None:
        self._engines = engines
        self._stream: RecognitionStream | None = None
        self._admitted = False

    @property
    def begun(self) -> bool:
        return self._admitted

    async def accept(self, pcm: bytes, sample_rate: int, options: RecognitionOptions) -> Transcript:
        """Raises BusyError, RecogniserDownError."""
        if not self._admitted:
            self._engines.admit()
            self._admitted = True
        return await self._engines.in_thread(lambda: self._accept(pcm, sample_rate, options))

    def _accept(self, pcm: bytes, sample_rate: int, options: RecognitionOptions) -> Transcript:
        if self._stream is None:
            self._stream = self._engines.open_stream(sample_rate, options)
        return self._stream.accept(pcm)

    async def finish(self) -> Transcript:
        stream = self._stream
        return NOTHING_HEARD if stream is None else await self._engines.in_thread(stream.finish)

    async def close(self) -> None:
        self._stream = None
        if self._admitted:
            self._admitted = False
            self._engines.release()
