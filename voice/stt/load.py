"""Looks at what is installed, chooses the recogniser and makes it."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

from hotline.ports import Recogniser
from hotline.settings import Settings
from voice.stt.base import DownRecogniser
from voice.stt.choose import Availability, Choice, choose_recogniser
from voice.stt.correcting import CorrectingRecogniser
from voice.stt.corrector import SoundCorrector
from voice.stt.domain import DomainWords
from voice.stt.sherpa import SherpaRecogniser
from voice.stt.sherpa_model import NoSherpaModelError, find_model
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

    given = {
        engine
        for engine, path in (
            ("vosk", settings.vosk_model_path),
            ("sherpa", settings.sherpa_model_path),
            ("whisper", settings.whisper_model_path),
        )
        if path
    }
    return Availability(
        vosk=installed("vosk") and is_vosk_model(vosk_dir(settings)),
        whisper=installed("faster_whisper") and (whisper_dir(settings) / "model.bin").is_file(),
        sherpa=bool(settings.sherpa_model_path) and installed("sherpa_onnx") and _is_sherpa_model(settings),
        given=frozenset(given),
    )


def _is_sherpa_model(settings: Settings) -> bool:
    try:
        find_model(Path(settings.sherpa_model_path))
    except NoSherpaModelError as problem:
        log.warning("SHERPA_MODEL_PATH：%s", problem)
        return False
    return True


def recogniser_choice(settings: Settings) -> Choice:
    """Which engine would run and why (one Chinese line), without loading it."""
    return choose_recogniser(settings.stt_engine, availability(settings))


def load_recogniser(settings: Settings, domain: DomainWords | None = None) -> Recogniser:
    """The chosen recogniser, its words corrected by sound. Its model loads with the first
    utterance, or by ``load()``."""
    domain = domain or DomainWords()
    choice = recogniser_choice(settings)
    log.info(choice.reason)
    engine = _engine(choice, settings, domain)
    if not (domain.names or domain.aliases):
        return engine
    return CorrectingRecogniser(engine, corrector_of(domain))


def corrector_of(domain: DomainWords) -> SoundCorrector:
    return SoundCorrector(domain.names, domain.aliases, domain.places, domain.sentences, domain.prose)


def _engine(choice: Choice, settings: Settings, domain: DomainWords) -> Recogniser:
    if choice.engine == "vosk":
        return VoskRecogniser(vosk_dir(settings))
    if choice.engine == "sherpa":
        return SherpaRecogniser(
            Path(settings.sherpa_model_path),
            threads=settings.speech_threads,
            hotwords=domain.hotwords,
            language=settings.sherpa_language,
            partial_every_s=settings.partial_every_s,
        )
    if choice.engine == "whisper":
        return WhisperRecogniser(
            whisper_dir(settings),
            prompt=domain.prompt,
            threads=settings.speech_threads,
            partial_every_s=settings.partial_every_s,
        )
    return DownRecogniser(choice.reason)
