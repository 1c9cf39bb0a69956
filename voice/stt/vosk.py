"""Vosk: streaming recognition with partial results, word times, confidences, alternatives, phrase lists."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from hotline.errors import RecogniserDownError
from hotline.messages import Alternative, HeardWord, Transcript
from hotline.ports import RecognitionOptions
from voice.stt.base import NOTHING_HEARD, Sentences, join_han

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

    def start(self, options: RecognitionOptions | None = None) -> VoskSession:
        """A session; the model is loaded by its first chunk, off the event loop."""
        return VoskSession(self, options or RecognitionOptions())

    @cached_property
    def takes_phrases(self) -> bool:
        """Whether the model's graph is put together while it runs: only then a phrase list narrows it."""
        return any(self._model_dir.rglob("Gr.fst"))

    def kaldi(self, options: RecognitionOptions) -> Any:
        """Vosk's own recogniser for one stream."""
        import vosk

        self.load()
        arguments = [self._model, self.sample_rate]
        grammar = json.dumps(options.phrases, ensure_ascii=False) if options.phrases else self._grammar
        if grammar is not None and self.takes_phrases:
            arguments.append(grammar)
        elif grammar is not None:
            log.warning("这个 Vosk 模型的图是静态的，用不了短语表，照常识别：%s", self._model_dir.name)
        kaldi = vosk.KaldiRecognizer(*arguments)
        kaldi.SetWords(True)
        kaldi.SetMaxAlternatives(options.alternatives)
        return kaldi


def is_vosk_model(folder: Path) -> bool:
    return (folder / "am" / "final.mdl").is_file() and (folder / "conf").is_dir()


class VoskSession:
    """One utterance, or a stream of them. Vosk finds ends of its own: ``segment`` takes what came
    before one; ``finish`` joins all that was not taken."""

    def __init__(self, recogniser: VoskRecogniser, options: RecognitionOptions) -> None:
        self._recogniser = recogniser
        self._options = options
        self._spelt = _verbatim if options.verbatim else _joined
        self._sentences = Sentences(self._spelt)
        self._kaldi: Any = None

    def accept_chunk(self, pcm: bytes) -> None:
        if self._kaldi is None:
            self._kaldi = self._recogniser.kaldi(self._options)
        if self._kaldi.AcceptWaveform(pcm):
            self._keep(self._kaldi.Result())
            self._sentences.end()

    def partial(self) -> Transcript | None:
        if self._kaldi is None:
            return None
        text = self._sentences.text_with(json.loads(self._kaldi.PartialResult()).get("partial", ""))
        return Transcript(text=text, confidence=0.0, final=False) if text else None

    def segment(self) -> Transcript | None:
        return self._sentences.segment()

    def finish(self) -> Transcript:
        if self._kaldi is not None:
            self._keep(self._kaldi.FinalResult())
        return self._sentences.take()

    def _keep(self, result: str) -> None:
        self._sentences.keep(transcript_of(json.loads(result), self._spelt))


def transcript_of(result: dict[str, Any], spelt: Callable[[str], str]) -> Transcript:
    """What Vosk's ``Result`` says: ``text`` with ``result``, or ``alternatives``, best first.
    ``spelt`` says what becomes of the spaces between words."""
    if "alternatives" in result:
        alternatives = tuple(
            Alternative(text=spelt(each["text"]), score=each.get("confidence", 0.0), words=_words(each))
            for each in result["alternatives"]
        )
        best = alternatives[0] if alternatives else Alternative(text="")
        # An alternative's own score is no probability, and Vosk gives no word confidences beside it.
        return Transcript(
            text=best.text,
            confidence=0.5 if best.text else 0.0,
            words=best.words,
            alternatives=alternatives if best.text else (),
        )
    text, words = spelt(result.get("text", "")), _words(result)
    if not text:
        return NOTHING_HEARD
    known = [word.confidence for word in words]
    return Transcript(text=text, confidence=round(sum(known) / len(known), 3) if known else 0.5, words=words)


def _words(result: dict[str, Any]) -> tuple[HeardWord, ...]:
    return tuple(
        HeardWord(
            text=word["word"],
            start=word["start"],
            end=word["end"],
            confidence=round(min(1.0, word.get("conf", 1.0)), 6),
        )
        for word in result.get("result", [])
        if word["word"] != "[unk]"
    )


def _verbatim(text: str) -> str:
    return " ".join(text.replace("[unk]", " ").split())


def _joined(text: str) -> str:
    return join_han(_verbatim(text))
