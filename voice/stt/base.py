"""What every recogniser shares. The contract itself is in :mod:`hotline.ports`.

A *recogniser* is a loaded model, shared by all calls; a *session* holds one utterance:
``accept_chunk`` for each piece of sound, then ``finish``. Sessions block and are called from
worker threads only; the event loop never runs a model.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from hotline.errors import RecogniserDownError
from hotline.messages import Transcript
from hotline.ports import Recogniser, RecogniserSession, RecognitionOptions

__all__ = ["NOTHING_HEARD", "DownRecogniser", "Recogniser", "RecogniserSession", "Sentences", "join_han"]

_SPACE_BESIDE_HAN = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff0-9A-Za-z])|"
                               r"(?<=[0-9A-Za-z])\s+(?=[\u3400-\u9fff])")  # fmt: skip

NOTHING_HEARD = Transcript(text="", confidence=0.0)


def join_han(text: str) -> str:
    """Without the spaces that engines put between Chinese words; others stay."""
    return _SPACE_BESIDE_HAN.sub("", text).strip()


class DownRecogniser:
    """Stands in where no engine can run: every utterance ends in a named error, the call goes on."""

    name = "none"
    sample_rate = 16000

    def __init__(self, reason: str = "") -> None:
        self._reason = reason

    def start(self, options: RecognitionOptions | None = None) -> RecogniserSession:
        raise RecogniserDownError


class Sentences:
    """The sentences that an engine ended by itself within a session, until they are taken.

    Args:
        spelt: what becomes of the spaces where texts are put together.
    """

    def __init__(self, spelt: Callable[[str], str] = join_han) -> None:
        self._spelt = spelt
        self._kept: list[Transcript] = []
        self._ended = False

    def keep(self, sentence: Transcript) -> None:
        if sentence.text:
            self._kept.append(sentence)

    def end(self) -> None:
        """A sentence ended here, with or without words."""
        self._ended = True

    def text_with(self, running: str) -> str:
        """All that was heard and not taken, with the sentence under way."""
        return self._spelt(" ".join([*(sentence.text for sentence in self._kept), running]))

    def segment(self) -> Transcript | None:
        """What ended since last asked, taken off."""
        if not self._ended:
            return None
        self._ended = False
        return self.take()

    def take(self) -> Transcript:
        """All that is kept as one."""
        kept, self._kept = self._kept, []
        if len(kept) <= 1:
            return kept[0] if kept else NOTHING_HEARD
        return Transcript(
            text=self._spelt(" ".join(sentence.text for sentence in kept)),
            confidence=round(sum(sentence.confidence for sentence in kept) / len(kept), 3),
            words=tuple(word for sentence in kept for word in sentence.words),
        )
