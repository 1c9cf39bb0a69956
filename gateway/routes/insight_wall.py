"""What stands on the wall, for a manager or for a screen with a display code; and the codes (docs/interfaces.md, «统计»).

A display code opens this one route and nothing else: sums, no conversation, no citizen's words.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from gateway.auth.guard import require_role
from gateway.insight_parts import InsightParts, now
from gateway.routes.insight_alerts import moments
from gateway.routes.insights import Manager, Parts
from gateway.services import Services, bearer, services_of
from hotline.errors import BadInputError, HotlineError
from hotline.insights import LOCAL, Alert, Display, Span
from hotline.privacy import mask_text
from storage.rules import hash_token

router = APIRouter(prefix="/api/v1/insights", tags=["统计"])
managing = APIRouter(prefix="/api/v1/insights", tags=["统计"], dependencies=[Depends(require_role("manager"))])
House = Annotated[Services, Depends(services_of)]

_CODE = "wall_"
_FIGURES = "conversations answer_15s containment contained_repeat_72h handoff_rate abandonment satisfaction".split()
_TOPICS, _ALERTS, _DAYS = 7, 4, 7
_SEEN_EVERY = timedelta(minutes=5)
_TO_BE_LOOKED_AT = {"open": 0, "known": 1}
_manager = require_role("manager")


class DisplayOverError(HotlineError):
    """A display code that is none, was revoked, or has expired. Nothing was told."""

    code = "display_over"
    status = 401
    citizen_sentence = "这块屏幕的显示码到期了或被撤销了，请管理人员在「统计分析」的「报告」里重新开一个。"


async def viewer(request: Request, parts: Parts) -> Display | None:
    """The screen that looks, or None for a manager. Raises DisplayOverError, SignInRequiredError, RoleRequiredError."""
    code = bearer(request) or ""
    if not code.startswith(_CODE):
        await _manager(request)
        return None
    at = now()
    display = await parts.displays.of_code(hash_token(code))
    if display is None or not display.holds(at):
        raise DisplayOverError
    if display.last_seen_at is None or at - display.last_seen_at >= _SEEN_EVERY:
        await parts.displays.seen(display.display_id, at)
    return display


@router.get("/wall")
async def wall(
    parts: Parts,
    display: Annotated[Display | None, Depends(viewer)],
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
    town: str | None = None,
) -> dict[str, Any]:
    """Today at a glance (or the days asked for), and topics and alerts of the seven days up to them. A screen that
    was let in for one town sees that town."""
    last = last or now().astimezone(LOCAL).date()
    town = display.town if display and display.town else town
    span = Span(first=first or last, last=last, town=town)
    week = span.model_copy(update={"first": last - timedelta(days=_DAYS - 1)})
    board = parts.dashboard
    summary = await board.summary(span)
    topics = await board.topics(week, limit=_TOPICS)
    return {
        "demo": await parts.is_demo(), "k": board.k, "from": span.first.isoformat(), "to": last.isoformat(), "town": town,
        "display": {"name": display.name, "expires_at": display.expires_at.isoformat()} if display else None,
        "figures": {key: summary["figures"][key] for key in _FIGURES}, "now": summary["now"],
        "trend": await board.trends(span, ["conversations"]),
        "topics": [{"name": topic["name"], "turns": topic["turns"]} for topic in topics["topics"]],
        "alerts": [_alert(alert) for alert in await _newest(parts, week)],
    }  # fmt: skip


async def _newest(parts: InsightParts, week: Span) -> list[Alert]:
    """Those somebody still has to look at, then the confirmed ones; the newest first."""
    found = await parts.alerts.newest(*moments(week), week.town, None, 200)
    listed = [alert for alert in found if alert.state in _TO_BE_LOOKED_AT]
    return sorted(listed, key=lambda a: (_TO_BE_LOOKED_AT[a.state], -a.alert_id))[:_ALERTS]


def _alert(alert: Alert) -> dict[str, Any]:
    """Without its evidence: the wall shows no citizen's words."""
    shown = alert.model_dump(mode="json")
    return {
        name: shown[name] for name in ("alert_id", "title", "town", "at", "window_h", "people", "expected", "state")
    }


class NewDisplay(BaseModel):
    """``name``: where the screen hangs. ``town``: it shows that town alone."""

    name: str = Field(min_length=1, max_length=40)
    town: str | None = Field(default=None, max_length=20)


@managing.get("/displays")
async def displays(parts: Parts) -> dict[str, Any]:
    return {"displays": [_display(display, now()) for display in await parts.displays.displays()]}


@managing.post("/displays", status_code=201)
async def let_in(house: House, parts: Parts, manager: Manager, wanted: NewDisplay) -> dict[str, Any]:
    """A code for a screen, told this once; ``path`` opens the wall with it."""
    name = wanted.name.strip()
    if not name or mask_text(name) != name:
        raise BadInputError("屏幕的名字请写它在哪里，不要写手机号、证件号、人名。")
    code, at = _CODE + secrets.token_urlsafe(32), now()
    await house.audit.record(manager.username, "let_in_display", f"display:{name}", {"town": wanted.town or ""})
    days = timedelta(days=house.settings.wall_display_days)
    kept = await parts.displays.add(
        Display(name=name, town=wanted.town or None, by=manager.username, created_at=at, expires_at=at + days),
        hash_token(code),
    )
    return {**_display(kept, at), "code": code, "path": f"/insights/wall#{code}"}


@managing.delete("/displays/{display_id}")
async def revoke(house: House, parts: Parts, manager: Manager, display_id: int) -> dict[str, Any]:
    """The screen shows nothing more, from its next look on."""
    await house.audit.record(manager.username, "revoke_display", f"display:{display_id}")
    return _display(await parts.displays.revoke(display_id, manager.username, now()), now())


def _display(display: Display, at: datetime) -> dict[str, Any]:
    state = "revoked" if display.revoked_at else "open" if display.holds(at) else "expired"
    return {**display.model_dump(mode="json"), "state": state}
