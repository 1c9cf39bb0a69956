"""The managers' page in a real browser, over a small generated year: figures, filters, drilling down; topics and
their undoing; alerts; a gap made into a change; blind review; recall; reports; the wall; and axe."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from playwright.async_api import Browser, Page, expect
from running_gateway import Gateway, running_gateway
from test_staff_pages import account, browser, page_of, serious_faults, sign_in

from hotline.insights import Alert
from knowledge_base.catalogue import load_catalogue
from ops.demo.load import load
from ops.insights import Behind
from storage.insight_tables import line_facts, turn_facts

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "insights"))
from fake_vectors import HashEncoder, principal_plane

pytestmark = pytest.mark.asyncio(loop_scope="module")
YEAR = "from=2025-11-01&to=2026-10-31"
ROOT = "/api/v1/insights"
TABS = ("overview", "topics", "alerts", "service", "gaps", "quality", "report")
__all__ = ["browser"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def managed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("page")
    url = f"sqlite:///{folder / 'year.db'}"
    last = date(2026, 10, 31)
    await asyncio.to_thread(load, url, 1500, 5, last, folder / "truth.json", progress=lambda _: None, encode=False)
    house = tmp_path_factory.mktemp("house")
    async with running_gateway(folder / "year.db", house, catalogue=load_catalogue()) as gateway:
        async with httpx.AsyncClient() as client:
            behind = await asyncio.to_thread(Behind.make, gateway.services.settings, client, HashEncoder())
            behind.keeper.layout = principal_plane
            await behind.encode()
            await behind.keeper.whole_run(topics=12)
            await behind.gaps.regroup()
            for hour in range(3):
                await behind.parts.alerts.raise_alert(an_alert(hour), {"type": "alert"})
            await behind.close()
        await account(gateway, "page.insights", "manager", shown="何主任")
        for name, shown in (("page.li", "李班长"), ("page.wang", "王班长"), ("page.zhao", "赵班长")):
            await account(gateway, name, "supervisor", shown=shown)
        expect.set_options(timeout=30_000)  # an approval checks the whole catalogue: seconds on a busy machine
        yield gateway
        expect.set_options(timeout=5_000)


def an_alert(n: int) -> Alert:
    at = datetime(2026, 10, 20 + n, 3, tzinfo=UTC)
    town = ("狮山镇", "大沥镇", "里水镇")[n]
    hours = [(2026102000 + hour, 6 if hour == 11 else 0, 0.2) for hour in range(24)]
    return Alert(
        topic_id=1, title=f"{town}：停水", town=town, at=at, first_at=at - timedelta(hours=3), window_h=3, count=7, people=6,
        expected=0.4, surprise=1e-7, evidence=["停水了几时来水", "成栋楼停水"], series=hours,
    )  # fmt: skip


async def sideways(page: Page) -> int:
    return int(await page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth"))


async def at_rest(page: Page) -> None:
    await expect(page.get_by_text("正在算……")).to_have_count(0)


async def test_a_manager_sees_figures_filters_them_in_the_address_and_drills_down_to_one_conversation(
    browser: Browser, managed: Gateway
) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}") as page:
        await sign_in(page, "page.insights")
        await expect(page.get_by_test_id("demo-banner")).to_contain_text("演示数据")
        figure = page.get_by_test_id("figure-conversations").locator("strong")
        whole = await figure.inner_text()
        assert int(whole.replace(",", "")) > 100

        await page.get_by_test_id("filter-town").select_option("狮山镇")
        await expect(figure).not_to_have_text(whole)
        assert "town=%E7%8B%AE%E5%B1%B1%E9%95%87" in page.url
        await page.reload()
        await expect(page.get_by_test_id("filter-town")).to_have_value("狮山镇")

        await page.get_by_test_id("figure-conversations").click()
        await expect(page.get_by_test_id("behind-row").first).to_contain_text("狮山镇")
        assert "behind=conversations" in page.url
        assert await serious_faults(page) == []
        await page.get_by_test_id("behind-row").first.click()
        await expect(page.get_by_test_id("transcript")).to_contain_text("市民")
        await expect(page.get_by_test_id("transcript")).to_contain_text("已记入审计记录")
        assert await serious_faults(page) == []
        seen = page.url.split("open=")[1].split("&")[0]
        looks = [e for e in await managed.services.audit.entries() if e.action == "view_conversation"]
        assert [(e.actor, e.subject) for e in looks] == [("page.insights", f"conversation:{seen}")]

        await page.go_back()
        await expect(page.get_by_test_id("behind-row").first).to_be_visible()
        await page.go_back()
        await expect(page.get_by_test_id("behind")).to_have_count(0)
        await page.go_back()
        await expect(page.get_by_test_id("filter-town")).to_have_value("")
        await expect(figure).to_have_text(whole)
        await page.go_forward()
        await expect(page.get_by_test_id("filter-town")).to_have_value("狮山镇")


async def test_a_row_of_a_chart_leads_to_its_part_of_the_conversations(browser: Browser, managed: Gateway) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}&by=channel&figure=handoffs") as page:
        await sign_in(page, "page.insights")
        split = page.locator("section", has=page.get_by_role("heading", name="转人工：按渠道"))
        await split.locator("summary").click()
        await split.get_by_role("button", name="电话").click()
        await expect(page.get_by_test_id("behind").get_by_role("heading")).to_contain_text(
            "「转人工」背后的对话 · 电话"
        )
        await expect(page.get_by_test_id("behind-row").first).to_contain_text("转人工")
        assert "narrow=channel%3Avoice" in page.url


async def test_a_work_order_figure_leads_to_its_orders_and_into_one(browser: Browser, managed: Gateway) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=service&by=town") as page:
        await sign_in(page, "page.insights")
        figure = page.get_by_test_id("figure-orders_completed")
        whole = int(await figure.locator("strong").inner_text())
        await figure.click()
        rows = page.get_by_test_id("order-row")
        await expect(rows).to_have_count(min(whole, 20))
        await page.get_by_test_id("behind-close").click()
        await page.get_by_test_id("filter-town").select_option("狮山镇")
        await page.get_by_test_id("figure-orders_in_time").click()
        await expect(rows.first).to_contain_text("狮山镇")
        await page.get_by_test_id("orders-late").click()
        await expect(rows.first).to_contain_text("超期办结")
        assert await serious_faults(page) == []
        await rows.first.click()
        opened = page.get_by_test_id("order-open")
        await expect(opened).to_contain_text("已记入审计记录")
        await expect(opened).to_contain_text("狮山镇")
        assert await serious_faults(page) == []
        seen = page.url.split("open=")[1].split("&")[0]
        looks = [e for e in await managed.services.audit.entries() if e.action == "look_at_work_order"]
        assert [(e.actor, e.subject) for e in looks] == [("page.insights", f"work_order:{seen}")]
        await page.go_back()
        await expect(rows.first).to_be_visible()


async def test_every_tab_is_without_serious_faults_and_fits_a_telephone_and_a_big_screen(
    browser: Browser, managed: Gateway
) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}") as page:
        await sign_in(page, "page.insights")
        for tab in TABS:
            await page.get_by_test_id(f"tab-{tab}").click()
            await at_rest(page)
            assert await serious_faults(page) == [], tab
            for width, height in ((1920, 1080), (390, 844)):
                await page.set_viewport_size({"width": width, "height": height})
                assert await sideways(page) <= 0, (tab, width)
            await page.set_viewport_size({"width": 1366, "height": 768})


async def test_a_topic_is_renamed_pinned_and_merged_and_each_is_taken_back(browser: Browser, managed: Gateway) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=topics") as page:
        await sign_in(page, "page.insights")
        rows = page.get_by_test_id("topic-row")
        first = await rows.first.get_by_role("button").inner_text()
        number = await rows.count()
        await rows.first.get_by_role("button").click()
        opened, kept = page.get_by_test_id("topic-open"), page.get_by_test_id("topic-kept")
        await expect(opened.get_by_role("heading", level=2)).to_have_text(first)
        await page.get_by_test_id("topic-rename").click()
        await page.get_by_test_id("topic-name").fill("停水和来水")
        await page.get_by_test_id("topic-rename-save").click()
        await expect(opened.get_by_role("heading", level=2)).to_have_text("停水和来水")
        await expect(kept).to_contain_text(first)
        await page.get_by_test_id("topic-undo").click()
        await expect(opened.get_by_role("heading", level=2)).to_have_text(first)

        await page.get_by_test_id("topic-pin").click()
        await expect(kept).to_contain_text("固定")
        await page.get_by_test_id("topic-undo").click()
        await expect(kept).to_have_count(0)

        into = await rows.nth(1).get_by_role("button").inner_text()
        await page.get_by_test_id("topic-merge").click()
        await page.get_by_test_id("topic-into").select_option(label=into)
        await page.get_by_test_id("topic-merge-save").click()
        await expect(opened.get_by_role("heading", level=2)).to_have_text(into)
        await expect(kept).to_contain_text(f"并进来的：「{first}」")
        await expect(rows).to_have_count(number - 1)
        await page.get_by_test_id("topic-apart").click()
        await expect(rows).to_have_count(number)
        await page.get_by_test_id("topic-undo").click()  # together again
        await expect(rows).to_have_count(number - 1)
        await page.reload()  # what was chosen is still seen, and can still be taken back
        await page.get_by_test_id("topic-apart").click()
        await expect(rows).to_have_count(number)
        await page.get_by_test_id("topic-behind").click()
        await expect(page.get_by_test_id("behind-row").first).to_be_visible()


async def test_an_alert_shows_its_evidence_is_settled_and_becomes_a_known_incident(
    browser: Browser, managed: Gateway
) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=alerts") as page:
        await sign_in(page, "page.insights")
        alerts = page.get_by_test_id("alert")
        await expect(alerts.locator("h2")).to_have_text(["里水镇：停水", "大沥镇：停水", "狮山镇：停水"])
        await expect(page.get_by_test_id("alerts-live")).to_contain_text("自己出现")
        await alerts.first.get_by_test_id("alert-evidence").click()
        await expect(page.get_by_test_id("evidence")).to_contain_text("成栋楼停水")
        await expect(alerts.first).to_contain_text("3 小时内 6 人来，平常 0.4 人")
        assert await serious_faults(page) == []
        await alerts.first.get_by_test_id("alert-close").click()
        await expect(alerts.first).to_contain_text("已排除")
        await alerts.nth(1).get_by_test_id("alert-incident").click()
        await expect(page.get_by_test_id("incident-text")).not_to_have_value("")
        await page.get_by_test_id("incident-words").fill("停水、没水")
        await page.get_by_test_id("incident-text").fill("大沥镇部分区域停水抢修，预计今天十八时前恢复。")
        await page.get_by_test_id("incident-source").fill("区供水公司")
        await page.get_by_test_id("incident-save").click()
        await expect(page.get_by_test_id("incidents")).to_contain_text("大沥镇部分区域停水抢修")
        await expect(page.get_by_test_id("incidents")).to_contain_text("停水、没水")
        await expect(alerts.nth(1)).to_contain_text("已确认，已登记事件")
        await page.get_by_test_id("alerts-open").click()
        await expect(alerts).to_have_count(1)
        await page.get_by_test_id("incident-withdraw").click()
        await expect(page.get_by_test_id("incidents")).to_have_count(0)


async def test_a_gap_becomes_a_change_that_is_approved_and_evaluated(
    browser: Browser, managed: Gateway, tmp_path: Path
) -> None:
    def report(right: int) -> str:
        return json.dumps({"measures": {"questions.top1.all": {"count": right, "total": 100}, "flows.intent.all": {"count": 9, "total": 10}}})  # fmt: skip

    for name, right in (("before", 90), ("after", 95)):
        (tmp_path / f"{name}.json").write_text(report(right), encoding="utf-8")
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=gaps") as page:
        await sign_in(page, "page.insights")
        await expect(page.get_by_test_id("gaps-as-of")).to_contain_text("数到 20")
        for phrase in ("今天浏览器里提的说法", "明天浏览器里提的说法"):
            await page.get_by_test_id("gap").first.get_by_test_id("gap-propose").click()
            await page.get_by_test_id("draft-kind").select_option("question")
            await page.get_by_test_id("draft-item").select_option("JZ02")
            await page.get_by_test_id("draft-phrase").fill(phrase)
            await page.get_by_test_id("draft-save").click()
            proposal = page.get_by_test_id("proposal").first
            await expect(proposal.get_by_test_id("proposal-diff")).to_contain_text(f"+  - {phrase}")
            await expect(proposal.get_by_test_id("proposal-state")).to_have_text("待定")
        assert await serious_faults(page) == []
        await proposal.get_by_test_id("proposal-reject").click()
        await expect(proposal.get_by_test_id("proposal-state")).to_have_text("不采纳")
        approved = page.get_by_test_id("proposal").nth(1)
        await approved.get_by_test_id("proposal-approve").click()
        await expect(approved.get_by_test_id("proposal-state")).to_have_text("已批准")
        await expect(approved.get_by_test_id("proposal-check")).to_contain_text("检查")
        await approved.get_by_test_id("evaluation-by-hand").click()
        for name in ("before", "after"):
            await approved.get_by_test_id(f"evaluation-{name}").set_input_files(tmp_path / f"{name}.json")
        await approved.get_by_test_id("evaluation-save").click()
        told = approved.get_by_test_id("proposal-evaluation")
        await expect(told).to_contain_text("1 项变好，0 项变差")
        await expect(told.locator("tbody tr").first).to_contain_text("90.0%95.0%▲ 变好")
        assert await serious_faults(page) == []
        await approved.get_by_test_id("evaluation-run").click()
        await expect(approved.get_by_test_id("evaluation-step")).to_contain_text("排着队")
        await expect(approved.get_by_test_id("evaluation-run")).to_have_count(0)


async def test_who_was_told_an_old_version_and_agreed_is_called_back(browser: Browser, managed: Gateway) -> None:
    told_wrong = await two_answers(managed)
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=gaps") as page:
        await sign_in(page, "page.insights")
        await page.get_by_test_id("recall-item").select_option("JZ02")
        await page.get_by_test_id("recall-look").click()
        await expect(page.get_by_test_id("recall-told")).to_contain_text("2 次答复引用了旧版本")
        await expect(page.get_by_test_id("recall-row").filter(has_text="费用（2020-01-01 版）")).to_have_count(2)
        await page.get_by_test_id("recall-call").click()
        await expect(page.get_by_test_id("recall-done")).to_contain_text("1 个回电任务")
        await expect(page.get_by_test_id("recall-told")).to_contain_text("1 人已派给坐席")
    agent = await managed.staff("page.agent9", "agent")
    tasks = (await managed.http.get("/api/v1/desk/callbacks", headers=agent)).json()["callbacks"]
    assert [task["conversation_id"] for task in tasks] == [told_wrong]
    assert "指南已更新" in tasks[0]["note"]


async def two_answers(managed: Gateway) -> str:
    """Makes two answers cite a version of long ago; the first caller had agreed to be called back."""

    def work(connection: sa.Connection) -> str:
        t = turn_facts.c
        ids = connection.execute(sa.select(t.conversation_id).where(t.cited.is_not(None)).distinct().limit(2)).scalars().all()  # fmt: skip
        for n, conversation_id in enumerate(ids):
            turn = connection.execute(sa.select(t.turn_id).where(t.conversation_id == conversation_id, t.cited.is_not(None)).limit(1)).scalar_one()  # fmt: skip
            old = {"item_key": "JZ02", "cited": "facts.fee@2020-01-01", "hour": 2026103112}
            connection.execute(sa.update(turn_facts).where(t.turn_id == turn).values(**old))
            connection.execute(sa.update(line_facts).where(line_facts.c.conversation_id == conversation_id).values(agreed_callback=n == 0))  # fmt: skip
        return str(ids[0])

    assert managed.services.insights
    return await managed.services.insights.runner.run(work, readonly=False)


async def test_two_review_blind_and_a_third_settles(browser: Browser, managed: Gateway) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=quality") as page:
        await sign_in(page, "page.insights")
        await expect(page.get_by_test_id("quality-score")).to_contain_text("每次都查")
        for name in ("page.li", "page.wang", "page.zhao"):
            await page.get_by_test_id(f"reviewer-{name}").check()
        await page.get_by_test_id("sampling-number").fill("1")
        await page.get_by_test_id("sampling-draw").click()
        await expect(page.get_by_test_id("sampling-told")).to_contain_text("抽了 1 次对话")
    await review(browser, managed, "page.li", passed=True)
    await review(browser, managed, "page.wang", passed=False)
    await review(browser, managed, "page.zhao", passed=False, settles=True)
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=quality") as page:
        await sign_in(page, "page.insights")
        await expect(page.get_by_test_id("review-result")).to_contain_text("不合格")
        await expect(page.get_by_test_id("review-result")).to_contain_text("第三位定")
        await expect(page.get_by_test_id("review-results")).to_contain_text("κ")


async def review(browser: Browser, managed: Gateway, name: str, *, passed: bool, settles: bool = False) -> None:
    """A supervisor sees what they are asked to review, and no figures."""
    async with page_of(browser, managed, "/insights") as page:
        await sign_in(page, name)
        asked = page.get_by_test_id("review")
        await expect(asked).to_contain_text("意见不一" if settles else "请您看")
        await expect(page.get_by_test_id("tab-overview")).to_have_count(0)
        await asked.get_by_test_id("review-open").click()
        await expect(asked.get_by_test_id("transcript")).to_be_visible()
        await expect(page.get_by_test_id("broken")).to_have_count(0)
        await asked.get_by_test_id("review-pass" if passed else "review-fail").check()
        if settles:
            assert await serious_faults(page) == []
        await asked.get_by_test_id("review-give").click()
        await expect(page.get_by_text("都看完了。")).to_be_visible()


async def test_a_reviewer_is_not_told_how_the_rules_judged(managed: Gateway) -> None:
    manager = await managed.staff("page.insights", "manager")
    some = (await managed.http.get(f"{ROOT}/conversations?{YEAR}&limit=1", headers=manager)).json()["conversations"]
    path = f"{ROOT}/conversations/{some[0]['conversation_id']}"
    assert {"score", "broken"} <= set((await managed.http.get(path, headers=manager)).json())
    told = (await managed.http.get(path, headers=await managed.staff("page.li", "supervisor"))).json()
    assert told["transcript"]
    assert not {"score", "broken"} & set(told)


async def test_the_conversations_behind_an_alert_are_those_that_raised_it(managed: Gateway) -> None:
    manager = await managed.staff("page.insights", "manager")
    alert = (await managed.http.get(f"{ROOT}/alerts?{YEAR}", headers=manager)).json()["alerts"][0]
    path = f"{ROOT}/alerts/{alert['alert_id']}/conversations"
    rows = (await managed.http.get(path, headers=manager)).json()["conversations"]
    assert all(row["started_at"] <= alert["at"] for row in rows)
    assert (await managed.http.get(f"{ROOT}/alerts/999/conversations", headers=manager)).status_code in (404, 422)


@pytest.mark.parametrize(
    ("narrow", "fits"),
    [
        ("hour_of_week=34", lambda row: local(row["started_at"]).weekday() == 1 and local(row["started_at"]).hour == 10),
        ("measure=rated_1,rated_2", lambda row: row["rating"] in (1, 2)),
        ("measure=agent_taken&agent=坐席03", lambda row: row["agent"] == "坐席03"),
    ],
)  # fmt: skip
async def test_conversations_are_narrowed_to_what_was_pressed(managed: Gateway, narrow: str, fits: Any) -> None:
    headers = await managed.staff("page.insights", "manager")
    rows = (await managed.http.get(f"{ROOT}/conversations?{YEAR}&limit=200&{narrow}", headers=headers)).json()
    assert rows["conversations"]
    assert all(fits(row) for row in rows["conversations"])


def local(at: str) -> datetime:
    return datetime.fromisoformat(at) + timedelta(hours=8)


async def test_a_report_is_read_and_fetched_and_open_data_too(browser: Browser, managed: Gateway) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=report&kind=month&day=2026-06-10") as page:
        await sign_in(page, "page.insights")
        await expect(page.get_by_test_id("report").get_by_role("heading", level=2)).to_contain_text("月报")
        for button, begins in (("report-pdf", b"%PDF"), ("report-xlsx", b"PK"), ("open-csv", "\ufeff".encode())):
            async with page.expect_download() as fetched:
                await page.get_by_test_id(button).click()
            file = await (await fetched.value).path()
            assert file.read_bytes().startswith(begins), button


async def test_agents_orders_and_ratings_stand_on_one_page(browser: Browser, managed: Gateway) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=service") as page:
        await sign_in(page, "page.insights")
        await expect(page.get_by_test_id("now-orders_open")).to_contain_text("在办工单（此刻）")
        await expect(page.get_by_test_id("ratings-table")).to_contain_text("狮山镇")
        await page.get_by_test_id("service-by").select_option("department")
        await expect(page.get_by_test_id("ratings-table")).to_contain_text("佛山市公安局南海分局")
        assert "by=department" in page.url


@pytest.mark.parametrize("size", [(1920, 1080), (390, 844)])
async def test_the_wall_shows_a_day_at_a_glance_and_renews_itself(
    browser: Browser, managed: Gateway, size: tuple[int, int]
) -> None:
    async with page_of(browser, managed, "/insights?view=wall&from=2026-10-01&to=2026-10-31") as page:
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await page.clock.install()
        await sign_in(page, "page.insights")
        figure = page.get_by_test_id("wall-conversations").locator("strong")
        await expect(figure).not_to_have_text("—")
        assert await sideways(page) <= 0
        assert await serious_faults(page) == []
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.clock.fast_forward(61_000)
        await expect(figure).to_be_visible()
        assert any("/wall?" in url for url in asked)
        await page.get_by_test_id("wall-leave").click()
        await expect(page.get_by_test_id("tab-overview")).to_be_visible()


async def test_a_screen_on_the_wall_goes_on_without_a_sign_in_until_its_code_is_taken_back(
    browser: Browser, managed: Gateway
) -> None:
    async with page_of(browser, managed, f"/insights?{YEAR}&tab=report") as page:
        await sign_in(page, "page.insights")
        await page.get_by_test_id("display-name").fill("指挥中心东墙")
        await page.get_by_test_id("display-make").click()
        address = await page.get_by_test_id("display-address").inner_text()
        await expect(page.get_by_test_id("display-row")).to_contain_text("还没有看过")
        await expect(page.get_by_test_id("display-make")).to_be_enabled()
        assert await serious_faults(page) == []
        path = address.removeprefix(f"http://{managed.address}").replace("#", "?from=2026-10-01&to=2026-10-31#")
        async with page_of(
            browser, managed, path, f"401 GET {ROOT}/wall"
        ) as wall:  # a browser of its own: nobody is signed in there
            await wall.clock.install()
            await wall.reload()
            figure = wall.get_by_test_id("wall-conversations").locator("strong")
            await expect(figure).to_be_visible()
            await expect(wall.get_by_test_id("sign-in-username")).to_have_count(0)
            assert await wall.context.cookies() == []
            assert await serious_faults(wall) == []
            await wall.set_viewport_size({"width": 1920, "height": 1080})
            await page.get_by_test_id("display-revoke").click()
            await expect(page.get_by_test_id("displays")).to_contain_text("不能再看的 1 块")
            await wall.clock.fast_forward(61_000)
            await expect(wall.get_by_test_id("wall-trouble")).to_contain_text("重新开一个")
            await expect(figure).to_have_count(0)
