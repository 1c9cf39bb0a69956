"""Early warning and known incidents over HTTP (docs/interfaces.md, «统计»)."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from gateway.auth.guard import require_role
from gateway.insight_parts import InsightParts, now
from gateway.routes.insights import Looked, Manager, Parts
from gateway.services import Services, services_of
from hotline.errors import BadInputError, HotlineError, NotFoundError
from hotline.incidents import words_for
from hotline.insights import LOCAL, Alert, Incident, Span
from hotline.privacy import mask_text
from insights.suppression import small
from insights.webhook import signature

router = APIRouter(prefix="/api/v1/insights", tags=["统计"], dependencies=[Depends(require_role("manager"))])
centre = APIRouter(prefix="/api/v1/insights", tags=["统计"])

_LOOK_EVERY_S = 2.0
_STILL_THERE_S = 20.0
_LONGEST_INCIDENT = timedelta(days=30)
_USUAL_INCIDENT = timedelta(hours=12)
_SIGNED_FOR_S = 300
_DRAFT = "有多位市民反映：{what}。"


class SignatureError(HotlineError):
    """Not signed with this line's secret, or too long ago. Nothing was taken."""

    code = "incident_signature"
    status = 401
    citizen_sentence = "签名不对或已过期，没有收下。"


@router.get("/alerts")
async def alerts(
    parts: Parts,
    span: Looked,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Alerts raised in the span, newest first, with their evidence; ``next`` is the ``before`` of the page that
    follows, null where none does."""
    found = await parts.alerts.newest(*moments(span), span.town, before, limit + 1)
    shown = found[:limit]
    return {
        "demo": await parts.is_demo(),
        "alerts": [alert_json(a, parts.dashboard.k) for a in shown],
        "next": shown[-1].alert_id if len(found) > limit else None,
    }


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
            yield f"id: {alert.alert_id}\nevent: alert\ndata: {json.dumps(alert_json(alert, parts.dashboard.k), ensure_ascii=False)}\n\n"
        if silent >= _STILL_THERE_S:
            silent = 0.0
            yield ": still there\n\n"
        await asyncio.sleep(_LOOK_EVERY_S)
        silent += _LOOK_EVERY_S


@router.get("/alerts/{alert_id}")
async def one_alert(parts: Parts, alert_id: int) -> dict[str, Any]:
    """An alert, and ``draft``: an incident as it could be made known, for the manager to put right."""
    alert = await alert_of(parts, alert_id)
    return {
        "demo": await parts.is_demo(),
        "alert": alert_json(alert, parts.dashboard.k),
        "draft": {
            "alert_id": alert_id, "town": alert.town, "topic_id": alert.topic_id,
            "text": _DRAFT.format(what=alert.title.partition("：")[2] or alert.title), "source": "",
            "words": await _words(parts, alert.topic_id, alert.title), "valid_until": (now() + _USUAL_INCIDENT).isoformat(),
        },
    }  # fmt: skip


class Settling(BaseModel):
    """``known`` with ``text`` and ``source`` makes the incident known that callers who ask are told;
    without, it only says that somebody looked at it."""

    state: Literal["open", "known", "closed"]
    text: str | None = Field(default=None, min_length=4, max_length=300)
    source: str | None = Field(default=None, min_length=2, max_length=100)
    valid_until: AwareDatetime | None = None
    words: list[str] = Field(default_factory=list, max_length=20)


@router.patch("/alerts/{alert_id}")
async def settle(parts: Parts, manager: Manager, alert_id: int, settling: Settling) -> dict[str, Any]:
    alert = await alert_of(parts, alert_id)
    if settling.state == "known" and (settling.text or settling.source):
        if not (settling.text and settling.source):
            raise BadInputError("要告诉市民，请把 text（告知的话）和 source（谁说的）都写上。")
        new = NewIncident(
            text=settling.text, source=settling.source, valid_until=settling.valid_until or now() + _USUAL_INCIDENT,
            town=alert.town or None, words=settling.words, alert_id=alert_id,
        )  # fmt: skip
        await _make_known(parts, new, manager.username)
        alert = await alert_of(parts, alert_id)
    else:
        alert = await parts.alerts.settle(alert_id, settling.state)
    return alert_json(alert, parts.dashboard.k)


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
    return (await _make_known(parts, new, manager.username)).model_dump(mode="json")


@router.get("/incidents")
async def incidents(parts: Parts, all: bool = False) -> dict[str, Any]:
    """Incidents that callers are told of now; ``all``: also those over, withdrawn or to come, newest first."""
    at = now()
    found = await parts.incidents.listed() if all else await parts.incidents.current(at)
    return {"incidents": [{**i.model_dump(mode="json"), "state": _standing(i, at)} for i in found]}


@router.delete("/incidents/{incident_id}")
async def withdraw(parts: Parts, manager: Manager, incident_id: int) -> dict[str, Any]:
    return (await parts.incidents.withdraw(incident_id, manager.username)).model_dump(mode="json")


class FromCentre(NewIncident):
    """``reference`` is the centre's own number: sent again, it takes the place of what was sent before;
    ``withdrawn`` ends it. ``alert_id`` answers an alert that was sent there."""

    reference: str = Field(min_length=1, max_length=100)
    withdrawn: bool = False


@centre.post("/incidents/from-centre")
async def from_centre(
    request: Request,
    parts: Parts,
    house: Annotated[Services, Depends(services_of)],
    signed: Annotated[str, Header(alias="X-Hotline-Signature")] = "",
    stamp: Annotated[str, Header(alias="X-Hotline-Timestamp")] = "",
) -> dict[str, Any]:
    """The city's operation centre tells of an incident, signed as the webhook is. Raises SignatureError."""
    body = await request.body()
    secret = house.settings.insights_webhook_secret
    fresh = stamp.isascii() and stamp.isdecimal() and abs(now().timestamp() - int(stamp[:12])) <= _SIGNED_FOR_S
    if not secret or not fresh or not hmac.compare_digest(signature(secret, stamp, body).encode(), signed.encode()):
        raise SignatureError
    try:
        new = FromCentre.model_validate_json(body)
    except ValidationError as error:
        places = "、".join(sorted({".".join(map(str, e["loc"])) or "正文" for e in error.errors()}))
        raise BadInputError(f"这几项不对：{places}。") from error
    made = await _make_known(parts, new, "centre", new.reference, withdrawn=new.withdrawn)
    return {"incident_id": made.incident_id, "reference": made.reference, "withdrawn": made.withdrawn}


async def _make_known(
    parts: InsightParts, new: NewIncident, by: str, reference: str | None = None, *, withdrawn: bool = False
) -> Incident:
    begin = new.valid_from or now()
    if not withdrawn and not begin < new.valid_until <= begin + _LONGEST_INCIDENT:
        raise BadInputError("截止时间要晚于开始，最长三十天；更久的请写进办事指南。")
    if mask_text(new.text) != new.text or mask_text(new.source) != new.source:
        raise BadInputError("告知的话里有像手机号、证件号的内容，请去掉。")
    words, topic_id = [w.strip() for w in new.words if len(w.strip()) >= 2], new.topic_id
    if new.alert_id is not None:
        topic_id = topic_id or (await alert_of(parts, new.alert_id)).topic_id
    if topic_id is not None and not words:
        words = await _words(parts, topic_id, new.text)
    if not words and not new.item_keys:
        raise BadInputError("请写 words（大家怎么叫这件事，至少两个字）、item_keys（涉及的事项），或 alert_id。")
    incident = await parts.incidents.add(
        Incident(
            topic_id=topic_id, item_keys=new.item_keys, words=words, town=new.town, text=new.text, source=new.source,
            valid_from=begin, valid_until=new.valid_until, by=by, reference=reference, withdrawn=withdrawn,
        )
    )  # fmt: skip
    if new.alert_id is not None:
        await parts.alerts.settle(new.alert_id, "known", incident.incident_id)
    return incident


async def _words(parts: InsightParts, topic_id: int, text: str) -> list[str]:
    topics = [kept.topic for kept in await parts.topics.topics()]
    return next((words_for(topic, topics, text) for topic in topics if topic.topic_id == topic_id), [])


def _standing(incident: Incident, at: datetime) -> str:
    if incident.withdrawn:
        return "withdrawn"
    return "to_come" if at < incident.valid_from else "over" if at >= incident.valid_until else "current"


async def alert_of(parts: InsightParts, alert_id: int) -> Alert:
    found = await parts.alerts.alerts(
        datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), after=alert_id - 1, limit=1
    )
    if not found or found[0].alert_id != alert_id:
        raise NotFoundError("没有这条预警。")
    return found[0]


def moments(span: Span) -> tuple[datetime, datetime]:
    """The first and the last moment of the span's days."""
    return datetime.combine(span.first, time.min, LOCAL), datetime.combine(span.last, time.max, LOCAL)


def alert_json(alert: Alert, k: int) -> dict[str, Any]:
    """Hours of fewer than ``k`` people are null in its course."""
    course = [(hour, None if small(count, k) else count, usual) for hour, count, usual in alert.series]
    return {**alert.model_dump(mode="json"), "series": course}
