"""Looks at what is installed, chooses the synthesisers and makes them."""

from __future__ import annotations

import ctypes.util
import importlib.util
import logging
from pathlib import Path

from hotline.ports import Synthesiser
from hotline.settings import Settings
from voice.tts.base import DownSynthesiser
from voice.tts.cache import CachedSynthesiser
from voice.tts.choose import Availability, Choice, choose_synthesiser
from voice.tts.espeak import EspeakSynthesiser
from voice.tts.fallback import FallbackSynthesiser
from voice.tts.kokoro import KokoroSynthesiser, is_kokoro_model

log = logging.getLogger(__name__)

KOKORO_VOICE = "zf_xiaoxiao"


def kokoro_dir(settings: Settings) -> Path:
    return settings.models_dir / "kokoro"


def availability(settings: Settings) -> Availability:
    def installed(package: str) -> bool:
        return importlib.util.find_spec(package) is not None

    library = ctypes.util.find_library("espeak-ng") is not None or installed("espeakng_loader")
    return Availability(
        kokoro=installed("onnxruntime") and installed("misaki") and is_kokoro_model(kokoro_dir(settings), KOKORO_VOICE),
        espeak=installed("pyttsx3") and library,
    )


def synthesiser_choice(settings: Settings) -> Choice:
    """Which engines would run and why (one Chinese line), without loading them."""
    return choose_synthesiser(settings.tts_engine, availability(settings))


def load_synthesiser(settings: Settings) -> Synthesiser:
    """The chosen engines behind one another and a cache. Close it when the process ends."""
    choice = synthesiser_choice(settings)
    log.info(choice.reason)
    engines: list[Synthesiser] = []
    for engine in choice.engines:
        if engine == "kokoro":
            engines.append(KokoroSynthesiser(kokoro_dir(settings), voice=KOKORO_VOICE, threads=settings.speech_threads))
        else:
            engines.append(EspeakSynthesiser())
    return CachedSynthesiser(FallbackSynthesiser(engines)) if engines else DownSynthesiser()
