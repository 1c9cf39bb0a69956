"""Known incidents, told before an answer: 「狮山部分片区停水抢修」 to whoever asks about their water."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from actions.wording import Wording
from hotline.incidents import fitting_incident, told
from hotline.insight_ports import IncidentNews
from hotline.insights import Incident
from hotline.messages import Reply, Source


class Board(Protocol):
    async def fitting(self, text: str, town: str | None = None, item_key: str | None = None) -> Incident | None: ...


class NoBoard:
    """Where nobody tells the line of incidents."""

    async def fitting(self, text: str, town: str | None = None, item_key: str | None = None) -> Incident | None:
        return None


class IncidentBoard:
    """``now`` gives the moment: what is over is not told."""

    def __init__(self, news: IncidentNews, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._news, self._now = news, now

    async def fitting(self, text: str, town: str | None = None, item_key: str | None = None) -> Incident | None:
        """The incident that a caller from ``town`` who says ``text``, or asks about a service, is to be told of."""
        return fitting_incident(await self._news.current(self._now()), text, town, item_key)


def incident_reply(wording: Wording, incident: Incident, key: str = "incident") -> Reply:
    """What is known, by whom and until when, citing the incident."""
    reply = wording.reply(key, told=told(incident))
    version = incident.valid_from.isoformat()
    reply.sources = [Source(item_code=f"incident:{incident.incident_id}", field="text", version=version)]
    return reply
