"""The managers' page in a real browser, over a small generated year: figures, filters, drilling down; and axe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio
from playwright.async_api import expect
from running_gateway import Gateway, running_gateway
from test_staff_pages import account, browser, page_of, serious_faults, sign_in

from knowledge_base.catalogue import load_catalogue
from ops.demo.load import load

pytestmark = pytest.mark.asyncio(loop_scope="module")
YEAR = "from=2025-11-01&to=2026-10-31"
__all__ = ["browser"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def managed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("page")
    url = f"sqlite:///{folder / 'year.db'}"
    last = date(2026, 10, 31)
    await asyncio.to_thread(load, url, 700, 5, last, folder / "truth.json", progress=lambda _: None, encode=False)
    async with running_gateway(
        folder / "year.db", tmp_path_factory.mktemp("house"), catalogue=load_catalogue()
    ) as gateway:
        await account(gateway, "page.insights", "manager", shown="何主任")
        yield gateway


async def test_a_manager_sees_figures_filters_them_in_the_address_and_drills_down(
    browser: object, managed: Gateway
) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}") as page:  # type: ignore[arg-type]
        await sign_in(page, "page.insights")
        await expect(page.get_by_test_id("demo-banner")).to_contain_text("演示数据")
        whole = await page.get_by_test_id("figure-conversations").locator("strong").inner_text()
        assert int(whole.replace(",", "")) > 100

        await page.get_by_test_id("filter-town").select_option("狮山镇")
        await expect(page.get_by_test_id("figure-conversations").locator("strong")).not_to_have_text(whole)
        assert "town=%E7%8B%AE%E5%B1%B1%E9%95%87" in page.url
        await page.reload()
        await expect(page.get_by_test_id("filter-town")).to_have_value("狮山镇")

        await page.get_by_test_id("figure-conversations").click()
        await expect(page.get_by_test_id("behind-row").first).to_contain_text("狮山镇")
        assert "behind=conversations" in page.url
        assert await serious_faults(page) == []
        await page.go_back()
        await expect(page.get_by_test_id("behind")).to_have_count(0)
        await page.go_back()
        await expect(page.get_by_test_id("filter-town")).to_have_value("")
        await expect(page.get_by_test_id("figure-conversations").locator("strong")).to_have_text(whole)

        for tab in ("topics", "alerts", "gaps", "report"):
            await page.get_by_test_id(f"tab-{tab}").click()
            await expect(page.get_by_text("正在算……")).to_have_count(0)
            assert await serious_faults(page) == [], tab
        await expect(page.get_by_test_id("report")).to_be_visible()
        for width, height in ((1920, 1080), (390, 844)):
            await page.set_viewport_size({"width": width, "height": height})
            await page.goto(f"http://{managed.address}/insights?{YEAR}")
            await expect(page.get_by_test_id("figure-conversations")).to_be_visible()
            assert await page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth") <= 0
