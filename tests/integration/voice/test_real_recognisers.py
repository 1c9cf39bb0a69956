"""Whisper on Mandarin, Vosk on Korean (the one real Vosk model that packages bring), Silero."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from voice.audio import Framer, read_wav, resample, to_pcm, to_samples
from voice.endpointing import Endpointer, SpeechEnded, SpeechStarted
from voice.stt.vosk import VoskRecogniser
from voice.tts.espeak import EspeakSynthesiser
from voice.utterance import Utterance
from voice.vad import load_vad

GRAMMAR = ["네", "아니요", "안녕 하세요", "감사 합니다", "서울", "주민등록증"]
TRIES = 3  # Kaldi adds a random dither to what it hears: a word of one syllable is now and then lost in it


@pytest.mark.parametrize("rate", [16000, 8000])
@pytest.mark.parametrize(("name", "word"), [("q_02.wav", "社保卡"), ("q_07.wav", "身份证")])
async def test_whisper_hears_the_words_that_matter_wide_band_and_as_on_the_telephone(
    whisper, speech_folder, name, word, rate
):
    samples, source = read_wav(speech_folder / name)
    utterance = Utterance(whisper, rate)
    utterance.feed(resample(samples, source, rate))
    utterance.end()
    transcript = await utterance.transcript()
    assert word in transcript.text
    assert 0.3 < transcript.confidence <= 1.0


def test_whisper_makes_nothing_of_silence_and_noise(whisper):
    noise = np.random.default_rng(1).normal(0, 300, 32000).astype(np.int16)
    for sound in (np.zeros(32000, np.int16), noise, np.zeros(100, np.int16)):
        assert whisper.transcribe(to_pcm(sound)).text == ""


@pytest.fixture(scope="module")
async def korean():
    synthesiser = EspeakSynthesiser(voice="ko", workers=1)
    spoken = {}
    for phrase in GRAMMAR:
        speech = await synthesiser.synthesise(phrase, speed=130 / 160)
        sound = resample(to_samples(speech.pcm), speech.sample_rate, 16000)
        spoken[phrase] = np.concatenate([np.zeros(4800, np.int16), sound, np.zeros(19200, np.int16)])
    await synthesiser.close()
    return spoken


async def test_the_vosk_adapter_decodes_a_real_model_in_twenty_ms_chunks(models, korean):
    recogniser = VoskRecogniser(models / "vosk-ko", grammar=GRAMMAR)
    await asyncio.to_thread(recogniser.load)
    heard, partials = {}, []

    async def keep(transcript):
        partials.append(transcript)

    async def listen(sound):
        utterance = Utterance(recogniser, 16000, on_partial=keep)
        for frame in Framer(320).feed(sound):
            utterance.feed(frame)
            await asyncio.sleep(0)
        utterance.end()
        return await utterance.transcript()

    for phrase, sound in korean.items():
        for _ in range(TRIES):
            heard[phrase] = await listen(sound)
            if heard[phrase].text == phrase:
                break
    right = [phrase for phrase in GRAMMAR if heard[phrase].text == phrase]
    assert {"네", "아니요", "감사 합니다", "서울", "주민등록증"} <= set(right), heard
    assert all(0.5 < heard[phrase].confidence <= 1.0 for phrase in right)
    assert all(not p.final for p in partials)


@pytest.mark.parametrize("rate", [16000, 8000])
def test_silero_finds_one_utterance_where_a_person_speaks_and_none_in_noise(models, speech_folder, rate):
    make = load_vad(models)
    samples, source = read_wav(speech_folder / "q_02.wav")
    quiet = np.zeros(rate, np.int16)
    sound = np.concatenate([quiet, resample(samples, source, rate), quiet])
    noise = np.random.default_rng(1).normal(0, 200, rate * 5).astype(np.int16)
    for audio, expected in ((sound, [SpeechStarted, SpeechEnded]), (noise, [])):
        vad = make(rate)
        endpointer = Endpointer(rate, vad.frame_samples, endpoint_silence_ms=700, max_utterance_s=30)
        events = []
        for frame in Framer(vad.frame_samples).feed(audio):
            events += endpointer.push(frame, vad.probability(frame))
        edges = [e for e in events if isinstance(e, SpeechStarted | SpeechEnded)]
        assert [type(e) for e in edges] == expected
        assert all(a.at < b.at for a, b in pairwise(edges))
