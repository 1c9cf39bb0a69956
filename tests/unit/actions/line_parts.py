"""What the tests of the actions drive: the real catalogue, a hub in memory, a tracker as the engine keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import HotlineAction, Tools
from actions.registry import make_actions
from actions.wording import Wording
from data_hub.memory import CaseRecord, InMemoryDataHub
from hotline.cases import Case, CaseState, CaseStep
from knowledge_base.catalogue import load_catalogue
from knowledge_base.memory import PhraseSearch

TODAY = date(2026, 11, 22)
CATALOGUE = load_catalogue()
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
    return Tools(
        **(
            {
                "catalogue": CATALOGUE,
                "search": PhraseSearch(CATALOGUE.items.values()),
                "hub": hub if hub is not None else make_hub(),
                "wording": Wording(),
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

    def __post_init__(self) -> None:
        self._actions: dict[str, HotlineAction] = {a.name(): a for a in make_actions(self.tools)}

    async def run(
        self,
        action: str,
        text: str = "",
        intent: str = "inform",
        entities: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """The messages that ``action`` sent for ``text``."""
        tracker = Tracker(
            sender_id="c",
            slots=dict(self.slots),
            latest_message={
                "text": text,
                "intent": {"name": intent, "confidence": 0.9},
                "entities": [{"entity": k, "value": v} for k, v in (entities or {}).items()],
                "metadata": metadata or {},
            },
            events=list(self.trail),
            paused=False,
            followup_action=None,
            active_loop={},
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
        messages = [m["custom"] for m in dispatcher.messages]
        self.trail += [{"event": "bot", "data": {"custom": m}} for m in messages]
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


def words(messages: list[dict[str, Any]]) -> str:
    return "\n".join(m["reply"]["text"] for m in messages)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now
