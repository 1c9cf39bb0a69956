"""What the pages ask beside the figures: the conversations behind an alert, the services there are guides for
(docs/interfaces.md, «统计»)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from gateway.auth.guard import require_role
from gateway.routes.insight_alerts import alert_of
from gateway.routes.insights import Parts, conversation_json
from hotline.insight_ports import Behind
from hotline.insights import LOCAL, Span

router = APIRouter(prefix="/api/v1/insights", tags=["统计"], dependencies=[Depends(require_role("manager"))])


@router.get("/alerts/{alert_id}/conversations")
async def behind_alert(
    parts: Parts,
    alert_id: int,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> dict[str, Any]:
    """The conversations that raised an alert, newest first."""
    alert = await alert_of(parts, alert_id)
    span = Span(first=alert.first_at.astimezone(LOCAL).date(), last=alert.at.astimezone(LOCAL).date(), town=alert.town)
    about = Behind(topic_id=alert.topic_id, first=alert.first_at, last=alert.at)
    rows = await parts.facts.conversations(span, None, limit, offset, about)
    return {"demo": await parts.is_demo(), "conversations": [conversation_json(row) for row in rows]}


@router.get("/items")
async def items(parts: Parts) -> dict[str, Any]:
    """The services there are guides for, with the version of each guide."""
    return {"items": [{"item_key": key, "name": parts.item_names[key], "version": version} for key, version in sorted(parts.versions.items())]}  # fmt: skip
