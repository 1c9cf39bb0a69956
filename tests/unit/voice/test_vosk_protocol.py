"""vosk-server's messages, read and written."""

from __future__ import annotations

import json

import pytest

from hotline.errors import AudioFormatError, BadInputError
from hotline.messages import Alternative, HeardWord, Transcript
from voice.stt.base import NOTHING_HEARD
from voice.stt.vosk import transcript_of
from voice.stt.vosk_protocol import StreamConfig, answer, configured, read_text

WORDS = (
    HeardWord(text="감사", start=0.3, end=0.6, confidence=0.9),
    HeardWord(text="합니다", start=0.6, end=1.0, confidence=1.0),
)


def test_a_client_that_says_nothing_gets_vosk_servers_own_defaults():
    assert StreamConfig() == StreamConfig(sample_rate=8000, words=True, alternatives=0, phrases=())


def test_a_config_changes_what_it_names_and_leaves_the_rest():
    first = configured(StreamConfig(), {"sample_rate": 16000.0, "phrase_list": ["네", " ", "아니요"]})
    second = configured(first, {"words": 0, "max_alternatives": 3, "unknown": True})
    assert second == StreamConfig(16000, False, 3, ("네", "아니요"))
    assert configured(StreamConfig(), {"sample_rate": "44100"}).sample_rate == 44100
    assert second.options().verbatim


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"sample_rate": 0}, AudioFormatError),
        ({"sample_rate": 7999}, AudioFormatError),
        ({"sample_rate": 1e9}, AudioFormatError),
        ({"sample_rate": "fast"}, AudioFormatError),
        ({"sample_rate": float("nan")}, AudioFormatError),
        ({"sample_rate": True}, AudioFormatError),
        ({"sample_rate": None}, AudioFormatError),
        ({"max_alternatives": -1}, BadInputError),
        ({"max_alternatives": 10**6}, BadInputError),
        ({"max_alternatives": "3"}, BadInputError),
        ({"phrase_list": "네"}, BadInputError),
        ({"phrase_list": [1]}, BadInputError),
        ({"phrase_list": ["字" * 201]}, BadInputError),
        ({"phrase_list": ["字"] * 2001}, BadInputError),
        ([], BadInputError),
        (None, BadInputError),
    ],
)
def test_a_config_that_cannot_be_meant_is_a_named_error(config, error):
    with pytest.raises(error) as problem:
        configured(StreamConfig(), config)
    assert any("\u4e00" <= c <= "\u9fff" for c in problem.value.detail)


@pytest.mark.parametrize("message", ["", "hello", "[1]", "1", "null", "[" * 100_000])
def test_text_that_is_no_object_is_a_named_error(message):
    with pytest.raises(BadInputError):
        read_text(message)


def test_answers_have_the_shapes_that_libvosk_writes():
    heard = Transcript(text="감사 합니다", words=WORDS)
    assert json.loads(answer(Transcript(text="감사", final=False), StreamConfig())) == {"partial": "감사"}
    assert json.loads(answer(heard, StreamConfig())) == {
        "result": [
            {"conf": 0.9, "end": 0.6, "start": 0.3, "word": "감사"},
            {"conf": 1.0, "end": 1.0, "start": 0.6, "word": "합니다"},
        ],
        "text": "감사 합니다",
    }
    assert json.loads(answer(heard, StreamConfig(words=False))) == {"text": "감사 합니다"}
    assert json.loads(answer(NOTHING_HEARD, StreamConfig())) == {"text": ""}
    assert json.loads(answer(NOTHING_HEARD, StreamConfig(alternatives=2))) == {
        "alternatives": [{"confidence": 1.0, "text": ""}]
    }


def test_alternatives_are_told_with_their_own_scores():
    others = (Alternative(text="射包卡", score=210.5), Alternative(text="社保", score=208.0))
    heard = Transcript(text="社保卡", words=(), alternatives=others)
    assert json.loads(answer(heard, StreamConfig(alternatives=2))) == {
        "alternatives": [{"confidence": 210.5, "text": "社保卡"}, {"confidence": 208.0, "text": "社保"}]
    }


def test_what_vosk_writes_is_read_with_times_confidences_and_alternatives():
    plain = transcript_of(
        {"result": [{"conf": 0.5, "start": 0.1, "end": 0.4, "word": "네"}, {"word": "[unk]", "start": 1, "end": 2}],
         "text": "네 [unk]"},
        str.strip,
    )  # fmt: skip
    assert plain.words == (HeardWord(text="네", start=0.1, end=0.4, confidence=0.5),)
    assert plain.confidence == 0.5
    many = transcript_of({"alternatives": [{"text": "네", "confidence": 3.0}, {"text": "예", "confidence": 2.0}]}, str)
    assert [(each.text, each.score) for each in many.alternatives] == [("네", 3.0), ("예", 2.0)]
    assert transcript_of({"alternatives": [{"text": "", "confidence": 1.0}]}, str) == NOTHING_HEARD
    assert transcript_of({"text": ""}, str) == NOTHING_HEARD
