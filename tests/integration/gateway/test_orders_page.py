"""The work-orders page in a real browser: the whole life of an order, by everybody who has a hand in it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, Page, expect
from running_gateway import OFFICE, Gateway
from test_staff_pages import account, browser, page_of, serious_faults, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser"]  # the fixture
PATH = "/api/v1/work-orders"
MOBILE = "13800000031"
# What the tests have refused on purpose.
HIDDEN = (f"404 GET {PATH}/*",)
NO_PICTURE = (f"415 POST {PATH}/*/attachments",)
MOVED_BEFORE_IT_WAS_READ = (f"412 PATCH {PATH}/*", f"404 GET {PATH}/*/merge-candidates")
PEOPLE = {"o.agent": "agent", "o.leader": "supervisor", "o.manager": "manager", "guicheng": "agent", "dali": "agent"}


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def people(running: Gateway) -> None:
    for name, role in PEOPLE.items():
        await account(running, name, role)


async def filed(gateway: Gateway, description: str, **more: Any) -> str:
    body = {"type": "complaint", "contact_name": "何先生", "contact_mobile": MOBILE, "description": description}
    answer = await gateway.http.post(PATH, json=body | more)
    assert answer.status_code == 201, answer.text
    await gateway.services.orders.read_pending()
    return str(answer.json()["number"])


@asynccontextmanager
async def at_work(
    browser: Browser, gateway: Gateway, *names: str, meant: tuple[str, ...] = ()
) -> AsyncIterator[list[Page]]:
    """The page of each of ``names``, signed in; ``meant`` as for page_of."""
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page_of(browser, gateway, "/desk/orders", *meant)) for _ in names]
        for page, name in zip(pages, names, strict=True):
            await sign_in(page, name)
            await expect(page.get_by_test_id("order-total")).to_be_visible()
        yield pages


async def opened(page: Page, number: str) -> None:
    """The order as it stands now."""
    await page.goto(f"{page.url.split('?')[0]}?order={number}")
    await expect(page.get_by_test_id("order-number")).to_have_text(number)
    await expect(page.get_by_test_id("history-line").first).to_be_visible()


async def make(page: Page, move: str, state: str, **fields: Any) -> None:
    """One move by its button and its form."""
    await page.get_by_test_id(f"move-{move}").click()
    if score := fields.pop("score", None):
        await page.get_by_test_id(f"move-score-{score}").check()
    for name, value in fields.items():
        await page.get_by_test_id(f"move-{name}").fill(str(value))
    if move not in {"accept", "take_up", "resume"}:
        await page.get_by_test_id("move-go").click()
    await expect(page.get_by_test_id("order-state")).to_have_text(state)


async def offered(page: Page) -> list[str]:
    ids = await page.locator(".moves [data-testid^=move-]").evaluate_all("all => all.map(each => each.dataset.testid)")
    return [each.removeprefix("move-") for each in ids]


async def test_an_order_lives_from_filing_to_a_bad_rating_its_rectification_and_a_good_one(
    browser: Browser, gateway: Gateway
) -> None:
    async with at_work(browser, gateway, "o.agent", "guicheng", "o.leader", meant=MOVED_BEFORE_IT_WAS_READ) as (
        agent,
        office,
        leader,
    ):
        await agent.keyboard.press("Alt+n")
        await expect(agent.get_by_test_id("new-description")).to_be_focused()
        assert await serious_faults(agent) == []
        await agent.keyboard.type("桂城南海大道工地半夜打桩，吵得睡不着")
        await agent.get_by_test_id("new-type").select_option("complaint")
        await agent.get_by_test_id("new-mobile").fill(MOBILE)
        await agent.keyboard.press("Control+Enter")
        await expect(agent.get_by_test_id("order-state")).to_have_text("已登记，待受理")
        number = await agent.get_by_test_id("order-number").inner_text()
        await gateway.services.orders.read_pending()
        await agent.keyboard.press("Alt+1")  # 受理, of what has been read meanwhile
        await expect(agent.get_by_test_id("order-trouble")).to_contain_text("刚被别人改过")
        await expect(agent.get_by_test_id("proposal-reason")).to_contain_text(f"由{OFFICE}主办")
        assert await offered(agent) == ["accept", "refuse", "merge", "withdraw", "add"]
        await make(agent, "accept", "已受理，待派单")
        await expect(agent.get_by_test_id("order-clock")).to_contain_text("还剩 15 个工作日")
        await agent.get_by_test_id("move-dispatch").click()
        await expect(agent.get_by_test_id("move-reason")).to_contain_text("噪声扰民")
        await expect(agent.get_by_test_id("move-department")).to_have_value(OFFICE)
        await expect(agent.get_by_test_id("move-department")).to_be_focused()
        assert await serious_faults(agent) == []
        await agent.keyboard.press("Control+Enter")
        await expect(agent.get_by_test_id("order-state")).to_have_text("已派单，待签收")
        await expect(agent.get_by_test_id("order-owner")).to_have_text(OFFICE)
        assert await serious_faults(agent) == []

        await opened(office, number)
        assert await offered(office) == ["return", "take_up"]
        await make(office, "take_up", "办理中")
        await make(office, "ask_extension", "延期待审核", days=5, note="要等检测报告")
        await opened(leader, number)
        await expect(leader.get_by_test_id("extension-asked")).to_contain_text("5")
        await make(leader, "grant_extension", "办理中")
        await expect(leader.get_by_test_id("order-clock")).to_contain_text("还剩 20 个工作日")
        await opened(office, number)
        await make(office, "answer", "已答复，待办结", note="已责令夜间停工")

        await opened(agent, number)
        await expect(agent.get_by_test_id("order-answer")).to_have_text("已责令夜间停工")
        await make(agent, "complete", "已办结，待回访")
        await make(agent, "follow_up", "已回访，待评价", note="市民说昨晚又响了")
        await make(agent, "rate", "差评整改中", score=1)
        await expect(agent.get_by_test_id("order-score")).to_contain_text("非常不满意")
        await expect(agent.get_by_test_id("revisit-due")).to_be_visible()
        await opened(office, number)
        await make(office, "rectify", "整改完成，待回访", note="已查扣设备")
        await opened(agent, number)
        await make(agent, "follow_up", "已回访，待评价", note="市民说安静了")
        await make(agent, "rate", "已评价", score=5)
        told = await agent.get_by_test_id("history-line").locator("b").all_inner_texts()
        assert told[::-1] == [
            "登记", "读出类别和派单建议", "受理", "派单", "签收办理", "申请延期", "同意延期", "答复", "办结",
            "回访", "差评", "整改完成", "回访", "评价",
        ]  # fmt: skip


async def test_a_disputed_dispatch_is_reviewed_and_goes_where_it_belongs(browser: Browser, gateway: Gateway) -> None:
    number = await filed(gateway, "桂城桂澜路工地夜间施工打桩")
    async with at_work(browser, gateway, "o.agent", "guicheng", "o.leader", "dali", meant=HIDDEN) as (
        agent,
        office,
        leader,
        other,
    ):
        await opened(agent, number)
        await make(agent, "accept", "已受理，待派单")
        await make(agent, "dispatch", "已派单，待签收")
        await opened(office, number)
        await make(office, "return", "退单待审核", note="工地在大沥界内")
        assert await offered(office) == []
        await opened(agent, number)
        assert not {"uphold", "redispatch"} & set(await offered(agent))  # the review is the supervisor's
        await leader.get_by_test_id("filter-mine").check()
        line = leader.get_by_test_id("order-line").filter(has_text="桂澜路")
        await line.click()
        await expect(leader.get_by_test_id("history")).to_contain_text("工地在大沥界内")
        await make(leader, "uphold", "已派单，待签收", note="界线以图为准，仍由桂城办")
        await opened(office, number)
        await make(office, "return", "退单待审核", note="界桩照片见附件")
        await opened(leader, number)
        await make(
            leader, "redispatch", "已派单，待签收", department="大沥镇综合行政执法办公室", note="核对地图，在大沥"
        )
        await opened(other, number)
        await make(other, "take_up", "办理中")
        await office.goto(f"{office.url.split('?')[0]}?order={number}")
        await expect(office.get_by_test_id("open-trouble")).to_be_visible()  # no longer theirs
        await expect(office.get_by_test_id("order-line").filter(has_text="桂澜路")).to_have_count(0)


async def test_repeats_are_proposed_with_why_merged_and_taken_apart_again(browser: Browser, gateway: Gateway) -> None:
    main = await filed(gateway, "里水洲村大道有个大坑，摩托车摔倒过人")
    again = await filed(gateway, "里水洲村大道有个大坑，摩托车差点摔倒", contact_mobile="13800000032")
    async with at_work(browser, gateway, "o.agent", meant=(f"422 PATCH {PATH}/*",)) as (page,):
        await opened(page, again)
        candidate = page.get_by_test_id("candidate").filter(has_text=main)
        await expect(candidate).to_contain_text("地点相同")
        await expect(candidate).not_to_contain_text("（0%）")
        assert await serious_faults(page) == []
        await candidate.get_by_test_id("merge-into").click()
        await expect(page.get_by_test_id("move-main")).to_have_value(main)
        await page.get_by_test_id("move-go").click()
        await expect(page.get_by_test_id("order-state")).to_have_text("已并单")
        await page.get_by_test_id("merged-into").click()
        await expect(page.get_by_test_id("order-number")).to_have_text(main)
        await page.get_by_test_id("merged-here").click()
        await make(page, "unmerge", "已受理，待派单", note="不是同一个坑")
        await page.get_by_test_id("move-merge").click()
        await page.get_by_test_id("move-main").fill("GD202611250000000000")
        await page.get_by_test_id("move-go").click()
        await expect(page.get_by_test_id("move-trouble")).to_contain_text("没有找到要并入的主单")


async def test_a_confidential_report_is_there_for_those_who_may_see_it_and_each_look_is_kept(
    browser: Browser, gateway: Gateway
) -> None:
    number = await filed(gateway, "桂城海五路一家店卖假药，打13800000039找老板", type="report", category="noise")
    async with at_work(browser, gateway, "o.manager", "o.leader", "guicheng", meant=HIDDEN) as (
        manager,
        leader,
        office,
    ):
        await expect(manager.get_by_test_id("order-line").filter(has_text="卖假药")).to_have_count(0)
        await manager.goto(f"{manager.url.split('?')[0]}?order={number}")
        await expect(manager.get_by_test_id("open-trouble")).to_be_visible()
        await opened(leader, number)
        await expect(leader.get_by_test_id("secret")).to_be_visible()
        await expect(leader.get_by_test_id("order-contact")).to_contain_text(MOBILE)
        assert await serious_faults(leader) == []
        await make(leader, "accept", "已受理，待派单")
        await make(leader, "dispatch", "已派单，待签收", department=OFFICE)
        await opened(office, number)
        await expect(office.get_by_test_id("order-contact")).to_have_text("保密：不显示举报人")
        await expect(office.get_by_test_id("order-description")).not_to_contain_text("13800000039")
    looks = [
        entry.actor
        for entry in await gateway.services.audit.entries(limit=2000)
        if entry.action == "look_at_work_order" and entry.subject == f"work_order:{number}"
    ]
    assert {"o.leader", "guicheng"} <= set(looks)
    assert "o.manager" not in looks


async def test_attachments_go_up_and_come_down_and_bad_ones_are_told_in_chinese(
    browser: Browser, gateway: Gateway, tmp_path: Path
) -> None:
    number = await filed(gateway, "大沥海北路路灯坏了十几天")
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "#336699").save(drawn, "PNG")
    async with at_work(browser, gateway, "o.agent", "o.manager", meant=NO_PICTURE) as (page, manager):
        await opened(page, number)

        async def send(name: str, content: bytes) -> None:
            file = tmp_path / name
            file.write_bytes(content)
            await page.get_by_test_id("attach-file").set_input_files(file)

        await send("现场.png", drawn.getvalue())
        await expect(page.get_by_test_id("attachment")).to_have_text("现场.png")
        address = await page.get_by_test_id("attachment").get_attribute("href")
        got = await page.context.request.get(f"http://{gateway.address}{address}")
        with Image.open(io.BytesIO(await got.body())) as image:
            assert image.size == (40, 30)
        trouble = page.get_by_test_id("attach-trouble")
        await send("其实是程序.png", b"MZ\x90\x00 not a picture")
        await expect(trouble).to_contain_text("附件只收JPEG、PNG、WebP 图片或 PDF")
        await send("太大.pdf", b"%PDF-1.7\n" + b"0" * (gateway.services.settings.attachment_max_mb * 1024 * 1024))
        await expect(trouble).to_contain_text("一个附件最大")
        await send("空的.pdf", b"")
        await expect(trouble).to_contain_text("是空的")
        assert await serious_faults(page) == []
        await send("说明.pdf", b"%PDF-1.7\n")
        await expect(page.get_by_test_id("attachment")).to_have_count(2)
        await opened(manager, number)  # managers read and change nothing
        await expect(manager.get_by_test_id("no-moves")).to_be_visible()
        await expect(manager.get_by_test_id("attach-go")).to_have_count(0)


async def test_the_list_is_narrowed_turned_and_walked_by_keyboard(browser: Browser, gateway: Gateway) -> None:
    for n in range(21):
        await filed(gateway, f"丹灶樵金路公交站牌第{n}个倒了", type="help", town="丹灶镇")
    await filed(gateway, "丹灶樵金路煤气泄漏，味道很大", type="help", town="丹灶镇")
    async with at_work(browser, gateway, "o.agent") as (page,):
        await page.get_by_test_id("filter-town").select_option("丹灶镇")
        await expect(page.get_by_test_id("order-total")).to_have_text("共 22 张")
        await page.get_by_test_id("page-on").click()
        await expect(page.get_by_test_id("order-line")).to_have_count(2)
        assert "page=2" in page.url
        await page.get_by_test_id("filter-urgency").select_option("emergency")
        await expect(page.get_by_test_id("order-total")).to_have_text("共 1 张")
        await page.get_by_test_id("filter-clear").click()
        await page.locator("body").click()
        await page.keyboard.press("/")
        await expect(page.get_by_test_id("filter-q")).to_be_focused()
        await page.keyboard.type("站牌第7个")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("order-total")).to_have_text("共 1 张")
        await page.get_by_test_id("filter-q").fill("站牌")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("order-total")).to_have_text("共 21 张")
        lines = page.get_by_test_id("order-line")
        await lines.first.focus()
        await page.keyboard.press("ArrowDown")
        await expect(lines.nth(1)).to_be_focused()
        await expect(page.get_by_test_id("order")).to_have_count(0)  # walking is not looking
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("order-description")).to_contain_text("站牌")
        await page.get_by_test_id("filter-due").select_option("overdue")
        await expect(page.get_by_test_id("order-total")).to_have_text("共 0 张")
        assert await serious_faults(page) == []
        assert await page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth") <= 0
