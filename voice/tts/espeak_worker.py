"""Runs inside a worker process: pyttsx3 speaks one sentence into a WAV.

Imports next to nothing at the top, so that a fresh process is ready soon. pyttsx3 keeps one
engine a process; two engines, or threads, crash or lose files.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import io
import os
import tempfile
import time
import wave
from typing import Any

VOICE = "cmn-latn-pinyin"  # `cmn` spells pinyin in English, `zh` may turn out Cantonese
CANTONESE_VOICE = "yue"
WORDS_PER_MINUTE = 160
_ATTEMPTS = 3
_FINISH_TIMEOUT_S = 5.0

_engine: Any = None
_finished: list[bool] = []


class SpeechLostError(Exception):
    """The engine ran and left no sound behind."""


def prepare() -> None:
    """Loads the engine: the system's libespeak-ng where there is one, else the packaged one."""
    global _engine
    if ctypes.util.find_library("espeak-ng") is None:
        import espeakng_loader

        os.environ["ESPEAK_DATA_PATH"] = espeakng_loader.get_data_path()
        ctypes.CDLL(espeakng_loader.get_library_path(), ctypes.RTLD_GLOBAL)
    import pyttsx3

    _engine = pyttsx3.init("espeak")
    _engine.connect("finished-utterance", lambda name, completed: _finished.append(completed))


def ready() -> bool:
    """Lets the parent wait for a prepared process."""
    return _engine is not None


def speak(sentence: str, speed: float, voice: str = VOICE) -> tuple[bytes, int]:
    """PCM (16-bit mono) and its rate.

    Raises:
        SpeechLostError: no whole WAV after three attempts.
    """
    with tempfile.TemporaryDirectory() as folder:
        for attempt in range(_ATTEMPTS):
            path = os.path.join(folder, f"{attempt}.wav")
            if spoken := _speak_once(sentence, speed, voice, path):
                return spoken
    raise SpeechLostError(sentence)


def _speak_once(sentence: str, speed: float, voice: str, path: str) -> tuple[bytes, int] | None:
    _finished.clear()
    with contextlib.redirect_stdout(io.StringIO()):  # the driver prints each path
        _engine.setProperty("voice", voice)
        _engine.setProperty("rate", int(WORDS_PER_MINUTE * speed))
        _engine.save_to_file(sentence, path)
        _engine.runAndWait()
        until = time.monotonic() + _FINISH_TIMEOUT_S
        while not _finished and time.monotonic() < until:
            time.sleep(0.005)
    try:
        with wave.open(path, "rb") as wav:
            frames = wav.readframes(wav.getnframes())
            rate = wav.getframerate()
    except (FileNotFoundError, EOFError, wave.Error):
        return None
    # A Chinese syllable takes well over 40 ms: a shorter file was cut off.
    if len(frames) < 2 * rate * 0.04 * max(1, len(sentence) // 2):
        return None
    return frames, rate
