"""A recogniser whose words are repaired by sound before anybody sees them."""

from __future__ import annotations

from collections.abc import Callable

from hotline.messages import HeardWord, Transcript
from hotline.ports import (
    Recogniser,
    RecogniserSession,
    RecognitionOptions,
    SegmentingSession,
    SpeculativeSession,
)
from voice.stt.base import join_han
from voice.stt.corrector import SoundCorrector

Correct = Callable[[Transcript], Transcript]


class CorrectingRecogniser:
    """Any recogniser, corrected. Sessions keep the abilities of the inner ones."""

    def __init__(self, inner: Recogniser, corrector: SoundCorrector) -> None:
        self.inner = inner
        self.name = inner.name
        self.sample_rate = inner.sample_rate
        self._corrector = corrector

    def load(self) -> None:
        """Loads what the engine and the corrector need. Blocking."""
        load = getattr(self.inner, "load", None)
        if load is not None:
            load()
        self._corrector.load()

    def start(self, options: RecognitionOptions | None = None) -> RecogniserSession:
        session = self.inner.start(options)
        if options is not None and options.phrases:
            return session  # whoever says which phrases to expect gets exactly those
        if isinstance(session, SegmentingSession):
            return _Segmenting(session, self._correct)
        if isinstance(session, SpeculativeSession):
            return _Speculative(session, self._correct)
        return _Plain(session, self._correct)

    def _correct(self, heard: Transcript) -> Transcript:
        text = respelt(heard.text, self._corrector.correct(join_han(heard.text)))
        if text == heard.text:
            return heard
        return heard.model_copy(update={"text": text, "words": respelt_words(heard.words, text)})


def respelt(text: str, corrected: str) -> str:
    """The corrected characters, which are as many as before, spaced as in ``text``."""
    letters = iter("".join(corrected.split()))
    return "".join(c if c.isspace() else next(letters) for c in text)


def respelt_words(words: tuple[HeardWord, ...], corrected: str) -> tuple[HeardWord, ...]:
    """The same words and times, the corrected characters."""
    spaced = "\n".join(word.text for word in words)
    if len("".join(spaced.split())) != len("".join(corrected.split())):
        return words  # the engine's words are not its text (Whisper's marks, other scripts): left alone
    texts = respelt(spaced, corrected).split("\n")
    return tuple(word.model_copy(update={"text": text}) for word, text in zip(words, texts, strict=True))


class _Plain:
    def __init__(self, inner: RecogniserSession, correct: Correct) -> None:
        self._inner = inner
        self._correct = correct
        self._running = ("", "")  # the last partial text and what became of it

    def accept_chunk(self, pcm: bytes) -> None:
        self._inner.accept_chunk(pcm)

    def partial(self) -> Transcript | None:
        heard = self._inner.partial()
        if heard is None:
            return None
        if heard.text != self._running[0]:
            self._running = (heard.text, self._correct(heard).text)
        return heard.model_copy(update={"text": self._running[1]})

    def finish(self) -> Transcript:
        return self._correct(self._inner.finish())


class _Speculative(_Plain):
    _inner: SpeculativeSession

    def pause_began(self) -> None:
        self._inner.pause_began()

    def speech_resumed(self) -> None:
        self._inner.speech_resumed()


class _Segmenting(_Plain):
    _inner: SegmentingSession

    def segment(self) -> Transcript | None:
        heard = self._inner.segment()
        return None if heard is None else self._correct(heard)
