"""A work order as the line keeps it: its content, its clock, its history."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hotline.errors import HotlineError
from hotline.work_order_flow import Party
from hotline.work_orders import RequestType, Urgency, WorkOrderDraft, WorkOrderState


class VersionConflictError(HotlineError):
    """Somebody else changed the work order meanwhile. Nothing has changed."""

    code = "version_conflict"
    status = 412
    citizen_sentence = "这张工单刚被别人改过，请刷新后再试。"


class RepeatedKeyError(HotlineError):
    """An idempotency key came again with another content."""

    code = "idempotency_conflict"
    status = 409
    citizen_sentence = "同一个幂等键已用于另一份内容，请换一个键再登记。"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Clock(Frozen):
    """办理时限. ``days`` working days from the day after ``started_on``; None where no limit is set
    (表扬). ``paused_on`` is the day it was stopped to wait for the citizen; ``paused_days`` the
    working days waited so far. ``provisional``: ``due_on`` lies in a year whose holidays are not
    yet published, so it may still move."""

    started_on: date
    days: int | None
    extended_days: int = 0
    paused_on: date | None = None
    paused_days: int = 0
    due_on: date | None = None
    provisional: bool = False
    warned: bool = False
    stopped_on: date | None = None


class Proposal(Frozen):
    """派单建议. ``sure``: one department and, where it is a town's, a known town. ``reason`` is Chinese."""

    department: str | None = None
    assisting: list[str] = Field(default_factory=list)
    reason: str = ""
    sure: bool = False


class Attachment(Frozen):
    """``attachment_id`` is also the stored file's name; ``name`` is what the sender called it, made safe."""

    attachment_id: str
    name: str
    media_type: str
    size: int
    at: AwareDatetime
    by: str


class WorkOrderRecord(Frozen):
    """One work order. ``number`` is the citizen's receipt and half of the proof that opens it;
    ``public_id`` names it where anybody may read (Open311). ``draft`` is what was filed and never changes; it holds personal data.

    ``type``, ``town``, ``category``, ``department`` are what the hotline made of it. ``summary``
    is the content with personal data masked. ``version`` rises by one at each change.
    """

    number: str
    public_id: str
    idempotency_key: str
    draft: WorkOrderDraft
    summary: str
    state: WorkOrderState = WorkOrderState.RECEIVED
    version: int = 1
    type: RequestType
    urgency: Urgency = Urgency.NORMAL
    town: str | None = None
    category: str | None = None
    department: str | None = None
    confidential: bool = False
    created_at: AwareDatetime
    updated_at: AwareDatetime
    clock: Clock
    proposal: Proposal | None = None
    extension_asked: int | None = None
    answer: str = ""
    last_note: str = ""
    merged_into: str | None = None
    score: int | None = None
    revisit_due: date | None = None
    escalated: bool = False
    attachments: list[Attachment] = Field(default_factory=list)
    hub_number: str | None = None


class HistoryEntry(Frozen):
    """One line of the history, which only grows. ``what`` is a move, or ``filed``, ``read``,
    ``due_soon``, ``attached``, ``handed_over``, ``hub_refused``. ``note`` may hold personal data."""

    number: str
    seq: int = 0
    at: AwareDatetime
    actor: str
    party: Party
    what: str
    before: WorkOrderState | None = None
    after: WorkOrderState
    note: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class HandOver(Frozen):
    """A work order of which the data hub does not know everything yet: itself, or moves made since.
    ``attempts`` so far; ``refused`` where the hub will not take it, so that a person must look."""

    number: str
    attempts: int = 0
    next_at: AwareDatetime
    last_error: str = ""
    refused: bool = False


class ToldMove(Frozen):
    """One move as the hub is told it. ``seq`` rises within an order and, with the order, names the move for
    ever. ``note`` only where it is meant for the citizen; ``merged_into`` is the main order's receipt."""

    seq: int
    move: str
    state: WorkOrderState
    at: AwareDatetime
    department: str | None = None
    note: str = ""
    score: int | None = None
    merged_into: str | None = None


class RequestCategory(Frozen):
    """诉求类别 with the department that the duties name for it, if they name one."""

    key: str
    name: str
    department: str | None = None
    elements: list[str] = Field(default_factory=list)
    words: list[str] = Field(default_factory=list)


class RequestReading(Frozen):
    """What a machine read out of a request. ``said`` is the request in simplified script, masked;
    ``matter`` what happened alone, in written Chinese; ``vector`` its meaning, of unit length, None
    where sentences could not be compared; ``place`` without the town; ``day`` a day of the calendar
    (「11-20」); ``words`` those that told the category."""

    said: str = ""
    matter: str = ""
    town: str | None = None
    category: str | None = None
    department: str | None = None
    type: RequestType = RequestType.HELP
    urgency: Urgency = Urgency.NORMAL
    service_key: str | None = None
    place: str = ""
    day: str = ""
    words: list[str] = Field(default_factory=list)
    vector: list[float] | None = None


class StoredReading(Frozen):
    """A reading with what tells which orders to compare it with."""

    number: str
    created_at: AwareDatetime
    reading: RequestReading


class WorkOrderFilter(Frozen):
    """What a list is narrowed to; None does not narrow. ``due_before``: running orders due before
    that day. ``visible_confidential`` False leaves confidential ones out."""

    states: frozenset[WorkOrderState] | None = None
    department: str | None = None
    town: str | None = None
    category: str | None = None
    type: RequestType | None = None
    urgency: Urgency | None = None
    due_before: date | None = None
    revisit_before: date | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    text: str = ""
    visible_confidential: bool = False
    public_ids: frozenset[str] | None = None
    merged_into: str | None = None


class Page(Frozen):
    orders: list[WorkOrderRecord]
    total: int
