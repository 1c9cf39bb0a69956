"""Alerts on their way to the city's operation centre: signed, in order, tried again until taken.

The receiver checks ``X-Hotline-Signature`` = ``sha256=`` + hex HMAC-SHA256(secret, timestamp + "." +
body) and takes an ``X-Hotline-Delivery`` once: a message whose answer was lost comes again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from datetime import datetime, timedelta

import httpx

from hotline.insight_ports import Outbox

logger = logging.getLogger(__name__)
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
_MOST_ATTEMPTS = 40  # about a day and a half


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Courier:
    """``url`` empty: messages stay in the outbox until there is one."""

    def __init__(self, outbox: Outbox, client: httpx.AsyncClient, url: str, secret: str) -> None:
        self._outbox, self._client, self._url, self._secret = outbox, client, url, secret

    async def deliver(self, at: datetime) -> int:
        """Sends what is due; returns how many were taken. Stops at the first that is not, so that
        messages arrive in order."""
        if not self._url:
            return 0
        taken = 0
        for message in await self._outbox.due(at):
            body = json.dumps(message["body"], ensure_ascii=False).encode()
            stamp = str(int(at.timestamp()))
            headers = {
                "Content-Type": "application/json",
                "X-Hotline-Delivery": str(message["message_id"]),
                "X-Hotline-Timestamp": stamp,
                "X-Hotline-Signature": signature(self._secret, stamp, body),
            }
            try:
                (await self._client.post(self._url, content=body, headers=headers)).raise_for_status()
            except httpx.HTTPError as error:
                await self._try_again(message["message_id"], message["attempts"], error, at)
                return taken
            await self._outbox.delivered(message["message_id"], at)
            taken += 1
        return taken

    async def _try_again(self, message_id: int, attempts: int, error: httpx.HTTPError, at: datetime) -> None:
        told = (
            f"HTTP {error.response.status_code}" if isinstance(error, httpx.HTTPStatusError) else type(error).__name__
        )
        logger.warning("webhook %s not taken: %s", message_id, told)
        wait = min(_FIRST_WAIT * 2 ** min(attempts, 12), _LONGEST_WAIT)
        await self._outbox.failed(message_id, told, None if attempts + 1 >= _MOST_ATTEMPTS else at + wait)
