"""sherpa-onnx: streaming zipformer and paraformer, and SenseVoice (which also knows Cantonese).

The model is a folder as the project publishes them (``tokens.txt`` and ``.onnx`` files). sherpa-onnx
calls ``exit`` on a model it cannot use, so the folder is tried in a process of its own first.
"""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hotline.errors import RecogniserDownError
from hotline.messages import HeardWord, Transcript
from hotline.ports import RecogniserSession, RecognitionOptions
from voice.audio import to_samples
from voice.stt.base import NOTHING_HEARD, Sentences, join_han
from voice.stt.offline import OfflineSession
from voice.stt.sherpa_model import NoSherpaModelError, SherpaKind, SherpaModel, find_model

log = logging.getLogger(__name__)

_TRIAL_S = 120
_MIN_SAMPLES = 1600
_TAIL = np.zeros(int(0.4 * 16000), np.float32)  # a streaming model's look-ahead, filled with silence
_MAX_SEGMENT_S = 20.0
_HOTWORDS_SCORE = 1.5


class SherpaRecogniser:
    """A sherpa-onnx model in a folder.

    Args:
        hotwords: words of the trade; only a transducer takes them (its search then is a beam).
        language: of SenseVoice: ``auto``, ``zh``, ``yue``, ``en`` …
        partial_every_s: for SenseVoice, seconds of new sound between partial results; 0 for none.
    """

    name = "sherpa"
    sample_rate = 16000

    def __init__(
        self,
        model_dir: Path,
        *,
        threads: int = 2,
        hotwords: Sequence[str] = (),
        language: str = "auto",
        partial_every_s: float = 0.0,
    ) -> None:
        self._model_dir = model_dir
        self._threads = threads
        self._hotwords = tuple(hotwords)
        self._language = language
        self._partial_every_s = partial_every_s
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._engine: Any = None
        self._model: SherpaModel | None = None
        self._known: frozenset[str] = frozenset()

    def load(self) -> None:
        """Tries the folder in a process of its own, then loads it. Blocking, seconds.

        Raises:
            RecogniserDownError: the folder holds no model that runs.
        """
        with self._lock:
            if self._engine is not None:
                return
            try:
                self._model = find_model(self._model_dir)
                self._known = tokens_of(self._model.files["tokens"])
                if not _survives(self._model_dir, self._threads):
                    raise NoSherpaModelError(f"{self._model_dir.name} 里的模型 sherpa-onnx 载入不了")
                self._engine = engine_of(self._model, self._threads, bool(self._hotwords), self._language)
            except (ImportError, OSError, RuntimeError, ValueError, AssertionError) as problem:
                log.exception("sherpa-onnx 载入失败")
                raise RecogniserDownError from problem

    def start(self, options: RecognitionOptions | None = None) -> RecogniserSession:
        """A session. Blocking where the model is not loaded yet: its kind decides the session's."""
        self.load()
        assert self._model is not None
        if self._model.streams:
            return StreamingSession(self._engine, self._stream(options or RecognitionOptions()))
        return OfflineSession(self, partial_every_s=self._partial_every_s)

    def _stream(self, options: RecognitionOptions) -> Any:
        assert self._model is not None
        words = [word for word in (*options.phrases, *self._hotwords) if self._takes(word)]
        if words and self._hotwords and self._model.kind is SherpaKind.TRANSDUCER:
            return self._engine.create_stream(hotwords="/".join(" ".join(word) for word in words))
        return self._engine.create_stream()

    def _takes(self, word: str) -> bool:
        """Whether the model can write it: sherpa-onnx complains about each hotword it cannot."""
        return bool(word) and set(word) <= self._known

    def transcribe(self, pcm: bytes) -> Transcript:
        """SenseVoice on 16 kHz PCM. Blocking."""
        samples = to_samples(pcm)
        if len(samples) < _MIN_SAMPLES:
            return NOTHING_HEARD
        with self._reading:
            return self._read(samples)

    def glance(self, pcm: bytes) -> Transcript | None:
        samples = to_samples(pcm)
        if len(samples) < _MIN_SAMPLES or not self._reading.acquire(blocking=False):
            return None
        try:
            return self._read(samples)
        finally:
            self._reading.release()

    def _read(self, samples: Any) -> Transcript:
        stream = self._engine.create_stream()
        stream.accept_waveform(self.sample_rate, samples.astype(np.float32) / 32768.0)
        self._engine.decode_stream(stream)
        result = stream.result
        text = join_han(result.text)
        if not text:
            return NOTHING_HEARD
        # SenseVoice tells where each token begins, and nothing about how sure it is.
        return Transcript(text=text, confidence=0.8, words=_words(result.tokens, result.timestamps, ()))


class StreamingSession:
    """One utterance, or a stream of them: the engine finds ends of its own."""

    def __init__(self, engine: Any, stream: Any) -> None:
        self._engine = engine
        self._stream = stream
        self._sentences = Sentences()
        self._fed = 0  # samples
        self._sentence_start = 0

    def accept_chunk(self, pcm: bytes) -> None:
        samples = to_samples(pcm)
        self._fed += len(samples)
        self._stream.accept_waveform(SherpaRecogniser.sample_rate, samples.astype(np.float32) / 32768.0)
        self._decode()
        if self._engine.is_endpoint(self._stream):
            self._keep()
            self._sentences.end()

    def partial(self) -> Transcript | None:
        text = self._sentences.text_with(self._engine.get_result(self._stream))
        return Transcript(text=text, confidence=0.0, final=False) if text else None

    def segment(self) -> Transcript | None:
        return self._sentences.segment()

    def finish(self) -> Transcript:
        self._stream.accept_waveform(SherpaRecogniser.sample_rate, _TAIL)
        self._stream.input_finished()
        self._decode()
        self._keep()
        return self._sentences.take()

    def _decode(self) -> None:
        while self._engine.is_ready(self._stream):
            self._engine.decode_stream(self._stream)

    def _keep(self) -> None:
        result = self._engine.get_result_all(self._stream)
        sure = [math.exp(min(0.0, p)) for p in result.ys_probs]
        start = self._sentence_start / SherpaRecogniser.sample_rate
        self._sentences.keep(
            Transcript(
                text=join_han(result.text),
                confidence=round(sum(sure) / len(sure), 3) if sure else 0.8,
                words=_words(result.tokens, [start + t for t in result.timestamps], sure),
            )
        )
        self._engine.reset(self._stream)
        self._sentence_start = self._fed


def _words(tokens: Sequence[str], starts: Sequence[float], sure: Sequence[float]) -> tuple[HeardWord, ...]:
    """Tokens with where they begin; each is taken to last until the next begins, at most 0.3 s."""
    if len(tokens) != len(starts):
        return ()
    ends = [min(a + 0.3, b) for a, b in zip(starts, [*starts[1:], math.inf], strict=True)] if len(starts) else []
    known = sure if len(sure) == len(tokens) else [1.0] * len(tokens)
    return tuple(
        HeardWord(text=token.strip(), start=round(a, 2), end=round(b, 2), confidence=round(p, 3))
        for token, a, b, p in zip(tokens, starts, ends, known, strict=True)
        if token.strip() and not token.startswith("<")
    )


def engine_of(model: SherpaModel, threads: int, hotwords: bool = False, language: str = "auto") -> Any:
    """sherpa-onnx's own recogniser for a model. Ends the process where the files lie about themselves."""
    import sherpa_onnx

    files = {role: str(file) for role, file in model.files.items()}
    if model.kind is SherpaKind.SENSE_VOICE:
        return sherpa_onnx.OfflineRecognizer.from_sense_voice(
            **files, num_threads=threads, language="" if language == "auto" else language, use_itn=False
        )
    shared = {
        "num_threads": threads,
        "enable_endpoint_detection": True,
        "rule3_min_utterance_length": _MAX_SEGMENT_S,
    }
    if model.kind is SherpaKind.PARAFORMER:
        return sherpa_onnx.OnlineRecognizer.from_paraformer(**files, **shared)
    if model.kind is SherpaKind.ZIPFORMER_CTC:
        return sherpa_onnx.OnlineRecognizer.from_zipformer2_ctc(**files, **shared)
    beam = {"decoding_method": "modified_beam_search", "hotwords_score": _HOTWORDS_SCORE} if hotwords else {}
    return sherpa_onnx.OnlineRecognizer.from_transducer(**files, **shared, **beam)


@lru_cache(maxsize=4)
def tokens_of(file: Path) -> frozenset[str]:
    """What a model writes: the first column of ``tokens.txt``."""
    rows = file.read_text(encoding="utf-8").splitlines()
    return frozenset(row.split()[0] for row in rows if row.split())


def _survives(folder: Path, threads: int) -> bool:
    """Whether a process that loads the folder and reads some silence lives on."""
    tried = subprocess.run(
        [sys.executable, "-m", "voice.stt.sherpa", str(folder), str(threads)],
        capture_output=True,
        timeout=_TRIAL_S,
        check=False,
    )
    if tried.returncode:
        log.error("sherpa-onnx 试载不成（%s）：%s", folder.name, tried.stderr.decode("utf-8", "replace")[-600:])
    return tried.returncode == 0


def _try(folder: Path, threads: int) -> None:
    model = find_model(folder)
    engine = engine_of(model, threads)
    stream = engine.create_stream()
    stream.accept_waveform(SherpaRecogniser.sample_rate, np.zeros(SherpaRecogniser.sample_rate, np.float32))
    if model.streams:
        while engine.is_ready(stream):
            engine.decode_stream(stream)
    else:
        engine.decode_stream(stream)
    print(json.dumps({"kind": model.kind}))


if __name__ == "__main__":
    _try(Path(sys.argv[1]), int(sys.argv[2]))
