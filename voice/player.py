"""Speaks to a caller: sentences → sound in the caller's format → 20 ms frames, in real time.

Frames leave at most ``LEAD_S`` ahead of what the caller hears, so that a cut is heard at once also
where nobody throws away what was sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from enum import StrEnum

from hotline.errors import SynthesiserDownError
from hotline.ports import CANTONESE, MANDARIN, Speech, SpeechChange, Synthesiser
from voice.audio import FRAME_MS, Encoding, Framer, Samples, clip, encode, resample, to_samples
from voice.clock import Clock
from voice.ports import CallTape, EventSink
from voice.tts.stream import PrefetchingSpeechStream

log = logging.getLogger(__name__)

LEAD_S = 0.12
SLOWER_STEP, SLOWEST = 0.82, 0.55
LOUDER_STEP, LOUDEST = 1.6, 2.6
_FRAME_S = FRAME_MS / 1000


class Outcome(StrEnum):
    """How one speech went."""

    WHOLE = "whole"
    CUT = "cut"
    FAILED = "failed"  # the synthesiser gave up, perhaps after some sentences
    NOTHING = "nothing"  # there was nothing to say


@dataclass(frozen=True)
class Spoken:
    """``heard`` is the text the caller heard, to within a syllable; ``rest`` the pieces not heard
    whole, the one that was cut included. ``started`` is false where not a frame had left."""

    outcome: Outcome
    heard: str = ""
    rest: tuple[str, ...] = ()
    started: bool = False


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


@dataclass(frozen=True)
class Opening:
    """A sound that may fill the wait for an answer: ``after_s`` from now, unless the answer is there."""

    after_s: float
    speech: Speech


class Player:
    """One call's voice. ``play`` is called by one task at a time; ``cut`` by anyone."""

    def __init__(
        self,
        synthesiser: Synthesiser,
        clock: Clock,
        send: EventSink,
        encoding: Encoding,
        sample_rate: int,
        tape: CallTape | None = None,
    ) -> None:
        self._stream = PrefetchingSpeechStream(synthesiser)
        self._clock = clock
        self._send = send
        self._encoding = encoding
        self._rate = sample_rate
        self._tape = tape
        self._task: asyncio.Task[Outcome] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._opening_over = self._opening_sounds = False
        self._cut = False
        self.manner = Manner()
        self._started = False  # the first frame of the running speech has left
        self._heard_until = 0.0  # clock time at which the caller has heard all that was sent
        self._pieces: list[tuple[float, float]] = []  # from when to when each piece is heard

    @property
    def speaking(self) -> bool:
        """A speech is being made or heard, or an opening heard."""
        return (self._task is not None and not self._cut) or self._opening_heard

    @property
    def heard(self) -> bool:
        """The caller hears the line at this moment."""
        return self._heard_until > self._clock.now()

    @property
    def _opening_heard(self) -> bool:
        return self._opening is not None and self.heard

    def cut(self) -> None:
        """Stops the running speech; nothing where nobody speaks."""
        if self._opening_heard and self._opening is not None:
            self._opening.cancel()
            self._stop_hearing()
        if self._task is not None and not self._cut:
            self._cut = True
            self._task.cancel()

    def _stop_hearing(self) -> None:
        self._heard_until = min(self._heard_until, self._clock.now())
        if self._tape is not None:
            self._tape.line_cut(self._heard_until)

    def open_with(self, openings: Sequence[Opening], on_first_audio: Callable[[], None] | None = None) -> None:
        """Fills the wait for the next ``play``: each opening at its time, until that has sound.
        An opening has no ``speech`` frames of its own."""
        self._opening_over = self._opening_sounds = False
        self._opening = asyncio.ensure_future(self._open(openings, on_first_audio))

    async def _open(self, openings: Sequence[Opening], on_first_audio: Callable[[], None] | None) -> None:
        begun = self._clock.now()
        for opening in openings:
            if (wait := begun + opening.after_s - self._clock.now()) > 0:
                await self._clock.sleep(wait)
            if self._opening_over:
                return
            self._opening_sounds = True
            if on_first_audio is not None:
                on_first_audio()
            framer = Framer(self._rate * FRAME_MS // 1000)
            await self._send_frames(self._samples_of(opening.speech), framer)
            for frame in framer.flush():
                await self._send_frame(frame)
            self._opening_sounds = False
            if self._opening_over:
                return

    async def end_opening(self) -> None:
        """No opening begins any more; one that has begun is finished."""
        opening, self._opening_over = self._opening, True
        if opening is None:
            return
        if not self._opening_sounds:
            opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        self._opening = None

    async def play(
        self, pieces: Sequence[str], turn_id: str, on_first_audio: Callable[[], None] | None = None
    ) -> Spoken:
        """Speaks; returns when the caller has heard it, or it was cut or failed.

        Sends ``speech`` start with the first frame, then ``end`` or ``cut`` (with what was heard).
        """
        if not pieces:
            await self.end_opening()
            return Spoken(Outcome.NOTHING)
        self._cut = False
        self._started = False
        self._pieces = []
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
            outcome = Outcome.CUT
            self._stop_hearing()
        finally:
            self._task = None
        spoken = self._report(outcome, pieces)
        if self._started:
            frame = {"type": "speech", "phase": "cut" if outcome is Outcome.CUT else "end", "turn_id": turn_id}
            await self._send(frame | ({"heard": spoken.heard} if outcome is Outcome.CUT else {}))
        return spoken

    async def close(self) -> None:
        """Leaves no task behind."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)

    def _report(self, outcome: Outcome, pieces: Sequence[str]) -> Spoken:
        now = self._clock.now()
        heard, rest = "", 0
        for piece, (begun, ended) in zip(pieces, self._pieces, strict=False):
            if outcome is Outcome.WHOLE or ended <= now:
                heard += piece
                rest += 1
            elif begun < now:
                heard += piece[: int(len(piece) * (now - begun) / (ended - begun))]
        return Spoken(outcome, heard, tuple(pieces[rest:]), self._started)

    async def _speak(self, pieces: Sequence[str], turn_id: str, on_first_audio: Callable[[], None] | None) -> Outcome:
        framer = Framer(self._rate * FRAME_MS // 1000)
        outcome = Outcome.WHOLE
        try:
            async with aclosing(self._stream.speak(pieces, self.manner.speed, self.manner.language)) as stream:  # type: ignore[type-var]
                async for speech in stream:
                    if not self._started:
                        await self.end_opening()
                        self._started = True
                        await self._send({"type": "speech", "phase": "start", "turn_id": turn_id})
                        if on_first_audio is not None:
                            on_first_audio()
                    samples = self._samples_of(speech)
                    # A late sentence leaves a gap; time lost is not made up by a burst.
                    begun = max(self._heard_until, self._clock.now())
                    self._pieces.append((begun, begun + len(samples) / self._rate))
                    await self._send_frames(samples, framer)
        except SynthesiserDownError:
            outcome = Outcome.FAILED
        for frame in framer.flush():
            await self._send_frame(frame)
        if (left := self._heard_until - self._clock.now()) > 0:
            await self._clock.sleep(left)
        return outcome

    def _samples_of(self, speech: Speech) -> Samples:
        samples = resample(to_samples(speech.pcm), speech.sample_rate, self._rate)
        return samples if self.manner.gain == 1.0 else clip(samples * self.manner.gain)

    async def _send_frames(self, samples: Samples, framer: Framer) -> None:
        for frame in framer.feed(samples):
            await self._send_frame(frame)

    async def _send_frame(self, frame: Samples) -> None:
        now = self._clock.now()
        if (ahead := self._heard_until - now - LEAD_S) > 0:
            await self._clock.sleep(ahead)
        at = max(self._heard_until, self._clock.now())
        self._heard_until = at + _FRAME_S
        await self._send(encode(frame, self._encoding))
        if self._tape is not None:
            self._tape.line(frame, at)
