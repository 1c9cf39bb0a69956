"""Sessions of engines that read an utterance as a whole (Whisper, SenseVoice).

They stream all the same: a window of the newest sound is read quickly now and then for partial
results, and the final reading is made as soon as the speaker pauses. If the pause was the end, the
words are there by the time the end is certain; if speech goes on, that reading is thrown away.
"""

from __future__ import annotations

from typing import Protocol

from hotline.messages import Transcript

_BYTES_PER_SAMPLE = 2


class WholeReader(Protocol):
    """Reads PCM in one go. Both block."""

    sample_rate: int

    def transcribe(self, pcm: bytes) -> Transcript: ...

    def glance(self, pcm: bytes) -> Transcript | None:
        """A quick reading, or None where the engine is busy with something better."""
        ...


class OfflineSession:
    """One utterance.

    Args:
        partial_every_s: seconds of new sound between partial results; 0 for none of them.
        window_s: a partial result reads at most this much anew; what lies before keeps its reading.
    """

    def __init__(self, reader: WholeReader, *, partial_every_s: float = 0.0, window_s: float = 8.0) -> None:
        self._reader = reader
        second = reader.sample_rate * _BYTES_PER_SAMPLE
        self._every = int(partial_every_s * second)
        self._window = int(window_s * second)
        self._pcm = bytearray()
        self._read_to = 0  # bytes that the last partial result covered
        self._window_start = 0
        self._settled = ""  # the reading of what lies before the window
        self._running: Transcript | None = None
        self._decided: Transcript | None = None

    def accept_chunk(self, pcm: bytes) -> None:
        self._pcm += pcm

    def partial(self) -> Transcript | None:
        if self._decided is not None:
            return self._decided.model_copy(update={"final": False}) if self._decided.text else None
        if self._every and len(self._pcm) - self._read_to >= self._every:
            self._look()
        return self._running

    def _look(self) -> None:
        seen = self._reader.glance(bytes(self._pcm[self._window_start :]))
        if seen is None:
            return
        self._read_to = len(self._pcm)
        text = self._settled + seen.text
        self._running = Transcript(text=text, confidence=seen.confidence, final=False) if text else None
        if self._read_to - self._window_start >= self._window:
            self._settled, self._window_start = text, self._read_to

    def pause_began(self) -> None:
        self._decided = self._reader.transcribe(bytes(self._pcm))

    def speech_resumed(self) -> None:
        self._decided = None

    def finish(self) -> Transcript:
        if self._decided is None:
            self._decided = self._reader.transcribe(bytes(self._pcm))
        return self._decided
