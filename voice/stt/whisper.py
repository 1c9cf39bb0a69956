"""Whisper by faster-whisper (CTranslate2, int8 on the CPU). Finals only."""

from __future__ import annotations

import logging
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np

from hotline.errors import RecogniserDownError
from hotline.messages import Transcript
from voice.audio import to_samples
from voice.stt.base import join_han
from voice.stt.hallucination import is_made_up

log = logging.getLogger(__name__)

_MIN_SAMPLES = 1600  # 0.1 s: less holds no word


class WhisperRecogniser:
    """A Whisper model in a folder.

    Args:
        model_dir: folder with ``model.bin``, ``config.json``, ``tokenizer.json``, vocabulary.
        prompt: words of the trade (「社保卡、居住证……」). Primes the model for them and for
            simplified characters; halves the error rate on hotline questions.
        threads: CPU threads of one recognition.
        beam_size: 5 is the measured default; 1 is faster and less right.
    """

    name = "whisper"
    sample_rate = 16000

    def __init__(self, model_dir: Path, *, prompt: str = "", threads: int = 2, beam_size: int = 5) -> None:
        self._model_dir = model_dir
        self._prompt = prompt
        self._threads = threads
        self._beam_size = beam_size
        self._lock = threading.Lock()
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
                from faster_whisper import WhisperModel
                from opencc import OpenCC

                if not (self._model_dir / "model.bin").is_file():
                    raise FileNotFoundError(f"{self._model_dir.name}/model.bin")
                self._to_simplified = OpenCC("t2s")
                self._model = WhisperModel(
                    str(self._model_dir),
                    device="cpu",
                    compute_type="int8",
                    cpu_threads=self._threads,
                    local_files_only=True,
                )
            except (ImportError, OSError, RuntimeError, ValueError) as problem:
                log.exception("Whisper 载入失败")
                raise RecogniserDownError from problem

    def start(self) -> WhisperSession:
        return WhisperSession(self)

    def transcribe(self, pcm: bytes) -> Transcript:
        """The words in 16 kHz PCM; empty text where nobody spoke. Blocking.

        Raises:
            RecogniserDownError: the model cannot be loaded or failed on this sound.
        """
        samples = to_samples(pcm)
        if len(samples) < _MIN_SAMPLES:
            return Transcript(text="", confidence=0.0)
        self.load()
        try:
            segments = self._segments(samples.astype(np.float32) / 32768.0)
        except (RuntimeError, ValueError) as problem:
            log.exception("Whisper 识别失败")
            raise RecogniserDownError from problem
        kept = [s for s in segments if not (s.no_speech_prob > 0.6 and s.avg_logprob < -1.0)]
        text = join_han(self._to_simplified.convert("".join(s.text for s in kept)))
        ratio = max((s.compression_ratio for s in kept), default=0.0)
        if not text or is_made_up(text, self._prompt, ratio):
            return Transcript(text="", confidence=0.0)
        return Transcript(text=text, confidence=_confidence(kept))

    def _segments(self, audio: Any) -> list[Any]:
        # One recognition at a time uses both cores best; more in parallel only slow each other.
        with self._lock:
            segments, _info = self._model.transcribe(
                audio,
                language="zh",
                beam_size=self._beam_size,
                initial_prompt=self._prompt or None,
                condition_on_previous_text=False,
                without_timestamps=True,
                temperature=0,
                vad_filter=True,
            )
            return list(segments)


def _confidence(segments: list[Any]) -> float:
    """The geometric mean of the token probabilities, 0..1."""
    weights = [max(1, len(s.tokens)) for s in segments]
    total = sum(s.avg_logprob * weight for s, weight in zip(segments, weights, strict=True))
    return round(min(1.0, math.exp(total / sum(weights))), 3)


class WhisperSession:
    """One utterance: kept as a whole, since Whisper reads it in one go."""

    def __init__(self, recogniser: WhisperRecogniser) -> None:
        self._recogniser = recogniser
        self._pcm = bytearray()

    def accept_chunk(self, pcm: bytes) -> None:
        self._pcm += pcm

    def partial(self) -> Transcript | None:
        return None

    def finish(self) -> Transcript:
        return self._recogniser.transcribe(bytes(self._pcm))
