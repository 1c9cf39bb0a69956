"""Work orders over HTTP: for citizens with the mobile they gave, and for staff (docs/work-orders.md)."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from data_hub.line_register import CONTACT_HEADER
from desk.work_orders import effects, names, views
from desk.work_orders.actors import CITIZEN, Actor, staff
from desk.work_orders.dispatch import offices
from desk.work_orders.effects import Act
from desk.work_orders.service import CHINA, WorkOrders, check_draft
from gateway.auth.guard import require_role, signed_in_if_any
from gateway.orders import Orders
from gateway.services import Services, services_of
from hotline.errors import BadInputError, RoleRequiredError, SignInRequiredError
from hotline.staff import Principal
from hotline.work_order_flow import Move, NotAllowedError, Party
from hotline.work_order_record import WorkOrderFilter, WorkOrderRecord
from hotline.work_orders import RequestType, Urgency, WorkOrderDraft, WorkOrderState

router = APIRouter(prefix="/api/v1/work-orders", tags=["工单"])

House = Annotated[Services, Depends(services_of)]
SignedIn = Annotated[Principal | None, Depends(signed_in_if_any)]
Staff = Annotated[Principal, Depends(require_role())]
Mobile = Annotated[str | None, Header(alias=CONTACT_HEADER, description="登记时留的手机号，市民跟进时用")]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="读到的版本（ETag），别人改过就不改")]
Idempotency = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=8, max_length=100, description="重发同一份只登记一次")
]


class NewWorkOrder(BaseModel):
    """What a citizen wants, or an agent for them."""

    model_config = ConfigDict(extra="forbid")

    type: RequestType = RequestType.HELP
    description: str = Field(max_length=2000)
    place: str = Field("", max_length=200)
    town: str | None = Field(None, max_length=20)
    when: str = Field("", max_length=100)
    category: str | None = Field(None, max_length=40)
    service_key: str | None = Field(None, max_length=36)
    anonymous: bool = False
    contact_name: str | None = Field(None, max_length=50)
    contact_mobile: str | None = Field(None, pattern=r"^1[3-9]\d{9}$")


class MoveBody(BaseModel):
    """One step of the flow."""

    model_config = ConfigDict(extra="forbid")

    move: Move
    note: str = Field("", max_length=2000)
    department: str | None = Field(None, max_length=100)
    days: int | None = None
    main: str | None = Field(None, max_length=32)
    score: int | None = Field(None, ge=1, le=5)


def actor_of(house: Services, principal: Principal) -> Actor:
    settings = house.settings
    return staff(
        principal.username,
        {str(role) for role in principal.roles},
        frozenset(role.strip() for role in settings.confidential_roles.split(",") if role.strip()),
        settings.departments_by_account.get(principal.username),
    )


async def _looked_at(
    house: Services, principal: Principal | None, number: str, mobile: str | None
) -> tuple[WorkOrderRecord, Actor]:
    """The order and who looks at it: staff by their roles, a citizen by the mobile. A look at who
    filed it is written to the audit log."""
    if principal is not None:
        actor = actor_of(house, principal)
        record = await house.orders.desk.seen(number, actor)
        await house.audit.record(
            actor.name, "look_at_work_order", f"work_order:{number}", {"state": record.state.value}
        )
        return record, actor
    if not mobile:
        raise SignInRequiredError("请报登记时留的手机号（x-contact-mobile），或先登录工作人员账号。")
    return await house.orders.desk.followed(number, mobile), CITIZEN


async def _shown(orders: Orders, record: WorkOrderRecord, actor: Actor, response: Response) -> dict[str, Any]:
    response.headers["ETag"] = f'"{record.version}"'
    standing = orders.desk.standing(record)
    if actor is CITIZEN:
        return views.for_citizen(record, await orders.desk.told_to_citizen(record), standing)
    followers = await orders.desk.house.store.find(
        WorkOrderFilter(merged_into=record.number, visible_confidential=True), page_size=100
    )
    merged = {"merged": [each.number for each in followers.orders]}
    return views.for_staff(record, actor, standing) | _beside(orders.desk, record) | merged


def _beside(desk: WorkOrders, record: WorkOrderRecord) -> dict[str, Any]:
    """``days_left``: working days to the due day, negative after it; None where no clock runs."""
    clock, category = record.clock, desk.categories.get(record.category or "")
    running = clock.due_on is not None and not clock.stopped_on and not clock.paused_on
    return {
        "category_name": category.name if category else None,
        "days_left": desk.house.calendar.between(desk.today(), clock.due_on) if running and clock.due_on else None,
    }


@router.post("", status_code=201, summary="登记一件诉求")
async def file(
    house: House, body: NewWorkOrder, response: Response, signed_in: SignedIn, key: Idempotency = None
) -> dict[str, Any]:
    actor = actor_of(house, signed_in) if signed_in else CITIZEN
    if signed_in and Party.HOTLINE not in actor.parties:
        raise RoleRequiredError
    if body.category is not None and body.category not in house.orders.desk.categories:
        raise BadInputError("没有这个诉求类别，可以不填，由热线来定。")
    draft = WorkOrderDraft(
        **body.model_dump(exclude={"description", "category"}),
        category=body.category,
        happened=body.description,
        channel="agent" if signed_in else "web",
    )
    check_draft(draft)
    party = Party.HOTLINE if signed_in else Party.CITIZEN
    record, new = await house.orders.desk.file(draft, f"api:{key or uuid.uuid4().hex}", actor.name, party)
    response.status_code = 201 if new else 200
    response.headers["Location"] = f"{router.prefix}/{record.number}"
    return await _shown(house.orders, record, actor, response)


@router.get("", summary="工单列表（工作人员）")
async def listed(
    house: House,
    principal: Staff,
    state: Annotated[list[WorkOrderState] | None, Query()] = None,
    department: Annotated[str | None, Query(max_length=100)] = None,
    town: Annotated[str | None, Query(max_length=20)] = None,
    category: Annotated[str | None, Query(max_length=40)] = None,
    type: Annotated[RequestType | None, Query()] = None,
    urgency: Annotated[Urgency | None, Query()] = None,
    due_before: Annotated[date | None, Query(description="还在办、这一天之前到期的")] = None,
    due: Annotated[Literal["overdue", "soon"] | None, Query(description="已超期；快到期的（含已超期）")] = None,
    mine: Annotated[bool, Query(description="等我这一方办下一步的")] = False,
    created_from: Annotated[date | None, Query()] = None,
    created_to: Annotated[date | None, Query()] = None,
    q: Annotated[str, Query(max_length=100, description="内容里的字，或单号")] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    desk, actor = house.orders.desk, actor_of(house, principal)
    states = frozenset(state) if state else None
    if mine:
        states = actor.awaited_in() & (states or frozenset(WorkOrderState))
    if due:
        limits = desk.house.limits
        soon = desk.house.calendar.add(desk.today(), limits.warning_days).day + timedelta(days=1)
        due_before = min(filter(None, (due_before, desk.today() if due == "overdue" else soon)))
    wanted = WorkOrderFilter(
        states=states,
        urgency=urgency,
        department=department,
        town=town,
        category=category,
        type=type,
        due_before=due_before,
        created_from=_midnight(created_from),
        created_to=_midnight(created_to, days=1),
        text=q.strip(),
    )
    found = await desk.listed(wanted, actor, page, page_size)
    orders = [views.summary(record, desk.standing(record)) | _beside(desk, record) for record in found.orders]
    return {"work_orders": orders, "page": page, "page_size": page_size, "total": found.total}


@router.get("/choices", summary="工单页面上可以选的")
async def choices(house: House, principal: Staff) -> dict[str, Any]:
    actor, desk, settings = actor_of(house, principal), house.orders.desk, house.settings
    if actor.department is None and not actor.watches:
        raise NotAllowedError("您的账号不能看工单列表。")
    towns = desk.house.towns
    return {
        "states": names.STATES,
        "types": names.TYPES,
        "urgencies": names.URGENCIES,
        "ratings": {str(score): name for score, name in names.RATINGS.items()},
        "categories": {each.key: each.name for each in desk.house.categories},
        "towns": list(towns),
        "departments": offices(desk.house.categories, towns),
        "my_department": actor.department,
        "may_file": Party.HOTLINE in actor.parties,
        "sees_confidential": actor.confidential,
        "extension_days_max": desk.house.limits.extension_days_max,
        "attachment_max_mb": settings.attachment_max_mb,
        "attachments_max": settings.attachments_max,
    }


@router.get("/outbox", summary="还没交给数据中台的工单")
async def outbox(
    house: House, _: Annotated[Principal, Depends(require_role("supervisor", "manager", "admin"))]
) -> dict[str, Any]:
    waiting = await house.orders.desk.house.outbox.waiting()
    return {
        "waiting": sum(not each.refused for each in waiting),
        "refused": sum(each.refused for each in waiting),
        "troubles": {name: error.detail for name, error in house.orders.troubles.items()},
        "hand_overs": [each.model_dump(mode="json") for each in waiting[:200]],
    }


@router.post("/outbox/retry", status_code=202, summary="马上再交一次，包括中台不收的")
async def retry(
    house: House, principal: Annotated[Principal, Depends(require_role("supervisor", "admin"))]
) -> dict[str, Any]:
    await house.audit.record(principal.username, "retry_hand_overs", "outbox:work_orders")
    await house.orders.hand_overs.retry_now()
    house.orders.wake()
    return {"retried": True}


@router.get("/{number}", summary="看一张工单")
async def one(
    number: str, house: House, response: Response, signed_in: SignedIn, mobile: Mobile = None
) -> dict[str, Any]:
    record, actor = await _looked_at(house, signed_in, number, mobile)
    return await _shown(house.orders, record, actor, response)


@router.patch("/{number}", summary="流转一步")
async def move(
    number: str,
    body: MoveBody,
    house: House,
    response: Response,
    signed_in: SignedIn,
    mobile: Mobile = None,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    record, actor = await _looked_at(house, signed_in, number, mobile)
    act = Act(**body.model_dump())
    version = _version(if_match)
    if signed_in:  # before the change, so that none goes unrecorded; one that is refused is recorded as tried
        await house.audit.record(actor.name, f"work_order_{body.move.value}", f"work_order:{number}", effects.told(act))
    record = await house.orders.desk.act(number, act, actor, version)
    return await _shown(house.orders, record, actor, response)


@router.get("/{number}/history", summary="办理过程")
async def history(number: str, house: House, signed_in: SignedIn, mobile: Mobile = None) -> dict[str, Any]:
    record, actor = await _looked_at(house, signed_in, number, mobile)
    lines = await house.orders.desk.house.store.history(number)
    if actor is CITIZEN:
        told = frozenset(each.value for each in effects.TOLD_TO_CITIZEN) | {Move.ADD.value}
        shown = [views.line_for_citizen(line, told) for line in lines]
        return {"history": [line for line in shown if line]}
    hidden = record.confidential and not actor.confidential
    return {"history": [views.line(line, hidden) for line in lines]}


@router.get("/{number}/merge-candidates", summary="可能重复的工单（工作人员）")
async def merge_candidates(number: str, house: House, principal: Staff) -> dict[str, Any]:
    actor = actor_of(house, principal)
    if not actor.watches:
        raise RoleRequiredError
    desk = house.orders.desk
    await desk.seen(number, actor)
    shown = []
    for candidate in await house.orders.repeats_of(number):
        other = await desk.house.store.get(candidate.number)
        if actor.may_see(other):
            shown.append({**views.summary(other, desk.standing(other)), "score": candidate.score, "why": candidate.why})
    return {"candidates": shown[:5]}


@router.post("/{number}/attachments", status_code=201, summary="上传一个附件（正文就是文件）")
async def attach(
    number: str,
    request: Request,
    house: House,
    response: Response,
    signed_in: SignedIn,
    mobile: Mobile = None,
    name: Annotated[str, Query(max_length=200, description="文件名")] = "",
) -> dict[str, Any]:
    record, actor = await _looked_at(house, signed_in, number, mobile)
    if not actor.acts_as(record):
        raise RoleRequiredError
    files = house.orders.attachments
    kept = await files.keep(record, name, await request.body(), actor.name)
    stored = False
    try:
        changed = record.model_copy(update={"attachments": [*record.attachments, kept]})
        record = await house.orders.desk.note(record, changed, "attached", actor, kept.name)
        stored = True
    finally:
        if not stored:  # whatever came between: no file without its line
            await files.drop(record, kept)
    shown = await _shown(house.orders, record, actor, response)
    return dict(shown["attachments"][-1])


@router.get("/{number}/attachments/{attachment_id}", summary="取一个附件")
async def attachment(
    number: str, attachment_id: str, house: House, signed_in: SignedIn, mobile: Mobile = None
) -> Response:
    record, _ = await _looked_at(house, signed_in, number, mobile)
    kept, content = await house.orders.attachments.read(record, attachment_id)
    how = "inline" if kept.media_type.startswith("image/") else "attachment"
    headers = {
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(kept.name)}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=kept.media_type, headers=headers)


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'(?:W/)?"(\d{1,9})"', if_match.strip())
    if found is None:
        raise BadInputError('If-Match 要写读到的 ETag，例如 "3"。')
    return int(found[1])


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    return datetime.combine(day + timedelta(days=days), time(), CHINA) if day else None
