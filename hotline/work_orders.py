"""工单: a citizen's request, from the words that describe it to the receipt they may follow."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RequestType(StrEnum):
    """诉求类型, the six kinds by which a hotline files a request."""

    CONSULT = "consult"  # 咨询
    HELP = "help"  # 求助
    COMPLAINT = "complaint"  # 投诉
    REPORT = "report"  # 举报: confidential
    SUGGESTION = "suggestion"  # 建议
    PRAISE = "praise"  # 表扬


CALL_BACK = "call_back"
"""The category of a wish to be called back: the hotline's own to do, no department's."""


class Urgency(StrEnum):
    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class WorkOrderDraft(BaseModel):
    """What a citizen has told so far. Holds personal data: never logged, never in the event trail.

    ``happened`` is what is wrong, in the citizen's words; ``place`` where (old and new place names
    as said), ``town`` the town it lies in; ``when`` the time as said; ``contact_mobile`` 11 digits.
    """

    model_config = ConfigDict(frozen=True)

    type: RequestType = RequestType.HELP
    category: str | None = None
    service_key: str | None = None
    happened: str = ""
    place: str = ""
    town: str | None = None
    when: str = ""
    department: str | None = None
    urgency: Urgency = Urgency.NORMAL
    anonymous: bool = False
    contact_name: str | None = None
    contact_mobile: str | None = Field(default=None, pattern=r"^1\d{10}$")
    channel: str = "web"


class WorkOrderState(StrEnum):
    """Where a work order stands. The moves between are in hotline/work_order_flow.py; a hub of a
    district's own knows six of these (docs/data-hub.md)."""

    RECEIVED = "received"  # 已登记，等受理
    ACCEPTED = "accepted"  # 已受理，等派单
    DISPATCHED = "dispatched"  # 已派单
    RETURNED = "returned"  # 已退单，等审核
    IN_PROGRESS = "in_progress"  # 办理中
    WAITING = "waiting"  # 等市民补充，时限暂停
    EXTENSION_REVIEW = "extension_review"  # 申请了延期，等审核
    ESCALATED = "escalated"  # 督办中
    ANSWERED = "answered"  # 已答复
    COMPLETED = "completed"  # 已办结
    FOLLOWED_UP = "followed_up"  # 已回访
    RATED = "rated"  # 已评价
    RECTIFYING = "rectifying"  # 差评整改中
    RECTIFY_ESCALATED = "rectify_escalated"  # 整改督办中
    RECTIFIED = "rectified"  # 整改完，等回访
    MERGED = "merged"  # 已并单
    NOT_ACCEPTED = "not_accepted"  # 不予受理
    WITHDRAWN = "withdrawn"  # 市民已撤回


class WorkOrder(BaseModel):
    """A filed request as it may be told back: no contact, no words of the citizen's own."""

    model_config = ConfigDict(frozen=True)

    number: str
    type: RequestType
    state: WorkOrderState
    town: str | None = None
    department: str | None = None
    created_at: datetime | None = None
    last_note: str = ""  # the department's latest answer


class SlotPeriod(BaseModel):
    """How many places one half day (上午, 下午) at a hall has left."""

    model_config = ConfigDict(frozen=True)

    period: Literal["上午", "下午"]
    left: int = Field(ge=0)


class AppointmentDraft(BaseModel):
    """预约 to be made: personal data, handled like :class:`WorkOrderDraft`."""

    model_config = ConfigDict(frozen=True)

    hall_code: str
    item_code: str | None = None
    day: date
    period: Literal["上午", "下午"]
    name: str
    mobile: str = Field(pattern=r"^1\d{10}$")


class Appointment(BaseModel):
    """A booked appointment, with its number."""

    model_config = ConfigDict(frozen=True)

    number: str
    hall_code: str
    day: date
    period: Literal["上午", "下午"]
    item_code: str | None = None
