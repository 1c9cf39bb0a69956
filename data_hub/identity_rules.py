"""The identity check in front of a case, as plain state: no storage, no HTTP.

Name and the last four of the ID are both needed before anything is compared; a phone number,
when given, has to match as well. A failed comparison costs one attempt and forgets what was
given. The third locks the case, whoever asks. Values are compared as digests.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hotline.cases import IdentityProof, Verification, VerificationStatus

REQUIRED = ("name", "id_last4")
KINDS = (*REQUIRED, "phone")


@dataclass(frozen=True)
class IdentityRules:
    attempts: int = 3
    lock: timedelta = timedelta(minutes=30)
    valid: timedelta = timedelta(minutes=10)


@dataclass
class CaseGuard:
    """What stands in front of one case, over all conversations."""

    failures: int = 0
    locked_until: datetime | None = None


@dataclass
class Check:
    """One verification under way. ``proofs`` maps a kind to a digest."""

    verification_id: str
    case_number: str
    touched_at: datetime
    proofs: dict[str, str] = field(default_factory=dict)
    verified_until: datetime | None = None


def normalised(kind: str, value: str) -> str:
    """``value`` without what writing and hearing vary: width, spaces, the dot in a name."""
    text = "".join(unicodedata.normalize("NFKC", value).split()).upper()
    return "".join(c for c in text if c not in "·•・‧") if kind == "name" else text


def digests(values: dict[str, str], key: bytes, salt: str) -> dict[str, str]:
    """Keyed digests of ``values``, so that a stolen database alone does not give four digits away."""
    return {
        kind: hmac.new(key, f"{salt}|{kind}|{normalised(kind, value)}".encode(), hashlib.sha256).hexdigest()
        for kind, value in values.items()
        if normalised(kind, value)
    }


def given_values(proof: IdentityProof) -> dict[str, str]:
    return {kind: value for kind in KINDS if (value := getattr(proof, kind))}


def is_verified(check: Check, case_number: str, now: datetime) -> bool:
    return check.case_number == case_number and check.verified_until is not None and now < check.verified_until


def take_proofs(
    check: Check,
    guard: CaseGuard,
    expected: dict[str, str],
    given: dict[str, str],
    now: datetime,
    rules: IdentityRules,
) -> Verification:
    """Adds ``given`` digests to ``check``, compares when complete; changes ``check`` and ``guard``."""

    def answer(status: VerificationStatus, missing: list[str] | None = None) -> Verification:
        return Verification(
            verification_id=check.verification_id,
            status=status,
            missing=missing or [],
            attempts_left=0 if status is VerificationStatus.LOCKED else rules.attempts - guard.failures,
        )

    if guard.locked_until is not None:
        if now < guard.locked_until:
            check.proofs.clear()
            return answer(VerificationStatus.LOCKED)
        guard.failures, guard.locked_until = 0, None
    if is_verified(check, check.case_number, now):
        return answer(VerificationStatus.VERIFIED)
    if check.verified_until is not None or now - check.touched_at > rules.valid:
        check.proofs.clear()
        check.verified_until = None
    check.touched_at = now
    check.proofs.update(given)
    missing = [kind for kind in REQUIRED if kind not in check.proofs]
    if missing:
        return answer(VerificationStatus.NEEDS_MORE, missing)

    # Every proof is compared, in constant time: how long it takes tells nothing.
    matches = [hmac.compare_digest(digest, expected[kind]) for kind, digest in check.proofs.items()]
    check.proofs.clear()
    if all(matches):
        guard.failures = 0
        check.verified_until = now + rules.valid
        return answer(VerificationStatus.VERIFIED)
    guard.failures += 1
    if guard.failures >= rules.attempts:
        guard.locked_until = now + rules.lock
        return answer(VerificationStatus.LOCKED)
    return answer(VerificationStatus.FAILED, list(REQUIRED))
