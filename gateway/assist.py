"""Agent assist over the action server, which has the index and the readers loaded; and in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import httpx
from pydantic import ValidationError

from hotline.desk_ports import AssistAnswer
from hotline.errors import ActionsDownError
from hotline.messages import Aspect

logger = logging.getLogger(__name__)


class HttpAssist:
    """An :class:`hotline.desk_ports.AssistKnowledge`: ``POST /assist`` of the action server."""

    def __init__(self, actions_url: str, deadline_s: float, client: httpx.AsyncClient) -> None:
        self._url = f"{actions_url}/assist"
        self._deadline_s = deadline_s
        self._client = client

    async def look(self, text: str, aspect: Aspect | None = None, limit: int = 3) -> AssistAnswer:
        body = {"text": text[:500], "aspect": aspect.value if aspect else None, "limit": limit}
        try:
            async with asyncio.timeout(self._deadline_s):
                response = await self._client.post(self._url, json=body)
            response.raise_for_status()
            return AssistAnswer.model_validate_json(response.content)
        except (TimeoutError, httpx.HTTPError, ValidationError) as error:
            logger.warning("assist: %s", type(error).__name__)
            raise ActionsDownError from error


class KnownAssist:
    """In memory: what each sentence is answered with; any other one finds nothing."""

    def __init__(self, answers: Mapping[str, AssistAnswer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.available = True

    async def look(self, text: str, aspect: Aspect | None = None, limit: int = 3) -> AssistAnswer:
        if not self.available:
            raise ActionsDownError
        found = self.answers.get(text, AssistAnswer())
        return found.model_copy(update={"passages": found.passages[:limit]})
