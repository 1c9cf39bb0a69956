"""/asr with a real Vosk model, side by side with Vosk itself: the same words, times and shapes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from running_gateway import Gateway, running_gateway
from test_asr_socket import as_vosk_client

from hotline.settings import Settings
from ops.models import fetch
from voice.audio import resample, to_pcm, to_samples
from voice.stt.vosk import VoskRecogniser
from voice.tts.espeak import EspeakSynthesiser

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHRASES = ["네", "아니요", "감사 합니다", "서울", "주민등록증"]
RATE = 16000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vosk() -> VoskRecogniser:
    models = Settings(_env_file=None).models_dir
    assert not fetch(["vosk-ko"], models)["vosk-ko"].startswith("failed")
    recogniser = VoskRecogniser(models / "vosk-ko")
    await asyncio.to_thread(recogniser.load)
    return recogniser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spoken() -> bytes:
    """Korean for thanks, Seoul, no: with silence between, as one recording."""
    synthesiser = EspeakSynthesiser(voice="ko", workers=1)
    quiet = np.zeros(RATE * 12 // 10, np.int16)
    pieces = [quiet[:4800]]
    for phrase in ("감사 합니다", "서울", "아니요"):
        speech = await synthesiser.synthesise(phrase, speed=130 / 160)
        pieces += [resample(to_samples(speech.pcm), speech.sample_rate, RATE), quiet]
    await synthesiser.close()
    return to_pcm(np.concatenate(pieces))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def with_vosk(
    migrated_database: Path, tmp_path_factory: pytest.TempPathFactory, vosk: VoskRecogniser
) -> AsyncIterator[Gateway]:
    async with running_gateway(migrated_database, tmp_path_factory.mktemp("vosk"), vosk) as gateway:
        yield gateway


def by_vosk_itself(vosk: VoskRecogniser, pcm: bytes, alternatives: int) -> list[dict]:
    """What the library answers to the same chunks: vosk-server sends just this."""
    import vosk as library

    kaldi = library.KaldiRecognizer(vosk._model, float(RATE), json.dumps(PHRASES, ensure_ascii=False))
    kaldi.SetWords(True)
    kaldi.SetMaxAlternatives(alternatives)
    answers, step = [], int(RATE * 0.2) * 2
    for at in range(0, len(pcm), step):
        ended = kaldi.AcceptWaveform(pcm[at : at + step])
        answers.append(json.loads(kaldi.Result() if ended else kaldi.PartialResult()))
    return [*answers, json.loads(kaldi.FinalResult())]


def without_scores(answer: object) -> object:
    """Kaldi adds a little noise to sound (dither), so that scores differ from run to run."""
    if isinstance(answer, dict):
        return {key: "score" if key in ("conf", "confidence") else without_scores(each) for key, each in answer.items()}
    return [without_scores(each) for each in answer] if isinstance(answer, list) else answer


@pytest.mark.parametrize("alternatives", [0, 3])
async def test_every_answer_is_the_one_vosk_server_would_send(
    with_vosk: Gateway, vosk: VoskRecogniser, spoken: bytes, alternatives: int
) -> None:
    wanted = await asyncio.to_thread(by_vosk_itself, vosk, spoken, alternatives)
    async with with_vosk.socket("/asr") as connection:
        got = await as_vosk_client(connection, spoken, RATE, phrase_list=PHRASES, max_alternatives=alternatives)
    assert [without_scores(answer) for answer in got] == [without_scores(answer) for answer in wanted]
    finals = [answer for answer in got if "partial" not in answer]
    if not alternatives:
        assert "감사 합니다" in " ".join(answer["text"] for answer in finals)
        assert finals[0]["result"][0].keys() == {"conf", "start", "end", "word"}


async def test_streams_at_once_do_not_mix(with_vosk: Gateway, spoken: bytes) -> None:
    async def one() -> str:
        async with with_vosk.socket("/asr") as connection:
            answers = await as_vosk_client(connection, spoken, RATE, phrase_list=PHRASES)
        return " ".join(answer["text"] for answer in answers if "text" in answer)

    heard = await asyncio.gather(*(one() for _ in range(4)))
    assert len(set(heard)) == 1
    assert "감사 합니다" in heard[0]
