"""Signing in over real HTTP: sessions, cookies, CSRF, lock-out, revocation, roles."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, WebSocket
from running_gateway import PASSWORD, Gateway, frame
from websockets.exceptions import ConnectionClosed

from gateway.auth.guard import require_role, signed_in_socket
from hotline.staff import Principal

pytestmark = pytest.mark.asyncio(loop_scope="module")
LOGIN = "/api/v1/auth/login"
ME = "/api/v1/auth/me"
OTHER = "Another-Pass-9"


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _nobody_is_locked(running: Gateway) -> None:
    """All tests come from one address."""
    await running.services.sign_in._store.forgive("address:127.0.0.1", wholly=True)


async def account(gateway: Gateway, name: str, *roles: str) -> str:
    await gateway.services.sign_in.add_account("system", name, roles or ("agent",), PASSWORD)
    return name


async def sign_in(gateway: Gateway, name: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
    gateway.http.cookies.clear()
    return await gateway.http.post(LOGIN, json={"username": name, "password": password}, **more)


@contextmanager
def later(gateway: Gateway, **time: float) -> Iterator[None]:
    """The sign-in service's clock, set forward."""
    service = gateway.services.sign_in
    now = service._now
    service._now = lambda: now() + timedelta(**time)
    try:
        yield
    finally:
        service._now = now


async def audited(gateway: Gateway, action: str) -> list[Any]:
    return [entry for entry in await gateway.services.audit.entries(0, 10_000) if entry.action == action]


async def test_signing_in_gives_a_token_a_cookie_and_the_roles(gateway: Gateway) -> None:
    await account(gateway, "li.hua", "agent", "manager")
    answer = await sign_in(gateway, "Li.Hua")
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["agent", "manager"]
    cookies = {line.split("=")[0]: line.lower() for line in answer.headers.get_list("set-cookie")}
    assert "httponly" in cookies["hotline_session"]
    assert "samesite=strict" in cookies["hotline_session"]
    assert "secure" not in cookies["hotline_session"], "this test speaks http"
    assert "httponly" not in cookies["hotline_csrf"]
    by_cookie = await gateway.http.get(ME)
    assert by_cookie.json()["username"] == "li.hua"
    gateway.http.cookies.clear()
    bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await gateway.http.get(ME, headers=bearer)).json()["role_names"] == ["坐席", "管理人员"]
    assert (await gateway.http.get(ME)).json()["code"] == "sign_in_required"


async def test_the_cookie_is_secure_where_the_line_is_reached_by_https(gateway: Gateway) -> None:
    await account(gateway, "sec")
    answer = await sign_in(gateway, "sec", headers={"X-Forwarded-Proto": "https"})
    assert all("secure" in line.lower() for line in answer.headers.get_list("set-cookie"))


async def test_a_wrong_password_an_unknown_name_and_a_disabled_account_get_the_same_answer(gateway: Gateway) -> None:
    await account(gateway, "wang")
    await account(gateway, "gone")
    await gateway.services.sign_in.change_account("system", "gone", disabled=True)
    wrong = await sign_in(gateway, "wang", "not-the-password")
    unknown = await sign_in(gateway, "nobody-here")
    disabled = await sign_in(gateway, "gone")
    assert wrong.status_code == unknown.status_code == disabled.status_code == 401
    assert wrong.json() == unknown.json() == disabled.json()
    assert wrong.json()["code"] == "sign_in_failed"


async def test_an_unknown_name_costs_as_many_hashes_as_a_known_one(gateway: Gateway) -> None:
    passwords, hashes = gateway.services.sign_in._passwords, []
    await account(gateway, "known")
    await sign_in(gateway, "never-was")  # makes nobody's hash, once
    passwords._matches, real = lambda stored, given: hashes.append(given) or real(stored, given), passwords._matches
    try:
        await sign_in(gateway, "known", "wrong-1")
        await sign_in(gateway, "never-was", "wrong-2")
    finally:
        passwords._matches = real
    assert hashes == ["wrong-1", "wrong-2"]


async def test_five_failures_lock_the_account_and_say_until_when(gateway: Gateway) -> None:
    await account(gateway, "lock.me")
    answers = [await sign_in(gateway, "lock.me", f"wrong-{n}") for n in range(5)]
    assert [a.status_code for a in answers] == [401, 401, 401, 401, 429]
    locked = await sign_in(gateway, "lock.me")
    assert locked.json()["code"] == "sign_in_locked"
    assert "请在" in locked.json()["detail"]
    assert 0 < int(locked.headers["retry-after"]) <= 15 * 60 + 1
    assert len([e for e in await audited(gateway, "sign_in_locked") if e.subject == "account:lock.me"]) == 1
    with later(gateway, minutes=16):
        assert (await sign_in(gateway, "lock.me")).status_code == 200


async def test_failures_long_ago_and_failures_before_a_success_do_not_count(gateway: Gateway) -> None:
    await account(gateway, "slow")
    for _ in range(4):
        await sign_in(gateway, "slow", "wrong")
    assert (await sign_in(gateway, "slow")).status_code == 200
    for _ in range(4):
        await sign_in(gateway, "slow", "wrong")
    with later(gateway, minutes=16):
        assert (await sign_in(gateway, "slow", "wrong")).status_code == 401


async def test_thirty_guesses_at_once_get_no_more_tries_than_five(gateway: Gateway) -> None:
    await account(gateway, "rush")
    answers = await asyncio.gather(*(sign_in(gateway, "rush", f"guess-{n}") for n in range(30)))
    assert sum(a.status_code == 401 for a in answers) <= 4
    assert len([e for e in await audited(gateway, "sign_in_failed") if e.actor == "rush"]) == 5


async def test_an_address_that_fails_for_many_names_is_locked_and_others_are_not(gateway: Gateway) -> None:
    there = {"X-Forwarded-For": "203.0.113.9"}
    for n in range(19):
        assert (await sign_in(gateway, f"name{n}", "wrong", headers=there)).status_code == 401
    assert (await sign_in(gateway, "name19", "wrong", headers=there)).status_code == 429
    await account(gateway, "bystander")
    locked = await sign_in(gateway, "bystander", headers=there)
    assert "网络地址" in locked.json()["detail"]
    assert (await sign_in(gateway, "bystander")).status_code == 200


async def test_resetting_the_password_unlocks(gateway: Gateway) -> None:
    await account(gateway, "reset.me")
    for _ in range(6):
        await sign_in(gateway, "reset.me", "wrong")
    await gateway.services.sign_in.change_account("system", "reset.me", password=OTHER)
    assert (await sign_in(gateway, "reset.me", OTHER)).status_code == 200


async def test_a_session_ends_when_idle_and_at_its_end_however_busy(gateway: Gateway) -> None:
    headers = await gateway.staff("busy")
    for minutes in range(20, 12 * 60, 20):
        with later(gateway, minutes=minutes):
            assert (await gateway.http.get(ME, headers=headers)).status_code == 200
    with later(gateway, hours=12, seconds=1):
        assert (await gateway.http.get(ME, headers=headers)).status_code == 401
    headers = await gateway.staff("idle")
    with later(gateway, minutes=31):
        assert (await gateway.http.get(ME, headers=headers)).json()["code"] == "sign_in_required"


async def test_signing_in_again_ends_the_session_that_was_there_before(gateway: Gateway) -> None:
    await account(gateway, "twice")
    former = (await sign_in(gateway, "twice")).json()["token"]
    again = await gateway.http.post(LOGIN, json={"username": "twice", "password": PASSWORD})
    assert again.json()["token"] != former
    gateway.http.cookies.clear()
    assert (await gateway.http.get(ME, headers={"Authorization": f"Bearer {former}"})).status_code == 401


async def test_a_change_by_cookie_needs_the_csrf_token_and_our_own_origin(gateway: Gateway) -> None:
    await account(gateway, "csrf")
    csrf = (await sign_in(gateway, "csrf")).json()["csrf_token"]
    own = f"http://{gateway.address}"
    assert (await gateway.http.post("/api/v1/auth/logout")).json()["code"] == "cross_site"
    assert (await gateway.http.post("/api/v1/auth/logout", headers={"X-CSRF-Token": "0" * 64})).status_code == 403
    foreign = {"X-CSRF-Token": csrf, "Origin": "https://evil.example"}
    assert (await gateway.http.post("/api/v1/auth/logout", headers=foreign)).status_code == 403
    assert (await gateway.http.get(ME)).status_code == 200
    good = {"X-CSRF-Token": csrf, "Origin": own}
    assert (await gateway.http.post("/api/v1/auth/logout", headers=good)).status_code == 204
    assert (await gateway.http.get(ME)).status_code == 401
    assert (await sign_in(gateway, "csrf", headers={"Origin": "https://evil.example"})).status_code == 403


async def test_signing_out_ends_the_token_and_is_no_error_twice(gateway: Gateway) -> None:
    headers = await gateway.staff("out")
    assert (await gateway.http.post("/api/v1/auth/logout", headers=headers)).status_code == 204
    assert (await gateway.http.get(ME, headers=headers)).status_code == 401
    assert (await gateway.http.post("/api/v1/auth/logout", headers=headers)).status_code == 204


async def test_changing_the_password_ends_every_other_session_and_opens_a_new_one(gateway: Gateway) -> None:
    here, elsewhere = await gateway.staff("changer"), await gateway.staff("changer")
    body = {"old_password": PASSWORD, "new_password": OTHER}
    wrong = await gateway.http.post("/api/v1/auth/password", json={**body, "old_password": "no"}, headers=here)
    assert wrong.json()["code"] == "wrong_password"
    weak = await gateway.http.post("/api/v1/auth/password", json={**body, "new_password": "changer1"}, headers=here)
    assert weak.status_code == 422
    done = await gateway.http.post("/api/v1/auth/password", json=body, headers=here)
    gateway.http.cookies.clear()
    assert done.status_code == 200
    for old in (here, elsewhere):
        assert (await gateway.http.get(ME, headers=old)).status_code == 401
    assert (await gateway.http.get(ME, headers={"Authorization": f"Bearer {done.json()['token']}"})).status_code == 200
    assert (await sign_in(gateway, "changer")).status_code == 401
    assert (await sign_in(gateway, "changer", OTHER)).status_code == 200


async def test_disabling_an_account_ends_its_sessions_at_once_and_enabling_does_not_bring_them_back(
    gateway: Gateway,
) -> None:
    headers = await gateway.staff("leaver")
    admin = await gateway.staff("boss", "admin")
    path = "/api/v1/accounts/leaver"
    assert (await gateway.http.patch(path, json={"disabled": True}, headers=admin)).json()["disabled"] is True
    assert (await gateway.http.get(ME, headers=headers)).status_code == 401
    await gateway.http.patch(path, json={"disabled": False}, headers=admin)
    assert (await gateway.http.get(ME, headers=headers)).status_code == 401
    assert (
        await gateway.http.patch("/api/v1/accounts/boss", json={"disabled": True}, headers=admin)
    ).status_code == 422


async def test_only_an_administrator_keeps_the_accounts(gateway: Gateway) -> None:
    admin = await gateway.staff("root", "admin")
    for name, role in (("a1", "agent"), ("s1", "supervisor"), ("m1", "manager")):
        headers = await gateway.staff(name, role)
        assert (await gateway.http.get("/api/v1/accounts", headers=headers)).json()["code"] == "role_required"
        assert (await gateway.http.get("/api/v1/audit", headers=headers)).status_code == 403
    new = {"username": "fresh", "roles": ["agent"], "password": PASSWORD, "display_name": "冯新"}
    made = await gateway.http.post("/api/v1/accounts", json=new, headers=admin)
    assert made.status_code == 201
    assert "password" not in made.text
    assert (await gateway.http.post("/api/v1/accounts", json=new, headers=admin)).json()["code"] == "account_exists"
    bad = await gateway.http.post("/api/v1/accounts", json={**new, "username": "x1", "roles": ["king"]}, headers=admin)
    assert bad.status_code == 422
    listed = (await gateway.http.get("/api/v1/accounts", headers=admin)).json()["accounts"]
    assert {"fresh", "root"} <= {each["username"] for each in listed}
    read = (await gateway.http.get("/api/v1/audit", headers=admin, params={"limit": 1000})).json()["entries"]
    assert read[-1]["action"] == "audit_read"
    assert [e["actor"] for e in read if e["action"] == "account_added" and e["subject"] == "account:fresh"] == ["root"]


async def test_what_is_done_at_sign_in_is_audited_without_passwords_and_the_log_holds(gateway: Gateway) -> None:
    await gateway.staff("traced")
    await sign_in(gateway, "Passw0rd-typed-as-name", "x")
    entries = await gateway.services.audit.entries(0, 10_000)
    text = "\n".join(entry.model_dump_json() for entry in entries)
    assert PASSWORD not in text
    assert "typed-as-name" not in text
    assert [e.data["by"] for e in entries if e.actor == "traced" and e.action == "signed_in"] == ["password"]
    findings = await gateway.services.audit.verify()
    assert findings.faults == []
    assert findings.entries == len(entries)


async def test_no_entry_no_sign_in(gateway: Gateway) -> None:
    await account(gateway, "unlogged")
    audit = gateway.services.sign_in._audit
    gateway.services.sign_in._audit = Unwritable()
    try:
        assert (await sign_in(gateway, "unlogged")).status_code == 503
        assert not gateway.http.cookies
    finally:
        gateway.services.sign_in._audit = audit


class Unwritable:
    async def record(self, *_: object) -> None:
        from storage.errors import StorageDownError

        raise StorageDownError


@pytest.fixture
def probe(running: Gateway) -> None:
    """A route and a socket for agents."""
    app = running.app
    if any(getattr(route, "path", "") == "/probe" for route in app.routes):
        return

    @app.get("/probe")
    async def route(agent: Annotated[Principal, Depends(require_role("agent"))]) -> dict[str, str]:
        return {"agent": agent.username}

    @app.websocket("/probe/ws")
    async def socket(socket: WebSocket) -> None:
        async with signed_in_socket(socket, "agent") as agent:
            if agent is None:
                return
            await socket.send_json({"agent": agent.username})
            await socket.receive_text()


@pytest.mark.parametrize(("role", "status"), [("agent", 200), ("supervisor", 200), ("manager", 403), ("admin", 403)])
async def test_a_route_for_agents_takes_those_who_may_act_as_one(
    gateway: Gateway, probe: None, role: str, status: int
) -> None:
    headers = await gateway.staff(f"as-{role}", role)
    assert (await gateway.http.get("/probe", headers=headers)).status_code == status
    assert (await gateway.http.get("/probe")).status_code == 401


async def test_a_socket_for_agents_knows_them_by_header_query_or_cookie_and_refuses_others(
    gateway: Gateway, probe: None
) -> None:
    headers = await gateway.staff("wired")
    token = headers["Authorization"].split()[1]
    cookie = {"Cookie": f"hotline_session={token}"}
    for path, given in (
        ("/probe/ws", headers),
        (f"/probe/ws?token={token}", {}),
        ("/probe/ws", cookie),
        ("/probe/ws", {**cookie, "Origin": f"http://{gateway.address}"}),
    ):
        async with gateway.socket(path, given) as socket:
            assert await frame(socket) == {"agent": "wired"}
    manager = await gateway.staff("unwired", "manager")
    for given, code, close in (
        ({}, "sign_in_required", 4401),
        (manager, "role_required", 4403),
        ({**cookie, "Origin": "https://evil.example"}, "cross_site", 4403),
    ):
        async with gateway.socket("/probe/ws", given) as socket:
            assert (await frame(socket))["code"] == code
            with pytest.raises(ConnectionClosed) as closed:
                await frame(socket)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == close


@pytest.mark.parametrize("how", ["signed out", "disabled", "role taken"])
async def test_an_open_socket_is_closed_when_its_session_ends(gateway: Gateway, probe: None, how: str) -> None:
    name = "open-" + how.replace(" ", "-")
    headers = await gateway.staff(name)
    async with gateway.socket("/probe/ws", headers) as socket:
        await frame(socket)
        if how == "signed out":
            await gateway.http.post("/api/v1/auth/logout", headers=headers)
        elif how == "disabled":
            await gateway.services.sign_in.change_account("system", name, disabled=True)
        else:
            await gateway.services.sign_in.change_account("system", name, roles=["manager"])
        told = await frame(socket)
        assert told["code"] == ("role_required" if how == "role taken" else "sign_in_required")


async def test_a_password_hashed_with_older_settings_is_hashed_anew_and_sessions_stay(gateway: Gateway) -> None:
    from argon2 import PasswordHasher

    from storage.staff import AccountChange

    headers = await gateway.staff("older")
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    store = gateway.services.sign_in._store
    await store.change_account("older", AccountChange(password_hash=old, same_password=True))
    assert (await sign_in(gateway, "older")).status_code == 200
    stored = await store.account("older")
    assert stored is not None
    assert stored.password_hash != old
    assert (await gateway.http.get(ME, headers=headers)).status_code == 200
