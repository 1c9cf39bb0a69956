"""Work orders and appointments: filed once however often they are sent, moved by a state table."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data_hub.fields import HubModel
from data_hub.reference.cases import Mobile, PersonName
from data_hub.reference.problems import ConflictError
from data_hub.reference.store import HallRow, ItemRow, RecordRow, Store, moment
from hotline.errors import BadInputError, IllegalTransitionError, NotFoundError
from hotline.privacy import mask_name, mask_phone
from hotline.work_orders import WorkOrderState

CHINA = ZoneInfo("Asia/Shanghai")
WORK_ORDER, APPOINTMENT = "work_order", "appointment"
_TOLD = "toldMoves"  # of the line's moves, number → hash of what was told
SLOT_CAPACITY = 10
BOOKABLE_DAYS = 14
Period = Literal["上午", "下午"]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=2000)]


_W = WorkOrderState
MOVES: dict[WorkOrderState, frozenset[WorkOrderState]] = {
    _W.RECEIVED: frozenset({_W.DISPATCHED}),
    _W.DISPATCHED: frozenset({_W.RETURNED, _W.IN_PROGRESS}),
    _W.RETURNED: frozenset({_W.DISPATCHED}),
    _W.IN_PROGRESS: frozenset({_W.ANSWERED}),
    _W.ANSWERED: frozenset({_W.IN_PROGRESS, _W.COMPLETED}),
    _W.COMPLETED: frozenset(),
}


class WorkOrderPost(HubModel):
    """新工单."""

    type: Literal["consult", "help", "complaint", "report", "suggestion", "praise"] = Field(title="诉求类型")
    description: Words = Field(title="诉求内容")
    channel: str = Field("voice", max_length=20, title="来源渠道")
    town: str | None = Field(None, max_length=20, title="镇街")
    place: str | None = Field(None, max_length=200, title="地点，市民原话")
    happened_at: str | None = Field(None, alias="happenedAt", max_length=100, title="时间，市民原话")
    category: str | None = Field(None, max_length=40, title="诉求分类")
    task_code: str | None = Field(None, alias="taskCode", max_length=36, title="相关事项编码")
    department: str | None = Field(None, max_length=100, title="主办单位")
    urgency: Literal["normal", "urgent", "emergency"] = Field("normal", title="紧急程度")
    anonymous: bool = Field(False, title="是否匿名")
    contact_name: PersonName | None = Field(None, alias="contactName", title="联系人")
    contact_mobile: Mobile | None = Field(None, alias="contactMobile", title="联系人手机")

    @model_validator(mode="after")
    def _anonymous_is_anonymous(self) -> WorkOrderPost:
        if self.anonymous and (self.contact_name or self.contact_mobile):
            raise ValueError("anonymous, but with a contact")
        return self


class WorkOrderPatch(HubModel):
    """工单流转."""

    state: WorkOrderState = Field(title="新状态")
    note: str = Field("", max_length=2000, title="说明或答复")
    department: str | None = Field(None, max_length=100, title="主办单位")


class WorkOrderMove(HubModel):
    """热线已经走完的一步."""

    move: str = Field(max_length=24, pattern=r"^[a-z_]+$", title="这一步的代码，见 docs/work-orders.md")
    state: WorkOrderState = Field(title="走完之后的状态，热线的十八种")
    at: datetime = Field(title="什么时候")
    department: str | None = Field(None, max_length=100, title="派给谁")
    note: str = Field("", max_length=2000, title="给市民看的说明")
    score: int | None = Field(None, ge=1, le=5, title="市民的评分")
    merged_into: str | None = Field(None, alias="mergedInto", max_length=32, title="并入的主单在热线的单号")


class AppointmentPost(HubModel):
    """新预约."""

    hall_code: str = Field(alias="hallCode", title="大厅编码")
    task_code: str | None = Field(None, alias="taskCode", title="事项实施编码或短编码")
    day: date = Field(alias="date", title="日期")
    period: Period = Field(title="时段")
    applyer_name: PersonName = Field(alias="applyerName", title="预约人")
    contact_mobile: Mobile = Field(alias="contactMobile", title="预约人手机")


def post_work_order(
    store: Store, post: WorkOrderPost, idempotency_key: str, now: datetime
) -> tuple[dict[str, Any], bool]:
    """→ (the work order as shown, was it new). Raises ConflictError."""
    content = post.model_dump(mode="json", by_alias=True)
    with store.write() as session:
        earlier = _earlier(session, WORK_ORDER, idempotency_key, content)
        if earlier is not None:
            return _shown(earlier), False
        trail = [{"state": WorkOrderState.RECEIVED.value, "at": now.isoformat(), "note": ""}]
        body = {**content, "trail": trail}
        row = _add(session, WORK_ORDER, "GD", idempotency_key, content, body, WorkOrderState.RECEIVED, now)
        return _shown(row), True


def patch_work_order(store: Store, number: str, patch: WorkOrderPatch, now: datetime) -> dict[str, Any]:
    """Moves a work order. Raises NotFoundError, IllegalTransitionError (nothing has changed)."""
    with store.write() as session:
        row = _find(session, WORK_ORDER, number)
        if patch.state not in MOVES.get(WorkOrderState(row.state), frozenset()):
            raise IllegalTransitionError(row.state, patch.state.value)
        entry = {"state": patch.state.value, "at": now.isoformat(), "note": patch.note}
        body = {**row.body, "trail": [*row.body["trail"], entry]}
        if patch.department:
            body["department"] = patch.department
        row.state, row.body = patch.state.value, body
        return _shown(row)


def put_move(store: Store, number: str, seq: int, move: WorkOrderMove) -> tuple[dict[str, Any], bool]:
    """What the line did with an order that is its own → (the order as shown, was it new). The hub takes the
    line's word for it: its own table of moves holds for what the hub itself is asked to do.

    Raises NotFoundError; ConflictError (another move under that number, or one that comes too late)."""
    content = move.model_dump(mode="json", by_alias=True)
    with store.write() as session:
        row = _find(session, WORK_ORDER, number)
        known: dict[str, str] = row.body.get(_TOLD, {})
        if known.get(str(seq)) == _hash(content):
            return _shown(row), False
        if str(seq) in known or any(int(earlier) > seq for earlier in known):
            raise ConflictError("这个序号的流转与已有的不同，或来得太晚。")
        entry = {"state": move.state.value, "at": move.at.isoformat(), "note": move.note, "move": move.move}
        body = {**row.body, "trail": [*row.body["trail"], entry], _TOLD: {**known, str(seq): _hash(content)}}
        for name in ("department", "score", "mergedInto"):
            if content[name] is not None:
                body[name] = content[name]
        if move.move == "unmerge":
            body.pop("mergedInto", None)
        row.state, row.body = move.state.value, body
        return _shown(row), True


def read_record(store: Store, kind: str, number: str, contact_mobile: str | None = None) -> dict[str, Any]:
    """Where ``contact_mobile`` is given, it has to be the record's own. Raises NotFoundError."""
    with store.read() as session:
        row = _find(session, kind, number)
        if contact_mobile is not None and row.body.get("contactMobile") != contact_mobile:
            raise NotFoundError  # not told apart from a number that doesn't exist
        return _shown(row)


def list_work_orders(
    store: Store, state: WorkOrderState | None, page: int, page_size: int
) -> tuple[list[dict[str, Any]], int]:
    """Newest first → (the page, how many in all)."""
    chosen = select(RecordRow).where(RecordRow.kind == WORK_ORDER)
    if state is not None:
        chosen = chosen.where(RecordRow.state == state.value)
    with store.read() as session:
        total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
        newest = chosen.order_by(RecordRow.created_at.desc(), RecordRow.number.desc())
        rows = session.scalars(newest.offset((page - 1) * page_size).limit(page_size))
        return [_shown(row) for row in rows], total


def post_appointment(
    store: Store, post: AppointmentPost, idempotency_key: str, now: datetime
) -> tuple[dict[str, Any], bool]:
    """→ (the appointment as shown, was it new). Raises BadInputError, ConflictError."""
    content = post.model_dump(mode="json", by_alias=True)
    with store.write() as session:
        earlier = _earlier(session, APPOINTMENT, idempotency_key, content)
        if earlier is not None:
            return _shown(earlier), False
        if session.get(HallRow, post.hall_code) is None:
            raise BadInputError("没有这个大厅，请核对大厅编码。")
        if post.task_code and not _item_exists(session, post.task_code):
            raise BadInputError("事项目录里没有这个事项，请核对实施编码。")
        today = now.astimezone(CHINA).date()
        if not today < post.day <= today + timedelta(days=BOOKABLE_DAYS):
            raise BadInputError(f"只能预约明天起 {BOOKABLE_DAYS} 天内的日期。")
        if _left(session, post.hall_code, post.day, post.period) <= 0:
            raise ConflictError("这个时段已经约满，请换一个时段。")
        row = _add(session, APPOINTMENT, "YY", idempotency_key, content, content, "booked", now)
        row.slot = _slot(post.hall_code, post.day, post.period)
        return _shown(row), True


def free_slots(store: Store, hall_code: str, day: date) -> list[dict[str, Any]]:
    """How many places each period of a day has left. Raises NotFoundError."""
    periods: tuple[Period, ...] = ("上午", "下午")
    with store.read() as session:
        if session.get(HallRow, hall_code) is None:
            raise NotFoundError("没有这个大厅，请核对大厅编码。")
        return [{"period": p, "left": max(0, _left(session, hall_code, day, p))} for p in periods]


def _item_exists(session: Session, reference: str) -> bool:
    found = select(ItemRow.code).where((ItemRow.code == reference) | (ItemRow.key == reference))
    return session.scalar(found) is not None


def _slot(hall_code: str, day: date, period: str) -> str:
    return f"{hall_code}|{day.isoformat()}|{period}"


def _left(session: Session, hall_code: str, day: date, period: str) -> int:
    slot = _slot(hall_code, day, period)
    taken = session.scalar(select(func.count()).where(RecordRow.slot == slot)) or 0
    return SLOT_CAPACITY - taken


def _earlier(session: Session, kind: str, key: str, content: dict[str, Any]) -> RecordRow | None:
    row = session.scalar(select(RecordRow).where(RecordRow.idempotency_key == f"{kind}|{key}"))
    if row is not None and row.request_hash != _hash(content):
        raise ConflictError("同一个幂等键已用于另一份内容。")
    return row


def _add(
    session: Session,
    kind: str,
    prefix: str,
    key: str,
    content: dict[str, Any],
    body: dict[str, Any],
    state: str,
    now: datetime,
) -> RecordRow:
    # Not a running number: who has one must not be able to guess the next person's.
    number = f"{prefix}{now.astimezone(CHINA):%Y%m%d}{secrets.randbelow(10**10):010d}"
    row = RecordRow(
        number=number,
        kind=kind,
        idempotency_key=f"{kind}|{key}",
        request_hash=_hash(content),
        slot="",
        state=str(state),
        created_at=now.timestamp(),
        body=body,
    )
    session.add(row)
    return row


def _find(session: Session, kind: str, number: str) -> RecordRow:
    row = session.get(RecordRow, number)
    if row is None or row.kind != kind:
        raise NotFoundError
    return row


def _hash(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _shown(row: RecordRow) -> dict[str, Any]:
    """The record with its contact masked."""
    shown = {**row.body, "number": row.number, "state": row.state}
    shown.pop(_TOLD, None)
    created = moment(row.created_at)
    shown["createdAt"] = created.isoformat() if created else None
    for name in ("contactName", "applyerName"):
        if shown.get(name):
            shown[name] = mask_name(shown[name])
    if shown.get("contactMobile"):
        shown["contactMobile"] = mask_phone(shown["contactMobile"])
    return shown
