"""The staff pages' shell in a real browser: signing in, coming back, who may be where; and axe."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Response, async_playwright, expect
from running_gateway import PASSWORD, Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
AXE = Path(__file__).resolve().parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
OTHER = "Another-Pass-9"
NOBODY_YET = "401 GET /api/v1/auth/me"  # how a page learns that nobody is signed in
WRONG_PASSWORD = "401 POST /api/v1/auth/login"
LOCKED = "429 POST /api/v1/auth/login"
SIGNED_OUT = "401 GET /api/v1/desk/*"  # what was still asked by a page whose session had just ended
# A page may still be asking for a conversation that has just been handed back.
NO_LONGER_MINE = "409 GET /api/v1/desk/conversations/*"
ANSWERED = "Failed to load resource: the server responded with a status"  # the answer itself is looked at


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "Chromium is missing; make test installs it"
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])


@asynccontextmanager
async def page_of(browser: Browser, gateway: Gateway, path: str = "/desk", *meant: str) -> AsyncIterator[Page]:
    """A page at 1366×768. Nothing may go wrong in it but ``meant``, what the test has refused on purpose (as
    「409 GET /api/…」, ``*`` for an id), and nothing may be asked of another origin."""
    wrong: list[str] = []
    own = (f"http://{gateway.address}", f"ws://{gateway.address}", "data:", "blob:")
    # Without animations: half-faded words have no contrast yet, and axe would say so.
    context = await browser.new_context(
        viewport={"width": 1366, "height": 768}, locale="zh-CN", reduced_motion="reduce"
    )
    page = await context.new_page()

    def answered(answer: Response) -> None:
        told = f"{answer.status} {answer.request.method} {urlsplit(answer.url).path}"
        if answer.status >= 400 and not any(fnmatch(told, each) for each in (NOBODY_YET, *meant)):
            wrong.append(told)

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(ANSWERED):
            wrong.append(message.text)

    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", said)
    page.on("response", answered)
    page.on("request", lambda asked: None if asked.url.startswith(own) else wrong.append(asked.url))
    await page.goto(f"http://{gateway.address}{path}")
    yield page
    await context.close()
    assert not wrong, "\n".join(wrong)


async def account(gateway: Gateway, name: str, *roles: str, shown: str = "") -> None:
    await gateway.services.sign_in.add_account("system", name, roles, PASSWORD, shown)


async def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """By keyboard alone: the first field has the focus."""
    await expect(page.get_by_test_id("sign-in-username")).to_be_focused()
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")


async def serious_faults(page: Page) -> list[str]:
    """What axe finds that is serious or critical. Its source is evaluated by the debugger: the page's
    own content security policy stays as strict as it is."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


async def test_an_agent_signs_in_by_keyboard_and_out_again(browser: Browser, gateway: Gateway) -> None:
    await account(gateway, "page.agent", "agent", shown="陈坐席")
    async with page_of(browser, gateway, "/desk", WRONG_PASSWORD, SIGNED_OUT) as page:
        await expect(page.get_by_role("heading", name="坐席工作台登录")).to_be_visible()
        await sign_in(page, "page.agent", "wrong-one")
        await expect(page.get_by_test_id("sign-in-trouble")).to_have_text("用户名或密码不对，请核对后再试。")
        await expect(page.get_by_test_id("sign-in-password")).to_be_focused()
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("who")).to_contain_text("陈坐席")
        await expect(page.get_by_test_id("who")).to_contain_text("坐席")
        await expect(page.get_by_test_id("nav-desk")).to_have_attribute("aria-current", "page")
        await expect(page.get_by_test_id("nav-insights")).to_have_count(0)
        await page.reload()
        await expect(page.get_by_test_id("who")).to_be_visible()
        await page.get_by_test_id("who").focus()
        await page.keyboard.press("Enter")
        await page.get_by_test_id("sign-out").click()
        await expect(page.get_by_test_id("sign-in-page")).to_be_visible()
        assert not [c for c in await page.context.cookies() if c["name"] == "hotline_session"]


async def test_the_page_names_what_a_role_may_not_open(browser: Browser, gateway: Gateway) -> None:
    await account(gateway, "page.manager", "manager")
    async with page_of(browser, gateway) as page:
        await sign_in(page, "page.manager")
        await expect(page.get_by_test_id("not-allowed")).to_contain_text("没有「坐席工作台」的权限")
        await page.get_by_test_id("nav-insights").click()
        await expect(page.get_by_role("heading", name="统计分析")).to_be_visible()


async def test_a_locked_account_reads_until_when(browser: Browser, gateway: Gateway) -> None:
    await account(gateway, "page.locked", "agent")
    for n in range(5):
        body = {"username": "page.locked", "password": f"wrong-{n}"}
        await gateway.http.post("/api/v1/auth/login", json=body)
    async with page_of(browser, gateway, "/desk", LOCKED) as page:
        await sign_in(page, "page.locked")
        await expect(page.get_by_test_id("sign-in-trouble")).to_contain_text("之后再试")


async def test_a_lapsed_session_is_renewed_over_the_page_and_the_call_goes_through(
    browser: Browser, gateway: Gateway
) -> None:
    await account(gateway, "page.lapsed", "agent")
    async with page_of(browser, gateway, "/desk", "401 POST /api/v1/auth/password", SIGNED_OUT) as page:
        await sign_in(page, "page.lapsed")
        await page.get_by_test_id("who").click()
        await page.get_by_test_id("change-password").click()
        await expect(page.get_by_test_id("password-old")).to_be_focused()
        await page.keyboard.type(PASSWORD)
        await page.get_by_test_id("password-new").fill(OTHER)
        await page.get_by_test_id("password-again").fill(OTHER)
        await page.context.clear_cookies()  # the session is gone while the form is being filled
        await page.get_by_test_id("password-save").click()
        form = page.get_by_test_id("sign-in-form")
        await expect(form.get_by_test_id("sign-in-username")).to_have_value("page.lapsed")
        await expect(form.get_by_test_id("sign-in-password")).to_be_focused()
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("密码已改，别处的登录都已失效。")).to_be_visible()
        await expect(page.get_by_test_id("who")).to_be_visible()
    async with page_of(browser, gateway) as page:
        await sign_in(page, "page.lapsed", OTHER)
        await expect(page.get_by_test_id("who")).to_be_visible()


async def test_signing_out_in_one_tab_ends_the_other(browser: Browser, gateway: Gateway) -> None:
    await account(gateway, "page.tabs", "supervisor")
    async with page_of(browser, gateway, "/desk", SIGNED_OUT) as page:
        await sign_in(page, "page.tabs")
        await expect(page.get_by_test_id("who")).to_be_visible()
        second = await page.context.new_page()
        await second.goto(f"http://{gateway.address}/insights")
        await expect(second.get_by_test_id("nav-desk")).to_be_visible()
        await second.get_by_test_id("who").click()
        await second.get_by_test_id("sign-out").click()
        await expect(page.get_by_test_id("sign-in-page")).to_be_visible()


async def test_axe_finds_no_serious_fault(browser: Browser, gateway: Gateway) -> None:
    await account(gateway, "page.axe", "supervisor", shown="林班长")
    async with page_of(browser, gateway, "/desk", WRONG_PASSWORD) as page:
        await expect(page.get_by_test_id("sign-in-username")).to_be_focused()
        assert await serious_faults(page) == []
        await sign_in(page, "page.axe", "wrong-one")
        await expect(page.get_by_test_id("sign-in-trouble")).to_be_visible()
        assert await serious_faults(page) == []
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("who")).to_be_visible()
        assert await serious_faults(page) == []
        await page.get_by_test_id("who").click()
        await page.get_by_test_id("change-password").click()
        await expect(page.get_by_test_id("password-old")).to_be_focused()
        await expect(page.get_by_test_id("change-password")).to_be_hidden()
        assert await serious_faults(page) == []


async def test_axe_would_find_one(browser: Browser, gateway: Gateway) -> None:
    async with page_of(browser, gateway) as page:
        await expect(page.get_by_test_id("sign-in-username")).to_be_focused()
        await page.evaluate("() => document.querySelector('#sign-in-password').labels[0].remove()")
        assert any(fault.startswith("label") for fault in await serious_faults(page))


@pytest.mark.parametrize("size", [(1366, 768), (1024, 600)])
async def test_nothing_is_cut_off_at_the_sizes_of_office_screens(
    browser: Browser, gateway: Gateway, size: tuple[int, int]
) -> None:
    name = f"page.size{size[0]}"
    await account(gateway, name, "supervisor", "manager", "admin", shown="名字很长很长的一位班长兼管理人员")
    async with page_of(browser, gateway) as page:
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await sign_in(page, name)
        await expect(page.get_by_test_id("who")).to_be_in_viewport(ratio=1)
        sideways = await page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        assert sideways <= 0
