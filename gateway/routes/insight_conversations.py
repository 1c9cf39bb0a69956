"""The conversation behind a figure, and the callers to be told that an answer was wrong (docs/interfaces.md, «统计»)."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import takewhile
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from desk.takeover import line_of
from gateway.auth.guard import require_role
from gateway.insight_parts import InsightParts, now
from gateway.routes.insights import Manager, Parts
from gateway.services import Services, services_of
from hotline.desk import CallbackReason
from hotline.desk_ports import Contact
from hotline.errors import BadInputError, NotFoundError
from hotline.events import ConversationEvent, EventType
from hotline.insights import Recalled, TrailConversation, TrailEvent, day_bucket
from hotline.privacy import mask_text
from hotline.staff import Principal, Role
from insights.quality import check
from insights.quality import told as rules

router = APIRouter(prefix="/api/v1/insights", tags=["统计"])
House = Annotated[Services, Depends(services_of)]
Reader = Annotated[Principal, Depends(require_role(Role.SUPERVISOR, Role.MANAGER))]

_PAGE = 200
_RECALL_DAYS = 365
_RECALLED = 2000
_NOT_SHOWN = frozenset({"caller_key", "contact_key"})


@router.get("/conversations/{conversation_id}")
async def conversation(house: House, reader: Reader, conversation_id: str) -> dict[str, Any]:
    """A conversation as it was stored, masked. Who opened it stands in the audit log before it is read."""
    await house.audit.record(reader.username, "view_conversation", f"conversation:{conversation_id}")
    record = await house.store.get_conversation(conversation_id)
    events = await _events(house, conversation_id)
    lines: list[dict[str, Any]] = []
    for event in events:
        if (line := line_of(event)) is not None:
            shown = line.model_dump(mode="json")
            lines.append({**shown, "data": {k: v for k, v in shown["data"].items() if k not in _NOT_SHOWN}})
    told: dict[str, Any] = {
        "conversation_id": conversation_id, "channel": record.channel.value, "state": record.state.value,
        "started_at": record.created_at.isoformat(), "rating": record.rating_score, "transcript": lines,
    }  # fmt: skip
    if reader.may_act_as(Role.MANAGER):  # a reviewer's own verdict comes first
        score, broken = check(_trail(conversation_id, record.channel.value, events))
        titles = {rule["rule"]: rule["title"] for rule in rules()["rules"]}
        told |= {"score": score, "broken": [{**f._asdict(), "title": titles[f.rule]} for f in broken]}
    return told


@router.get("/recall")
async def recall(
    parts: Parts,
    manager: Manager,
    item_key: Annotated[str, Query(pattern=r"^[A-Z]{2}\d{2}$")],
    field: str | None = None,
    since: date | None = None,
) -> dict[str, Any]:
    """Past answers that cite another version of a guide than today's; ``field`` (``facts.fee``) narrows.
    ``agreed_callback``: the caller said yes to being told; ``callback_id``: on the agents' list already."""
    version, found = await _wrong_now(parts, item_key, field, since)
    listed = {each.conversation_id: each.callback_id for each in await parts.recalls.recalled(item_key, version)}
    for row in found:
        row["callback_id"] = listed.get(row["conversation_id"])
    agreed = {row["conversation_id"] for row in found if row["agreed_callback"]}
    return {
        "demo": await parts.is_demo(), "item_key": item_key, "version": version, "answers": found,
        "to_call_back": len(agreed - set(listed)), "listed": len(agreed & set(listed)),
    }  # fmt: skip


class Recalling(BaseModel):
    """``note``: what is to be put right, for the agent who calls."""

    item_key: str = Field(pattern=r"^[A-Z]{2}\d{2}$")
    field: str | None = None
    since: date | None = None
    note: str = Field(min_length=4, max_length=200)


@router.post("/recall/callbacks", status_code=201)
async def call_back(house: House, parts: Parts, manager: Manager, wanted: Recalling) -> dict[str, Any]:
    """Puts everybody who agreed and is not on it yet on the agents' list, once a version of the guide."""
    if mask_text(wanted.note) != wanted.note:
        raise BadInputError("说明里有像手机号、证件号、姓名的内容，请去掉。")
    version, found = await _wrong_now(parts, wanted.item_key, wanted.field, wanted.since)
    listed = {each.conversation_id for each in await parts.recalls.recalled(wanted.item_key, version)}
    agreed = dict.fromkeys(r["conversation_id"] for r in found if r["agreed_callback"])
    about = {"item_key": wanted.item_key, "version": version, "asked": len(agreed)}
    await house.audit.record(manager.username, "recall_answers", f"guide:{wanted.item_key}", about)
    made = unreachable = 0
    for conversation_id in agreed:
        if conversation_id in listed:
            continue
        contact = await _contact(house, conversation_id)
        change = await house.desk.books.add_callback(
            conversation_id, CallbackReason.RECALL, now(), contact, f"答复更正（{wanted.item_key}）：{wanted.note}"
        )
        assert change.callback is not None
        kept = Recalled(conversation_id, wanted.item_key, version, change.callback.callback_id, manager.username, now())
        await parts.recalls.keep([kept])
        await house.desk.publish(change)
        made, unreachable = made + 1, unreachable + (not change.callback.contact)
    return {"made": made, "already": len(listed & set(agreed)), "without_number": unreachable}


async def _wrong_now(
    parts: InsightParts, item_key: str, field: str | None, since: date | None
) -> tuple[str, list[dict[str, Any]]]:
    version = parts.versions.get(item_key)
    if version is None:
        raise BadInputError("没有这个事项。")
    first = since or now().date() - timedelta(days=_RECALL_DAYS)
    found = []
    for row in await parts.texts.cited(item_key, day_bucket(first), _RECALLED):
        cited = [c for c in row["cited"].split(";") if not c.startswith("incident")]
        old = [c for c in cited if not c.endswith(f"@{version}") and (field is None or c.startswith(f"{field}@"))]
        if old:
            found.append({**row, "at": row["at"].isoformat(), "cited": old})
    return version, found


async def _contact(house: Services, conversation_id: str) -> Contact:
    """The number given with the yes, also where a later yes named none; else the caller's own is known to the desk."""
    given = await house.store.events_of(conversation_id, EventType.RECALL_CONSENT)
    yes = takewhile(lambda event: event.data.get("agreed"), reversed(given))
    data: dict[str, Any] = next((event.data for event in yes if event.data.get("contact_key")), {})
    return Contact(sealed=str(data.get("contact_key") or ""), shown=str(data.get("contact_shown") or ""))


async def _events(house: Services, conversation_id: str) -> list[ConversationEvent]:
    found: list[ConversationEvent] = []
    while page := await house.store.events_after(conversation_id, found[-1].seq if found else 0, _PAGE):
        found += page
    if not found:
        raise NotFoundError
    return found


def _trail(conversation_id: str, channel: str, events: list[ConversationEvent]) -> TrailConversation:
    trail = [TrailEvent(e.seq, e.turn_id, e.type.value, e.at, e.data) for e in events]
    return TrailConversation(conversation_id, channel, None, events[0].at, events[-1].seq, trail)
