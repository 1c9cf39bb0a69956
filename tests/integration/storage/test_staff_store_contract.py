"""One contract, both staff stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres_server import STORES, url_of

from hotline.errors import AccountExistsError, NotFoundError
from hotline.staff import Role
from storage.engine import make_engine
from storage.runner import make_runner
from storage.staff import Account, AccountChange, StaffSession, StaffStore
from storage.staff_memory import MemoryStaffStore
from storage.staff_sql import SqlStaffStore

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
IDLE, WINDOW = timedelta(minutes=30), timedelta(minutes=15)


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StaffStore]:
    if request.param == "memory":
        yield MemoryStaffStore()
        return
    runner = make_runner(make_engine(await url_of(request, tmp_path)))
    yield SqlStaffStore(runner)
    await runner.close()


def person(name: str = "li", **more: object) -> Account:
    fields = {"username": name, "display_name": "李", "roles": (Role.AGENT,), "password_hash": "h", "created_at": T0}
    return Account.model_validate({**fields, **more})


def session(token: str = "a", name: str = "li", generation: int = 1, at: datetime = T0) -> StaffSession:
    return StaffSession(
        token_hash=token * 64,
        username=name,
        generation=generation,
        created_at=at,
        last_seen_at=at,
        expires_at=at + timedelta(hours=12),
    )


async def test_an_account_is_kept_once(store: StaffStore) -> None:
    await store.add_account(person())
    with pytest.raises(AccountExistsError):
        await store.add_account(person(display_name="别人"))
    assert await store.account("li") == person()
    assert await store.account("wang") is None


async def test_an_identity_of_the_districts_sign_on_belongs_to_one_account(store: StaffStore) -> None:
    await store.add_account(person("li@sso", issuer="https://sso", identity="42", password_hash=None))
    with pytest.raises(AccountExistsError):
        await store.add_account(person("wang@sso", issuer="https://sso", identity="42"))
    await store.add_account(person("wang@sso", issuer="https://other", identity="42"))
    await store.add_account(person("zhao"))
    await store.add_account(person("zhou"))  # none of ours has an identity elsewhere
    found = await store.account_of("https://sso", "42")
    assert found is not None
    assert found.username == "li@sso"
    assert await store.account_of("https://sso", "43") is None
    assert [a.username for a in await store.accounts()] == ["li@sso", "wang@sso", "zhao", "zhou"]


async def test_a_new_password_and_disabling_end_sessions_and_nothing_else_does(store: StaffStore) -> None:
    await store.add_account(person())
    await store.open_session(session())

    async def holds() -> bool:
        found = await store.session("a" * 64)
        assert found is not None
        return found[0].holds(found[1], T0, IDLE)

    await store.change_account("li", AccountChange(roles=(Role.MANAGER,), display_name="李华"))
    await store.change_account("li", AccountChange(password_hash="same", same_password=True))
    assert await holds()
    changed = await store.change_account("li", AccountChange(password_hash="new"))
    assert (changed.roles, changed.display_name, changed.generation) == ((Role.MANAGER,), "李华", 2)
    assert not await holds()
    await store.open_session(session("b", generation=2))
    await store.change_account("li", AccountChange(disabled=True))
    await store.change_account("li", AccountChange(disabled=False))
    found = await store.session("b" * 64)
    assert found is not None
    assert not found[0].holds(found[1], T0, IDLE)
    with pytest.raises(NotFoundError):
        await store.change_account("nobody", AccountChange(disabled=True))


async def test_a_session_is_over_when_idle_expired_or_ended(store: StaffStore) -> None:
    await store.add_account(person())
    await store.open_session(session())
    await store.touch_session("a" * 64, T0 + timedelta(minutes=20))
    await store.touch_session("a" * 64, T0 + timedelta(minutes=10))  # a late one sets nothing back
    found = await store.session("a" * 64)
    assert found is not None
    assert found[0].holds(found[1], T0 + timedelta(minutes=49), IDLE)
    assert not found[0].holds(found[1], T0 + timedelta(minutes=50), IDLE)
    assert not found[0].holds(found[1], T0 + timedelta(hours=12), timedelta(days=9))
    assert await store.end_session("a" * 64) is True
    assert await store.end_session("a" * 64) is False
    assert await store.session("a" * 64) is None


async def test_sessions_long_over_are_cleared_away(store: StaffStore) -> None:
    await store.add_account(person())
    await store.open_session(session())
    await store.open_session(session("b", at=T0 + timedelta(hours=13)))
    assert await store.session("a" * 64) is None
    assert await store.session("b" * 64) is not None


async def test_the_limit_locks_and_time_unlocks(store: StaffStore) -> None:
    for minute in range(3):
        attempts, refused = await store.attempt({"account:x": 3}, WINDOW, T0 + timedelta(minutes=minute))
        assert refused is None
    until = T0 + timedelta(minutes=17)
    assert attempts["account:x"].locked_until == until
    attempts, refused = await store.attempt({"account:x": 3}, WINDOW, T0 + timedelta(minutes=10))
    assert (refused, attempts["account:x"].locked_until) == ("account:x", until)
    attempts, refused = await store.attempt({"account:x": 3}, WINDOW, until)
    assert (refused, attempts["account:x"].failures) == (None, 1)


async def test_an_attempt_that_one_subject_refuses_is_counted_against_no_other(store: StaffStore) -> None:
    await store.attempt({"account:x": 1}, WINDOW, T0)
    _, refused = await store.attempt({"address:1": 2, "account:x": 1}, WINDOW, T0)
    assert refused == "account:x"
    attempts, refused = await store.attempt({"address:1": 2}, WINDOW, T0)
    assert (refused, attempts["address:1"].failures) == (None, 1)


async def test_success_takes_back_its_count_and_the_lock_it_set(store: StaffStore) -> None:
    await store.attempt({"s": 2}, WINDOW, T0)
    await store.attempt({"s": 2}, WINDOW, T0)
    await store.forgive("s", wholly=False)
    attempts, refused = await store.attempt({"s": 2}, WINDOW, T0)
    assert (refused, attempts["s"].failures) == (None, 2)
    await store.forgive("s", wholly=True)
    attempts, _ = await store.attempt({"s": 2}, WINDOW, T0)
    assert attempts["s"].failures == 1
    await store.forgive("never counted", wholly=False)


async def test_fifty_attempts_at_once_are_taken_five_times(store: StaffStore) -> None:
    answers = await asyncio.gather(*(store.attempt({"s": 5}, WINDOW, T0) for _ in range(50)))
    assert sum(refused is None for _, refused in answers) == 5
