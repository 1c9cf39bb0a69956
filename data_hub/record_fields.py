"""The hub's names for work orders and appointments; the sister of fields.py.

``parse_*`` raises HubDownError for anything that is not what it should be.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from data_hub.fields import HubModel, parsed
from hotline.work_order_record import ToldMove
from hotline.work_orders import (
    Appointment,
    AppointmentDraft,
    RequestType,
    SlotPeriod,
    WorkOrder,
    WorkOrderDraft,
    WorkOrderState,
)

CONTACT_HEADER = "x-contact-mobile"
"""The mobile a request was filed with: whoever follows one gives it, and the hub compares."""


class _Step(HubModel):
    state: WorkOrderState
    note: str = ""


class _WorkOrder(HubModel):
    number: str = Field(min_length=4)
    type: RequestType
    state: WorkOrderState
    town: str | None = None
    department: str | None = None
    created_at: datetime | None = Field(None, alias="createdAt")
    trail: list[_Step] = Field(default_factory=list)


class _Slots(HubModel):
    slots: list[SlotPeriod]


class _Appointment(HubModel):
    number: str = Field(min_length=4)
    hall_code: str = Field(alias="hallCode")
    task_code: str | None = Field(None, alias="taskCode")
    day: date = Field(alias="date")
    period: str


def draft_to_hub(draft: WorkOrderDraft) -> dict[str, Any]:
    """A draft as ``POST /hub/v1/work-orders`` takes it; what is not known is left out."""
    body = {
        "type": draft.type.value,
        "description": draft.happened,
        "channel": draft.channel,
        "town": draft.town,
        "place": draft.place,
        "happenedAt": draft.when,
        "category": draft.category,
        "taskCode": draft.service_key,
        "department": draft.department,
        "urgency": draft.urgency.value,
        "anonymous": draft.anonymous,
        "contactName": draft.contact_name,
        "contactMobile": draft.contact_mobile,
    }
    return {name: value for name, value in body.items() if value not in (None, "")}


def move_to_hub(told: ToldMove) -> dict[str, Any]:
    """A move as ``PUT /hub/v1/work-orders/{number}/moves/{seq}`` takes it."""
    body = {
        "move": told.move,
        "state": told.state.value,
        "at": told.at.isoformat(),
        "department": told.department,
        "note": told.note,
        "score": told.score,
        "mergedInto": told.merged_into,
    }
    return {name: value for name, value in body.items() if value not in (None, "")}


def parse_work_order(data: object) -> WorkOrder:
    hub = parsed(_WorkOrder.model_validate, data)
    notes = [step.note for step in hub.trail if step.note]
    return WorkOrder(
        number=hub.number,
        type=hub.type,
        state=hub.state,
        town=hub.town,
        department=hub.department,
        created_at=hub.created_at,
        last_note=notes[-1] if notes else "",
    )


def parse_slots(data: object) -> list[SlotPeriod]:
    return parsed(_Slots.model_validate, data).slots


def appointment_to_hub(draft: AppointmentDraft) -> dict[str, Any]:
    body = {
        "hallCode": draft.hall_code,
        "taskCode": draft.item_code,
        "date": draft.day.isoformat(),
        "period": draft.period,
        "applyerName": draft.name,
        "contactMobile": draft.mobile,
    }
    return {name: value for name, value in body.items() if value is not None}


def parse_appointment(data: object) -> Appointment:
    hub = parsed(_Appointment.model_validate, data)
    return parsed(
        Appointment.model_validate,
        {
            "number": hub.number,
            "hall_code": hub.hall_code,
            "day": hub.day,
            "period": hub.period,
            "item_code": hub.task_code,
        },
    )
