"""What the tests of the actions drive: the real catalogue, a hub in memory, a tracker as the engine keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import HotlineAction, Tools
from actions.registry import make_actions
from actions.wording import Wording
from data_hub.memory import CaseRecord, InMemoryDataHub
from hotline.cases import Case, CaseState, CaseStep
from knowledge_base.catalogue import load_catalogue
from knowledge_base.memory import PhraseSearch
from knowledge_base.triage import load_categories

TODAY = date(2026, 11, 22)
CATALOGUE = load_catalogue()
SEARCH = PhraseSearch(CATALOGUE.items.values())  # made once: six thousand phrases
CATEGORIES = load_categories()
WORDING = Wording()  # five hundred templates
BOT = Path(__file__).parents[3] / "bot"
NAME, LAST_FOUR, PHONE = "关美玲", "123X", "13800000007"


def case_record(query_code: str = "613482", **more: Any) -> CaseRecord:
    case = Case(
        case_number=f"TEST440605124000NH544210604100{'0' * 2}{query_code:0>12}",
        query_code=query_code,
        item_key="JZ02",
        item_name="申领居住证",
        applicant_masked="关*",
        **({"state": CaseState.IN_REVIEW, "current_step": "审查", "promised_on": date(2026, 12, 1)} | more),
        steps=[CaseStep(name="受理", at=date(2026, 11, 1), done=True)],
        synthetic=True,
        version="v1",
    )
    return CaseRecord(case=case, name=NAME, id_last4=LAST_FOUR, phone=PHONE)


def make_hub(*cases: CaseRecord, **more: Any) -> InMemoryDataHub:
    return InMemoryDataHub(CATALOGUE.items.values(), CATALOGUE.halls.values(), cases or [case_record()], **more)


def make_tools(hub: Any = None, **more: Any) -> Tools:
    hub = hub if hub is not None else make_hub()
    return Tools(
        **(
            {
                "catalogue": CATALOGUE,
                "search": SEARCH,
                "hub": hub,
                "requests": hub,
                "categories": CATEGORIES,
                "wording": WORDING,
                "deadline_s": 1.0,
                "today": lambda: TODAY,
            }
            | more
        )
    )


@dataclass
class Line:
    """One conversation: applies slot events as the engine would and keeps all that was said."""

    tools: Tools
    slots: dict[str, Any] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)
    follow_up: str | None = None
    trail: list[dict[str, Any]] = field(default_factory=list)
    loop: str | None = None
    ranking: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._actions: dict[str, HotlineAction] = {a.name(): a for a in make_actions(self.tools)}

    async def run(
        self,
        action: str,
        text: str = "",
        intent: str = "inform",
        entities: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
        confidence: float = 0.9,
    ) -> list[dict[str, Any]]:
        """The messages that ``action`` sent for ``text``."""
        if not self.loop:  # an action by itself is a turn by itself
            self.trail.append({"event": "user", "text": text})
        tracker = Tracker(
            sender_id="c",
            slots=dict(self.slots),
            latest_message={
                "text": text,
                "intent": {"name": intent, "confidence": confidence},
                "intent_ranking": [{"name": name, "confidence": sure} for name, sure in self.ranking],
                "entities": [{"entity": k, "value": v} for k, v in (entities or {}).items()],
                "metadata": metadata or {},
            },
            events=list(self.trail),
            paused=False,
            followup_action=None,
            active_loop={"name": self.loop} if self.loop else {},
            latest_action_name=None,
        )
        dispatcher = CollectingDispatcher()
        events = await self._actions[action].run(dispatcher, tracker, {})
        self.follow_up = None
        for event in events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            elif event["event"] == "followup":
                self.follow_up = event["name"]
        self.told = [e["name"] for e in events if e["event"] == "slot"]
        messages = [m["custom"] for m in dispatcher.messages]
        self.trail += [
            {"event": "action", "name": action},
            *[{"event": "bot", "data": {"custom": m}} for m in messages],
        ]
        self.said += messages
        return messages

    async def case_form(self, text: str, intent: str = "inform") -> list[dict[str, Any]]:
        """One turn of the status form, as the engine's form loop runs it: validate, then ask or end."""
        sent = await self.run("validate_case_status_form", text, intent)
        for slot in ("case_reference", "identity_outcome"):
            if self.slots.get(slot) is None:
                self.slots["requested_slot"] = slot
                return sent + await self.run(f"action_ask_case_status_form_{slot}", text, intent)
        self.slots["requested_slot"] = None
        return sent + await self.run("action_case_status", text, intent)

    # ------------------------------------------------------------------ as the engine would

    async def turn(
        self,
        text: str,
        intent: str = "inform",
        confidence: float = 0.9,
        entities: dict[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """One turn by the rules of ``bot/rules``: the form first, then what steps in."""
        self.trail.append({"event": "user", "text": text})
        self._heard = {"text": text, "intent": intent, "confidence": confidence, "entities": entities}
        if self.loop:
            sent = await self.run(f"validate_{self.loop}", **self._heard)
            if self.told:
                return sent + await self._go_on(self.loop)
        return await self._follow(_steps_for(intent, self.loop))

    async def _follow(self, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        for step in steps:
            name = step.get("action")
            if name == "action_deactivate_loop":
                self.loop, self.slots["requested_slot"] = None, None
            elif name in _forms():
                sent += await self._run_form(name)
            elif name:
                sent += await self.run(name, **self._heard)
                if self.follow_up in _forms():
                    sent += await self._run_form(self.follow_up)
        return sent

    async def _run_form(self, name: str) -> list[dict[str, Any]]:
        self.loop = name
        sent = await self.run(f"validate_{name}", **self._heard)
        return sent + await self._go_on(name)

    async def _go_on(self, name: str) -> list[dict[str, Any]]:
        for slot in _forms()[name]["required_slots"]:
            if self.slots.get(slot) is None:
                self.slots["requested_slot"] = slot
                return await self.run(f"action_ask_{name}_{slot}", **self._heard)
        self.loop, self.slots["requested_slot"] = None, None
        sent = await self.run(_end_of(name), **self._heard)
        if self.follow_up in _forms():
            sent += await self._run_form(str(self.follow_up))
        return sent


@cache
def _forms() -> dict[str, Any]:
    return dict(yaml.safe_load((BOT / "domain" / "actions.yml").read_text(encoding="utf-8"))["forms"])


@cache
def _rules() -> list[dict[str, Any]]:
    files = sorted((BOT / "rules").glob("*.yml"))
    return [rule for f in files for rule in yaml.safe_load(f.read_text(encoding="utf-8"))["rules"]]


def _end_of(form: str) -> str:
    """What the engine runs when a form has ended."""
    for rule in _rules():
        if rule["steps"][0].get("action") == form:
            return str(rule["steps"][-1]["action"])
    raise AssertionError(f"no rule for the end of {form}")


def _steps_for(intent: str, loop: str | None) -> list[dict[str, Any]]:
    """What follows ``intent`` by the rules, in a form or outside of any."""
    for rule in _rules():
        if rule.get("condition", []) != ([{"active_loop": loop}] if loop else []):
            continue
        first = rule["steps"][0]
        if intent in {s.get("intent") for s in first.get("or", [first])}:
            return list(rule["steps"][1:])
    raise AssertionError(f"no rule for {intent} in {loop}")


def words(messages: list[dict[str, Any]]) -> str:
    return "\n".join(m["reply"]["text"] for m in messages)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now
