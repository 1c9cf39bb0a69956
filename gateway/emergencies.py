"""Danger first: what must be answered before, and even without, the dialogue engine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml
from opencc import OpenCC

from hotline.messages import Reply

_FILE = Path(__file__).with_name("emergencies.yml")
_TO_SIMPLIFIED = OpenCC("t2s")


@dataclass(frozen=True)
class Emergency:
    """``number``: the line to call first."""

    kind: str
    number: str
    reply: Reply


class EmergencyWatch:
    """Recognises danger in a citizen's words by the phrases in ``emergencies.yml``."""

    def __init__(self, file: Path = _FILE) -> None:
        self._rules = [
            (_any_of(entry["when"]), _any_of(entry["unless"]), _emergency(entry))
            for entry in yaml.safe_load(file.read_text(encoding="utf-8"))
        ]

    def look(self, text: str) -> Emergency | None:
        """The first emergency ``text`` tells of, or None."""
        said = re.sub(r"\s+", "", text)
        simplified = _TO_SIMPLIFIED.convert(said)
        for when, unless, emergency in self._rules:
            told = when.search(said) or when.search(simplified)
            if told and not unless.search(simplified):
                return emergency
        return None


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{p})" for p in patterns))


def _emergency(entry: dict[str, str]) -> Emergency:
    return Emergency(entry["kind"], entry["number"], Reply(text=entry["text"]))
