"""Looks at what is installed, chooses the recogniser and makes it."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

from hotline.ports import Recogniser
from hotline.settings import Settings
from voice.stt.base import DownRecogniser
from voice.stt.choose import Availability, Choice, choose_recogniser
from voice.stt.vosk import VoskRecogniser, is_vosk_model
from voice.stt.whisper import WhisperRecogniser

log = logging.getLogger(__name__)


def vosk_dir(settings: Settings) -> Path:
    """The operator's folder where given, else the fetched Chinese model."""
    return Path(settings.vosk_model_path or settings.models_dir / "vosk-small-cn")


def whisper_dir(settings: Settings) -> Path:
    return Path(settings.whisper_model_path or settings.models_dir / "whisper-base")


def availability(settings: Settings) -> Availability:
    def installed(package: str) -> bool:
        return importlib.util.find_spec(package) is not None

    return Availability(
        vosk=installed("vosk") and is_vosk_model(vosk_dir(settings)),
        whisper=installed("faster_whisper") and (whisper_dir(settings) / "model.bin").is_file(),
    )


def recogniser_choice(settings: Settings) -> Choice:
    """Which engine would run and why (one Chinese line), without loading it."""
    return choose_recogniser(settings.stt_engine, availability(settings))


def load_recogniser(settings: Settings, prompt: str = "") -> Recogniser:
    """The chosen recogniser. Its model loads with the first utterance, or by ``load()``.

    ``prompt`` holds words of the trade for engines that take one.
    """
    choice = recogniser_choice(settings)
    log.info(choice.reason)
    if choice.engine == "vosk":
        return VoskRecogniser(vosk_dir(settings))
    if choice.engine == "whisper":
        return WhisperRecogniser(whisper_dir(settings), prompt=prompt, threads=settings.speech_threads)
    return DownRecogniser(choice.reason)
