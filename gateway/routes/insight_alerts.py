"""Early warning and known incidents over HTTP (docs/interfaces.md, «统计»)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field

from gateway.auth.guard import require_role
from gateway.insight_parts import InsightParts, now
from gateway.routes.insights import Looked, Manager, Parts
from hotline.errors import BadInputError
from hotline.insights import LOCAL, Alert, Incident, Span
from hotline.privacy import mask_text

router = APIRouter(prefix="/api/v1/insights", tags=["统计"], dependencies=[Depends(require_role("manager"))])

_LOOK_EVERY_S = 2.0
_STILL_THERE_S = 20.0
_LONGEST_INCIDENT = timedelta(days=30)


@router.get("/alerts")
async def alerts(parts: Parts, span: Looked) -> dict[str, Any]:
    """Alerts raised in the span, newest first, with their evidence."""
    first, last = moments(span)
    found = [a for a in await parts.alerts.alerts(first, last) if span.town in (None, a.town)]
    return {"demo": await parts.is_demo(), "alerts": [alert_json(a) for a in reversed(found)]}


@router.get("/alerts/stream")
async def alert_stream(request: Request, parts: Parts, after: Annotated[int, Query(ge=0)] = 0) -> StreamingResponse:
    """Alerts as server-sent events, from after ``after`` (or the browser's ``Last-Event-ID``) on."""
    told = request.headers.get("last-event-id", "")
    begin = int(told) if told.isdecimal() and len(told) < 12 else after
    return StreamingResponse(
        _events(request, parts, begin), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _events(request: Request, parts: InsightParts, after: int) -> AsyncIterator[str]:
    """The store is asked, not a queue: alerts are raised in another process."""
    silent = 0.0
    far = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    yield ": alerts\n\n"
    while not await request.is_disconnected():
        for alert in await parts.alerts.alerts(*far, after=after):
            after, silent = alert.alert_id, 0.0
            yield f"id: {alert.alert_id}\nevent: alert\ndata: {json.dumps(alert_json(alert), ensure_ascii=False)}\n\n"
        if silent >= _STILL_THERE_S:
            silent = 0.0
            yield ": still there\n\n"
        await asyncio.sleep(_LOOK_EVERY_S)
        silent += _LOOK_EVERY_S


class Settling(BaseModel):
    state: Literal["open", "known", "closed"]


@router.patch("/alerts/{alert_id}")
async def settle(parts: Parts, alert_id: int, settling: Settling) -> dict[str, Any]:
    return alert_json(await parts.alerts.settle(alert_id, settling.state))


class NewIncident(BaseModel):
    """``words``: what callers call it; ``item_keys``: services it concerns; at least one of them, or
    ``alert_id``, whose topic's words are taken."""

    text: str = Field(min_length=4, max_length=300)
    source: str = Field(min_length=2, max_length=100)
    valid_until: AwareDatetime
    valid_from: AwareDatetime | None = None
    town: str | None = Field(default=None, max_length=32)
    topic_id: int | None = None
    item_keys: list[str] = Field(default_factory=list, max_length=20)
    words: list[str] = Field(default_factory=list, max_length=20)
    alert_id: int | None = None


@router.post("/incidents", status_code=201)
async def add_incident(parts: Parts, manager: Manager, new: NewIncident) -> dict[str, Any]:
    """Makes an incident known: callers who ask are told its text until it ends or is withdrawn."""
    begin = new.valid_from or now()
    if not begin < new.valid_until <= begin + _LONGEST_INCIDENT:
        raise BadInputError("截止时间要晚于开始，最长三十天；更久的请写进办事指南。")
    if mask_text(new.text) != new.text:
        raise BadInputError("告知的话里有像手机号、证件号的内容，请去掉。")
    words, topic_id = [w.strip() for w in new.words if len(w.strip()) >= 2], new.topic_id
    if new.alert_id is not None:
        alert = await _alert(parts, new.alert_id)
        topic_id = topic_id or alert.topic_id
    if topic_id is not None and not words:
        words = next((k.topic.words[:5] for k in await parts.topics.topics() if k.topic.topic_id == topic_id), [])
    if not words and not new.item_keys:
        raise BadInputError("请写 words（大家怎么叫这件事）、item_keys（涉及的事项），或 alert_id。")
    incident = await parts.incidents.add(
        Incident(
            topic_id=topic_id, item_keys=new.item_keys, words=words, town=new.town, text=new.text, source=new.source,
            valid_from=begin, valid_until=new.valid_until, by=manager.username,
        )
    )  # fmt: skip
    if new.alert_id is not None:
        await parts.alerts.settle(new.alert_id, "known", incident.incident_id)
    return incident.model_dump(mode="json")


@router.get("/incidents")
async def incidents(parts: Parts) -> dict[str, Any]:
    """Incidents that callers are told of now."""
    return {"incidents": [i.model_dump(mode="json") for i in await parts.incidents.current(now())]}


@router.delete("/incidents/{incident_id}")
async def withdraw(parts: Parts, manager: Manager, incident_id: int) -> dict[str, Any]:
    return (await parts.incidents.withdraw(incident_id, manager.username)).model_dump(mode="json")


async def _alert(parts: InsightParts, alert_id: int) -> Alert:
    found = await parts.alerts.alerts(
        datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), after=alert_id - 1, limit=1
    )
    if not found or found[0].alert_id != alert_id:
        raise BadInputError("没有这条预警。")
    return found[0]


def moments(span: Span) -> tuple[datetime, datetime]:
    """The first and the last moment of the span's days."""
    return datetime.combine(span.first, time.min, LOCAL), datetime.combine(span.last, time.max, LOCAL)


def alert_json(alert: Alert) -> dict[str, Any]:
    return alert.model_dump(mode="json")
