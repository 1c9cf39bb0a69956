"""Is this frame speech? Silero's model on onnxruntime, and two stand-ins without a model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from voice.audio import Samples, rms

log = logging.getLogger(__name__)

FRAME_SAMPLES = {8000: 256, 16000: 512}
"""Frame length the model was trained on, by rate: 32 ms at both."""
_CONTEXT_SAMPLES = {8000: 32, 16000: 64}


class Vad(Protocol):
    """State of one call. ``frame_samples`` is the frame length it wants."""

    frame_samples: int

    def probability(self, frame: Samples) -> float:
        """How likely the frame holds speech, 0..1."""
        ...


VadFactory = Callable[[int], Vad]
"""Sample rate in Hz → the VAD of one call."""


class SileroModel:
    """The loaded model, shared by calls. Make a :class:`Vad` per call with ``for_call``."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        self.session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def for_call(self, sample_rate: int) -> Vad:
        return _SileroVad(self.session, sample_rate)


class _SileroVad:
    def __init__(self, session: Any, sample_rate: int) -> None:
        self.frame_samples = FRAME_SAMPLES[sample_rate]
        self._session = session
        self._rate = np.array(sample_rate, dtype=np.int64)
        self._context = np.zeros((1, _CONTEXT_SAMPLES[sample_rate]), np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)

    def probability(self, frame: Samples) -> float:
        scaled = frame.astype(np.float32)[np.newaxis, :] / 32768.0
        joined = np.concatenate([self._context, scaled], axis=1)
        output, self._state = self._session.run(None, {"input": joined, "state": self._state, "sr": self._rate})
        self._context = joined[:, -self._context.shape[1] :]
        return float(output[0, 0])


class LoudnessVad:
    """Speech is what is louder than ``threshold`` (RMS on the int16 scale).

    For tests with made-up audio, and the last resort where the model is missing.
    """

    def __init__(self, sample_rate: int, threshold: float = 300.0) -> None:
        self.frame_samples = FRAME_SAMPLES[sample_rate]
        self._threshold = threshold

    def probability(self, frame: Samples) -> float:
        return 1.0 if rms(frame) > self._threshold else 0.0


class ScriptedVad:
    """Says what it was told, frame by frame; silence after the script ends."""

    def __init__(self, sample_rate: int, probabilities: Iterable[float]) -> None:
        self.frame_samples = FRAME_SAMPLES[sample_rate]
        self._script = iter(probabilities)

    def probability(self, frame: Samples) -> float:
        return next(self._script, 0.0)


def load_vad(models_dir: Path) -> VadFactory:
    """The best VAD there is. Without the model, loudness decides, and the log says so."""
    path = models_dir / "silero-vad" / "silero_vad.onnx"
    if path.is_file():
        return SileroModel(path).for_call
    log.warning("没有端点检测模型 silero-vad，按音量判断说话，嘈杂时不准；运行 ops.models fetch silero-vad")
    return LoudnessVad
