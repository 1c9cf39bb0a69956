"""Real models: fetched (nothing happens where they are there), loaded once a test run."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotline.settings import Settings
from ops.models import fetch

SPEECH = Path(__file__).resolve().parents[2] / "data" / "speech"
PROMPT = "政务热线普通话：社保卡、居住证、身份证、公积金、医保、补办、换领。"


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings(_env_file=None)


@pytest.fixture(scope="session")
def models(settings) -> Path:
    wanted = ["silero-vad", "whisper-base", "kokoro", "vosk-ko"]
    result = fetch(wanted, settings.models_dir)
    failed = {name: status for name, status in result.items() if status.startswith("failed")}
    assert not failed, failed
    return settings.models_dir


@pytest.fixture(scope="session")
def whisper(models):
    from voice.stt.whisper import WhisperRecogniser

    return WhisperRecogniser(models / "whisper-base", prompt=PROMPT)


@pytest.fixture(scope="session")
def speech_folder() -> Path:
    return SPEECH
