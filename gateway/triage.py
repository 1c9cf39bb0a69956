"""Reads requests by asking the action server, where the models are loaded already."""

from __future__ import annotations

import asyncio
import logging

import httpx

from hotline.errors import ActionsDownError
from hotline.work_order_record import RequestReading

logger = logging.getLogger(__name__)


class ActionsTriage:
    """``hotline.work_order_ports.RequestTriage`` over HTTP."""

    def __init__(self, actions_url: str, client: httpx.AsyncClient, timeout_s: float = 5.0) -> None:
        self._url = f"{actions_url}/read-request"
        self._client = client
        self._timeout_s = timeout_s

    async def read(self, text: str) -> RequestReading:
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.post(self._url, json={"text": text})
            answer.raise_for_status()
            return RequestReading.model_validate(answer.json())
        except (TimeoutError, httpx.HTTPError, ValueError) as error:
            logger.warning("a request could not be read: %s", type(error).__name__)
            raise ActionsDownError from error
