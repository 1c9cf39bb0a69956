"""The data hub over HTTP."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

import httpx

from data_hub import fields, record_fields
from data_hub.signing import signed_headers
from hotline.cases import Case, IdentityProof, Verification, VerificationStatus
from hotline.catalogue import ServiceHall, ServiceItem
from hotline.errors import (
    BadInputError,
    CaseNotFoundError,
    HotlineError,
    HubDownError,
    IdentityRequiredError,
    MoveRefusedError,
    NotFoundError,
    SlotTakenError,
)
from hotline.work_order_record import ToldMove
from hotline.work_orders import Appointment, AppointmentDraft, SlotPeriod, WorkOrder, WorkOrderDraft

log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class HttpDataHub:
    """``hotline.ports.DataHub`` and ``RequestRegister`` against a hub that speaks docs/openapi/data-hub.json.

    ``timeout_s`` is the deadline of one request from connect to the last byte, in seconds.
    ``client`` is for a proxy or a certificate of one's own; who passes it closes it.
    """

    def __init__(
        self,
        base_url: str,
        paasid: str,
        token: str,
        timeout_s: float = 0.9,
        client: httpx.AsyncClient | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._paasid = paasid
        self._token = token
        self._timeout_s = timeout_s
        # The environment's proxy settings are for the internet; the hub is on the own network.
        self._client = client or httpx.AsyncClient(trust_env=False)
        self._owns_client = client is None
        self._now = now

    async def service_item(self, item_code: str) -> ServiceItem:
        path = f"/service-items/{_segment(item_code, NotFoundError)}"
        data = await self._ask("GET", path, missing=NotFoundError)
        item = fields.parse_item(data)
        if item_code.strip() not in {item.code, item.key}:
            raise _unreadable("another service than the one asked for")
        return item

    async def service_halls(self, town: str | None = None) -> list[ServiceHall]:
        data = await self._ask("GET", "/service-halls", params={"town": town} if town else None)
        return [fields.parse_hall(hall) for hall in _list_of(data, "halls")]

    async def verify_identity(
        self, case_reference: str, proof: IdentityProof, verification_id: str | None = None
    ) -> Verification:
        _segment(case_reference, CaseNotFoundError)
        body: dict[str, Any] = {
            "case_reference": case_reference,
            "proof": proof.model_dump(exclude_none=True),
        }
        if verification_id:
            body["verification_id"] = verification_id
        data = await self._ask("POST", "/identity/verify", json=body, missing=CaseNotFoundError)
        verification = fields.parse_verification(data)
        if verification.status is VerificationStatus.NEEDS_MORE and not verification.missing:
            raise _unreadable("more proof wanted, but not which")
        return verification

    async def case(self, case_reference: str, verification_id: str) -> Case:
        path = f"/cases/{_segment(case_reference, CaseNotFoundError)}"
        if not verification_id or not (verification_id.isascii() and verification_id.isprintable()):
            raise IdentityRequiredError
        data = await self._ask(
            "GET",
            path,
            headers={fields.IDENTITY_HEADER: verification_id},
            missing=CaseNotFoundError,
        )
        case = fields.parse_case(data)
        if case_reference.strip().upper() not in {case.case_number.upper(), case.query_code}:
            raise _unreadable("another case than the one asked for")
        return case

    async def file_request(self, draft: WorkOrderDraft, idempotency_key: str) -> WorkOrder:
        data = await self._ask(
            "POST",
            "/work-orders",
            json=record_fields.draft_to_hub(draft),
            headers={"idempotency-key": idempotency_key},
            refused=BadInputError,
        )
        return record_fields.parse_work_order(data)

    async def tell_move(self, hub_number: str, told: ToldMove) -> None:
        data = await self._ask(
            "PUT",
            f"/work-orders/{_segment(hub_number, BadInputError)}/moves/{told.seq}",
            json=record_fields.move_to_hub(told),
            missing=MoveRefusedError,
            refused=MoveRefusedError,
            taken=MoveRefusedError,
        )
        if record_fields.parse_work_order(data).number != hub_number:
            raise _unreadable("another work order than the one told of")

    async def work_order(self, number: str, contact_mobile: str) -> WorkOrder:
        path = f"/work-orders/{_segment(number, NotFoundError)}"
        if not re.fullmatch(r"1\d{10}", contact_mobile):
            raise NotFoundError
        headers = {record_fields.CONTACT_HEADER: contact_mobile}
        return record_fields.parse_work_order(await self._ask("GET", path, headers=headers, missing=NotFoundError))

    async def free_slots(self, hall_code: str, day: date) -> list[SlotPeriod]:
        params = {"hallCode": hall_code, "date": day.isoformat()}
        return record_fields.parse_slots(await self._ask("GET", "/appointments", params=params, missing=NotFoundError))

    async def book(self, draft: AppointmentDraft, idempotency_key: str) -> Appointment:
        data = await self._ask(
            "POST",
            "/appointments",
            json=record_fields.appointment_to_hub(draft),
            headers={"idempotency-key": idempotency_key},
            refused=BadInputError,
            taken=SlotTakenError,
        )
        return record_fields.parse_appointment(data)

    async def ping(self) -> None:
        """Signed, so that a wrong token or clock shows at once and not at the first citizen."""
        data = await self._ask("GET", "/service-items", params={"page": "1", "pageSize": "1"})
        _list_of(data, "items")

    async def aclose(self) -> None:
        if self._owns_client:
            await self._client.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        missing: type[HotlineError] | None = None,
        refused: type[HotlineError] | None = None,
        taken: type[HotlineError] | None = None,
    ) -> Any:
        """The JSON of a 200 or 201. Raises HubDownError, IdentityRequiredError (403), ``missing`` (404),
        ``refused`` (422) and ``taken`` (409)."""
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.request(
                    method,
                    f"{self._base_url}/hub/v1{path}",
                    params=params,
                    json=json,
                    headers={**signed_headers(self._paasid, self._token, self._now()), **(headers or {})},
                    timeout=None,  # the deadline around this covers connect, write and read together
                )
        except TimeoutError:
            log.warning("the hub was too late (%.2f s)", self._timeout_s)
            raise HubDownError from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            log.warning("the hub cannot be reached: %s", type(error).__name__)
            raise HubDownError from error
        try:
            data = response.json()
        except (ValueError, RecursionError):  # not JSON, or not UTF-8
            log.warning("the hub's answer (%d) is not JSON", response.status_code)
            raise HubDownError from None
        if response.status_code in (200, 201):
            return data
        # A page of some proxy in between must not become 「没有这个办件」: the hub's own word has a code.
        if isinstance(data, dict) and not str(data.get("code", "route_")).startswith("route_"):
            if response.status_code == 404 and missing is not None:
                raise missing
            if response.status_code == 403:
                raise IdentityRequiredError
            if response.status_code == 409 and taken is not None:
                raise taken
            if response.status_code in (400, 422) and refused is not None:
                raise refused(str(data.get("detail") or "") or None)
        raise _unreadable(f"status {response.status_code}")


def _segment(reference: str, missing: type[HotlineError]) -> str:
    """``reference`` as one part of a path. Raises ``missing`` for what no hub could have."""
    reference = reference.strip()
    if not re.fullmatch(r"[\w-]{1,60}", reference):
        raise missing
    return quote(reference, safe="")


def _list_of(data: Any, name: str) -> list[Any]:
    if not isinstance(data, dict) or not isinstance(data.get(name), list):
        raise _unreadable(f"no list `{name}`")
    found: list[Any] = data[name]
    return found


def _unreadable(reason: str) -> HubDownError:
    log.warning("the hub's answer cannot be used: %s", reason)
    return HubDownError()
