"""Accounts, sessions and failed sign-ins in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hotline.errors import AccountExistsError, NotFoundError
from storage.staff import Account, AccountChange, Attempt, StaffSession, counted, forgiven


class MemoryStaffStore:
    """Implements :class:`storage.staff.StaffStore`. Gone with the process."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[str, StaffSession] = {}
        self._attempts: dict[str, Attempt] = {}

    async def add_account(self, account: Account) -> None:
        taken = account.issuer is not None and await self.account_of(account.issuer, account.identity or "")
        if taken or account.username in self._accounts:
            raise AccountExistsError
        self._accounts[account.username] = account

    async def account(self, username: str) -> Account | None:
        return self._accounts.get(username)

    async def account_of(self, issuer: str, identity: str) -> Account | None:
        mine = (issuer, identity)
        return next((a for a in self._accounts.values() if (a.issuer, a.identity) == mine), None)

    async def accounts(self) -> list[Account]:
        return [self._accounts[name] for name in sorted(self._accounts)]

    async def change_account(self, username: str, change: AccountChange) -> Account:
        if username not in self._accounts:
            raise NotFoundError("没有这个账号，请核对用户名。")
        account = change.applied(self._accounts[username])
        self._accounts[username] = account
        return account

    async def open_session(self, session: StaffSession) -> None:
        self._sessions = {k: s for k, s in self._sessions.items() if s.expires_at >= session.created_at}
        self._sessions[session.token_hash] = session

    async def session(self, token_hash: str) -> tuple[StaffSession, Account] | None:
        session = self._sessions.get(token_hash)
        return None if session is None else (session, self._accounts[session.username])

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        session = self._sessions.get(token_hash)
        if session is not None and session.last_seen_at < at:
            self._sessions[token_hash] = session.model_copy(update={"last_seen_at": at})

    async def end_session(self, token_hash: str) -> bool:
        return self._sessions.pop(token_hash, None) is not None

    async def attempt(
        self, limits: Mapping[str, int], window: timedelta, now: datetime
    ) -> tuple[dict[str, Attempt], str | None]:
        after = {s: counted(self._attempts.get(s), limit, window, now) for s, limit in limits.items()}
        refused = next((subject for subject, (_, taken) in after.items() if not taken), None)
        told = {s: a for s, (a, _) in after.items() if refused in (None, s)}
        fresh = {s: a for s, a in self._attempts.items() if s in limits or a.since >= now - 2 * window}
        self._attempts = {**fresh, **told}
        return told, refused

    async def forgive(self, subject: str, wholly: bool) -> None:
        attempt = self._attempts.pop(subject, None)
        if attempt is not None and not wholly:
            self._attempts[subject] = forgiven(attempt)
