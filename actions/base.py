"""The frame every action runs in: its dependencies, its deadline, its named failures."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.payload import say
from actions.wording import Wording
from hotline.errors import HotlineError, HubDownError
from hotline.ports import DataHub, ServiceSearch
from knowledge_base.catalogue import Catalogue

logger = logging.getLogger(__name__)

Events = list[dict[str, Any]]


@dataclass(frozen=True)
class Tools:
    """What actions work with; made once in actions/server.py."""

    catalogue: Catalogue
    search: ServiceSearch
    hub: DataHub
    wording: Wording
    deadline_s: float
    today: Callable[[], date] = date.today


class HotlineAction(Action):  # type: ignore[misc]  # rasa-sdk has no types
    """An action that always answers: a late or failing one says so instead of keeping silent.

    The engine would wait five minutes for an action and then say nothing at all.
    """

    def __init__(self, tools: Tools) -> None:
        self.tools = tools

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        said_before = len(dispatcher.messages)
        try:
            async with asyncio.timeout(self.tools.deadline_s):
                return await self.act(dispatcher, tracker)
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


def heard(tracker: Tracker) -> str:
    """The citizen's words of this turn."""
    return str(tracker.latest_message.get("text") or "")


def intent_of(tracker: Tracker) -> str:
    return str((tracker.latest_message.get("intent") or {}).get("name") or "")


def entity(tracker: Tracker, name: str) -> str | None:
    """The first value of an entity in this turn (from a button's payload or a lookup)."""
    return next(tracker.get_latest_entity_values(name), None)
