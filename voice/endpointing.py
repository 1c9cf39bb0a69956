"""When did the caller begin and end? A pure state machine; its clock is the audio received.

The detector tells *whether* somebody speaks, some frames late both ways; loudness then tells *since
when*: frames before the first voiced one that were loud already are speech too, and frames that were
all but silent when the detector still heard speech are not. In noise that is as loud as a voice both
say nothing, and the detector's own times hold.

::

    IDLE ──voiced──► ONSET ──confirmed──► SPEAKING ──unvoiced──► TRAILING
     ▲                 │ unvoiced            ▲   └──full──► IDLE   │ │ │
     └─────────────────┘                     └──────voiced─────────┘ │ │
     ▲                                                   hung_over   │ │ full
     └───────────────────────────────────────────────────────────────┴─┘
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from voice.audio import Samples, rms

_DETECTOR_LAG = 3  # frames that loudness may move a beginning or an end by
_SOFT = 0.05  # of the loudest frame's level: nobody speaks so softly beside the own voice
_OVER_NOISE = 4.0  # times the level before: louder than what was there without a voice


class Phase(StrEnum):
    IDLE = "idle"
    ONSET = "onset"
    SPEAKING = "speaking"
    TRAILING = "trailing"


class Signal(StrEnum):
    VOICED = "voiced"
    UNVOICED = "unvoiced"
    CONFIRMED = "confirmed"  # enough voiced frames in a row
    HUNG_OVER = "hung_over"  # enough silence behind the speech
    FULL = "full"  # the utterance reached its longest


P, G = Phase, Signal

TRANSITIONS: dict[tuple[Phase, Signal], Phase] = {
    (P.IDLE, G.VOICED): P.ONSET,
    (P.IDLE, G.UNVOICED): P.IDLE,
    (P.ONSET, G.VOICED): P.ONSET,
    (P.ONSET, G.UNVOICED): P.IDLE,
    (P.ONSET, G.CONFIRMED): P.SPEAKING,
    (P.SPEAKING, G.VOICED): P.SPEAKING,
    (P.SPEAKING, G.UNVOICED): P.TRAILING,
    (P.SPEAKING, G.FULL): P.IDLE,
    (P.TRAILING, G.VOICED): P.SPEAKING,
    (P.TRAILING, G.UNVOICED): P.TRAILING,
    (P.TRAILING, G.HUNG_OVER): P.IDLE,
    (P.TRAILING, G.FULL): P.IDLE,
}


@dataclass(frozen=True)
class SpeechStarted:
    """``at`` is the sample index of the first frame of speech; ``audio`` starts before it."""

    at: int
    audio: Samples


@dataclass(frozen=True)
class SpeechContinues:
    """One more frame of the utterance. ``voiced_ms`` counts its speech so far, in ms; ``voiced``
    tells whether this frame is speech, ``silent`` since how many samples nobody speaks, this frame
    included."""

    audio: Samples
    voiced_ms: float
    voiced: bool
    silent: int = 0


@dataclass(frozen=True)
class SpeechEnded:
    """``at`` is where the end was noticed, ``speech_end`` where speech stopped (sample indices).

    ``cut`` tells that the utterance reached its longest and the caller may still be talking.
    """

    at: int
    speech_end: int
    voiced_ms: float
    cut: bool


EndpointEvent = SpeechStarted | SpeechContinues | SpeechEnded


class Endpointer:
    """Feed it frames and their speech probability, get events.

    Args:
        sample_rate: Hz of the frames.
        frame_samples: samples in every frame.
        endpoint_silence_ms: silence that ends an utterance, to the nearest frame; may be changed at any
            frame (:func:`voice.turn_taking.patience_ms`).
        max_utterance_s: the longest utterance before it is cut.
        onset_frames: voiced frames in a row that make an onset.
        preroll_ms: sound kept from before the first frame of speech.
        onset_probability, offset_probability: a frame is voiced from the first while idle, and
            stays voiced down to the second while speaking, so that soft endings are not lost.
    """

    def __init__(
        self,
        sample_rate: int,
        frame_samples: int,
        *,
        endpoint_silence_ms: float,
        max_utterance_s: float,
        onset_frames: int = 2,
        preroll_ms: float = 320.0,
        onset_probability: float = 0.5,
        offset_probability: float = 0.35,
    ) -> None:
        self.sample_rate = sample_rate
        self.frame_samples = frame_samples
        self.endpoint_silence_ms = endpoint_silence_ms
        self.phase = Phase.IDLE
        self.received = 0  # samples
        self._frame_ms = 1000.0 * frame_samples / sample_rate
        self._max_samples = int(max_utterance_s * sample_rate)
        self._onset_frames = onset_frames
        self._onset_probability = onset_probability
        self._offset_probability = offset_probability
        preroll_frames = int(np.ceil(preroll_ms / self._frame_ms)) + onset_frames + _DETECTOR_LAG
        self._recent: deque[Samples] = deque(maxlen=preroll_frames)
        self._loudest = 0.0  # level of a frame of this utterance
        self._faded = 0  # frames up to now that the detector took for speech and that were all but silent
        self._voiced_frames = 0
        self._silent_frames = 0
        self._utterance_samples = 0
        self._speech_end = 0

    @property
    def speaking(self) -> bool:
        """True between SpeechStarted and SpeechEnded."""
        return self.phase in (Phase.SPEAKING, Phase.TRAILING)

    @property
    def voiced_ms(self) -> float:
        """Speech in the current utterance, ms."""
        return self._voiced_frames * self._frame_ms

    def _move(self, signal: Signal) -> None:
        self.phase = TRANSITIONS[self.phase, signal]

    def push(self, frame: Samples, probability: float) -> list[EndpointEvent]:
        """One frame (int16, ``frame_samples`` long) → what happened, in order."""
        self.received += len(frame)
        threshold = self._offset_probability if self.speaking else self._onset_probability
        voiced = probability >= threshold
        if not self.speaking:
            return self._listen(frame, voiced)
        return self._follow(frame, voiced)

    def _listen(self, frame: Samples, voiced: bool) -> list[EndpointEvent]:
        self._recent.append(frame)
        self._move(Signal.VOICED if voiced else Signal.UNVOICED)
        self._voiced_frames = self._voiced_frames + 1 if voiced else 0
        if self._voiced_frames < self._onset_frames:
            return []
        self._move(Signal.CONFIRMED)
        self._voiced_frames += self._loud_before()
        audio = np.concatenate(list(self._recent))
        self._recent.clear()
        self._faded = 0
        self._silent_frames = 0
        self._utterance_samples = len(audio)
        self._speech_end = self.received
        return [SpeechStarted(self.received - self._voiced_frames * self.frame_samples, audio)]

    def _loud_before(self) -> int:
        """Frames just before the voiced ones that belong to the voice by their level."""
        levels = [rms(frame) for frame in self._recent]
        voiced_from = len(levels) - self._voiced_frames
        self._loudest = max(levels[voiced_from:])
        before = levels[: max(0, voiced_from - _DETECTOR_LAG)]
        if not before:
            return 0
        limit = max(_OVER_NOISE * sum(before) / len(before), _SOFT * self._loudest)
        loud = 0
        while loud < _DETECTOR_LAG and levels[voiced_from - loud - 1] > limit:
            loud += 1
        return loud

    def _follow(self, frame: Samples, voiced: bool) -> list[EndpointEvent]:
        self._move(Signal.VOICED if voiced else Signal.UNVOICED)
        self._utterance_samples += len(frame)
        if voiced:
            self._hear_voice(frame)
        else:
            self._silent_frames += 1
        events: list[EndpointEvent] = [
            SpeechContinues(frame, self.voiced_ms, voiced, self._silent_frames * self.frame_samples)
        ]
        if not voiced and (self._silent_frames + 0.5) * self._frame_ms >= self.endpoint_silence_ms:
            events.append(self._end(Signal.HUNG_OVER))
        elif self._utterance_samples >= self._max_samples:
            events.append(self._end(Signal.FULL))
        return events

    def _hear_voice(self, frame: Samples) -> None:
        level = rms(frame)
        self._loudest = max(self._loudest, level)
        self._faded = min(_DETECTOR_LAG, self._faded + 1) if level < _SOFT * self._loudest else 0
        self._voiced_frames += 1
        self._silent_frames = self._faded  # the silence began then, if this is one
        self._speech_end = self.received - self._faded * self.frame_samples

    def _end(self, signal: Signal) -> SpeechEnded:
        self._move(signal)
        ended = SpeechEnded(self.received, self._speech_end, self.voiced_ms, signal is Signal.FULL)
        self._voiced_frames = 0
        self._utterance_samples = 0
        return ended
