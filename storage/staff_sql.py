"""Accounts, sessions and failed sign-ins on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from hotline.errors import AccountExistsError, NotFoundError
from storage.runner import Runner
from storage.staff import Account, AccountChange, Attempt, StaffSession, counted, forgiven
from storage.tables import accounts as A
from storage.tables import sign_in_failures as F
from storage.tables import staff_sessions as S

_ATTEMPTS_LOCK = 0x5369676E496E  # "SignIn"


class SqlStaffStore:
    """Implements :class:`storage.staff.StaffStore`. The runner is the conversation store's."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    # ── AccountStore ─────────────────────────────────────────────────────────────────────

    async def add_account(self, account: Account) -> None:
        try:
            await self._runner.run(lambda c: c.execute(sa.insert(A), _values(account)), readonly=False)
        except IntegrityError as error:
            raise AccountExistsError from error

    async def account(self, username: str) -> Account | None:
        return await self._one(A.c.username == username)

    async def account_of(self, issuer: str, identity: str) -> Account | None:
        return await self._one(A.c.issuer == issuer, A.c.identity == identity)

    async def accounts(self) -> list[Account]:
        query = sa.select(A).order_by(A.c.username)
        rows = await self._runner.run(lambda c: c.execute(query).all(), readonly=True)
        return [_account(row) for row in rows]

    async def change_account(self, username: str, change: AccountChange) -> Account:
        def work(connection: sa.Connection) -> Account:
            row = connection.execute(sa.select(A).where(A.c.username == username).with_for_update()).one_or_none()
            if row is None:
                raise NotFoundError("没有这个账号，请核对用户名。")
            account = change.applied(_account(row))
            connection.execute(sa.update(A).where(A.c.username == username), _values(account))
            return account

        return await self._runner.run(work, readonly=False)

    async def _one(self, *conditions: sa.ColumnElement[bool]) -> Account | None:
        query = sa.select(A).where(*conditions)
        row = await self._runner.run(lambda c: c.execute(query).one_or_none(), readonly=True)
        return None if row is None else _account(row)

    # ── SessionStore ─────────────────────────────────────────────────────────────────────

    async def open_session(self, session: StaffSession) -> None:
        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(S).where(S.c.expires_at < session.created_at))
            connection.execute(sa.insert(S), session.model_dump())

        await self._runner.run(work, readonly=False)

    async def session(self, token_hash: str) -> tuple[StaffSession, Account] | None:
        sessions = sa.select(S).where(S.c.token_hash == token_hash)

        def work(connection: sa.Connection) -> tuple[StaffSession, Account] | None:
            row = connection.execute(sessions).one_or_none()
            if row is None:
                return None
            owner = connection.execute(sa.select(A).where(A.c.username == row.username)).one()
            return StaffSession.model_validate(dict(row._mapping)), _account(owner)

        return await self._runner.run(work, readonly=True)

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        update = sa.update(S).where(S.c.token_hash == token_hash, S.c.last_seen_at < at).values(last_seen_at=at)
        await self._runner.run(lambda c: c.execute(update), readonly=False)

    async def end_session(self, token_hash: str) -> bool:
        statement = sa.delete(S).where(S.c.token_hash == token_hash)
        return await self._runner.run(lambda c: bool(c.execute(statement).rowcount), readonly=False)

    # ── AttemptStore ─────────────────────────────────────────────────────────────────────

    async def attempt(
        self, limits: Mapping[str, int], window: timedelta, now: datetime
    ) -> tuple[dict[str, Attempt], str | None]:
        def work(connection: sa.Connection) -> tuple[dict[str, Attempt], str | None]:
            if connection.dialect.name == "postgresql":  # a row that is not there yet cannot be locked
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ATTEMPTS_LOCK})
            query = sa.select(F).where(F.c.subject.in_(list(limits))).with_for_update()
            known = {row.subject: _attempt(row) for row in connection.execute(query)}
            after = {subject: counted(known.get(subject), limit, window, now) for subject, limit in limits.items()}
            refused = next((subject for subject, (_, taken) in after.items() if not taken), None)
            told = {s: a for s, (a, _) in after.items() if refused in (None, s)}
            for subject, attempt in told.items():
                if subject in known:
                    connection.execute(sa.update(F).where(F.c.subject == subject), attempt.model_dump())
                else:
                    connection.execute(sa.insert(F), {"subject": subject, **attempt.model_dump()})
            connection.execute(sa.delete(F).where(F.c.since < now - 2 * window, F.c.subject.not_in(list(limits))))
            return told, refused

        return await self._runner.run(work, readonly=False)

    async def forgive(self, subject: str, wholly: bool) -> None:
        here = F.c.subject == subject

        def work(connection: sa.Connection) -> None:
            row = connection.execute(sa.select(F).where(here).with_for_update()).one_or_none()
            if wholly or row is None:
                connection.execute(sa.delete(F).where(here))
            else:
                connection.execute(sa.update(F).where(here), forgiven(_attempt(row)).model_dump())

        await self._runner.run(work, readonly=False)


def _account(row: sa.Row[Any]) -> Account:
    return Account.model_validate(dict(row._mapping))


def _values(account: Account) -> dict[str, Any]:
    return {**account.model_dump(), "roles": [role.value for role in account.roles]}


def _attempt(row: sa.Row[Any]) -> Attempt:
    return Attempt(failures=row.failures, since=row.since, locked_until=row.locked_until)
