"""A data hub in memory: for trying the line without any server, and for tests."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

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
from hotline.errors import CaseNotFoundError, HubDownError, IdentityRequiredError, NotFoundError


@dataclass(frozen=True)
class CaseRecord:
    """A case with what its applicant can prove."""

    case: Case
    name: str
    id_last4: str
    phone: str


class InMemoryDataHub:
    """``hotline.ports.DataHub`` over lists. ``available`` False makes every call HubDownError."""

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
