"""A recogniser that hears what it was told to, for tests and demonstrations without a model."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from hotline.messages import Transcript
from hotline.ports import RecognitionOptions


class ScriptedRecogniser:
    """Each utterance takes the next line of the script; an exception in it is raised.

    ``utterances`` keeps the PCM of each finished utterance.
    """

    name = "scripted"

    def __init__(self, script: Iterable[str | Transcript | Exception], sample_rate: int = 16000) -> None:
        self.sample_rate = sample_rate
        self.utterances: list[bytes] = []
        self._script = deque(script)

    def start(self, options: RecognitionOptions | None = None) -> _ScriptedSession:
        return _ScriptedSession(self)

    def next_line(self) -> Transcript:
        line = self._script.popleft() if self._script else ""
        if isinstance(line, Exception):
            raise line
        return line if isinstance(line, Transcript) else Transcript(text=line, confidence=0.9)


class _ScriptedSession:
    def __init__(self, recogniser: ScriptedRecogniser) -> None:
        self._recogniser = recogniser
        self._pcm = bytearray()

    def accept_chunk(self, pcm: bytes) -> None:
        self._pcm += pcm

    def partial(self) -> Transcript | None:
        return None

    def finish(self) -> Transcript:
        self._recogniser.utterances.append(bytes(self._pcm))
        return self._recogniser.next_line()
