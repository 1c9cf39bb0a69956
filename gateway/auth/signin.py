"""Signing in and out, sessions, lock-out, and keeping the accounts.

What changes something is written to the audit log first: without the entry there is no change.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import itertools
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.auth.oidc import Identity
from gateway.auth.passwords import Passwords, checked_password
from hotline.errors import (
    AccountDisabledError,
    BadInputError,
    NotFoundError,
    SignInFailedError,
    SignInLockedError,
    SignInRequiredError,
    WrongPasswordError,
)
from hotline.ports import AuditLog
from hotline.settings import Settings
from hotline.staff import Principal, checked_username, known_roles
from storage.rules import hash_token
from storage.staff import Account, AccountChange, StaffSession, StaffStore

_SEEN_EVERY = timedelta(minutes=1)
_HERE = ZoneInfo("Asia/Shanghai")
_LONGEST_TRIED = 1024  # characters of a password that are looked at
SYSTEM = "system"


@dataclass(frozen=True)
class SignedIn:
    """A new session. ``token`` is told once; only its hash is kept."""

    token: str
    principal: Principal
    expires_at: datetime


@dataclass(eq=False)
class Watch:
    """Told when a session ends in this process."""

    on_end: Callable[[], None]
    username: str
    token_hash: str


class SignIn:
    """``now`` gives aware times; tests hand in their own."""

    def __init__(
        self,
        store: StaffStore,
        audit: AuditLog,
        settings: Settings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._audit = audit
        self._now = now
        self._passwords = Passwords(settings.argon2_time_cost, settings.argon2_memory_kib)
        self._idle = timedelta(minutes=settings.session_idle_minutes)
        self._longest = timedelta(hours=settings.session_hours)
        self._tries = settings.sign_in_tries
        self._tries_per_address = settings.sign_in_tries_per_address
        self._lock = timedelta(minutes=settings.sign_in_lock_minutes)
        self._watches: set[Watch] = set()

    async def close(self) -> None:
        await self._passwords.close()

    # ── signing in ───────────────────────────────────────────────────────────────────────

    async def sign_in(self, username: str, password: str, address: str) -> SignedIn:
        """A session for whoever knows the password.

        Raises:
            SignInFailedError: wrong name or password, or a disabled account: the answer and the
                time it takes are the same.
            SignInLockedError: too many failures, of this account or from this address.
        """
        name = username.strip().lower()
        account = await self._store.account(name)
        locks = await self._count_attempt(name, address)
        usable = account if account and not account.disabled else None
        right = await self._passwords.verify(usable.password_hash if usable else None, password[:_LONGEST_TRIED])
        if not right or usable is None or usable.password_hash is None:
            await self._failed("sign_in_failed", account, address, locks)
            raise SignInFailedError
        if self._passwords.is_weaker_than_now(usable.password_hash):
            change = AccountChange(password_hash=await self._passwords.hash(password), same_password=True)
            usable = await self._store.change_account(usable.username, change)
        await self._store.forgive(_account_subject(name), wholly=True)
        await self._store.forgive(_address_subject(address), wholly=False)
        return await self.open_session(usable, address, "password")

    async def sign_on(self, identity: Identity, address: str) -> SignedIn:
        """A session for whom the district's own sign-on knows; an account at the first time.

        Roles and the shown name are the provider's, each time anew. Raises AccountDisabledError.
        """
        account = await self._store.account_of(identity.issuer, identity.subject)
        shown = _display_name(identity.display_name)
        if account is None:
            name = await self._free_name(identity.name)
            account = Account(
                username=name,
                display_name=shown or name,
                roles=identity.roles,
                issuer=identity.issuer,
                identity=identity.subject,
                created_at=self._now(),
            )
            told = {"roles": list(identity.roles), "issuer": identity.issuer}
            await self._audit.record(SYSTEM, "account_added", f"account:{name}", told)
            await self._store.add_account(account)
        if account.disabled:
            await self._audit.record(account.username, "sign_in_failed", f"account:{account.username}", _from(address))
            raise AccountDisabledError
        if account.roles != identity.roles or (shown and account.display_name != shown):
            change = AccountChange(roles=identity.roles, display_name=shown or None)
            told = change.model_dump(mode="json", exclude_none=True, include={"roles"})
            await self._audit.record(SYSTEM, "account_changed", f"account:{account.username}", told)
            account = await self._changed(account.username, change)
        return await self.open_session(account, address, "oidc")

    async def _free_name(self, wanted: str) -> str:
        plain = re.sub(r"[^a-z0-9._-]", "", wanted.lower())[:24]
        if not re.match(r"[a-z][a-z0-9._-]", plain):  # a number, say: names of ours are no numbers
            plain = "u" + hashlib.sha256(wanted.encode()).hexdigest()[:12]
        for number in itertools.count(1):
            name = f"{plain}{'' if number == 1 else f'.{number}'}@sso"
            if await self._store.account(name) is None:
                return name
        raise AssertionError("counting ended")

    async def open_session(self, account: Account, address: str, by: str) -> SignedIn:
        await self._audit.record(
            account.username, "signed_in", f"account:{account.username}", {**_from(address), "by": by}
        )
        token, now = secrets.token_urlsafe(32), self._now()
        session = StaffSession(
            token_hash=hash_token(token),
            username=account.username,
            generation=account.generation,
            created_at=now,
            last_seen_at=now,
            expires_at=now + self._longest,
        )
        await self._store.open_session(session)
        return SignedIn(token, account.principal, session.expires_at)

    async def _count_attempt(self, name: str, address: str) -> dict[str, datetime]:
        """The locks that stand if this attempt fails. Raises SignInLockedError."""
        limits = {_account_subject(name): self._tries, _address_subject(address): self._tries_per_address}
        attempts, refused = await self._store.attempt(limits, self._lock, self._now())
        locks = {subject: a.locked_until for subject, a in attempts.items() if a.locked_until}
        if refused is not None:
            raise self._locked(refused, locks[refused])
        return locks

    async def _failed(self, action: str, account: Account | None, address: str, locks: dict[str, datetime]) -> None:
        """Records it. Raises SignInLockedError where this failure was one too many."""
        # A name that is not ours may be a password typed into the wrong field: it is not kept.
        name = account.username if account else "unknown"
        await self._audit.record(name, action, f"account:{name}", _from(address))
        for subject, until in locks.items():
            locked = f"account:{name}" if subject.startswith("account:") else subject
            await self._audit.record(SYSTEM, "sign_in_locked", locked, {**_from(address), "until": until.isoformat()})
        for subject, until in locks.items():
            raise self._locked(subject, until)

    def _locked(self, subject: str, until: datetime) -> SignInLockedError:
        what = "这个账号" if subject.startswith("account:") else "您所在的网络地址"
        clock = until.astimezone(_HERE).strftime("%H:%M")
        return SignInLockedError(
            f"密码连续输错太多次，{what}暂时锁定，请在 {clock} 之后再试；着急的话请系统管理员重置密码。",
            retry_after_s=max(1, int((until - self._now()).total_seconds()) + 1),
        )

    # ── staying signed in ────────────────────────────────────────────────────────────────

    async def principal(self, token: str | None, active: bool = True) -> Principal:
        """Who holds ``token``. ``active`` false: a look that is no activity of the person's.

        Raises:
            SignInRequiredError: no such session, or it is over.
        """
        found = await self._store.session(hash_token(token)) if token else None
        now = self._now()
        if found is None or not found[0].holds(found[1], now, self._idle):
            raise SignInRequiredError
        session, account = found
        if active and now - session.last_seen_at >= _SEEN_EVERY:
            await self._store.touch_session(session.token_hash, now)
        return account.principal

    async def sign_out(self, token: str) -> None:
        """Raises SignInRequiredError."""
        principal = await self.principal(token)
        await self._audit.record(principal.username, "signed_out", f"account:{principal.username}")
        await self._store.end_session(hash_token(token))
        self._tell_ended(lambda watch: watch.token_hash == hash_token(token))

    async def change_password(self, token: str, old: str, new: str, address: str) -> SignedIn:
        """Ends every session of the account and opens a new one for whoever changed it.

        Raises:
            WrongPasswordError: the old password is wrong; it counts as a failed sign-in.
            BadInputError: the new one may not be used, or the account has no password of ours.
        """
        principal = await self.principal(token)
        account = await self._known(principal.username)
        if account.password_hash is None:
            raise BadInputError("您用的是统一认证的账号，请到统一认证那边改密码。")
        locks = await self._count_attempt(account.username, address)
        if not await self._passwords.verify(account.password_hash, old[:_LONGEST_TRIED]):
            await self._failed("password_change_failed", account, address, locks)
            raise WrongPasswordError
        await self._store.forgive(_account_subject(account.username), wholly=True)
        await self._store.forgive(_address_subject(address), wholly=False)
        if old == new:
            raise BadInputError("新密码和原来的一样，请换一个。")
        hashed = await self._passwords.hash(checked_password(new, account.username))
        await self._audit.record(account.username, "password_changed", f"account:{account.username}", _from(address))
        account = await self._changed(account.username, AccountChange(password_hash=hashed))
        return await self.open_session(account, address, "password_change")

    def csrf_token(self, token: str) -> str:
        """What a page must send back in ``X-CSRF-Token`` with a change asked for by cookie."""
        return hmac.new(token.encode(), b"hotline-csrf", hashlib.sha256).hexdigest()

    @contextmanager
    def watch(self, token: str, principal: Principal, on_end: Callable[[], None]) -> Iterator[None]:
        """Calls ``on_end`` when the session, or all of its account's, is ended in this process."""
        watch = Watch(on_end, principal.username, hash_token(token))
        self._watches.add(watch)
        try:
            yield
        finally:
            self._watches.discard(watch)

    # ── keeping the accounts ─────────────────────────────────────────────────────────────

    async def accounts(self) -> list[Account]:
        return await self._store.accounts()

    async def add_account(
        self, actor: str, username: str, roles: Iterable[str], password: str, display_name: str = ""
    ) -> Account:
        """Raises BadInputError, AccountExistsError."""
        name = checked_username(username)
        if name.endswith("@sso"):
            raise BadInputError("@sso 结尾的用户名留给统一认证的账号。")
        granted = known_roles(roles)
        hashed = await self._passwords.hash(checked_password(password, name))
        account = Account(
            username=name,
            display_name=_display_name(display_name) or name,
            roles=granted,
            password_hash=hashed,
            created_at=self._now(),
        )
        if await self._store.account(name) is None:  # a name that is taken changes nothing: no entry
            await self._audit.record(actor, "account_added", f"account:{name}", {"roles": list(granted)})
        await self._store.add_account(account)
        return account

    async def change_account(
        self,
        actor: str,
        username: str,
        *,
        roles: Iterable[str] | None = None,
        disabled: bool | None = None,
        password: str | None = None,
        display_name: str | None = None,
    ) -> Account:
        """Raises NotFoundError, BadInputError."""
        account = await self._known(username)
        if password is not None and account.issuer is not None:
            raise BadInputError("这是统一认证的账号，密码在统一认证那边改。")
        if actor == account.username and (disabled or roles is not None):
            raise BadInputError("不能停用自己，也不能改自己的角色，请另一位系统管理员来做。")
        change = AccountChange(
            roles=known_roles(roles) if roles is not None else None,
            disabled=disabled,
            display_name=(_display_name(display_name) or account.username) if display_name is not None else None,
            password_hash=(
                await self._passwords.hash(checked_password(password, account.username))
                if password is not None
                else None
            ),
        )
        told = change.model_dump(mode="json", exclude_none=True, exclude={"password_hash"})
        if password is not None:
            told["reset"] = "password"
        await self._audit.record(actor, "account_changed", f"account:{account.username}", told)
        if password is not None or disabled is False:
            await self._store.forgive(_account_subject(account.username), wholly=True)
        return await self._changed(account.username, change)

    async def _changed(self, username: str, change: AccountChange) -> Account:
        account = await self._store.change_account(username, change)
        if change.ends_sessions or change.roles is not None:
            self._tell_ended(lambda watch: watch.username == username)
        return account

    async def _known(self, username: str) -> Account:
        account = await self._store.account(username.strip().lower())
        if account is None:
            raise NotFoundError("没有这个账号，请核对用户名。")
        return account

    def _tell_ended(self, concerned: Callable[[Watch], bool]) -> None:
        for watch in [w for w in self._watches if concerned(w)]:
            watch.on_end()


def _display_name(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).strip()[:32]


def _from(address: str) -> dict[str, str]:
    return {"address": address}


def _account_subject(name: str) -> str:
    # Hashed: what was typed may be anything, also a password in the wrong field.
    return "account:" + hashlib.sha256(name.encode(errors="replace")).hexdigest()[:32]


def _address_subject(address: str) -> str:
    """An IPv6 host has a whole /64 to itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "address:" + address[:64]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return "address:" + str(ipaddress.ip_network((parsed, 64), strict=False))
    return "address:" + str(parsed)
