"""The listening half of a call: sound in, utterances, pauses and interruptions out.

Counts samples, never a clock. What a call does about what is heard is the session's matter.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from hotline.messages import Transcript
from hotline.ports import Recogniser
from voice.audio import Framer, Samples
from voice.endpointing import Endpointer, SpeechContinues, SpeechEnded, SpeechStarted
from voice.steadiness import Steadiness
from voice.turn_taking import interrupts, patience_ms
from voice.utterance import Utterance
from voice.vad import Vad


@dataclass(frozen=True)
class Began:
    """The caller began to speak."""


@dataclass(frozen=True)
class Interrupts:
    """The caller means to speak: the line falls silent."""


@dataclass(frozen=True)
class Ended:
    """An utterance is whole: ``lasting_s`` of speech, then ``behind_s`` of silence.

    ``overlapped``: it began while the line was heard, ``throughout``: and it ended then too;
    ``interrupted``: the line fell silent for it.
    ``cut``: it reached its longest, and the caller may still be talking.
    """

    utterance: Utterance
    lasting_s: float
    behind_s: float
    voiced_ms: float
    overlapped: bool
    throughout: bool
    interrupted: bool
    cut: bool


@dataclass(frozen=True)
class Quiet:
    """Nobody spoke for so many seconds more."""

    seconds: float


Heard = Began | Interrupts | Ended | Quiet


class Hearing:
    """One call's ear.

    Args:
        line_speaks: whether the line speaks, or is about to, at this moment.
        line_heard: whether the caller hears it.
        on_partial: shown each partial result of the utterance being heard.
    """

    def __init__(
        self,
        *,
        recogniser: Recogniser,
        vad: Vad,
        sample_rate: int,
        endpoint_silence_ms: float,
        max_utterance_s: float,
        executor: Executor | None,
        line_speaks: Callable[[], bool],
        line_heard: Callable[[], bool],
        on_partial: Callable[[Transcript], Awaitable[None]],
    ) -> None:
        self._recogniser = recogniser
        self._vad = vad
        self._rate = sample_rate
        self._setting_ms = endpoint_silence_ms
        self._executor = executor
        self._line_speaks = line_speaks
        self._line_heard = line_heard
        self._on_partial = on_partial
        self._framer = Framer(vad.frame_samples)
        self._endpointer = Endpointer(
            sample_rate, vad.frame_samples, endpoint_silence_ms=endpoint_silence_ms, max_utterance_s=max_utterance_s
        )
        self._open: set[Utterance] = set()  # all that are not answered yet
        self._now: Utterance | None = None  # the one being heard
        self._number = 0  # of the utterance being heard
        self._words: str | None = None
        self._expects: str | None = None
        self._steadiness: Steadiness | None = None
        self._begun_at = 0  # sample
        self._overlapped = self._throughout = self._interrupted = self._pausing = False

    @property
    def speaking(self) -> bool:
        """The caller is in the middle of an utterance."""
        return self._endpointer.speaking

    def claims_the_floor(self) -> bool:
        """The caller is saying something to be heard before the line speaks: counts as an interruption."""
        if self._now is None or self._steadiness is None or not self.speaking:
            return False
        if interrupts(self._endpointer.voiced_ms, self._steadiness.sound, self._words):
            self._interrupted = True
        return self._interrupted

    def expect(self, expects: str | None) -> None:
        """What the dialogue waits for from now on."""
        self._expects = expects
        self._set_patience()

    def frames(self, samples: Samples) -> list[Samples]:
        """Sound as it came in, in frames for :meth:`hear`."""
        return self._framer.feed(samples)

    def hear(self, frame: Samples) -> list[Heard]:
        """What one frame brought, in order."""
        heard: list[Heard] = []
        for event in self._endpointer.push(frame, self._vad.probability(frame)):
            if isinstance(event, SpeechStarted):
                self._begin(event)
                heard.append(Began())
            elif isinstance(event, SpeechContinues):
                if self._goes_on(event):
                    heard.append(Interrupts())
            else:
                heard += self._end(event)
        if not self._endpointer.speaking:
            heard.append(Quiet(len(frame) / self._rate))
        return heard

    def _begin(self, event: SpeechStarted) -> None:
        self._words, self._pausing, self._interrupted = None, False, False
        self._overlapped = self._throughout = self._line_heard()
        self._begun_at = event.at
        self._number += 1
        self._now = Utterance(
            self._recogniser, self._rate, self._executor, functools.partial(self._partial, self._number)
        )
        self._open.add(self._now)
        self._now.feed(event.audio)
        size = self._vad.frame_samples
        self._steadiness = Steadiness(self._rate, size)
        voiced = (self._endpointer.received - event.at) // size
        for at in range(len(event.audio) - voiced * size, len(event.audio), size):
            self._steadiness.push(event.audio[at : at + size])
        self._set_patience()

    def _goes_on(self, event: SpeechContinues) -> bool:
        """Takes the frame in; True where it makes the line fall silent."""
        if self._now is None or self._steadiness is None:
            return False
        if event.voiced == self._pausing:
            self._pausing = not event.voiced
            if self._pausing:
                self._now.pause_began(event.silent - len(event.audio))
            else:
                self._now.speech_resumed()
        self._now.feed(event.audio)
        if not event.voiced:
            return False
        self._steadiness.push(event.audio)
        self._throughout = self._throughout and self._line_heard()
        if not self._line_speaks():
            return False
        if interrupts(event.voiced_ms, self._steadiness.sound, self._words):
            self._interrupted = True
        return self._interrupted

    def _end(self, event: SpeechEnded) -> list[Heard]:
        utterance, self._now = self._now, None
        if utterance is None:
            return []
        return [
            Ended(
                utterance,
                lasting_s=(event.speech_end - self._begun_at) / self._rate,
                behind_s=(event.at - event.speech_end) / self._rate,
                voiced_ms=event.voiced_ms,
                overlapped=self._overlapped,
                throughout=self._throughout,
                interrupted=self._interrupted,
                cut=event.cut,
            )
        ]

    async def _partial(self, number: int, transcript: Transcript) -> None:
        if number == self._number:  # a late result of an earlier utterance says nothing about this one
            self._words = transcript.text
            self._set_patience()
        await self._on_partial(transcript)

    def _set_patience(self) -> None:
        self._endpointer.endpoint_silence_ms = patience_ms(self._expects, self._words, self._setting_ms)

    async def drop(self, utterance: Utterance) -> None:
        """Nothing more is wanted of it."""
        self._open.discard(utterance)
        await utterance.drop()

    async def close(self) -> None:
        for utterance in list(self._open):
            await self.drop(utterance)
