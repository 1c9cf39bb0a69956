"""Whisper by faster-whisper (CTranslate2, int8 on the CPU): reads an utterance as a whole."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from hotline.errors import RecogniserDownError
from hotline.messages import HeardWord, Transcript
from hotline.ports import RecognitionOptions
from voice.audio import to_samples
from voice.stt.base import NOTHING_HEARD, join_han
from voice.stt.hallucination import is_made_up
from voice.stt.offline import OfflineSession

log = logging.getLogger(__name__)

_MIN_SAMPLES = 1600  # 0.1 s: less holds no word
_WINDOW_SAMPLES = 30 * 16000
_MAX_HOTWORD_CHARACTERS = 80  # prompt and answer share 448 tokens


class WhisperRecogniser:
    """A Whisper model in a folder.

    Args:
        model_dir: folder with ``model.bin``, ``config.json``, ``tokenizer.json``, vocabulary.
        prompt: words of the trade (「社保卡、居住证……」). Primes the model for them and for
            simplified characters; halves the error rate on hotline questions.
        threads: CPU threads of one recognition.
        beam_size: 5 is the measured default; 1 is faster and less right.
        partial_every_s: seconds of new sound between partial results; 0 for none of them.
    """

    name = "whisper"
    sample_rate = 16000

    def __init__(
        self,
        model_dir: Path,
        *,
        prompt: str = "",
        threads: int = 2,
        beam_size: int = 5,
        partial_every_s: float = 0.0,
    ) -> None:
        self._model_dir = model_dir
        self._prompt = prompt
        self._threads = threads
        self._beam_size = beam_size
        self._partial_every_s = partial_every_s
        self._lock = threading.Lock()
        self._wanting = threading.Lock()  # guards the count below
        self._wanted = 0  # final readings that wait for the model or have it
        self._model: Any = None
        self._to_simplified: Any = None

    def load(self) -> None:
        """Loads the model once (0.6–2 s). Blocking: call it in a worker thread.

        Raises:
            RecogniserDownError: the folder is missing or unreadable.
        """
        with self._lock:
            if self._model is not None:
                return
            try:
                from opencc import OpenCC

                from voice.stt.whisper_model import ShortWindowWhisper

                if not (self._model_dir / "model.bin").is_file():
                    raise FileNotFoundError(f"{self._model_dir.name}/model.bin")
                self._to_simplified = OpenCC("t2s")
                self._model = ShortWindowWhisper(
                    str(self._model_dir),
                    device="cpu",
                    compute_type="int8",
                    cpu_threads=self._threads,
                    local_files_only=True,
                )
            except (ImportError, OSError, RuntimeError, ValueError) as problem:
                log.exception("Whisper 载入失败")
                raise RecogniserDownError from problem

    def start(self, options: RecognitionOptions | None = None) -> OfflineSession:
        """A session. ``phrases`` become Whisper's hotwords."""
        reader = _Reader(self, options or RecognitionOptions())
        return OfflineSession(reader, partial_every_s=self._partial_every_s)

    def transcribe(self, pcm: bytes, options: RecognitionOptions | None = None) -> Transcript:
        """The words in 16 kHz PCM; empty text where nobody spoke. Blocking.

        Raises:
            RecogniserDownError: the model cannot be loaded or failed on this sound.
        """
        self.load()
        with self._wanting:
            self._wanted += 1
        try:
            # One recognition at a time uses the cores best; more in parallel only slow each other.
            with self._lock:
                return self._read(pcm, options or RecognitionOptions(), self._beam_size)
        finally:
            with self._wanting:
                self._wanted -= 1

    def glance(self, pcm: bytes) -> Transcript | None:
        """A greedy reading, given up at once where a final one is under way or waits."""
        if self._model is None or self._wanted or not self._lock.acquire(blocking=False):
            return None
        try:
            return self._read(pcm, RecognitionOptions(), beam_size=1)
        finally:
            self._lock.release()

    def _read(self, pcm: bytes, options: RecognitionOptions, beam_size: int) -> Transcript:
        samples = to_samples(pcm)
        if len(samples) < _MIN_SAMPLES:
            return NOTHING_HEARD
        audio = samples.astype(np.float32) / 32768.0
        try:
            heard = self._decode(audio, options, beam_size)
            if heard is None and beam_size > 1:  # rare: the whole window, which the model knows best, decides
                self._model.short = False
                heard = self._decode(audio, options, beam_size)
        except (RuntimeError, ValueError) as problem:
            log.exception("Whisper 识别失败")
            raise RecogniserDownError from problem
        finally:
            self._model.short = True
        return heard or NOTHING_HEARD

    def _decode(self, audio: Any, options: RecognitionOptions, beam_size: int) -> Transcript | None:
        """What is heard, maybe nothing; None where the model made it up."""
        hotwords = hotwords_of(options.phrases)
        segments, _info = self._model.transcribe(
            audio,
            language="zh",
            beam_size=beam_size,
            initial_prompt=self._prompt or None,
            hotwords=hotwords or None,
            condition_on_previous_text=False,
            without_timestamps=True,
            word_timestamps=options.words,
            temperature=0,
            vad_filter=True,
        )
        # One window is one segment. With word times the model would go on from the last word and make
        # something up of the silence behind it; the generator is lazy, so what isn't asked isn't decoded.
        segments = islice(segments, 1) if len(audio) <= _WINDOW_SAMPLES else segments
        kept = [s for s in segments if not (s.no_speech_prob > 0.6 and s.avg_logprob < -1.0)]
        text = join_han(self._to_simplified.convert("".join(s.text for s in kept)))
        if not text:
            return NOTHING_HEARD
        if is_made_up(text, f"{self._prompt}{hotwords}", max(s.compression_ratio for s in kept)):
            return None
        return Transcript(text=text, confidence=_confidence(kept), words=self._words(kept) if options.words else ())

    def _words(self, segments: Sequence[Any]) -> tuple[HeardWord, ...]:
        return tuple(
            HeardWord(
                text=self._to_simplified.convert(word.word.strip()),
                start=round(float(word.start), 2),
                end=round(float(word.end), 2),
                confidence=round(float(word.probability), 3),
            )
            for segment in segments
            for word in segment.words or ()
            if word.word.strip()
        )


def hotwords_of(phrases: Sequence[str]) -> str:
    """Phrases as Whisper's hotwords, cut before they crowd out the words to be heard."""
    kept: list[str] = []
    for phrase in phrases:
        if sum(map(len, kept)) + len(phrase) > _MAX_HOTWORD_CHARACTERS:
            break
        kept.append(phrase)
    return "、".join(kept)


def _confidence(segments: list[Any]) -> float:
    """The geometric mean of the token probabilities, 0..1."""
    weights = [max(1, len(s.tokens)) for s in segments]
    total = sum(s.avg_logprob * weight for s, weight in zip(segments, weights, strict=True))
    return round(min(1.0, math.exp(total / sum(weights))), 3)


class _Reader:
    """The model with one session's options."""

    sample_rate = WhisperRecogniser.sample_rate

    def __init__(self, recogniser: WhisperRecogniser, options: RecognitionOptions) -> None:
        self._recogniser = recogniser
        self._options = options

    def transcribe(self, pcm: bytes) -> Transcript:
        return self._recogniser.transcribe(pcm, self._options)

    def glance(self, pcm: bytes) -> Transcript | None:
        return self._recogniser.glance(pcm)
