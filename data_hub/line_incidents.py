"""Known incidents as the gateway knows them, for the actions: asked again every few seconds.

Nothing waits long for it: where the gateway does not answer, what was known last is still told until
its time is over.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime

import httpx
from pydantic import TypeAdapter, ValidationError

from hotline.insights import Incident

log = logging.getLogger(__name__)

INCIDENTS = "/internal/v1/incidents"
_FRESH_S = 3.0
_list = TypeAdapter(list[Incident])


class LineIncidents:
    """:class:`hotline.insight_ports.IncidentNews` over the gateway's internal address.

    ``timeout_s``: of one look from connect to the last byte; ``fresh_s``: how long an answer is used.
    """

    def __init__(
        self,
        gateway_url: str,
        token: str,
        timeout_s: float = 0.5,
        client: httpx.AsyncClient | None = None,
        fresh_s: float = _FRESH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{gateway_url.rstrip('/')}{INCIDENTS}"
        self._headers = {"authorization": f"Bearer {token}"}
        self._timeout_s, self._fresh_s, self._clock = timeout_s, fresh_s, clock
        self._client = client or httpx.AsyncClient(trust_env=False)
        self._owns_client = client is None
        self._known: list[Incident] = []
        self._look_at = clock()

    async def current(self, at: datetime) -> list[Incident]:
        if self._clock() >= self._look_at:
            self._look_at = self._clock() + self._fresh_s  # the next turn does not look as well
            await self._look()
        return [i for i in self._known if i.valid_from <= at < i.valid_until and not i.withdrawn]

    async def aclose(self) -> None:
        if self._owns_client:
            await self._client.aclose()

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.get(self._url, headers=self._headers, timeout=None)
            response.raise_for_status()
            self._known = _list.validate_python(response.json()["incidents"])
        except (TimeoutError, httpx.HTTPError, OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            log.warning("known incidents not read: %s", type(error).__name__)
