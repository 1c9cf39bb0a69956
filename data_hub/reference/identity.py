"""The identity check kept in the database: attempts and locks outlive a conversation and a restart."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from data_hub.identity_rules import (
    CaseGuard,
    Check,
    IdentityRules,
    digests,
    given_values,
    is_verified,
    take_proofs,
)
from data_hub.reference.store import CaseRow, Store, VerificationRow, epoch, moment
from hotline.cases import IdentityProof, Verification
from hotline.errors import CaseNotFoundError, IdentityRequiredError

_KEPT = timedelta(hours=1)  # how long a verification nobody touches stays in the table


def find_case(session: Session, reference: str) -> CaseRow:
    """By case number or query code. Raises CaseNotFoundError."""
    reference = reference.strip().upper()
    row = session.get(CaseRow, reference)
    if row is None:
        row = session.scalar(select(CaseRow).where(CaseRow.query_code == reference))
    if row is None:
        raise CaseNotFoundError
    return row


def verify(
    store: Store,
    reference: str,
    proof: IdentityProof,
    verification_id: str | None,
    now: datetime,
    rules: IdentityRules,
) -> Verification:
    """Takes proofs, compares when complete. Raises CaseNotFoundError."""
    with store.write() as session:
        case = find_case(session, reference)
        session.execute(delete(VerificationRow).where(VerificationRow.touched_at < (now - _KEPT).timestamp()))
        row = session.get(VerificationRow, _hash(verification_id)) if verification_id else None
        if verification_id is None or row is None or row.case_number != case.number:
            # Never carry proofs from one case over to another.
            verification_id = secrets.token_urlsafe(24)
            row = VerificationRow(
                id_hash=_hash(verification_id),
                case_number=case.number,
                proofs={},
                touched_at=now.timestamp(),
                verified_until=None,
            )
            session.add(row)
        check = _check(row, verification_id)
        guard = CaseGuard(case.failures, moment(case.locked_until))
        given = digests(given_values(proof), store.key, case.salt)
        answer = take_proofs(check, guard, dict(case.proofs), given, now, rules)
        case.failures, case.locked_until = guard.failures, epoch(guard.locked_until)
        row.proofs, row.touched_at = check.proofs, check.touched_at.timestamp()
        row.verified_until = epoch(check.verified_until)
        return answer


def require_verified(session: Session, case: CaseRow, verification_id: str | None, now: datetime) -> None:
    """Raises IdentityRequiredError where ``verification_id`` does not open this very case now."""
    row = session.get(VerificationRow, _hash(verification_id)) if verification_id else None
    if row is None or not is_verified(_check(row, ""), case.number, now):
        raise IdentityRequiredError


def _check(row: VerificationRow, verification_id: str) -> Check:
    return Check(
        verification_id=verification_id,
        case_number=row.case_number,
        touched_at=datetime.fromtimestamp(row.touched_at, UTC),
        proofs=dict(row.proofs),
        verified_until=moment(row.verified_until),
    )


def _hash(verification_id: str) -> str:
    return hashlib.sha256(verification_id.encode()).hexdigest()
