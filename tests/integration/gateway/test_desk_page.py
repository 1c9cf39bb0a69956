"""The agents' page in a real browser: from readiness to the hand-back, the citizen on the other end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from running_gateway import Gateway, frames_until
from test_desk import _gone as everybody_leaves
from test_staff_pages import NO_LONGER_MINE, account, browser, page_of, serious_faults, sign_in

from hotline.desk import Offer, OfferTrigger
from hotline.desk_ports import AssistAnswer, FieldsSaid, Passage
from hotline.messages import Aspect, Reply, Understanding
from hotline.ports import DialogueAnswer

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=15_000)  # several browsers on a busy machine
__all__ = ["browser"]  # the fixture
GUIDE = "请带身份证原件和居住地址证明。"
COUNT_BEEPS = """
  window.beeps = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) { window.beeps += 1; return start.apply(this, at); };
"""


@pytest_asyncio.fixture(loop_scope="module")
async def desk(gateway: Gateway, tmp_path: Path) -> Gateway:
    await everybody_leaves(gateway)
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
    async with page_of(browser, desk, "/desk", NO_LONGER_MINE) as page:
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


async def test_every_other_step_of_the_page_is_gone_by_an_agent(browser: Browser, desk: Gateway) -> None:
    await account(desk, "every.step", "agent", shown="黄坐席")
    async with page_of(browser, desk, "/desk", "503 *", NO_LONGER_MINE) as page:
        await page.add_init_script(COUNT_BEEPS)
        await page.reload()
        await sign_in(page, "every.step")
        state, talk = page.get_by_test_id("my-state"), page.get_by_test_id("talk")
        await expect(page.get_by_test_id("desk-connection")).to_have_text("已连上")

        await expect(state).to_have_text("小休")
        await page.keyboard.press("Alt+h")
        await expect(page.get_by_test_id("help")).to_contain_text("Alt+M")
        assert await serious_faults(page) == []
        await page.keyboard.press("Alt+h")
        await expect(page.get_by_test_id("help")).to_be_hidden()
        await page.get_by_test_id("set-ready").click()
        await expect(state).to_have_text("就绪")
        await page.get_by_test_id("set-paused").click()
        await expect(state).to_have_text("小休")
        await page.get_by_test_id("set-offline").click()
        await expect(page.get_by_test_id("desk-connection")).to_have_text("您已离岗")
        assert await serious_faults(page) == []
        await page.get_by_test_id("arrive").click()
        await expect(state).to_have_text("小休")
        await page.keyboard.press("Alt+r")
        await expect(state).to_have_text("就绪")

        first = await desk.open()  # rings, with a sound; declined; rings out
        await first.say("转人工")
        await expect(page.get_by_test_id("offer")).to_be_visible()
        await page.wait_for_function("() => window.beeps > 0")
        await page.wait_for_function("() => document.title.includes('来话')")
        books = desk.services.desk.books
        declined = {offer.offer_id for offer in await books.offers()}
        await page.get_by_test_id("decline-offer").click()
        again: list[Offer] = []
        async with asyncio.timeout(15):
            while not again:  # nobody else is there: rung again
                await desk.services.desk.tick()
                again = [offer for offer in await books.offers() if offer.offer_id not in declined]
        await expect(page.get_by_test_id("offer")).to_be_visible()
        for offer in again:
            await desk.services.desk.publish(
                await books.end_offer(offer.offer_id, OfferTrigger.TIME_OUT, desk.services.desk._now(), offer.agent)
            )
        await expect(state).to_have_text("小休")  # who does not answer is not at the desk
        await expect(page.get_by_test_id("offer")).to_have_count(0)
        assert "来话" not in await page.title()

        await page.get_by_test_id("waiting").click()
        await page.get_by_test_id("take").click()
        await page.get_by_test_id("tab-picture").click()
        await expect(page.get_by_test_id("picture")).to_be_visible()
        assert await serious_faults(page) == []
        await page.get_by_test_id("tab-assist").click()
        box = page.get_by_test_id("desk-composer")
        await page.get_by_text("核对", exact=True).click()
        await page.get_by_test_id("template").locator("visible=true").first.click()
        await expect(box).not_to_have_value("")
        await box.fill("受理号是 12345678")
        await page.get_by_role("button", name="读一遍回复框里的号码").click()
        await expect(page.get_by_test_id("assist")).to_contain_text("幺二三四")
        await box.fill("在哪里")
        await page.get_by_role("button", name="改成粤语").click()
        await expect(box).to_have_value("喺边度")
        await page.get_by_role("button", name="改成书面语").click()
        await expect(box).to_have_value("在哪里")
        await first.say("喺边度办")
        await expect(page.get_by_test_id("line-citizen").last).to_have_text("喺边度办")
        await page.get_by_role("button", name="粤语换成书面语看").click()
        await expect(page.get_by_test_id("assist")).to_contain_text("在哪里办")
        await box.fill("滚，自己看")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("warnings")).to_contain_text("不能发")
        await expect(page.get_by_test_id("desk-send")).to_be_disabled()
        await box.fill("大概要三天")
        await page.keyboard.press("Enter")
        await page.get_by_test_id("send-anyway").click()
        await expect(page.get_by_test_id("line-agent").last).to_have_text("大概要三天")
        desk.services.desk.knowledge.available = False  # type: ignore[attr-defined]
        await first.say("还有别的吗")
        await expect(page.get_by_test_id("assist-failed")).to_contain_text("没有查成")
        assert await serious_faults(page) == []
        desk.services.desk.knowledge.available = True  # type: ignore[attr-defined]
        await expect(page.get_by_test_id("assist-none")).to_be_visible(timeout=15_000)  # asked again by itself

        await page.keyboard.press("Alt+q")
        await page.get_by_test_id("release-note").fill("请会粤语的同事接")
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_test_id("my-conversation")).to_have_count(0)
        await expect(talk).to_have_count(0)
        await page.get_by_test_id("waiting").click()
        await expect(page.get_by_test_id("desk-transcript")).to_contain_text("请会粤语的同事接")
        await page.keyboard.press("Alt+a")  # none offered: the one being read
        await expect(box).to_be_focused()
        await page.keyboard.press("Alt+e")
        await page.get_by_test_id("release-go").click()
        await expect(page.get_by_test_id("my-conversation")).to_have_count(0)
        assert (await desk.services.store.get_conversation(first.conversation_id)).state.value == "closed"

        gone = await desk.open()
        await gone.say("转人工")
        await desk.http.post(f"{gone.path}/callback", json={"phone": "13800000019"}, headers=gone.headers)
        await page.keyboard.press("Alt+c")
        task = page.get_by_test_id("callback")
        await task.get_by_test_id("callback-claim").click()
        await task.get_by_role("button", name="放回").click()
        await expect(task).to_contain_text("待认领")
        await task.get_by_test_id("callback-claim").click()
        await task.get_by_test_id("callback-give-up").click()
        await task.get_by_label("放弃的原因").fill("号码是空号")
        assert await serious_faults(page) == []
        await task.get_by_role("button", name="确定放弃").click()
        await expect(task).to_have_count(0)
        sideways = await page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        assert sideways <= 0
