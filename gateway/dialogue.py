"""The dialogue engine over its REST channel: the only place that knows how Rasa answers."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

import httpx
from pydantic import ValidationError

from hotline.desk_ports import EngineSlots
from hotline.errors import ActionsDownError, DialogueDownError
from hotline.messages import CitizenMessage, Reply, Understanding
from hotline.ports import DialogueAnswer, DialogueEngine, SpeechChange

logger = logging.getLogger(__name__)


class Engine(DialogueEngine, EngineSlots, Protocol):
    """A dialogue engine whose parts behind it can be asked one by one."""

    async def ping_actions(self) -> None:
        """Raises ActionsDownError."""
        ...

    async def ping_search(self) -> None:
        """Raises ActionsDownError: the search index lives with the actions."""
        ...


class RasaDialogue:
    """An :class:`Engine`: Rasa over HTTP.

    The REST channel swallows exceptions and answers ``[]``: an empty answer is therefore a
    failure of the actions, never a silence to pass on.
    """

    def __init__(self, base_url: str, actions_url: str, deadline_s: float, client: httpx.AsyncClient) -> None:
        self._webhook = f"{base_url}/webhooks/rest/webhook"
        self._conversations = f"{base_url}/conversations"
        self._status = f"{base_url}/status"
        self._actions_ready = f"{actions_url}/ready"
        self._actions_health = f"{actions_url}/health"
        self._deadline_s = deadline_s
        self._client = client

    async def answer(self, message: CitizenMessage, state: str = "bot") -> DialogueAnswer:
        body: dict[str, Any] = {
            "sender": message.conversation_id,
            "message": message.text,
            "metadata": {
                "turn_id": message.turn_id,
                "channel": message.channel.value,
                "confidence": message.confidence,
                "state": state,
            },
        }
        if message.recall_answered:
            body["metadata"]["recall_answered"] = True
        answers = await self._post(body, self._deadline_s)
        if not answers:
            raise ActionsDownError
        return read_answer(answers)

    async def renew_session(self, conversation_id: str) -> None:
        await self._post({"sender": conversation_id, "message": "/session_start"}, self._deadline_s)

    async def slots(self, conversation_id: str) -> dict[str, Any]:
        """What the engine knows of the conversation, empty slots left out."""
        url = f"{self._conversations}/{conversation_id}/tracker"
        told = await self._tracker("GET", url, params={"include_events": "NONE"})
        return {name: value for name, value in (told.get("slots") or {}).items() if value is not None}

    async def set_slots(self, conversation_id: str, values: dict[str, Any]) -> None:
        url = f"{self._conversations}/{conversation_id}/tracker/events"
        events = [{"event": "slot", "name": name, "value": value} for name, value in values.items()]
        await self._tracker("POST", url, params={"include_events": "NONE"}, json=events)

    async def _tracker(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._deadline_s):
                response = await self._client.request(method, url, **more)
            response.raise_for_status()
            told = response.json()
        except (TimeoutError, httpx.HTTPError, ValueError) as error:
            logger.warning("dialogue engine's tracker: %s", type(error).__name__)
            raise DialogueDownError from error
        return told if isinstance(told, dict) else {}

    async def ping(self) -> None:
        await self._get(self._status, DialogueDownError)

    async def ping_actions(self) -> None:
        await self._get(self._actions_health, ActionsDownError)

    async def ping_search(self) -> None:
        await self._get(self._actions_ready, ActionsDownError)

    async def _post(self, body: dict[str, Any], deadline_s: float) -> list[dict[str, Any]]:
        try:
            async with asyncio.timeout(deadline_s):
                response = await self._client.post(self._webhook, json=body)
            response.raise_for_status()
            answers = response.json()
        except (TimeoutError, httpx.HTTPError, ValueError) as error:
            logger.warning("dialogue engine: %s", type(error).__name__)
            raise DialogueDownError from error
        if not isinstance(answers, list):
            raise DialogueDownError
        return answers

    async def _get(self, url: str, failure: type[DialogueDownError] | type[ActionsDownError]) -> None:
        try:
            async with asyncio.timeout(2.0):
                response = await self._client.get(url)
            response.raise_for_status()
        except (TimeoutError, httpx.HTTPError) as error:
            raise failure from error


def read_answer(messages: list[dict[str, Any]]) -> DialogueAnswer:
    """The engine's messages of one turn as one answer (actions/payload.py writes them).

    Raises:
        ActionsDownError: nothing in them can be said.
    """
    replies: list[Reply] = []
    understanding = Understanding()
    signals: dict[str, Any] = {}
    for message in messages:
        if not isinstance(message, dict):
            logger.warning("the engine's message is no object")
            continue
        custom = message.get("custom")
        try:
            if isinstance(custom, dict) and "reply" in custom:
                replies.append(Reply.model_validate(custom["reply"]))
                heard = Understanding.model_validate(custom.get("understanding") or {})
                # A form's question after an answer must not hide which service was answered.
                if understanding.intent is None or heard.item_key or heard.candidates:
                    understanding = heard
                signals.update({k: v for k, v in custom.items() if k not in ("reply", "understanding")})
            elif message.get("text"):
                replies.append(Reply(text=str(message["text"])))
        except ValidationError as error:
            logger.warning("an action's message cannot be read: %s", error.error_count())
    if not replies:
        raise ActionsDownError
    return DialogueAnswer(
        replies=replies,
        understanding=understanding,
        handoff=bool(signals.get("handoff")),
        handoff_cancelled=bool(signals.get("handoff_cancelled")),
        urgent=bool(signals.get("urgent")),
        expects=signals.get("expects"),
        flow=signals.get("flow"),
        part_down=signals.get("part_down"),
        rating=_score(signals.get("rating")),
        call_back=signals.get("call_back"),
        recall=signals.get("recall") if isinstance(signals.get("recall"), bool) else None,
        speech_change=_speech_change(signals.get("speech_speed") or signals.get("dialect")),
    )


def _speech_change(value: object) -> SpeechChange | None:
    return SpeechChange(value) if isinstance(value, str) and value in set(SpeechChange) else None


def _score(value: object) -> int | None:
    """A rating of 1 to 5; anything else is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 5 else None
