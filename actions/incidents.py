"""Known incidents, told before an answer: 「狮山部分片区停水抢修」 to whoever asks about their water.

The seam: a server makes one ``IncidentBoard`` over its :class:`hotline.insight_ports.KnownIncidents` and
an action that is about to answer, or to say that it doesn't know, puts what ``told`` gives in front.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hotline.incidents import fitting_incident, told
from hotline.insight_ports import KnownIncidents
from hotline.messages import Reply, Source


class IncidentBoard:
    """``now`` gives the moment."""

    def __init__(self, known: KnownIncidents, now: Callable[[], datetime]) -> None:
        self._known, self._now = known, now

    async def told(self, text: str, town: str | None = None, item_key: str | None = None) -> Reply | None:
        """What a caller who says ``text`` is to be told, citing the incident; None where nothing fits."""
        at = self._now()
        incident = fitting_incident(await self._known.current(at), text, town, item_key)
        if incident is None:
            return None
        source = Source(
            item_code=f"incident:{incident.incident_id}", field="text", version=incident.valid_from.isoformat()
        )
        return Reply(text=told(incident), sources=[source])
