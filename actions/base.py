"""The frame every action runs in: its dependencies, its deadline, its named failures."""

from __future__ import annotations

import asyncio
import json
import logging
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.incidents import Board, NoBoard
from actions.payload import say
from actions.sealed import DraftSeal
from actions.wording import DIALECT, Wording
from hotline.errors import HotlineError, HubDownError
from hotline.ports import DataHub, RequestRegister, ServiceSearch
from knowledge_base.catalogue import Catalogue
from knowledge_base.triage import Category

logger = logging.getLogger(__name__)

CHINA = ZoneInfo("Asia/Shanghai")
Events = list[dict[str, Any]]

LAST_SAID = "last_said"
"""Slot with the last answer, as JSON: the engine's own trail is cut short now and then."""
OFFER = "offer"
"""Slot that says what the last reply offered (``person``, ``recall``)."""
_OFFERS = {"要不要帮您转人工": "person", "要不要打电话告诉您": "recall"}


def china_today() -> date:
    """The day in China, whatever the machine's own zone: 「明天」 is the citizen's."""
    return datetime.now(CHINA).date()


@dataclass(frozen=True)
class Tools:
    """What actions work with; made once in actions/server.py."""

    catalogue: Catalogue
    search: ServiceSearch
    hub: DataHub
    requests: RequestRegister
    wording: Wording
    deadline_s: float
    today: Callable[[], date] = china_today
    seal: DraftSeal = field(default_factory=DraftSeal)
    categories: Sequence[Category] = ()
    incidents: Board = field(default_factory=NoBoard)


_IN_TURN: ContextVar[Tools | None] = ContextVar("tools_in_turn", default=None)


class HotlineAction(Action):  # type: ignore[misc]  # rasa-sdk has no types
    """An action that always answers: a late or failing one says so instead of keeping silent.

    The engine would wait five minutes for an action and then say nothing at all.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    @property
    def tools(self) -> Tools:
        """The newest; within a turn those it began with: no turn is answered from two catalogues."""
        return _IN_TURN.get() or self._tools

    def renew(self, tools: Tools) -> None:
        """From the next turn on, ``tools`` (actions/live_catalogue.py)."""
        self._tools = tools

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        begun = _IN_TURN.set(self._tools)
        try:
            return await self._run(dispatcher, tracker)
        finally:
            _IN_TURN.reset(begun)

    async def _run(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        said_before = len(dispatcher.messages)
        DIALECT.set(tracker.get_slot("dialect"))
        try:
            async with asyncio.timeout(self.tools.deadline_s):
                events = await self.act(dispatcher, tracker)
            new = dispatcher.messages[said_before:]
            return [*events, *_last_said(new), *_offer(new, tracker.get_slot(OFFER))]
        except (TimeoutError, HubDownError) as error:
            logger.warning("%s: hub_down (%s)", self.name(), type(error).__name__)
            return self._say_failure(dispatcher, tracker, said_before, "hub_down", HubDownError.code)
        except HotlineError as error:
            logger.warning("%s: %s", self.name(), error.code)
            return self._say_failure(dispatcher, tracker, said_before, "failure", error.code)
        except Exception as error:
            # The last line of defence: a defect of ours must not become silence. The citizen's
            # words are not logged.
            logger.exception("%s failed: %s", self.name(), type(error).__name__)
            return self._say_failure(dispatcher, tracker, said_before, "failure", HotlineError.code)

    def _say_failure(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, said_before: int, key: str, code: str
    ) -> Events:
        del dispatcher.messages[said_before:]  # half an answer could be wrong
        say(dispatcher, tracker, self.tools.wording.reply(key), part_down=code)
        return []

    @abstractmethod
    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        """The action itself. May raise any HotlineError."""


def _last_said(messages: list[dict[str, Any]]) -> Events:
    """Keeps what was answered, for 「再说一遍」: no courtesies, no questions of a form, nothing private."""
    said = [m["custom"] for m in messages if isinstance(m.get("custom"), dict)]
    answers = [m["reply"] for m in said if not (m.get("small") or m.get("expects") or m.get("private"))]
    return [SlotSet(LAST_SAID, json.dumps(answers, ensure_ascii=False))] if answers else []


def _offer(messages: list[dict[str, Any]], before: str | None) -> Events:
    """Remembers what was offered, so that a bare 「要」 is understood."""
    if not messages:
        return []
    said = [m["custom"]["reply"]["text"] for m in messages if isinstance(m.get("custom"), dict)]
    offer = next((name for words, name in _OFFERS.items() if any(words in text for text in said)), None)
    return [SlotSet(OFFER, offer)] if offer != before else []


def heard(tracker: Tracker) -> str:
    """The citizen's words of this turn."""
    return str(tracker.latest_message.get("text") or "")


def intent_of(tracker: Tracker) -> str:
    return str((tracker.latest_message.get("intent") or {}).get("name") or "")


def entity(tracker: Tracker, name: str) -> str | None:
    """The first value of an entity in this turn (from a button's payload or a lookup)."""
    return next(tracker.get_latest_entity_values(name), None)
