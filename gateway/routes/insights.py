"""The managers' figures over HTTP (docs/interfaces.md, «统计»). All from counted cells."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from gateway.auth.guard import require_role
from gateway.insight_parts import InsightParts
from gateway.services import services_of
from hotline.errors import BadInputError
from hotline.insight_ports import Behind
from hotline.insights import LOCAL, MEASURES, Grain, Span
from hotline.privacy import mask_text
from hotline.staff import Principal
from insights.dashboard import check

Manager = Annotated[Principal, Depends(require_role("manager"))]
router = APIRouter(prefix="/api/v1/insights", tags=["统计"], dependencies=[Depends(require_role("manager"))])

_DAYS = 30


def parts_of(connection: HTTPConnection) -> InsightParts:
    parts = services_of(connection).insights
    assert parts is not None
    return parts


Parts = Annotated[InsightParts, Depends(parts_of)]


def span_of(
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
    channel: str | None = None,
    town: str | None = None,
    area: str | None = None,
    department: str | None = None,
) -> Span:
    """The days looked at: the last thirty where nothing is said."""
    last = last or datetime.now(LOCAL).date()
    first = first or last - timedelta(days=_DAYS - 1)
    return Span(first=first, last=last, channel=channel, town=town, area=area, department=department)


Looked = Annotated[Span, Depends(span_of)]


async def _told(parts: InsightParts, answer: dict[str, Any]) -> dict[str, Any]:
    """Every answer says whether what it tells of was generated."""
    return {"demo": await parts.is_demo(), **answer}


@router.get("/summary")
async def summary(parts: Parts, span: Looked) -> dict[str, Any]:
    return await _told(parts, await parts.dashboard.summary(span))


@router.get("/choices")
async def choices(parts: Parts, span: Looked) -> dict[str, Any]:
    """What the filters can be set to: areas by name, towns and departments as they were counted in the span."""
    bare = Span(first=span.first, last=span.last)
    told: dict[str, Any] = {"areas": [{"key": key, "name": name} for key, name in parts.area_names.items()]}
    for by, name in (("town", "towns"), ("department", "departments")):
        rows = (await parts.dashboard.breakdown(bare, by, ["conversations"]))["rows"]
        told[name] = [row[by] for row in rows if row[by]]
    return await _told(parts, told)


@router.get("/trends")
async def trends(parts: Parts, span: Looked, figures: str = "", grain: Grain | None = None) -> dict[str, Any]:
    return await _told(parts, await parts.dashboard.trends(span, _list(figures), grain))


@router.get("/breakdown")
async def breakdown(parts: Parts, span: Looked, by: str, figures: str = "") -> dict[str, Any]:
    return await _told(parts, await parts.dashboard.breakdown(span, by, _list(figures)))


@router.get("/agents")
async def agents(
    parts: Parts, span: Looked, agent: Annotated[str | None, Query(max_length=64)] = None
) -> dict[str, Any]:
    """Agents' load; ``agent`` narrows the course by day."""
    return await _told(parts, await parts.dashboard.agents(span, agent))


@router.get("/orders")
async def orders(parts: Parts, span: Looked, by: str = "town") -> dict[str, Any]:
    """Work orders by town, department or type: time limits, overdue ones, 好差评."""
    return await _told(parts, await parts.dashboard.orders(span, by))


@router.get("/conversations")
async def conversations(
    parts: Parts,
    span: Looked,
    measure: str | None = None,
    agent: str | None = None,
    hour_of_week: Annotated[int | None, Query(ge=0, le=167)] = None,
    topic_id: int | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> dict[str, Any]:
    """The conversations behind a figure, an hour of the week, a topic, an agent."""
    if measure is not None and not set(measure.split(",")) <= set(MEASURES):
        raise BadInputError("没有这个计数项；有的见 docs/insights.md。")
    check(span)
    rows = await parts.facts.conversations(span, measure, limit, offset, Behind(agent, hour_of_week, topic_id))
    return await _told(parts, {"conversations": [conversation_json(row) for row in rows]})


@router.get("/topics")
async def topics(parts: Parts, span: Looked, grain: Grain | None = None, limit: int = 60) -> dict[str, Any]:
    return await _told(parts, await parts.dashboard.topics(span, grain, max(1, min(limit, 200))))


@router.get("/topics/{topic_id}")
async def topic(parts: Parts, span: Looked, topic_id: int, by: str = "town") -> dict[str, Any]:
    return await _told(parts, await parts.dashboard.topic_by(span, topic_id, by))


class TopicChange(BaseModel):
    """``name`` empty takes the manager's name back; ``merge_into`` null lets the topic stand alone."""

    name: str | None = Field(default=None, max_length=60)
    pinned: bool | None = None
    merge_into: int | None = None


@router.patch("/topics/{topic_id}")
async def change_topic(parts: Parts, manager: Manager, topic_id: int, change: TopicChange) -> dict[str, Any]:
    """Renames, pins or merges; the choice is kept on the next run."""
    given = change.model_dump(exclude_unset=True)
    values: dict[str, Any] = {}
    if "name" in given:
        values["given_name"] = mask_text(given["name"].strip()) or None if given["name"] else None
    if given.get("pinned") is not None:
        values["pinned"] = given["pinned"]
    if "merge_into" in given:
        values["merged_into"] = await _merge_target(parts, topic_id, given["merge_into"])
    if not values:
        raise BadInputError("请写要改什么：name、pinned 或 merge_into。")
    changed = await parts.topics.edit(topic_id, values)
    return changed.model_dump(mode="json")


async def _merge_target(parts: InsightParts, topic_id: int, into: int | None) -> int | None:
    if into is None:
        return None
    kept = {k.topic.topic_id: k.topic for k in await parts.topics.topics()}
    if into == topic_id or into not in kept or kept[into].merged_into is not None:
        raise BadInputError("只能并进另一个自己没有被并的话题。")
    if any(t.merged_into == topic_id for t in kept.values()):
        raise BadInputError("已有话题并进了它，请先把它们分开，或直接并进目标话题。")
    return into


def _list(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def conversation_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{k: v for k, v in row.items() if k not in ("started_at", "ended_at")},
        "started_at": row["started_at"].isoformat(),
        "ended_at": row["ended_at"].isoformat(),
    }
