"""The messages of vosk-server's WebSocket protocol, without any socket.

Client → server: ``{"config": {"sample_rate", "words", "max_alternatives", "phrase_list"}}`` before
the sound, PCM in binary messages, ``{"eof": 1}`` after it. Server → client: one message for each
binary one and for ``eof``, either ``{"partial": …}``, or ``{"text": …, "result": [words]}``, or
``{"alternatives": [{"confidence", "text", "result"}]}``.
Source: github.com/alphacep/vosk-server, ``websocket/asr_server.py``, and the shapes libvosk writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from hotline.errors import AudioFormatError, BadInputError
from hotline.messages import HeardWord, Transcript
from hotline.ports import RecognitionOptions

DEFAULT_RATE = 8000
_RATES = (8000, 48000)
_MAX_PHRASES = 2000
_MAX_PHRASE_LENGTH = 200
_MAX_ALTERNATIVES = 10


@dataclass(frozen=True)
class StreamConfig:
    """What a client asked for. Vosk tells word times unless it is told not to."""

    sample_rate: int = DEFAULT_RATE
    words: bool = True
    alternatives: int = 0
    phrases: tuple[str, ...] = ()

    def options(self) -> RecognitionOptions:
        return RecognitionOptions(phrases=self.phrases, alternatives=self.alternatives, words=self.words, verbatim=True)


def read_text(message: str) -> dict[str, Any]:
    """A text message as an object.

    Raises:
        BadInputError: no JSON object.
    """
    try:
        told = json.loads(message)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise BadInputError('文字消息要是 JSON：先发 {"config":{…}}，再发声音，最后发 {"eof":1}。')
    return told


def configured(before: StreamConfig, config: object) -> StreamConfig:
    """The settings after a ``config`` message; what it doesn't name stays.

    Raises:
        AudioFormatError: a rate no telephone or microphone has.
        BadInputError: anything else of the wrong kind or size.
    """
    if not isinstance(config, dict):
        raise BadInputError("config 要是一个 JSON 对象。")
    after = before
    if "sample_rate" in config:
        after = replace(after, sample_rate=_rate(config["sample_rate"]))
    if "words" in config:
        after = replace(after, words=bool(config["words"]))
    if "max_alternatives" in config:
        number = config["max_alternatives"]
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _MAX_ALTERNATIVES:
            raise BadInputError(f"max_alternatives 要是 0 到 {_MAX_ALTERNATIVES} 的整数。")
        after = replace(after, alternatives=number)
    if "phrase_list" in config:
        after = replace(after, phrases=_phrases(config["phrase_list"]))
    return after


def _rate(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise AudioFormatError("sample_rate 要是数字，例如 8000 或 16000。")
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not _RATES[0] <= rate <= _RATES[1] or rate != int(rate):
        raise AudioFormatError(f"采样率「{str(value)[:20]}」不支持，请用 {_RATES[0]} 到 {_RATES[1]} 赫兹的整数。")
    return int(rate)


def _phrases(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(phrase, str) for phrase in value):
        raise BadInputError("phrase_list 要是文字的列表。")
    if len(value) > _MAX_PHRASES or any(len(phrase) > _MAX_PHRASE_LENGTH for phrase in value):
        raise BadInputError(f"phrase_list 最多 {_MAX_PHRASES} 句，每句最多 {_MAX_PHRASE_LENGTH} 个字。")
    return tuple(phrase for phrase in value if phrase.strip())


def answer(heard: Transcript, config: StreamConfig) -> str:
    """The message for what was heard."""
    if not heard.final:
        return json.dumps({"partial": heard.text}, ensure_ascii=False)
    if config.alternatives:
        return json.dumps({"alternatives": _alternatives(heard, config)}, ensure_ascii=False)
    told: dict[str, Any] = {}
    if config.words and heard.words:
        told["result"] = [
            {"conf": word.confidence, "end": word.end, "start": word.start, "word": word.text} for word in heard.words
        ]
    told["text"] = heard.text
    return json.dumps(told, ensure_ascii=False)


def _alternatives(heard: Transcript, config: StreamConfig) -> list[dict[str, Any]]:
    if not heard.alternatives:
        return [_alternative(heard.text, heard.confidence if heard.text else 1.0, heard.words, config)]
    first, *others = heard.alternatives
    return [  # the first one is what the line makes of it, repaired names and all
        _alternative(heard.text, first.score, heard.words, config),
        *(_alternative(each.text, each.score, each.words, config) for each in others),
    ]


def _alternative(text: str, score: float, words: tuple[HeardWord, ...], config: StreamConfig) -> dict[str, Any]:
    told: dict[str, Any] = {"confidence": score}
    if config.words and words:
        told["result"] = [{"end": word.end, "start": word.start, "word": word.text} for word in words]
    told["text"] = text
    return told
