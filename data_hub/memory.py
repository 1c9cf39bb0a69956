"""A data hub in memory: for trying the line without any server, and for tests."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from data_hub.identity_rules import (
    CaseGuard,
    Check,
    IdentityRules,
    digests,
    given_values,
    is_verified,
    take_proofs,
)
from hotline.cases import Case, IdentityProof, Verification
from hotline.catalogue import ServiceHall, ServiceItem
from hotline.errors import (
    BadInputError,
    CaseNotFoundError,
    HubDownError,
    IdentityRequiredError,
    MoveRefusedError,
    NotFoundError,
    SlotTakenError,
)
from hotline.work_order_record import ToldMove
from hotline.work_orders import (
    Appointment,
    AppointmentDraft,
    SlotPeriod,
    WorkOrder,
    WorkOrderDraft,
    WorkOrderState,
)

CHINA = timezone(timedelta(hours=8))
BOOKABLE_DAYS = 14
SLOT_CAPACITY = 10


@dataclass(frozen=True)
class CaseRecord:
    """A case with what its applicant can prove."""

    case: Case
    name: str
    id_last4: str
    phone: str


class InMemoryDataHub:
    """``hotline.ports.DataHub`` and ``RequestRegister`` over lists. ``available`` False makes every call HubDownError."""

    def __init__(
        self,
        items: Iterable[ServiceItem] = (),
        halls: Iterable[ServiceHall] = (),
        cases: Iterable[CaseRecord] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rules: IdentityRules | None = None,
    ) -> None:
        self.available = True
        self._items = {reference: item for item in items for reference in (item.key, item.code)}
        self._halls = list(halls)
        self._cases: dict[str, CaseRecord] = {}
        self._guards: dict[str, CaseGuard] = {}
        self._checks: dict[str, Check] = {}
        self._key = secrets.token_bytes(32)
        self._now = now
        self._rules = rules or IdentityRules()
        self._requests: dict[str, tuple[WorkOrderDraft, WorkOrder]] = {}
        self._moves: dict[str, list[ToldMove]] = {}
        self._bookings: dict[str, Appointment] = {}
        self._made: dict[str, str] = {}  # idempotency key → the number it made
        for record in cases:
            self.put_case(record)

    def put_case(self, record: CaseRecord) -> None:
        """Adds a case, or replaces it; a lock on it stays."""
        for reference in (record.case.case_number, record.case.query_code):
            self._cases[reference] = record
        self._guards.setdefault(record.case.case_number, CaseGuard())

    async def service_item(self, item_code: str) -> ServiceItem:
        await self.ping()
        try:
            return self._items[item_code.strip()]
        except KeyError:
            raise NotFoundError from None

    async def service_halls(self, town: str | None = None) -> list[ServiceHall]:
        await self.ping()
        return [hall for hall in self._halls if not town or hall.town == town]

    async def verify_identity(
        self, case_reference: str, proof: IdentityProof, verification_id: str | None = None
    ) -> Verification:
        record = await self._record(case_reference)
        number, now = record.case.case_number, self._now()
        check = self._checks.get(verification_id or "")
        if check is None or check.case_number != number:
            check = Check(secrets.token_urlsafe(24), number, now)
            self._checks[check.verification_id] = check
        expected = {"name": record.name, "id_last4": record.id_last4, "phone": record.phone}
        return take_proofs(
            check,
            self._guards[number],
            digests(expected, self._key, number),
            digests(given_values(proof), self._key, number),
            now,
            self._rules,
        )

    async def case(self, case_reference: str, verification_id: str) -> Case:
        record = await self._record(case_reference)
        check = self._checks.get(verification_id)
        if check is None or not is_verified(check, record.case.case_number, self._now()):
            raise IdentityRequiredError
        return record.case

    async def file_request(self, draft: WorkOrderDraft, idempotency_key: str) -> WorkOrder:
        await self.ping()
        if idempotency_key in self._made:
            return self._requests[self._made[idempotency_key]][1]
        if len(draft.happened.strip()) < 2 or (draft.anonymous and (draft.contact_name or draft.contact_mobile)):
            raise BadInputError
        now = self._now()
        order = WorkOrder(
            number=f"GD{now.astimezone(CHINA):%Y%m%d}{secrets.randbelow(10**10):010d}",
            type=draft.type,
            state=WorkOrderState.RECEIVED,
            town=draft.town,
            department=draft.department,
            created_at=now,
        )
        self._requests[order.number] = (draft, order)
        self._made[idempotency_key] = order.number
        return order

    async def work_order(self, number: str, contact_mobile: str) -> WorkOrder:
        await self.ping()
        draft, order = self._requests.get(number, (None, None))
        if order is None or draft is None or draft.contact_mobile != contact_mobile:
            raise NotFoundError
        return order

    async def tell_move(self, hub_number: str, told: ToldMove) -> None:
        await self.ping()
        if hub_number not in self._requests:
            raise MoveRefusedError
        known = self._moves.setdefault(hub_number, [])
        earlier = next((each for each in known if each.seq == told.seq), None)
        if earlier == told:
            return
        if earlier is not None or (known and known[-1].seq > told.seq):
            raise MoveRefusedError
        known.append(told)
        draft, order = self._requests[hub_number]
        update = {"state": told.state, "department": told.department or order.department}
        if told.note:
            update["last_note"] = told.note
        self._requests[hub_number] = (draft, order.model_copy(update=update))

    def told(self, hub_number: str) -> list[ToldMove]:
        """The moves told of an order, in the order they came."""
        return list(self._moves.get(hub_number, []))

    def filed(self) -> list[WorkOrderDraft]:
        """Everything filed, in order: what a department would see."""
        return [draft for draft, _ in self._requests.values()]

    async def free_slots(self, hall_code: str, day: date) -> list[SlotPeriod]:
        await self.ping()
        if all(hall.code != hall_code for hall in self._halls):
            raise NotFoundError
        taken = [(b.hall_code, b.day, b.period) for b in self._bookings.values()]
        return [
            SlotPeriod(period=p, left=max(0, SLOT_CAPACITY - taken.count((hall_code, day, p))))
            for p in ("上午", "下午")
        ]

    async def book(self, draft: AppointmentDraft, idempotency_key: str) -> Appointment:
        await self.ping()
        if idempotency_key in self._made:
            return self._bookings[self._made[idempotency_key]]
        now = self._now()
        today = now.astimezone(CHINA).date()
        known = draft.item_code is None or draft.item_code in self._items
        hall = any(hall.code == draft.hall_code for hall in self._halls)
        if not (known and hall and today < draft.day <= today + timedelta(days=BOOKABLE_DAYS)):
            raise BadInputError
        left = {slot.period: slot.left for slot in await self.free_slots(draft.hall_code, draft.day)}
        if left[draft.period] == 0:
            raise SlotTakenError
        booked = Appointment(
            number=f"YY{now.astimezone(CHINA):%Y%m%d}{secrets.randbelow(10**10):010d}",
            hall_code=draft.hall_code,
            day=draft.day,
            period=draft.period,
            item_code=draft.item_code,
        )
        self._bookings[booked.number] = booked
        self._made[idempotency_key] = booked.number
        return booked

    async def ping(self) -> None:
        if not self.available:
            raise HubDownError

    async def aclose(self) -> None:
        """Nothing to close."""

    async def _record(self, case_reference: str) -> CaseRecord:
        await self.ping()
        try:
            return self._cases[case_reference.strip().upper()]
        except KeyError:
            raise CaseNotFoundError from None
