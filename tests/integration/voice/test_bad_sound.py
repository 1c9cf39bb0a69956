"""Real engines on what is no speech, too much of it, or broken: nothing made up, nothing left behind."""

from __future__ import annotations

import os
import threading

import numpy as np
import psutil
import pytest

from hotline.ports import RecognitionOptions, SpeculativeSession
from voice.audio import read_wav, resample, to_pcm
from voice.stt.stream import Cutting, RecognitionStream
from voice.stt.vosk import VoskRecogniser
from voice.stt.whisper import hotwords_of
from voice.stt.whisper_model import without_padding
from voice.vad import load_vad

RATE = 16000
OPTIONS = RecognitionOptions(words=True)
chance = np.random.default_rng(7)
seconds = np.arange(3 * RATE) / RATE


def chord() -> np.ndarray:
    """Four notes with overtones, a new chord every half second: as on hold."""
    tones = [
        np.sin(2 * np.pi * (root * step * (1 + (seconds // 0.5) * 0.12)) * seconds) / step
        for root in (220, 277, 330, 440)
        for step in (1, 2, 3)
    ]
    return (2500 * sum(tones)).clip(-32768, 32767)


NO_SPEECH = {
    "silence": np.zeros(3 * RATE),
    "hum": 500 * np.sin(2 * np.pi * 50 * seconds),
    "white noise": chance.normal(0, 1000, 3 * RATE),
    "music": chord(),
    "square wave at full scale": 32767 * np.sign(np.sin(2 * np.pi * 300 * seconds)),
    "clicks": np.where(chance.random(3 * RATE) > 0.999, 30000, 0),
}


@pytest.mark.parametrize("name", NO_SPEECH)
def test_a_stream_of_what_is_no_speech_has_no_words(models, whisper, name):
    stream = RecognitionStream(whisper, load_vad(models), RATE, OPTIONS)
    pcm = to_pcm(NO_SPEECH[name].astype(np.int16))
    told = [stream.accept(pcm[at : at + 6400]).text for at in range(0, len(pcm), 6400)]
    assert {*told, stream.finish().text} == {""}


def test_speech_that_is_clipped_hard_is_still_understood(models, whisper, speech_folder):
    samples, rate = read_wav(speech_folder / "q_02.wav")
    loud = (resample(samples, rate, RATE).astype(np.float32) * 12).clip(-32768, 32767).astype(np.int16)
    stream = RecognitionStream(whisper, load_vad(models), RATE, RecognitionOptions())
    assert "社保卡" in stream.accept(to_pcm(loud)).text + stream.finish().text


def test_what_is_too_distorted_to_be_heard_is_nothing_and_never_the_prompt_read_out(whisper, speech_folder):
    samples, rate = read_wav(speech_folder / "q_02.wav")
    voice = resample(samples, rate, RATE).astype(np.float32)
    for gain, limit in ((12, 9000), (30, 32767)):
        heard = whisper.transcribe(to_pcm((voice * gain).clip(-limit, limit).astype(np.int16)))
        assert "居住证" not in heard.text  # it follows 社保卡 in the prompt, and nobody said it


def test_speech_without_a_pause_is_cut_its_words_keep_their_times_and_nothing_is_left(models, whisper, speech_folder):
    samples, rate = read_wav(speech_folder / "q_02.wav")
    voice = resample(samples, rate, RATE)
    loud = np.flatnonzero(np.abs(voice.astype(int)) > 500)
    voice = voice[loud[0] : loud[-1]]
    pcm = to_pcm(np.tile(voice, 30 * RATE // len(voice)))
    process = psutil.Process(os.getpid())
    whisper.load()
    threads, handles = threading.active_count(), process.num_fds()
    stream = RecognitionStream(whisper, load_vad(models), RATE, OPTIONS, Cutting(max_utterance_s=10.0))
    answers = [stream.accept(pcm[at : at + 32000]) for at in range(0, len(pcm), 32000)]
    finals = [answer for answer in [*answers, stream.finish()] if answer.final and answer.text]
    assert len(finals) >= 3
    starts = [word.start for final in finals for word in final.words]
    assert starts == sorted(starts)
    assert 20 < starts[-1] < 30
    assert (threading.active_count(), process.num_fds()) == (threads, handles)


def test_whisper_decides_at_the_pause_and_prefers_the_phrases_it_is_told(whisper, speech_folder):
    samples, rate = read_wav(speech_folder / "q_07.wav")
    session = whisper.start(RecognitionOptions(phrases=("身份证", "到期")))
    assert isinstance(session, SpeculativeSession)
    session.accept_chunk(to_pcm(resample(samples, rate, RATE)))
    session.pause_began()
    decided = session.partial()
    session.accept_chunk(bytes(RATE))
    assert session.finish().text == decided.text
    assert "身份证" in decided.text
    assert len(hotwords_of(["社保卡"] * 500)) < 120


def test_whisper_reads_fifteen_seconds_at_least_and_no_padding_beyond_the_sound():
    features = np.zeros((80, 3000), np.float32)
    features[:, :420] = 1.0
    assert without_padding(features).shape == (80, 1500)
    features[:, :1834] = 1.0
    assert without_padding(features).shape == (80, 1900)
    assert without_padding(np.zeros((80, 3000), np.float32)).shape == (80, 1500)


def test_vosk_leaves_no_thread_and_no_handle_behind(models):
    recogniser = VoskRecogniser(models / "vosk-ko")
    recogniser.load()
    process = psutil.Process(os.getpid())
    threads, handles = threading.active_count(), process.num_fds()
    noise = to_pcm(NO_SPEECH["white noise"][: RATE // 2].astype(np.int16))
    for _ in range(5):
        session = recogniser.start(RecognitionOptions(phrases=("네", "아니요")))
        session.accept_chunk(noise)
        session.finish()
    assert (threading.active_count(), process.num_fds()) == (threads, handles)
