"""Vosk: streaming recognition with partial results."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hotline.errors import RecogniserDownError
from hotline.messages import Transcript
from voice.stt.base import join_han

log = logging.getLogger(__name__)


class VoskRecogniser:
    """A Vosk model in a folder; one model serves all calls, a KaldiRecognizer each.

    Args:
        model_dir: the unpacked model (with ``am/`` and ``conf/``). Never a model name: Vosk
            would then go to the network, and end the process for a name it doesn't know.
        grammar: the only phrases to listen for, or None for free speech.
    """

    name = "vosk"

    def __init__(self, model_dir: Path, *, sample_rate: int = 16000, grammar: Sequence[str] | None = None) -> None:
        self.sample_rate = sample_rate
        self._model_dir = model_dir
        self._grammar = None if grammar is None else json.dumps(list(grammar), ensure_ascii=False)
        self._lock = threading.Lock()
        self._model: Any = None

    def load(self) -> None:
        """Loads the model once (seconds). Blocking: call it in a worker thread.

        Raises:
            RecogniserDownError: the folder is no Vosk model.
        """
        with self._lock:
            if self._model is not None:
                return
            if not is_vosk_model(self._model_dir):
                log.error("这里没有 Vosk 模型：%s", self._model_dir.name)
                raise RecogniserDownError
            try:
                import vosk

                vosk.SetLogLevel(-1)
                self._model = vosk.Model(model_path=str(self._model_dir))
            except Exception as problem:  # vosk raises bare Exception for a broken model
                log.exception("Vosk 载入失败")
                raise RecogniserDownError from problem

    def start(self) -> VoskSession:
        """A session; the model is loaded by its first chunk, off the event loop."""
        return VoskSession(self)

    def kaldi(self) -> Any:
        import vosk

        self.load()
        arguments = [self._model, self.sample_rate]
        if self._grammar is not None:
            arguments.append(self._grammar)
        kaldi = vosk.KaldiRecognizer(*arguments)
        kaldi.SetWords(True)
        return kaldi


def is_vosk_model(folder: Path) -> bool:
    return (folder / "am" / "final.mdl").is_file() and (folder / "conf").is_dir()


class VoskSession:
    """One utterance. Vosk may find ends of its own inside it; the pieces are joined."""

    def __init__(self, recogniser: VoskRecogniser) -> None:
        self._recogniser = recogniser
        self._kaldi: Any = None
        self._texts: list[str] = []
        self._confidences: list[float] = []

    def accept_chunk(self, pcm: bytes) -> None:
        if self._kaldi is None:
            self._kaldi = self._recogniser.kaldi()
        if self._kaldi.AcceptWaveform(pcm):
            self._keep(json.loads(self._kaldi.Result()))

    def partial(self) -> Transcript | None:
        if self._kaldi is None:
            return None
        running = json.loads(self._kaldi.PartialResult()).get("partial", "")
        text = self._text([*self._texts, running])
        return Transcript(text=text, confidence=0.0, final=False) if text else None

    def finish(self) -> Transcript:
        if self._kaldi is None:
            return Transcript(text="", confidence=0.0)
        self._keep(json.loads(self._kaldi.FinalResult()))
        text = self._text(self._texts)
        if not text:
            return Transcript(text="", confidence=0.0)
        known = self._confidences
        return Transcript(text=text, confidence=round(sum(known) / len(known), 3) if known else 0.5)

    def _keep(self, result: dict[str, Any]) -> None:
        if text := result.get("text", ""):
            self._texts.append(text)
        self._confidences += [min(1.0, word["conf"]) for word in result.get("result", []) if "conf" in word]

    @staticmethod
    def _text(pieces: Sequence[str]) -> str:
        return join_han(" ".join(piece for piece in pieces if piece).replace("[unk]", ""))
