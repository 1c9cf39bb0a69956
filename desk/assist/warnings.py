"""Reads what an agent is about to send: personal data, forbidden phrases (warnings.yml)."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from hotline.errors import HotlineError

_FILE = Path(__file__).with_name("warnings.yml")


class Level(StrEnum):
    STOP = "stop"  # not sent
    THINK = "think"  # the agent decides


class Warning_(BaseModel):
    """One finding: ``text[start:end]`` is what it is about; ``sentence`` says what to do instead."""

    model_config = ConfigDict(frozen=True)

    code: str
    level: Level
    sentence: str
    start: int
    end: int


class ForbiddenWordsError(HotlineError):
    """Something that must not leave the desk; ``detail`` says what and what to do."""

    code = "forbidden_words"
    status = 422
    citizen_sentence = "这句话里有不能发给市民的内容，请改了再发。"


class _Rule(BaseModel):
    code: str
    level: Level
    sentence: str
    pattern: str


def check(text: str) -> list[Warning_]:
    """All findings in ``text``, the graver first, then in its order."""
    found = [
        Warning_(code=rule.code, level=rule.level, sentence=rule.sentence, start=m.start(), end=m.end())
        for rule, pattern in _rules()
        for m in pattern.finditer(text)
    ]
    return sorted(found, key=lambda w: (w.level is not Level.STOP, w.start))


def require_sendable(text: str) -> None:
    """Raises ForbiddenWordsError where something in ``text`` stops it."""
    if stops := [w.sentence for w in check(text) if w.level is Level.STOP]:
        raise ForbiddenWordsError("".join(dict.fromkeys(stops)))


@cache
def _rules() -> list[tuple[_Rule, re.Pattern[str]]]:
    rows = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return [(rule, re.compile(_unfolded(rule.pattern))) for rule in map(_Rule.model_validate, rows)]


def _unfolded(pattern: str) -> str:
    """Long patterns are written over several lines, each beginning with ``|``."""
    return pattern.replace(" |", "|").strip()
