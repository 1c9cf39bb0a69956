"""Speaks to a caller: sentences → sound in the caller's format → 20 ms frames, in real time.

Frames leave at most ``LEAD_S`` ahead of what the caller hears, so that a cut is heard at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from enum import StrEnum

from hotline.errors import SynthesiserDownError
from hotline.ports import CANTONESE, MANDARIN, Speech, SpeechChange, Synthesiser
from voice.audio import FRAME_MS, Encoding, Framer, clip, encode, resample, to_samples
from voice.clock import Clock
from voice.ports import EventSink
from voice.speech_text import sentences
from voice.tts.stream import PrefetchingSpeechStream

log = logging.getLogger(__name__)

LEAD_S = 0.3
SLOWER_STEP, SLOWEST = 0.82, 0.55
LOUDER_STEP, LOUDEST = 1.6, 2.6


class Spoken(StrEnum):
    """How one speech went."""

    WHOLE = "whole"
    CUT = "cut"
    FAILED = "failed"  # the synthesiser gave up, perhaps after some sentences
    NOTHING = "nothing"  # there was nothing to say


@dataclass(frozen=True)
class Manner:
    """How this caller is spoken to: pace (1.0 is the engine's own), loudness, language."""

    speed: float = 1.0
    gain: float = 1.0
    language: str = MANDARIN

    def changed(self, change: SpeechChange) -> Manner:
        """One step slower or louder (both have an end), or another language."""
        match change:
            case SpeechChange.SLOWER:
                return replace(self, speed=max(SLOWEST, self.speed * SLOWER_STEP))
            case SpeechChange.LOUDER:
                return replace(self, gain=min(LOUDEST, self.gain * LOUDER_STEP))
            case SpeechChange.CANTONESE:
                return replace(self, language=CANTONESE)
            case SpeechChange.MANDARIN:
                return replace(self, language=MANDARIN)


class Player:
    """One call's voice. ``play`` is called by one task at a time; ``cut`` by anyone."""

    def __init__(
        self, synthesiser: Synthesiser, clock: Clock, send: EventSink, encoding: Encoding, sample_rate: int
    ) -> None:
        self._stream = PrefetchingSpeechStream(synthesiser)
        self._clock = clock
        self._send = send
        self._encoding = encoding
        self._rate = sample_rate
        self._task: asyncio.Task[Spoken] | None = None
        self._cut = False
        self.manner = Manner()
        self._started = False  # the first frame of the running speech has left

    @property
    def speaking(self) -> bool:
        return self._task is not None and not self._cut

    def cut(self) -> None:
        """Stops the running speech; nothing where nobody speaks."""
        if self._task is not None and not self._cut:
            self._cut = True
            self._task.cancel()

    async def play(self, text: str, turn_id: str, on_first_audio: Callable[[], None] | None = None) -> Spoken:
        """Speaks ``text``; returns when the caller has heard it, or it was cut or failed.

        Sends ``speech`` start with the first frame, then ``end`` or ``cut``.
        """
        pieces = sentences(text)
        if not pieces:
            return Spoken.NOTHING
        self._cut = False
        self._started = False
        self._task = asyncio.ensure_future(self._speak(pieces, turn_id, on_first_audio))
        try:
            outcome = await self._task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not self._cut or (current is not None and current.cancelling()):
                # the whole call is being cancelled, not this speech alone
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
                raise
            outcome = Spoken.CUT
        finally:
            self._task = None
        if self._started:
            phase = "cut" if outcome is Spoken.CUT else "end"
            await self._send({"type": "speech", "phase": phase, "turn_id": turn_id})
        return outcome

    async def _speak(self, pieces: list[str], turn_id: str, on_first_audio: Callable[[], None] | None) -> Spoken:
        heard_until = 0.0  # clock time at which the caller has heard all that was sent
        framer = Framer(self._rate * FRAME_MS // 1000)
        frame_s = FRAME_MS / 1000
        outcome = Spoken.WHOLE
        try:
            async with aclosing(self._stream.speak(pieces, self.manner.speed, self.manner.language)) as stream:  # type: ignore[type-var]
                async for speech in stream:
                    if not self._started:
                        self._started = True
                        heard_until = self._clock.now()
                        await self._send({"type": "speech", "phase": "start", "turn_id": turn_id})
                        if on_first_audio is not None:
                            on_first_audio()
                    # A late sentence leaves a gap; time lost is not made up by a burst.
                    heard_until = max(heard_until, self._clock.now())
                    heard_until = await self._send_frames(speech, framer, heard_until)
        except SynthesiserDownError:
            outcome = Spoken.FAILED
        for frame in framer.flush():
            await self._send(encode(frame, self._encoding))
            heard_until += frame_s
        if (left := heard_until - self._clock.now()) > 0:
            await self._clock.sleep(left)
        return outcome

    async def _send_frames(self, speech: Speech, framer: Framer, heard_until: float) -> float:
        samples = resample(to_samples(speech.pcm), speech.sample_rate, self._rate)
        if self.manner.gain != 1.0:
            samples = clip(samples * self.manner.gain)
        for frame in framer.feed(samples):
            if (ahead := heard_until - self._clock.now() - LEAD_S) > 0:
                await self._clock.sleep(ahead)
            await self._send(encode(frame, self._encoding))
            heard_until += FRAME_MS / 1000
        return heard_until
