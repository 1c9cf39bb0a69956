"""Kokoro-82M (int8) on onnxruntime, Mandarin: a near-human voice, 24 kHz."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from hotline.errors import SynthesiserDownError
from hotline.ports import MANDARIN, Speech
from voice.audio import clip, to_pcm
from voice.tts.base import clamp_speed

log = logging.getLogger(__name__)

SAMPLE_RATE = 24000
MODEL_FILE = "kokoro-int8.onnx"
_MAX_TOKENS = 508
_QUIET = 0.004  # of full scale


def is_kokoro_model(folder: Path, voice: str) -> bool:
    return all((folder / name).is_file() for name in (MODEL_FILE, "vocab.json", f"{voice}.bin"))


class KokoroSynthesiser:
    """A Kokoro model in a folder; sentences are spoken one after the other in one worker thread.

    Args:
        model_dir: folder with the ONNX model, ``vocab.json`` and ``<voice>.bin``.
        voice: one of the voices in the folder; ``zf_`` are Mandarin women.
        threads: CPU threads of the model.
    """

    name = "kokoro"

    def __init__(self, model_dir: Path, *, voice: str = "zf_xiaoxiao", threads: int = 2) -> None:
        self._model_dir = model_dir
        self._voice_name = voice
        self._threads = threads
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="kokoro")
        self._lock = threading.Lock()
        self._session: Any = None

    def load(self) -> None:
        """Loads model, voice and phonemiser once (seconds). Blocking.

        Raises:
            SynthesiserDownError: something of it is missing or broken.
        """
        with self._lock:
            if self._session is not None:
                return
            try:
                import jieba
                import onnxruntime
                from misaki.zh import ZHG2P

                jieba.setLogLevel(logging.WARNING)
                vocab = json.loads((self._model_dir / "vocab.json").read_text("utf-8"))
                self._vocab: dict[str, int] = vocab.get("vocab", vocab)
                raw = np.fromfile(self._model_dir / f"{self._voice_name}.bin", dtype=np.float32)
                self._voice = raw.reshape(-1, 256)
                self._phonemes = ZHG2P()
                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = self._threads
                options.inter_op_num_threads = 1
                self._session = onnxruntime.InferenceSession(
                    str(self._model_dir / MODEL_FILE), options, providers=["CPUExecutionProvider"]
                )
            except Exception as problem:  # onnxruntime's errors share no base of their own
                log.exception("Kokoro 载入失败")
                raise SynthesiserDownError from problem

    def _speak(self, sentence: str, speed: float, run: _Run) -> Speech:
        self.load()
        phonemes, _ = self._phonemes(sentence)
        tokens = [self._vocab[p] for p in phonemes if p in self._vocab][:_MAX_TOKENS]
        if not tokens:
            raise SynthesiserDownError
        style = self._voice[min(len(tokens), len(self._voice) - 1)][np.newaxis, :]
        (audio,) = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": style,
                "speed": np.array([speed], dtype=np.float32),
            },
            run.options(),
        )
        return Speech(pcm=to_pcm(clip(_trim(audio.reshape(-1)) * 32767.0)), sample_rate=SAMPLE_RATE)

    async def synthesise(self, sentence: str, speed: float = 1.0, language: str = MANDARIN) -> Speech:
        if language != MANDARIN:
            raise SynthesiserDownError  # this voice speaks Mandarin alone
        loop, run = asyncio.get_running_loop(), _Run()
        try:
            return await loop.run_in_executor(self._worker, self._speak, sentence, clamp_speed(speed), run)
        except asyncio.CancelledError:
            run.stop()
            raise
        except SynthesiserDownError:
            raise
        except Exception as problem:  # as above: one sentence failed, whatever the reason
            log.exception("Kokoro 合成失败")
            raise SynthesiserDownError from problem

    async def close(self) -> None:
        await asyncio.to_thread(self._worker.shutdown, wait=True, cancel_futures=True)


class _Run:
    """One sentence in the model. ``stop`` ends it at the next node, so that a caller who interrupts
    does not wait for the worker to finish what nobody will hear."""

    def __init__(self) -> None:
        self._stopped = False
        self._options: Any = None

    def options(self) -> Any:
        import onnxruntime

        self._options = onnxruntime.RunOptions()
        self._options.terminate = self._stopped
        return self._options

    def stop(self) -> None:
        self._stopped = True
        if self._options is not None:
            self._options.terminate = True


def _trim(audio: Any) -> Any:
    """Without the silence the model puts around a sentence, but 40 ms before and 120 ms behind."""
    loud = np.flatnonzero(np.abs(audio) > _QUIET)
    if not len(loud):
        return audio
    start = max(0, int(loud[0]) - SAMPLE_RATE * 40 // 1000)
    return audio[start : int(loud[-1]) + SAMPLE_RATE * 120 // 1000]
