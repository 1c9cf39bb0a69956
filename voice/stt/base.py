"""What every recogniser shares. The contract itself is in :mod:`hotline.ports`.

A *recogniser* is a loaded model, shared by all calls; a *session* holds one utterance:
``accept_chunk`` for each piece of sound, then ``finish``. Sessions block and are called from
worker threads only; the event loop never runs a model.
"""

from __future__ import annotations

import re

from hotline.errors import RecogniserDownError
from hotline.messages import Transcript
from hotline.ports import Recogniser, RecogniserSession, RecognitionOptions

__all__ = ["NOTHING_HEARD", "DownRecogniser", "Recogniser", "RecogniserSession", "join_han"]

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
