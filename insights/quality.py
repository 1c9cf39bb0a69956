"""Quality review: every conversation against the rules as code; the score names rule and turn.

A rule says nothing of a conversation it does not apply to (no status was told, nobody asked for a
person); the score is the share of weight, of the rules that applied, that was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from hotline.insights import TrailConversation, TrailEvent

_FILE = Path(__file__).with_name("quality.yml")


class Finding(NamedTuple):
    """A rule broken at a turn (None: the conversation as a whole)."""

    rule: str
    turn_id: str | None
    detail: str


Rule = Callable[[TrailConversation], "list[Finding] | None"]


@cache
def told() -> dict[str, Any]:
    return dict(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def _replies(talk: TrailConversation) -> list[TrailEvent]:
    return [e for e in talk.events if e.type == "reply"]


def _spoken(talk: TrailConversation) -> Iterable[tuple[TrailEvent, str]]:
    for event in talk.events:
        if event.type in ("reply", "agent_message"):
            yield event, str(event.data.get("text", ""))


def _begins(talk: TrailConversation) -> str | None:
    """The greeting, where the trail keeps it: with the start, or as a reply before any turn."""
    for event in talk.events:
        if event.type == "citizen_message":
            return None
        if event.type == "conversation_started" and event.data.get("greeting"):
            return str(event.data["greeting"])
        if event.type == "reply" and event.turn_id is None:
            return str(event.data.get("text", ""))
    return None


def greeting(talk: TrailConversation) -> list[Finding] | None:
    said = _begins(talk)
    if said is None:
        return None
    return [] if any(w in said for w in told()["greeting"]) else [Finding("greeting", None, "开头没有问候")]


def ai_notice(talk: TrailConversation) -> list[Finding] | None:
    said = _begins(talk)
    if said is None:
        return None
    return [] if any(w in said for w in told()["ai_notice"]) else [Finding("ai_notice", None, "开头没有说明是人工智能")]


def answer_in_time(talk: TrailConversation) -> list[Finding] | None:
    asked = {e.turn_id: e.at for e in talk.events if e.type == "citizen_message"}
    found, judged = [], False
    for event in _replies(talk):
        at = asked.pop(event.turn_id, None)
        if at is None:
            continue
        judged = True
        waited = (event.at - at).total_seconds()
        if waited > told()["answer_within_s"]:
            found.append(Finding("answer_in_time", event.turn_id, f"等了 {waited:.0f} 秒"))
    return found if judged else None


def identity_before_status(talk: TrailConversation) -> list[Finding] | None:
    """A status card may follow only after proofs were given: the trail keeps their placeholder."""
    proved, judged, found = False, False, []
    for event in talk.events:
        if event.type == "citizen_message" and "身份核对信息" in str(event.data.get("text", "")):
            proved = True
        card = event.data.get("card") if event.type == "reply" else None
        if isinstance(card, Mapping) and card.get("kind") == "case":
            judged = True
            if not proved:
                found.append(Finding("identity_before_status", event.turn_id, "没有核对身份就说了办件状态"))
    return found if judged else None


def fact_with_source(talk: TrailConversation) -> list[Finding] | None:
    """An answer about a service cites where its facts come from. Status cards come from the hub."""
    judged, found = False, []
    for event in _replies(talk):
        understanding = event.data.get("understanding") or {}
        if not understanding.get("item_key") or understanding.get("aspect") in (None, "status"):
            continue
        judged = True
        if not event.data.get("sources"):
            found.append(Finding("fact_with_source", event.turn_id, "答了事项，没有出处"))
    return found if judged else None


def forbidden_words(talk: TrailConversation) -> list[Finding] | None:
    return _words(talk, "forbidden_words", told()["forbidden"])


def no_advertisement(talk: TrailConversation) -> list[Finding] | None:
    return _words(talk, "no_advertisement", told()["advertisement"])


def _words(talk: TrailConversation, rule: str, words: Sequence[str]) -> list[Finding] | None:
    spoken = list(_spoken(talk))
    if not spoken:
        return None
    return [Finding(rule, e.turn_id, f"说了「{w}」") for e, text in spoken for w in words if w in text]


def person_on_demand(talk: TrailConversation) -> list[Finding] | None:
    """The turn that asks for a person queues: a state or a place in the queue follows in the same turn."""
    queued = {e.turn_id for e in talk.events if e.type in ("state", "queue") and e.turn_id}
    wanted = [
        e.turn_id
        for e in _replies(talk)
        if (e.data.get("understanding") or {}).get("intent") == "handoff" and e.turn_id is not None
    ]
    if not wanted:
        return None
    return [Finding("person_on_demand", turn, "要人工，没有排队") for turn in wanted if turn not in queued]


def every_turn_answered(talk: TrailConversation) -> list[Finding] | None:
    """While an agent has the floor, the agent answers, not the bot."""
    asked: dict[str | None, bool] = {}
    agent = False
    for event in talk.events:
        if event.type == "state":
            agent = event.data.get("state") == "agent"
        elif event.type == "citizen_message":
            asked[event.turn_id] = agent
        elif event.type == "reply" and event.turn_id in asked:
            asked[event.turn_id] = True
    if not asked:
        return None
    return [Finding("every_turn_answered", turn, "没有答复") for turn, done in asked.items() if not done]


RULES: dict[str, Rule] = {
    "greeting": greeting,
    "ai_notice": ai_notice,
    "answer_in_time": answer_in_time,
    "identity_before_status": identity_before_status,
    "fact_with_source": fact_with_source,
    "forbidden_words": forbidden_words,
    "no_advertisement": no_advertisement,
    "person_on_demand": person_on_demand,
    "every_turn_answered": every_turn_answered,
}


def check(talk: TrailConversation) -> tuple[float | None, list[Finding]]:
    """The score (0..100; None where no rule applied) and what was broken."""
    weights = {row["rule"]: float(row["weight"]) for row in told()["rules"]}
    applied, kept, broken = 0.0, 0.0, []
    for name, rule in RULES.items():
        found = rule(talk)
        if found is None:
            continue
        applied += weights[name]
        if found:
            broken += found
        else:
            kept += weights[name]
    return (round(100 * kept / applied, 1) if applied else None), broken


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two reviewers: 1 always alike, 0 as by chance; None where it cannot be told."""
    if not pairs:
        return None
    n = len(pairs)
    alike = sum(a == b for a, b in pairs) / n
    first, second = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    chance = first * second + (1 - first) * (1 - second)
    return None if chance == 1 else round((alike - chance) / (1 - chance), 4)
