"""Filing requests at the line itself: the gateway stores them and hands them over to the hub.

So a citizen gets a receipt also while the hub is down. Appointments are still the hub's.
"""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import date
from typing import Any

import httpx
from pydantic import ValidationError

from hotline.errors import BadInputError, HubDownError, NotFoundError
from hotline.ports import RequestRegister
from hotline.work_orders import Appointment, AppointmentDraft, SlotPeriod, WorkOrder, WorkOrderDraft

log = logging.getLogger(__name__)

REQUESTS = "/internal/v1/requests"
CONTACT_HEADER = "x-contact-mobile"


class LineRegister:
    """``hotline.ports.RequestRegister`` over the gateway's internal address; ``hub`` books.

    ``timeout_s``: of one request from connect to the last byte. HubDownError also means that the
    gateway did not answer: then nothing was filed, and the same key may be sent again.
    """

    def __init__(
        self,
        gateway_url: str,
        token: str,
        hub: RequestRegister,
        timeout_s: float = 0.9,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._url = f"{gateway_url.rstrip('/')}{REQUESTS}"
        self._headers = {"authorization": f"Bearer {token}"}
        self._hub = hub
        self._timeout_s = timeout_s
        self._client = client or httpx.AsyncClient(trust_env=False)
        self._owns_client = client is None

    async def file_request(self, draft: WorkOrderDraft, idempotency_key: str) -> WorkOrder:
        return await self._ask(
            "POST", "", json=draft.model_dump(mode="json"), headers={"idempotency-key": idempotency_key}
        )

    async def work_order(self, number: str, contact_mobile: str) -> WorkOrder:
        if not re.fullmatch(r"[\w-]{1,60}", number, re.ASCII) or not re.fullmatch(r"1\d{10}", contact_mobile, re.ASCII):
            raise NotFoundError
        return await self._ask("GET", f"/{number}", headers={CONTACT_HEADER: contact_mobile})

    async def free_slots(self, hall_code: str, day: date) -> list[SlotPeriod]:
        return await self._hub.free_slots(hall_code, day)

    async def book(self, draft: AppointmentDraft, idempotency_key: str) -> Appointment:
        return await self._hub.book(draft, idempotency_key)

    async def aclose(self) -> None:
        if self._owns_client:
            await self._client.aclose()

    async def _ask(self, method: str, path: str, *, headers: dict[str, str], json: Any = None) -> WorkOrder:
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.request(
                    method, f"{self._url}{path}", headers=self._headers | headers, json=json, timeout=None
                )
            data = response.json()
            if response.status_code in (200, 201):
                return WorkOrder.model_validate(data)
        except (TimeoutError, httpx.HTTPError, OSError, ValueError, ValidationError) as error:
            log.warning("the gateway did not take a request: %s", type(error).__name__)
            raise HubDownError from error
        code = data.get("code") if isinstance(data, dict) else None
        if response.status_code == 404 and code == NotFoundError.code:
            raise NotFoundError
        if response.status_code in (409, 422):
            raise BadInputError(str(data.get("detail") or "") or None)
        log.warning("the gateway did not take a request: status %d", response.status_code)
        raise HubDownError
