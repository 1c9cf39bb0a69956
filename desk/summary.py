"""What was asked and tried before the agent came, told from the trail alone: no model writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from hotline.events import ConversationEvent, EventType

_FILE = Path(__file__).with_name("summary.yml")
_COURTESIES = frozenset("greet thank goodbye affirm deny slower louder bot_challenge choose_language repeat".split())
_WISHES = frozenset("handoff cancel_handoff call_back rate".split())
_FAILED = frozenset({"not_understood", "unknown", "part_down", "asked_which"})


class Outcome(StrEnum):
    ANSWERED = "answered"
    ASKED_WHICH = "asked_which"
    NOT_UNDERSTOOD = "not_understood"
    UNKNOWN = "unknown"
    PART_DOWN = "part_down"
    DANGER = "danger"
    FLOW = "flow"
    AGENT = "agent"


class Asked(BaseModel):
    """One turn of the citizen and what became of it. ``text`` is masked, as in the trail."""

    model_config = ConfigDict(frozen=True)

    turn_id: str
    text: str
    item_key: str | None = None
    service: str | None = None
    aspect: str | None = None
    outcome: Outcome


class Summary(BaseModel):
    model_config = ConfigDict(frozen=True)

    asked: list[Asked] = Field(default_factory=list)
    text: str = ""


def summarise(
    events: Sequence[ConversationEvent], reason: str | None = None, flow: str | None = None, expects: str | None = None
) -> Summary:
    """``reason`` why a person is wanted; ``flow`` and ``expects`` what is under way."""
    asked = [a for a in _turns(events) if a is not None]
    words, lines = _words(), []
    if reason:
        lines.append(words["lines"]["reason"].format(reason=words["reasons"].get(reason, reason)))
    if done := _distinct(_titled(a) for a in asked if a.outcome is Outcome.ANSWERED):
        lines.append(words["lines"]["asked"].format(items="；".join(done)))
    if failed := _distinct(f"「{a.text}」（{words['outcomes'][a.outcome]}）" for a in asked if a.outcome in _FAILED):
        lines.append(words["lines"]["failed"].format(items="；".join(failed)))
    if flow:
        lines.append(
            words["lines"]["flow"].format(
                flow=words["flows"].get(flow, flow), expects=words["expects"].get(expects, "下一句")
            )
        )
    if not asked and not flow:
        lines.append(words["lines"]["nothing"])
    return Summary(asked=asked, text="\n".join(lines))


def _turns(events: Iterable[ConversationEvent]) -> list[Asked | None]:
    texts: dict[str, str] = {}
    heard: dict[str, dict[str, Any]] = {}
    down: set[str] = set()
    for event in events:
        turn = event.turn_id
        if turn is None:
            continue
        if event.type is EventType.CITIZEN_MESSAGE:
            texts[turn] = str(event.data.get("text", ""))
        elif event.type is EventType.REPLY:
            understanding = event.data.get("understanding") or {}
            if turn not in heard or understanding.get("item_key"):
                heard[turn] = understanding
        elif event.type is EventType.PART_DOWN:
            down.add(turn)
    return [_asked(turn, text, heard.get(turn), turn in down) for turn, text in texts.items()]


def _asked(turn: str, text: str, heard: dict[str, Any] | None, down: bool) -> Asked | None:
    if heard is None:
        return Asked(turn_id=turn, text=text, outcome=Outcome.AGENT)
    intent = str(heard.get("intent") or "")
    if down:
        outcome = Outcome.PART_DOWN
    elif intent.startswith("emergency_") or intent == "crisis":
        outcome = Outcome.DANGER
    elif heard.get("item_key"):
        outcome = Outcome.ANSWERED
    elif heard.get("candidates"):
        outcome = Outcome.ASKED_WHICH
    elif intent in _COURTESIES | _WISHES:
        return None
    elif intent == "nlu_fallback":
        outcome = Outcome.NOT_UNDERSTOOD
    elif intent.startswith("ask_") or intent == "out_of_scope":
        outcome = Outcome.UNKNOWN
    else:
        outcome = Outcome.FLOW
    return Asked(
        turn_id=turn,
        text=text,
        item_key=heard.get("item_key"),
        service=heard.get("item_name"),
        aspect=heard.get("aspect"),
        outcome=outcome,
    )


def _titled(asked: Asked) -> str:
    aspect = _words()["aspects"].get(asked.aspect or "")
    return f"{asked.service or asked.item_key}{'·' + aspect if aspect else ''}"


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


@cache
def _words() -> dict[str, Any]:
    return dict(yaml.safe_load(_FILE.read_text(encoding="utf-8")))
