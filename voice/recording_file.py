"""A recording on disk: sealed piece by piece as the call goes, readable up to wherever it stopped.

::

    NHREC1\\n  recording id (32 bytes)  sample rate (4, big-endian)
    then pieces:  kind (1)  length (4)  nonce (12)  AES-256-GCM of the piece, tag included

``A`` is sound: µ-law, two channels interleaved (caller, line). ``T`` is a turn as JSON. ``E`` ends a
recording that was finished in order. A piece's place in the file is part of what is sealed: pieces
cannot be left out, moved, or taken from another recording. A half-written last piece is dropped.
"""

from __future__ import annotations

import io
import os
import struct
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hotline.errors import RecordingDamagedError
from hotline.ports import RecordedTurn
from hotline.secret_file import secret_of
from voice.audio import Samples, to_pcm, ulaw_decode, ulaw_encode

KEY_FILE = "recordings.key"
_MAGIC = b"NHREC1\n"
_HEADER = struct.Struct(f">{len(_MAGIC)}s32sI")
_PIECE = struct.Struct(">cI12s")
_SOUND, _TURN, _END = b"A", b"T", b"E"


def recording_key(folder: Path) -> bytes:
    """The key of this line's recordings; made at first use, readable by its owner alone (mode 600)."""
    return secret_of(folder / KEY_FILE)


class RecordingWriter:
    """Appends pieces to a new file; blocking. Each piece is with the operating system when the call
    returns."""

    def __init__(self, path: Path, key: bytes, recording_id: str, sample_rate: int) -> None:
        self.path = path
        self.seconds = 0.0
        self._id = recording_id.encode("ascii")
        self._rate = sample_rate
        self._sealer = AESGCM(key)
        self._number = 0
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        self._file.write(_HEADER.pack(_MAGIC, self._id, sample_rate))

    def sound(self, caller: Samples, line: Samples) -> None:
        """Both sides of the same moment, equally long."""
        both = np.empty(2 * len(caller), np.int16)
        both[0::2], both[1::2] = caller, line
        self._append(_SOUND, ulaw_encode(both))
        self.seconds += len(caller) / self._rate

    def turn(self, turn: RecordedTurn) -> None:
        self._append(_TURN, turn.model_dump_json().encode())

    def end(self) -> int:
        """Closes the file; returns its size in bytes."""
        self._append(_END, b"")
        self._file.close()
        return self.path.stat().st_size

    def discard(self) -> None:
        """Closes the file and deletes it."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _append(self, kind: bytes, content: bytes) -> None:
        nonce = os.urandom(12)
        sealed = self._sealer.encrypt(nonce, content, _bound_to(self._id, self._number, kind))
        self._number += 1
        self._file.write(_PIECE.pack(kind, len(sealed), nonce) + sealed)


def _bound_to(recording_id: bytes, number: int, kind: bytes) -> bytes:
    return recording_id + number.to_bytes(8, "big") + kind


@dataclass
class RecordingContent:
    """``finished`` is False where the call's process died before the end."""

    sample_rate: int
    sound: bytearray = field(default_factory=bytearray)  # µ-law, interleaved
    turns: list[RecordedTurn] = field(default_factory=list)
    finished: bool = False

    @property
    def seconds(self) -> float:
        return len(self.sound) / 2 / self.sample_rate

    def sides(self) -> tuple[Samples, Samples]:
        """The caller, the line."""
        both = ulaw_decode(bytes(self.sound))
        return both[0::2], both[1::2]

    def wav(self) -> bytes:
        """16-bit PCM, two channels: the caller left, the line right."""
        out = io.BytesIO()
        with wave.open(out, "wb") as wav:
            wav.setnchannels(2)
            wav.setsampwidth(2)
            wav.setframerate(self.sample_rate)
            wav.writeframes(to_pcm(ulaw_decode(bytes(self.sound))))
        return out.getvalue()


def read_recording(path: Path, key: bytes) -> RecordingContent:
    """What is in the file, up to a crash where there was one. Blocking.

    Raises:
        RecordingDamagedError: no recording, another key, or changed since.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size or not head.startswith(_MAGIC):
            raise RecordingDamagedError
        _, recording_id, rate = _HEADER.unpack(head)
        content, opener, number = RecordingContent(rate), AESGCM(key), 0
        while len(piece := file.read(_PIECE.size)) == _PIECE.size:
            kind, length, nonce = _PIECE.unpack(piece)
            sealed = file.read(length)
            if len(sealed) < length:
                break
            try:
                plain = opener.decrypt(nonce, sealed, _bound_to(recording_id, number, kind))
            except InvalidTag:
                raise RecordingDamagedError from None
            number += 1
            if kind == _SOUND:
                content.sound += plain
            elif kind == _TURN:
                content.turns.append(RecordedTurn.model_validate_json(plain))
            elif kind == _END:
                content.finished = True
    return content
