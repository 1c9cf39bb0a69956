"""The speech engines of the gateway: loaded in the background, shared by all calls."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gateway.metrics import Metrics
from gateway.replies import Sentences
from hotline.ports import Recogniser, Synthesiser
from hotline.settings import Settings
from voice.ports import CallTape, Dialogue, EventSink, TurnTimings
from voice.session import CallSession
from voice.vad import VadFactory
from voice.warm import warm_up

logger = logging.getLogger(__name__)


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

    def _measure(self, timings: TurnTimings) -> None:
        for part, milliseconds in timings.parts_ms().items():
            self._metrics.speech_seconds.labels(part).observe(milliseconds / 1000)

    async def close(self) -> None:
        await self._synthesiser.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
