"""The agents' page in a real browser: from readiness to the hand-back, the citizen on the other end."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from running_gateway import Gateway, frames_until
from test_staff_pages import account, browser, page_of, serious_faults, sign_in

from hotline.desk_ports import AssistAnswer, FieldsSaid, Passage
from hotline.messages import Aspect, Reply, Understanding
from hotline.ports import DialogueAnswer

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser"]  # the fixture
GUIDE = "请带身份证原件和居住地址证明。"


@pytest_asyncio.fixture(loop_scope="module")
async def desk(gateway: Gateway, tmp_path: Path) -> Gateway:
    gateway.engine._answers["转人工"] = DialogueAnswer(
        replies=[Reply(text="请稍候。")], understanding=Understanding(intent="handoff"), handoff=True
    )
    passage = Passage(item_key="JZ02", item_name="居住证", aspect=Aspect.MATERIALS, score=0.9, reply=Reply(text=GUIDE))
    gateway.services.desk.knowledge.answers["要带什么"] = AssistAnswer(  # type: ignore[attr-defined]
        passages=[passage], fields=FieldsSaid(town="桂城街道")
    )
    return gateway


async def test_an_agent_takes_a_citizen_over_answers_and_hands_back(browser: Browser, desk: Gateway) -> None:
    await account(desk, "desk.page", "agent", shown="陈坐席")
    async with page_of(browser, desk) as page:
        await sign_in(page, "desk.page")
        await expect(page.get_by_test_id("my-state")).to_have_text("小休")
        await expect(page.get_by_test_id("desk-connection")).to_have_text("已连上")
        await page.keyboard.press("Alt+r")
        await expect(page.get_by_test_id("my-state")).to_have_text("就绪")
        assert await serious_faults(page) == []

        talk = await desk.open()
        await talk.say("我是从外地来的")
        await talk.say("转人工")
        await expect(page.get_by_test_id("offer")).to_be_visible()
        await page.get_by_test_id("look-offer").click()
        await expect(page.get_by_test_id("desk-transcript")).to_contain_text("我是从外地来的")
        await expect(page.get_by_test_id("summary")).not_to_be_empty()
        await expect(page.get_by_test_id("desk-composer")).to_have_count(0)  # looking is not taking
        assert await serious_faults(page) == []

        async with talk.events(after=0) as citizen:
            await page.keyboard.press("Alt+a")
            await expect(page.get_by_test_id("my-state")).to_have_text("接待中")
            await expect(page.get_by_test_id("desk-composer")).to_be_focused()
            await talk.say("要带什么")
            await expect(page.get_by_test_id("line-citizen").last).to_have_text("要带什么")
            await expect(page.get_by_test_id("fields")).to_contain_text("桂城街道")
            await page.get_by_test_id("fill-passage").click()
            await expect(page.get_by_test_id("desk-composer")).to_have_value(GUIDE)
            await expect(page.get_by_test_id("line-agent")).to_have_count(0)  # nothing goes by itself
            assert await serious_faults(page) == []
            await page.keyboard.press("Enter")
            said = (await frames_until(citizen, type="agent_message"))[-1]
            assert (said["text"], said["agent"]) == (GUIDE, "陈坐席")
            await expect(page.get_by_test_id("line-agent")).to_have_text(GUIDE)
            await expect(page.get_by_test_id("desk-composer")).to_have_value("")

            await page.keyboard.type("请打13800000000")
            await page.keyboard.press("Enter")
            await expect(page.get_by_test_id("warnings")).to_contain_text("不能发")
            await page.get_by_test_id("desk-composer").fill("")

            await page.keyboard.press("Alt+b")
            await expect(page.get_by_test_id("release-note")).to_be_focused()
            await page.keyboard.type("材料已说清")
            await expect(page.get_by_test_id("release-town")).to_have_value("桂城街道")  # the citizen has told it
            assert await serious_faults(page) == []
            await page.get_by_test_id("release-go").click()
            await frames_until(citizen, type="state", state="bot")
        await expect(page.get_by_test_id("my-conversation")).to_have_count(0)
        await expect(page.get_by_test_id("my-state")).to_have_text("话后处理")
        assert (await desk.engine.slots(talk.conversation_id))["town"] == "桂城街道"

        rather = await desk.open()
        await rather.say("转人工")
        await expect(page.get_by_test_id("waiting")).to_be_visible()
        answer = await desk.http.post(f"{rather.path}/callback", json={"phone": "13800000009"}, headers=rather.headers)
        assert answer.status_code == 201
        await page.keyboard.press("Alt+c")
        number = page.get_by_test_id("callback-number")
        await expect(number).to_have_text(answer.json()["contact"])  # masked
        await page.get_by_test_id("callback-claim").click()
        await page.get_by_test_id("callback-reveal").click()
        await expect(number).to_have_text("13800000009")
        assert await serious_faults(page) == []
        await page.get_by_test_id("callback-reached").click()
        await expect(page.get_by_test_id("callback")).to_have_count(0)

        sideways = await page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        assert sideways <= 0
