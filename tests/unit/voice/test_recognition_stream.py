"""Streams longer than an utterance, through engines that do not cut them themselves."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from hotline.messages import HeardWord, Transcript
from hotline.ports import RecognitionOptions
from voice.audio import to_pcm
from voice.stt.offline import OfflineSession
from voice.stt.scripted import ScriptedRecogniser
from voice.stt.stream import Cutting, RecognitionStream
from voice.vad import LoudnessVad

OPTIONS = RecognitionOptions(words=True)


def sound(seconds: float, amplitude: int = 6000, rate: int = 16000) -> bytes:
    samples = np.full(int(rate * seconds), amplitude, np.int16)
    samples[1::2] *= -1
    return to_pcm(samples)


def told(stream: RecognitionStream, pcm: bytes, chunk: int = 6400) -> list[str]:
    """The final sentences among the answers; each chunk has exactly one answer."""
    answers = [stream.accept(pcm[at : at + chunk]) for at in range(0, len(pcm), chunk)]
    return [answer.text for answer in answers if answer.final]


def test_each_sentence_is_told_when_it_ends_and_the_rest_at_the_end():
    recogniser = ScriptedRecogniser(["居住证", "要带什么", "多久"])
    stream = RecognitionStream(recogniser, LoudnessVad, 16000, OPTIONS)
    first = told(stream, sound(1.0) + sound(1.0, 0) + sound(1.0) + sound(1.0, 0))
    assert first == ["居住证", "要带什么"]
    assert told(stream, sound(0.5)) == []
    assert stream.finish().text == "多久"


def test_word_times_count_from_the_start_of_the_stream():
    word = HeardWord(text="好", start=0.2, end=0.4)
    recogniser = ScriptedRecogniser([Transcript(text="好", words=(word,))])
    stream = RecognitionStream(recogniser, LoudnessVad, 8000, OPTIONS)
    stream.accept(sound(5.0, 0, 8000))
    stream.accept(sound(1.0, 6000, 8000))
    moved = stream.finish().words[0]
    assert moved.start == pytest.approx(5.0 + 0.2 - 0.35, abs=0.1)  # the utterance begins before the voice does
    assert moved.end - moved.start == pytest.approx(0.2)


def test_silence_and_an_empty_stream_are_nothing_and_ask_nothing_of_the_engine():
    recogniser = ScriptedRecogniser(["没有人说过"])
    stream = RecognitionStream(recogniser, LoudnessVad, 16000, OPTIONS)
    assert told(stream, sound(20.0, 0)) == []
    assert stream.finish().text == ""
    assert recogniser.utterances == []
    assert RecognitionStream(recogniser, LoudnessVad, 16000, OPTIONS).finish().text == ""


def test_ten_minutes_without_a_pause_are_cut_and_no_sound_is_kept():
    lengths = []

    class Reader:
        name, sample_rate = "whole", 16000

        def transcribe(self, pcm):
            lengths.append(len(pcm) / 32000)
            return Transcript(text="一段")

        def glance(self, pcm):
            return None

        def start(self, options=None):
            return OfflineSession(self)

    stream = RecognitionStream(Reader(), LoudnessVad, 16000, OPTIONS, Cutting(max_utterance_s=30.0))
    minute = sound(60.0)
    told(stream, sound(1.0))  # what is allocated once is not counted
    tracemalloc.start()
    sentences = [text for _ in range(10) for text in told(stream, minute, chunk=64000)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(sentences) >= 18
    assert max(lengths) <= 31.0
    assert sum(lengths) == pytest.approx(600, abs=40)
    assert peak < 12e6  # a minute of sound is 2 MB; ten of them kept would be 19


def test_a_pause_is_decided_on_early_and_taken_back_when_speech_goes_on():
    asked = []

    class Reader:
        name, sample_rate = "whole", 16000

        def transcribe(self, pcm):
            asked.append(len(pcm))
            return Transcript(text=f"第{len(asked)}次")

        def glance(self, pcm):
            return None

        def start(self, options=None):
            return OfflineSession(self)

    stream = RecognitionStream(Reader(), LoudnessVad, 16000, OPTIONS)
    told(stream, sound(1.0) + sound(0.4, 0))
    assert len(asked) == 1
    assert told(stream, sound(1.0) + sound(1.0, 0)) == ["第2次"]
    assert len(asked) == 2


def test_half_a_sample_waits_for_its_other_half():
    recogniser = ScriptedRecogniser(["好"])
    stream = RecognitionStream(recogniser, LoudnessVad, 16000, OPTIONS)
    told(stream, sound(1.0) + sound(1.0, 0), chunk=6401)
    loudest = max(np.abs(np.frombuffer(pcm, np.int16).astype(int)).max() for pcm in recogniser.utterances)
    assert loudest == 6000
