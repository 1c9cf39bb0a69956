"""A district's own sign-on: a real OpenID Connect provider in a process of its own, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from running_gateway import PASSWORD, Gateway, running_gateway

from hotline.errors import SignOnAudienceError, SignOnExpiredError, SignOnIssuerError
from ops.line import free_ports
from ops.setup import node_environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
WEB = Path(__file__).resolve().parents[3] / "web"
PEOPLE = {
    "u-1": {"name": "陈坐席", "preferred_username": "Chen", "groups": ["line-agents", "badminton"]},
    "u-2": {"name": "林主任", "preferred_username": "lin", "groups": ["line-managers", "line-supervisors"]},
    "u-3": {"name": "路人", "preferred_username": "passer", "groups": ["badminton"]},
    "u-4": {"name": "另一位陈", "preferred_username": "chen", "groups": ["line-agents"]},
    "u-5": {"name": "号码", "preferred_username": "13800000000", "groups": ["line-agents"]},
}
PAGE = {"Accept": "text/html,application/xhtml+xml"}


@dataclass
class District:
    """The gateway and the provider it trusts."""

    gateway: Gateway
    issuer: str

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://{self.gateway.address}", trust_env=False, timeout=10)

    async def agree(self, browser: httpx.AsyncClient, start: str, login: str) -> str:
        """What a person does at the provider; returns the address it sends the browser back to."""
        answer = await browser.get(start)
        for _ in range(12):
            if answer.is_redirect:
                away = str(answer.next_request.url) if answer.next_request else ""
                if "/oidc/callback" in away:
                    return away
                answer = await browser.get(away)
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            assert form, answer.text
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', answer.text))
            if 'name="login"' in answer.text:
                fields |= {"login": login, "password": "any"}
            answer = await browser.post(unescape(form.group(1)), data=fields)
        raise AssertionError("the provider never came to an end")

    async def sign_on(self, browser: httpx.AsyncClient, login: str, page: str = "/desk") -> httpx.Response:
        back = await self.agree(browser, f"/api/v1/auth/oidc/start?next={page}", login)
        return await browser.get(back)


async def provider(port: int, redirect: str, **more: object) -> asyncio.subprocess.Process:
    told = json.dumps({"port": port, "redirectUri": redirect, "people": PEOPLE, **more})
    process = await asyncio.create_subprocess_exec(
        "node", "tests/oidcProvider.mjs", told, cwd=WEB, env=node_environment(),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"ready\n"
    return process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[District]:
    (port,) = free_ports(1)
    issuer = f"http://127.0.0.1:{port}"
    settings = {
        "oidc_issuer": issuer,
        "oidc_client_id": "hotline",
        "oidc_client_secret": "not-a-secret-of-anybody",
        "oidc_role_claim": "groups",
        "oidc_roles": "line-agents=agent, line-supervisors=supervisor, line-managers=manager",
    }
    async with running_gateway(migrated_database, tmp_path_factory.mktemp("district"), **settings) as gateway:
        process = await provider(port, f"http://{gateway.address}/api/v1/auth/oidc/callback")
        yield District(gateway, issuer)
        process.kill()
        await process.wait()


@pytest.fixture
def district(whole: District) -> District:
    return whole


async def test_a_person_of_the_district_signs_on_and_is_sent_back_to_the_page(district: District) -> None:
    async with district.browser() as browser:
        answer = await district.sign_on(browser, "u-2", "/insights")
        assert (answer.status_code, answer.headers["location"]) == (303, "/insights")
        me = (await browser.get("/api/v1/auth/me")).json()
        assert (me["username"], me["display_name"]) == ("lin@sso", "林主任")
        assert me["roles"] == ["supervisor", "manager"]
        cookies = [line for line in answer.headers.get_list("set-cookie") if line.startswith("hotline_session=")]
        assert "SameSite=strict" in cookies[0]
        out = await browser.post("/api/v1/auth/logout", headers={"X-CSRF-Token": me["csrf_token"]})
        assert out.status_code == 204
        assert (await browser.get("/api/v1/auth/me")).status_code == 401


async def test_the_provider_is_asked_with_pkce_state_and_nonce(district: District) -> None:
    async with district.browser() as browser:
        away = urlsplit((await browser.get("/api/v1/auth/oidc/start")).headers["location"])
        asked = {name: values[0] for name, values in parse_qs(away.query).items()}
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["code_challenge"]) == 43
        assert len(asked["state"]) >= 32
        assert len(asked["nonce"]) >= 32
        assert asked["redirect_uri"].endswith("/api/v1/auth/oidc/callback")


async def test_the_same_person_has_one_account_and_a_namesake_another(district: District) -> None:
    names = []
    for login in ("u-1", "u-4", "u-1", "u-5"):
        async with district.browser() as browser:
            await district.sign_on(browser, login)
            names.append((await browser.get("/api/v1/auth/me")).json()["username"])
    assert names[:3] == ["chen@sso", "chen.2@sso", "chen@sso"]
    assert not re.search(r"\d{11}", names[3]), "a telephone number is nobody's user name"


async def test_a_local_account_of_the_same_name_is_somebody_else(district: District) -> None:
    service = district.gateway.services.sign_in
    await service.add_account("system", "lin", ["admin"], PASSWORD)
    async with district.browser() as browser:
        await district.sign_on(browser, "u-2")
        assert (await browser.get("/api/v1/accounts")).status_code == 403
    answer = await district.gateway.http.post("/api/v1/auth/login", json={"username": "lin@sso", "password": PASSWORD})
    assert answer.json()["code"] == "sign_in_failed"


async def test_somebody_without_a_role_and_somebody_disabled_stay_outside(district: District) -> None:
    async with district.browser() as browser:
        assert (await district.sign_on(browser, "u-3")).json()["code"] == "oidc_no_role"
        assert (await browser.get("/api/v1/auth/me")).status_code == 401
    async with district.browser() as browser:
        await district.sign_on(browser, "u-4")
        name = (await browser.get("/api/v1/auth/me")).json()["username"]
        await district.gateway.services.sign_in.change_account("system", name, disabled=True)
        assert (await browser.get("/api/v1/auth/me")).status_code == 401
    async with district.browser() as browser:
        assert (await district.sign_on(browser, "u-4")).json()["code"] == "account_disabled"


async def test_an_answer_for_another_browser_or_another_state_is_refused(district: District) -> None:
    async with district.browser() as mine, district.browser() as victim:
        back = await district.agree(mine, "/api/v1/auth/oidc/start", "u-1")
        assert (await victim.get(back)).json()["code"] == "oidc_state"
        changed = back.replace("state=", "state=x")
        assert (await mine.get(changed)).json()["code"] == "oidc_state"
        assert (await victim.get("/api/v1/auth/me")).status_code == 401
        assert (await mine.get(back)).status_code == 303


async def test_a_code_is_good_once_and_only_with_the_verifier_it_was_asked_with(district: District) -> None:
    async with district.browser() as browser:
        first = await district.agree(browser, "/api/v1/auth/oidc/start", "u-1")
        second = await district.agree(browser, "/api/v1/auth/oidc/start", "u-1")
        codes = [parse_qs(urlsplit(each).query)["code"][0] for each in (first, second)]
        mixed = first.replace(codes[0], codes[1])
        assert (await browser.get(mixed)).json()["code"] == "oidc_denied"
    async with district.browser() as browser:
        back = await district.agree(browser, "/api/v1/auth/oidc/start", "u-1")
        (kept,) = [cookie for cookie in browser.cookies.jar if cookie.name.startswith("hotline_oidc")]
        assert (await browser.get(back)).status_code == 303
        browser.cookies.jar.set_cookie(kept)
        assert (await browser.get(back)).json()["code"] == "oidc_denied"


async def test_a_person_who_was_refused_reads_why_on_the_page(district: District) -> None:
    async with district.browser() as browser:
        answer = await browser.get("/api/v1/auth/oidc/callback?error=access_denied&state=none", headers=PAGE)
        assert answer.headers["location"] == "/desk?signin_error=oidc_state"
        told = (await browser.get("/api/v1/auth/options?error=oidc_state")).json()
        assert "重新登录" in told["error"]["detail"]
        assert told["oidc"]["start"] == "/api/v1/auth/oidc/start"
        assert (await browser.get("/api/v1/auth/options?error=<script>")).json()["error"] is None


@pytest.mark.parametrize("page", ["https://evil.example", "//evil.example", "/\\evil.example", "/api/v1/auth/me"])
async def test_nobody_is_sent_to_a_page_that_is_not_ours(district: District, page: str) -> None:
    async with district.browser() as browser:
        assert (await district.sign_on(browser, "u-1", page)).headers["location"] == "/desk"


async def test_the_real_providers_token_is_refused_for_another_system_issuer_nonce_or_time(
    district: District,
) -> None:
    """The provider's own token, held against settings and a clock that it was not made for."""
    sign_on = district.gateway.services.sign_on
    seen: list[dict[str, str]] = []
    ask, sign_on.claims_of = (
        sign_on.claims_of,
        lambda token, nonce: seen.append({**token, "nonce": nonce}) or ask(token, nonce),
    )
    try:
        async with district.browser() as browser:
            assert (await district.sign_on(browser, "u-1")).status_code == 303
    finally:
        sign_on.claims_of = ask
    (token,) = seen
    settings, now = sign_on._settings, sign_on._now
    assert (await ask(token, token["nonce"]))["sub"] == "u-1"
    with pytest.raises(Exception, match="不属于这一次登录"):
        await ask(token, "another nonce")
    try:
        sign_on._settings = settings.model_copy(update={"oidc_client_id": "another-system"})
        with pytest.raises(SignOnAudienceError):
            await ask(token, token["nonce"])
        sign_on._settings = settings
        sign_on._now = lambda: now() + 3600 + 61
        with pytest.raises(SignOnExpiredError):
            await ask(token, token["nonce"])
        sign_on._now = now
        kept, metadata = await sign_on._described(), dict(await sign_on._described())
        sign_on._metadata = (now(), {**metadata, "issuer": "https://another.example"})
        with pytest.raises(SignOnIssuerError):
            await ask(token, token["nonce"])
        sign_on._metadata = (now(), kept)
    finally:
        sign_on._settings, sign_on._now = settings, now


async def test_refused_sign_ons_are_audited_and_the_log_holds(district: District) -> None:
    async with district.browser() as browser:
        await browser.get("/api/v1/auth/oidc/callback?code=x&state=y")
    entries = await district.gateway.services.audit.entries(0, 10_000)
    assert entries[-1].action == "sign_on_failed"
    assert entries[-1].data["code"] == "oidc_state"
    assert (await district.gateway.services.audit.verify()).faults == []


async def test_where_there_is_no_provider_the_local_accounts_go_on(gateway: Gateway) -> None:
    assert (await gateway.http.get("/api/v1/auth/options")).json() == {"oidc": None, "error": None}
    assert (await gateway.http.get("/api/v1/auth/oidc/start")).json()["code"] == "oidc_off"


async def test_a_provider_that_is_away_is_named(migrated_database: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    settings = {"oidc_issuer": f"http://127.0.0.1:{port}", "oidc_client_id": "hotline"}
    async with running_gateway(migrated_database, tmp_path, **settings) as gateway:
        assert (await gateway.http.get("/api/v1/auth/oidc/start")).json()["code"] == "oidc_down"
