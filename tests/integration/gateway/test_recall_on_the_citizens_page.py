"""「答复有更正时打电话告诉我」 on the citizen's page, in a real browser: asked once, kept, taken back."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect
from running_gateway import Gateway, frame
from test_staff_pages import browser, page_of, serious_faults

from hotline.events import EventType
from hotline.messages import Reply, Source, Understanding
from hotline.ports import DialogueAnswer

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser"]
FEE = DialogueAnswer(
    replies=[Reply(text="不收费", sources=[Source(item_code="x", field="facts.fee", version="2026-01-01")])],
    understanding=Understanding(intent="ask_fee", aspect="fee", item_key="JZ02", confidence=0.9),
)
DECLINED = DialogueAnswer(replies=[Reply(text="好的，那就不打扰您了。")], understanding=Understanding(intent="deny"), recall=False)  # fmt: skip


async def test_a_citizen_leaves_a_number_for_corrections_sees_it_again_and_takes_it_back(
    browser: Browser, gateway: Gateway
) -> None:
    gateway.engine._answers["居住证要多少钱"] = FEE
    async with page_of(browser, gateway, "/", "422 POST /api/v1/conversations/*/recall-consent") as page:
        await expect(page.get_by_test_id("bot-message")).to_have_count(1)
        await expect(page.get_by_test_id("recall-consent")).to_have_count(0)  # nothing was told yet
        await page.get_by_test_id("composer-input").fill("居住证要多少钱")
        await page.get_by_test_id("send-button").click()
        await page.get_by_test_id("recall-open").click()
        await expect(page.get_by_test_id("recall-phone")).to_be_focused()
        await page.get_by_test_id("recall-yes").click()
        await expect(page.get_by_test_id("recall-consent")).to_contain_text("请填答复有更正时打给您的电话。")
        await page.get_by_test_id("recall-phone").fill("12")
        await page.get_by_test_id("recall-yes").click()
        await expect(page.get_by_test_id("recall-consent")).to_contain_text("请填 11 位手机号")
        await page.get_by_test_id("recall-phone").fill("13800000078")
        assert await serious_faults(page) == []
        await page.get_by_test_id("recall-yes").click()
        await expect(page.get_by_test_id("recall-told")).to_contain_text("我们打 138****0078 告诉您")
        await page.reload()
        await expect(page.get_by_test_id("recall-told")).to_contain_text("我们打 138****0078 告诉您")

        await page.get_by_test_id("rating-button").click()  # answered already: not asked once more
        await page.get_by_test_id("rating-5").check()
        await page.get_by_test_id("rating-submit").click()
        rated = page.get_by_test_id("rating-dialog")
        await expect(rated.get_by_test_id("recall-told")).to_contain_text("138****0078")
        await expect(rated.get_by_test_id("recall-phone")).to_have_count(0)
        await rated.get_by_test_id("recall-withdraw").click()
        await expect(rated.get_by_test_id("recall-told")).to_contain_text("不打电话告诉您")
        assert await serious_faults(page) == []
        key = await page.evaluate("() => JSON.parse(localStorage['hotline.conversation']).id")
    kept = await gateway.services.store.events_of(key, EventType.RECALL_CONSENT)
    assert [event.data["agreed"] for event in kept] == [True, False]


async def test_a_no_in_the_talk_is_not_asked_again_by_the_page(browser: Browser, gateway: Gateway) -> None:
    gateway.engine._answers |= {"居住证要多少钱": FEE, "不要": DECLINED}
    async with page_of(browser, gateway, "/") as page:
        for n, text in enumerate(("居住证要多少钱", "不要"), 2):
            await page.get_by_test_id("composer-input").fill(text)
            await page.get_by_test_id("send-button").click()
            await expect(page.get_by_test_id("bot-message")).to_have_count(n)
        await expect(page.get_by_test_id("recall-told")).to_contain_text("不打电话告诉您")
        await page.get_by_test_id("rating-button").click()
        await page.get_by_test_id("rating-4").check()
        await page.get_by_test_id("rating-submit").click()
        await expect(page.get_by_test_id("rating-dialog").get_by_test_id("recall-phone")).to_have_count(0)


async def test_the_event_of_a_consent_carries_no_number(gateway: Gateway) -> None:
    talk = await gateway.open()
    body = {"agreed": True, "phone": "13800000079"}
    assert (await gateway.http.post(f"{talk.path}/recall-consent", json=body, headers=talk.headers)).status_code == 201
    async with talk.events(after=0) as events:
        told = await frame(events)
        while told["type"] != "recall_consent":
            told = await frame(events)
    assert told == {
        "type": "recall_consent", "seq": told["seq"], "turn_id": None, "agreed": True, "contact": "138****0079",
    }  # fmt: skip
