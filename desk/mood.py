"""How the citizen feels, by the words of the latest sentences (mood.yml). A hint for the agent; nothing
is decided by it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

_FILE = Path(__file__).with_name("mood.yml")
_LATEST = 6
_NONE = "calm"


class Mood(BaseModel):
    """``name`` is shown; ``because`` are the words that told it."""

    model_config = ConfigDict(frozen=True)

    mood: str = _NONE
    name: str
    because: list[str] = Field(default_factory=list)


def mood_of(said: Sequence[str]) -> Mood:
    """The mood of somebody who said these sentences, oldest first. The later weigh more."""
    moods = _moods()
    weights: dict[str, float] = {}
    because: dict[str, list[str]] = {}
    for age, sentence in enumerate(reversed(said[-_LATEST:])):
        for mood, entry in moods.items():
            for word in entry["words"]:
                if word in sentence:
                    weights[mood] = weights.get(mood, 0.0) + 1.0 / (1 + age)
                    because.setdefault(mood, []).append(word)
    best = max(weights, key=lambda mood: weights[mood], default=_NONE)
    return Mood(mood=best, name=moods[best]["name"], because=because.get(best, [])[:5])


@cache
def _moods() -> dict[str, Any]:
    return dict(yaml.safe_load(_FILE.read_text(encoding="utf-8")))
