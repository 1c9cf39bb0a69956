"""For the other processes of this line alone: the actions file requests here (data_hub/line_register.py) and
read the known incidents (data_hub/line_incidents.py)."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from data_hub.line_incidents import INCIDENTS
from data_hub.line_register import CONTACT_HEADER, REQUESTS
from gateway.insight_parts import now
from gateway.services import Services, bearer, services_of
from hotline.errors import NotAuthorisedError
from hotline.work_orders import WorkOrderDraft


async def from_the_line(request: Request) -> Services:
    """Raises NotAuthorisedError: not with the line's own token, or there is none."""
    house = services_of(request)
    token = house.settings.line_token
    if not token or not hmac.compare_digest((bearer(request) or "").encode(), token.encode()):
        raise NotAuthorisedError
    return house


router = APIRouter(prefix=REQUESTS, include_in_schema=False)
House = Annotated[Services, Depends(from_the_line)]


@router.post("", status_code=201)
async def file(
    house: House,
    draft: WorkOrderDraft,
    response: Response,
    key: Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=100)],
) -> dict[str, Any]:
    record, new = await house.orders.desk.file(draft, f"line:{key}")
    response.status_code = 201 if new else 200
    return (await house.orders.desk.told_to_citizen(record)).model_dump(mode="json")


@router.get("/{number}")
async def followed(
    number: str, house: House, mobile: Annotated[str, Header(alias=CONTACT_HEADER, max_length=20)]
) -> dict[str, Any]:
    record = await house.orders.desk.followed(number, mobile)
    return (await house.orders.desk.told_to_citizen(record)).model_dump(mode="json")


known = APIRouter(prefix=INCIDENTS, include_in_schema=False)


@known.get("")
async def incidents(house: House) -> dict[str, Any]:
    """What callers who ask are told of now."""
    parts = house.insights
    current = await parts.incidents.current(now()) if parts else []
    return {"incidents": [incident.model_dump(mode="json") for incident in current]}
