"""Accounts, sessions and failed sign-ins: what is kept of the line's own people, and its ports.

Three small protocols, implemented by :class:`storage.staff_sql.SqlStaffStore` and
:class:`storage.staff_memory.MemoryStaffStore`; one contract test runs against both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict

from hotline.staff import Principal, Role


class Account(BaseModel):
    """``issuer`` and ``identity`` (OIDC ``iss`` and ``sub``) where a district's own sign-on knows the person.

    ``generation`` rises when the password changes or the account is disabled: sessions of an
    older generation are over.
    """

    model_config = ConfigDict(frozen=True)

    username: str
    display_name: str
    roles: tuple[Role, ...]
    password_hash: str | None = None
    issuer: str | None = None
    identity: str | None = None
    disabled: bool = False
    generation: int = 1
    created_at: AwareDatetime

    @property
    def principal(self) -> Principal:
        return Principal(username=self.username, display_name=self.display_name, roles=self.roles)


class AccountChange(BaseModel):
    """What to set; None leaves as it is."""

    model_config = ConfigDict(frozen=True)

    display_name: str | None = None
    roles: tuple[Role, ...] | None = None
    password_hash: str | None = None
    disabled: bool | None = None
    same_password: bool = False  # hashed anew, with today's settings

    @property
    def ends_sessions(self) -> bool:
        return (self.password_hash is not None and not self.same_password) or self.disabled is True

    def applied(self, account: Account) -> Account:
        update: dict[str, Any] = self.model_dump(exclude_none=True, exclude={"same_password"})
        if self.ends_sessions:
            update["generation"] = account.generation + 1
        return account.model_copy(update=update)


class StaffSession(BaseModel):
    """Only the token's hash is kept. Over at ``expires_at``, or when idle too long since ``last_seen_at``."""

    model_config = ConfigDict(frozen=True)

    token_hash: str
    username: str
    generation: int
    created_at: AwareDatetime
    last_seen_at: AwareDatetime
    expires_at: AwareDatetime

    def holds(self, account: Account, now: datetime, idle: timedelta) -> bool:
        return (
            not account.disabled
            and self.generation == account.generation
            and now < self.expires_at
            and now < self.last_seen_at + idle
        )


class Attempt(BaseModel):
    """Failures counted against one subject. ``locked_until``: no more attempts before."""

    model_config = ConfigDict(frozen=True)

    failures: int
    since: AwareDatetime
    locked_until: AwareDatetime | None = None


def counted(before: Attempt | None, limit: int, window: timedelta, now: datetime) -> tuple[Attempt, bool]:
    """The count with one more attempt, and whether that attempt may be taken.

    Counted, and at the limit locked, before the password is looked at: a hundred at once get no
    more tries than one after another. Success takes its count back (:meth:`AttemptStore.forgive`).
    """
    if before and before.locked_until and now < before.locked_until:
        return before, False
    if before is None or before.locked_until or now >= before.since + window:
        before = Attempt(failures=0, since=now)
    failures = before.failures + 1
    lock = now + window if failures >= limit else None
    return Attempt(failures=failures, since=before.since, locked_until=lock), True


def forgiven(attempt: Attempt) -> Attempt:
    """One count, and the lock it may have set, taken back."""
    return attempt.model_copy(update={"failures": max(0, attempt.failures - 1), "locked_until": None})


class AccountStore(Protocol):
    async def add_account(self, account: Account) -> None:
        """Raises AccountExistsError: the name, or the identity, is taken."""
        ...

    async def account(self, username: str) -> Account | None: ...

    async def account_of(self, issuer: str, identity: str) -> Account | None: ...

    async def accounts(self) -> list[Account]:
        """All, by name."""
        ...

    async def change_account(self, username: str, change: AccountChange) -> Account:
        """Raises NotFoundError."""
        ...


class SessionStore(Protocol):
    async def open_session(self, session: StaffSession) -> None:
        """Also clears away sessions long over."""
        ...

    async def session(self, token_hash: str) -> tuple[StaffSession, Account] | None:
        """As stored, whether or not it still holds."""
        ...

    async def touch_session(self, token_hash: str, at: datetime) -> None: ...

    async def end_session(self, token_hash: str) -> bool:
        """False where there was none."""
        ...


class AttemptStore(Protocol):
    async def attempt(
        self, limits: Mapping[str, int], window: timedelta, now: datetime
    ) -> tuple[dict[str, Attempt], str | None]:
        """Counts one attempt against each subject, all or none. The second value names the subject
        that refuses it (:func:`counted`)."""
        ...

    async def forgive(self, subject: str, wholly: bool) -> None:
        """Takes one count back, or all."""
        ...


class StaffStore(AccountStore, SessionStore, AttemptStore, Protocol):
    """All of it."""
