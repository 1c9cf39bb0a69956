"""A stream of any length through any recogniser: partial results, and a result for each sentence.

Engines that find ends by themselves (Vosk, streaming sherpa-onnx) are fed as they are. For the
others a voice activity detector and the line's own end-pointing cut the sound into utterances, each
a session of its own; between utterances nothing is kept, so that hours of sound need no memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotline.messages import Transcript
from hotline.ports import Recogniser, RecogniserSession, RecognitionOptions, SegmentingSession, SpeculativeSession
from voice.audio import SAMPLE_RATES, Encoding, Framer, Inbound, StreamResampler, to_pcm, to_samples
from voice.endpointing import Endpointer, SpeechContinues, SpeechEnded, SpeechStarted
from voice.stt.base import Sentences
from voice.utterance import SPECULATE_AFTER_MS
from voice.vad import VadFactory

_NOTHING_YET = Transcript(text="", confidence=0.0, final=False)


@dataclass(frozen=True)
class Cutting:
    """Where sound is cut for engines that do not do it: silence in ms, the longest utterance in s."""

    endpoint_silence_ms: float = 700.0
    max_utterance_s: float = 30.0


class RecognitionStream:
    """16-bit mono PCM in at ``sample_rate`` Hz. Everything blocks: worker threads only."""

    def __init__(
        self,
        recogniser: Recogniser,
        vad: VadFactory,
        sample_rate: int,
        options: RecognitionOptions,
        cutting: Cutting | None = None,
    ) -> None:
        self._inbound = Inbound(Encoding.PCM)
        self._resampler = StreamResampler(sample_rate, recogniser.sample_rate)
        first = recogniser.start(options)
        self._session: SegmentingSession | _CutSession = (
            first
            if isinstance(first, SegmentingSession)
            else _CutSession(recogniser, first, vad, options, cutting or Cutting())
        )

    def accept(self, pcm: bytes) -> Transcript:
        """What is to be told after this chunk: a final sentence, or the running one (maybe empty)."""
        self._session.accept_chunk(to_pcm(self._resampler.feed(self._inbound.feed(pcm))))
        return self._session.segment() or self._session.partial() or _NOTHING_YET

    def finish(self) -> Transcript:
        """The rest."""
        return self._session.finish()


class _CutSession:
    """Sentences by voice activity, each in a session of its own."""

    def __init__(
        self,
        recogniser: Recogniser,
        session: RecogniserSession,
        make_vad: VadFactory,
        options: RecognitionOptions,
        cutting: Cutting,
    ) -> None:
        self._recogniser = recogniser
        self._options = options
        self._waiting: RecogniserSession | None = session  # started, not used yet
        self._session: RecogniserSession | None = None
        self._rate = recogniser.sample_rate
        vad_rate = min(SAMPLE_RATES, key=lambda rate: abs(rate - self._rate))
        self._vad = make_vad(vad_rate)
        self._framer = Framer(self._vad.frame_samples)
        self._to_vad = StreamResampler(self._rate, vad_rate)
        self._endpointer = Endpointer(
            vad_rate,
            self._vad.frame_samples,
            endpoint_silence_ms=cutting.endpoint_silence_ms,
            max_utterance_s=cutting.max_utterance_s,
        )
        self._patience = SPECULATE_AFTER_MS * vad_rate / 1000
        self._silence = 0.0  # samples since the last voiced one
        self._decided = False
        self._voiced_ms = 0.0
        self._start_s = 0.0
        self._done = Sentences()

    def accept_chunk(self, pcm: bytes) -> None:
        for frame in self._framer.feed(self._to_vad.feed(to_samples(pcm))):
            for event in self._endpointer.push(frame, self._vad.probability(frame)):
                if isinstance(event, SpeechStarted):
                    self._begin(event)
                elif isinstance(event, SpeechContinues) and self._session is not None:
                    self._session.accept_chunk(to_pcm(event.audio))
                    self._watch_for_pause(self._session, event)
                elif isinstance(event, SpeechEnded):
                    self._end()

    def partial(self) -> Transcript | None:
        return None if self._session is None else self._session.partial()

    def segment(self) -> Transcript | None:
        return self._done.segment()

    def finish(self) -> Transcript:
        for frame in self._framer.flush():
            if self._session is not None:
                self._session.accept_chunk(to_pcm(frame))
        if self._session is not None:
            self._end()
        return self._done.take()

    def _begin(self, event: SpeechStarted) -> None:
        self._session, self._waiting = self._waiting or self._recogniser.start(self._options), None
        self._start_s = max(0.0, self._endpointer.received - len(event.audio)) / self._endpointer.sample_rate
        self._silence, self._decided, self._voiced_ms = 0.0, False, 0.0
        self._session.accept_chunk(to_pcm(event.audio))

    def _watch_for_pause(self, session: RecogniserSession, event: SpeechContinues) -> None:
        if not isinstance(session, SpeculativeSession):
            return
        if event.voiced_ms > self._voiced_ms:
            self._voiced_ms, self._silence = event.voiced_ms, 0.0
            if self._decided:
                self._decided = False
                session.speech_resumed()
            return
        self._silence += len(event.audio)
        if self._silence >= self._patience and not self._decided:
            self._decided = True
            session.pause_began()

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        heard = session.finish()
        if heard.text:
            self._done.keep(_moved(heard, self._start_s))
            self._done.end()


def _moved(heard: Transcript, seconds: float) -> Transcript:
    """Word times from the start of the stream instead of the utterance's."""
    words = tuple(
        word.model_copy(update={"start": round(word.start + seconds, 3), "end": round(word.end + seconds, 3)})
        for word in heard.words
    )
    return heard.model_copy(update={"words": words})
