"""The citizen's page and the agents' page side by side: chat and voice taken over, handed back, dropped, called back."""

from __future__ import annotations

import asyncio
import shutil
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, WebSocketRoute, async_playwright, expect
from running_gateway import Gateway, Talk
from test_desk import _gone as everybody_leaves
from test_staff_pages import NO_LONGER_MINE, account, page_of, serious_faults, sign_in

from hotline.messages import Reply, Understanding
from hotline.ports import DialogueAnswer
from voice.audio import read_wav, resample, to_pcm

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=15_000)  # several browsers on a busy machine

SPEECH = Path(__file__).resolve().parents[2] / "data" / "speech"
RATE = 48000
SPOKEN = 0.1  # louder than the waiting tone (0.055), softer than a voice
FLAGS = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


def microphone(recording: str, into: Path) -> Path:
    """A person's voice for a browser's microphone, again and again."""
    samples, rate = read_wav(SPEECH / recording)
    voice = resample(samples, rate, RATE).astype(np.float64)
    voice *= 26000 / np.abs(voice).max()
    with wave.open(str(into), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(to_pcm(np.concatenate([voice, np.zeros(RATE)]).astype(np.int16)))
    return into


@asynccontextmanager
async def _speaking(recording: str, folder: Path, *flags: str) -> AsyncIterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "Chromium is missing; make test installs it"
    heard = microphone(recording, folder / f"{recording}-48k.wav")
    capture = f"--use-file-for-fake-audio-capture={heard}"
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=found, args=[*FLAGS, capture, *flags])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def citizens(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with _speaking("q_02.wav", tmp_path_factory.mktemp("citizen")) as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agents(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with _speaking("q_07.wav", tmp_path_factory.mktemp("agent")) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def desk(gateway: Gateway) -> Gateway:
    await everybody_leaves(gateway)
    gateway.engine._answers["转人工"] = DialogueAnswer(
        replies=[Reply(text="请稍候。")], understanding=Understanding(intent="handoff"), handoff=True
    )
    return gateway


@asynccontextmanager
async def at_desk(
    browser: Browser, gateway: Gateway, name: str, *roles: str, ready: bool = False
) -> AsyncIterator[Page]:
    await account(gateway, name, *(roles or ("agent",)), shown=f"{name[0].upper()}{name[1:]}")
    async with page_of(browser, gateway, "/desk", NO_LONGER_MINE) as page:
        await sign_in(page, name)
        await expect(page.get_by_test_id("desk-connection")).to_have_text("已连上")
        await expect(page.get_by_test_id("my-state")).to_have_text("小休")
        if ready:
            await page.keyboard.press("Alt+r")
            await expect(page.get_by_test_id("my-state")).to_have_text("就绪")
        yield page


@asynccontextmanager
async def at_home(browser: Browser, gateway: Gateway) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"http://{gateway.address}/")
    await expect(page.get_by_test_id("bot-message")).to_have_count(1)
    yield page
    await context.close()


async def says(page: Page, words: str) -> None:
    await page.get_by_test_id("composer-input").fill(words)
    await page.get_by_test_id("send-button").click()
    await expect(page.get_by_test_id("citizen-message").last).to_have_text(words)


async def calls(page: Page) -> None:
    """Dials, and wants a person."""
    await page.get_by_test_id("call-button").click()
    await expect(page.get_by_test_id("call-reply")).not_to_have_count(0)
    await page.get_by_test_id("keypad-button").click()
    await page.get_by_test_id("key-0").click()
    await expect(page.get_by_test_id("call-queue-position")).to_be_visible()


async def heard(page: Page, counter: str) -> None:
    """From now on, a voice."""
    name, peak = counter.split(".")
    await page.evaluate(f"() => {{ if (window.{name}) window.{name}.{peak} = 0; }}")
    await page.wait_for_function(f"least => window.{name}?.{peak} > least", arg=SPOKEN)


async def silent(listener: Page, counter: str, speaker: Page, sent: str) -> None:
    """``listener`` hears no voice while ``speaker`` goes on sending one (by its own counter)."""
    name, peak = counter.split(".")
    before = await speaker.evaluate(f"() => window.{sent}")
    await speaker.wait_for_function(f"before => window.{sent} > before + 10", arg=before)  # what was on its way
    await listener.evaluate(f"() => {{ window.{name}.{peak} = 0; }}")
    await speaker.wait_for_function(f"before => window.{sent} > before + 60", arg=before)
    assert await listener.evaluate(f"() => window.{name}.{peak}") < SPOKEN


async def test_a_chat_is_taken_over_and_handed_back_with_a_note(
    citizens: Browser, agents: Browser, desk: Gateway
) -> None:
    async with at_home(citizens, desk) as citizen, at_desk(agents, desk, "chen", ready=True) as agent:
        await says(citizen, "我是从外地来的")
        await says(citizen, "转人工")
        await expect(citizen.get_by_test_id("queue-position")).to_be_visible()
        await agent.get_by_test_id("accept-offer").click()
        await expect(agent.get_by_test_id("desk-transcript")).to_contain_text("我是从外地来的")
        await agent.get_by_test_id("desk-composer").fill("您好，请问要办什么？")
        await agent.keyboard.press("Enter")
        await expect(citizen.get_by_test_id("agent-message").last).to_contain_text("您好，请问要办什么？")
        asked = len(desk.engine.asked)
        await says(citizen, "办居住证")
        await expect(agent.get_by_test_id("line-citizen").last).to_have_text("办居住证")
        assert len(desk.engine.asked) == asked  # the bot is silent
        await agent.keyboard.press("Alt+b")
        await agent.get_by_test_id("release-note").fill("要办居住证，材料没讲")
        await agent.get_by_test_id("release-go").click()
        await expect(agent.get_by_test_id("my-conversation")).to_have_count(0)
        await says(citizen, "那要带什么")
        await expect(citizen.get_by_test_id("bot-message").last).to_be_visible()
        assert len(desk.engine.asked) == asked + 1
        await expect(citizen.locator("body")).not_to_contain_text("材料没讲")  # for colleagues alone


async def test_a_call_is_taken_over_both_hear_each_other_held_muted_and_hung_up(
    citizens: Browser, agents: Browser, desk: Gateway
) -> None:
    async with at_home(citizens, desk) as citizen, at_desk(agents, desk, "dong", ready=True) as agent:
        await calls(citizen)
        desk.recogniser._script.extend(["我想问社保卡"] * 3)
        await agent.get_by_test_id("accept-offer").click()
        await expect(agent.get_by_test_id("line-mute")).to_be_enabled()
        await heard(agent, "__hotlineDesk.peakIn")  # the caller's recorded voice, at the agent's
        await heard(citizen, "__hotlineCall.peak")  # and the other way
        await expect(agent.get_by_test_id("line-citizen").last).to_have_text("我想问社保卡")
        assert await serious_faults(agent) == []

        await agent.keyboard.press("Alt+m")
        await expect(agent.get_by_test_id("line-mute")).to_have_attribute("aria-pressed", "true")
        await silent(citizen, "__hotlineCall.peak", agent, "__hotlineDesk.framesSent")
        await heard(agent, "__hotlineDesk.peakIn")  # muted, one still hears
        await agent.keyboard.press("Alt+m")
        await heard(citizen, "__hotlineCall.peak")

        await agent.get_by_test_id("line-hold").click()
        await expect(agent.get_by_test_id("line-hold")).to_have_text("接着说")
        await silent(citizen, "__hotlineCall.peak", agent, "__hotlineDesk.framesSent")
        await silent(agent, "__hotlineDesk.peakIn", citizen, "__hotlineCall.framesSent")
        await agent.get_by_test_id("line-hold").click()
        await heard(citizen, "__hotlineCall.peak")

        spoken = len(desk.synthesiser.spoken)
        await agent.get_by_test_id("desk-composer").fill("请带身份证原件。")
        await agent.keyboard.press("Enter")
        await expect(agent.get_by_test_id("line-agent").last).to_have_text("请带身份证原件。")
        await expect(citizen.get_by_test_id("call-reply").last).to_contain_text("请带身份证原件。")
        assert "请带身份证原件。" in "".join(desk.synthesiser.spoken[spoken:])

        await agent.reload()  # the sound comes back by itself, in the same tab
        await heard(agent, "__hotlineDesk.peakIn")
        await agent.get_by_test_id("line-hangup").click()
        await agent.get_by_test_id("release-go").click()
        await expect(citizen.get_by_test_id("call-state")).to_have_text("已结束")
        await expect(agent.get_by_test_id("line")).to_have_count(0)


async def test_who_hangs_up_while_waiting_is_called_back(citizens: Browser, agents: Browser, desk: Gateway) -> None:
    async with at_desk(agents, desk, "fang") as agent:
        async with at_home(citizens, desk) as citizen:
            await calls(citizen)
            await expect(agent.get_by_test_id("waiting")).to_have_count(1)
        await expect(agent.get_by_test_id("waiting")).to_have_count(0)
        await agent.keyboard.press("Alt+c")
        task = agent.get_by_test_id("callback").last
        await expect(task).to_contain_text("没等到人就断了")
        await task.get_by_test_id("callback-claim").click()
        await task.get_by_test_id("callback-no-answer").click()
        await expect(task).to_contain_text("打过 1 次")
        await task.get_by_test_id("callback-claim").click()
        await task.get_by_test_id("callback-reached").click()
        await expect(agent.get_by_test_id("callback")).to_have_count(0)


async def test_a_microphone_that_is_refused_is_said_and_the_agent_hears_and_writes(
    citizens: Browser, agents: Browser, desk: Gateway
) -> None:
    async with (
        at_home(citizens, desk) as citizen,
        at_desk(agents, desk, "gong") as agent,
    ):
        await agent.evaluate(
            "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }"
        )
        await calls(citizen)
        await agent.get_by_test_id("waiting").click()
        await agent.get_by_test_id("take").click()
        await expect(agent.get_by_test_id("microphone-trouble")).to_contain_text("改为「允许」")
        await heard(agent, "__hotlineDesk.peakIn")
        assert await serious_faults(agent) == []


async def test_a_supervisor_sees_everybody_assigns_listens_whispers_barges_in_and_takes_over(
    citizens: Browser, agents: Browser, desk: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rests(_: datetime) -> None:
        return None

    monkeypatch.setattr(desk.services.desk._keeper, "tick", rests)  # nobody is rung but by the supervisor
    async with (
        at_home(citizens, desk) as citizen,
        at_desk(agents, desk, "hua", ready=True) as agent,
        at_desk(agents, desk, "luo", "supervisor") as boss,
    ):
        await calls(citizen)
        await boss.get_by_test_id("waiting").click()
        await boss.get_by_test_id("assign-to").select_option("hua")
        await boss.get_by_test_id("assign-go").click()
        await expect(agent.get_by_test_id("offer")).to_contain_text("班长 Luo 派给您")
        await agent.keyboard.press("Alt+a")
        await expect(agent.get_by_test_id("line-mute")).to_be_enabled()
        await boss.get_by_test_id("tab-crew").click()
        mine = boss.get_by_test_id("crew").filter(has_text="Hua")
        await expect(mine.get_by_test_id("crew-state")).to_have_text("接待中")
        await expect(mine.get_by_test_id("crew-load")).to_have_text("1/3")
        await mine.get_by_test_id("crew-talk").click()
        await expect(boss.get_by_test_id("served-by")).to_have_text("Hua 在接待")
        await boss.get_by_test_id("listen").click()
        await heard(boss, "__hotlineDesk.peakIn")
        await expect(agent.get_by_test_id("parties")).to_contain_text("Luo 监听")
        await agent.keyboard.press("Alt+m")  # so that what is heard now is the supervisor alone
        await expect(agent.get_by_test_id("line-mute")).to_have_attribute("aria-pressed", "true")
        await boss.get_by_test_id("line-whisper").click()
        await expect(agent.get_by_test_id("parties")).to_contain_text("Luo 密语")
        await silent(citizen, "__hotlineCall.peak", boss, "__hotlineDesk.framesSent")
        assert await serious_faults(boss) == []
        await boss.get_by_test_id("line-barge").click()
        await heard(citizen, "__hotlineCall.peak")
        await expect(agent.get_by_test_id("desk-transcript")).to_contain_text("Luo 加入了通话")
        await boss.get_by_test_id("take-over").click()
        await expect(agent.get_by_test_id("desk-note")).to_contain_text("已由 Luo 接管")
        await expect(agent.get_by_test_id("line-ended")).to_contain_text("班长已经接管")
        await expect(agent.get_by_test_id("desk-composer")).to_have_count(0)
        await heard(citizen, "__hotlineCall.peak")
        await expect(boss.get_by_test_id("line-hangup")).to_be_visible()


async def test_a_colleague_is_asked_onto_the_call(citizens: Browser, agents: Browser, desk: Gateway) -> None:
    async with (
        at_home(citizens, desk) as citizen,
        at_desk(agents, desk, "jian") as agent,
        at_desk(agents, desk, "kong") as third,
    ):
        await calls(citizen)
        await agent.get_by_test_id("waiting").click()
        await agent.get_by_test_id("take").click()
        await agent.get_by_test_id("line-invite").click()
        await agent.get_by_test_id("colleague").filter(has_text="Kong").click()
        await third.get_by_test_id("invitation-join").click()
        await heard(third, "__hotlineDesk.peakIn")
        await expect(agent.get_by_test_id("parties")).to_contain_text("Kong 插话")
        await agent.keyboard.press("Alt+m")
        await heard(citizen, "__hotlineCall.peak")
        await third.get_by_test_id("line-leave").click()
        await expect(agent.get_by_test_id("parties")).to_have_count(0)


async def test_a_page_whose_network_was_gone_misses_nothing(agents: Browser, desk: Gateway) -> None:
    async with at_desk(agents, desk, "lin", ready=True) as page:
        gone = False

        async def socket(route: WebSocketRoute) -> None:
            if gone:
                await route.close(code=1012)
            else:
                sockets.append(route)
                route.connect_to_server()

        async def fetched(route: Route) -> None:
            await (route.abort() if gone else route.continue_())

        sockets: list[WebSocketRoute] = []
        await page.route_web_socket("**/api/v1/desk/events*", socket)
        await page.route("**/api/**", fetched)
        await page.reload()
        await expect(page.get_by_test_id("desk-connection")).to_have_text("已连上")
        talk: Talk = await desk.open()
        await talk.say("转人工")
        await page.get_by_test_id("accept-offer").click()
        await talk.say("第一句")
        await expect(page.get_by_test_id("line-citizen").last).to_have_text("第一句")
        gone = True
        for each in sockets:
            await each.close(code=1012)
        await expect(page.get_by_test_id("desk-connection")).to_contain_text("正在重连")
        await page.get_by_test_id("desk-composer").fill("写了一半")
        for number in range(20):
            await talk.say(f"断线时的第 {number} 句")
        gone = False
        await expect(page.get_by_test_id("desk-connection")).to_have_text("已连上")
        await expect(page.get_by_test_id("line-citizen").last).to_have_text("断线时的第 19 句")
        shown = await page.get_by_test_id("line-citizen").all_inner_texts()
        assert shown == ["转人工", "第一句", *[f"断线时的第 {number} 句" for number in range(20)]]
        await expect(page.get_by_test_id("desk-composer")).to_have_value("写了一半")


async def test_two_tabs_of_one_agent_answer_once_and_one_of_them_has_the_sound(
    citizens: Browser, agents: Browser, desk: Gateway
) -> None:
    async with at_home(citizens, desk) as citizen, at_desk(agents, desk, "meng", ready=True) as one:
        two = await one.context.new_page()
        await two.goto(one.url)
        await expect(two.get_by_test_id("desk-connection")).to_have_text("已连上")
        await calls(citizen)
        await expect(two.get_by_test_id("offer")).to_be_visible()
        await one.get_by_test_id("accept-offer").click()
        await expect(one.get_by_test_id("line-mute")).to_be_enabled()
        await expect(two.get_by_test_id("offer")).to_have_count(0)
        await two.get_by_test_id("my-conversation").click()
        await expect(two.get_by_test_id("no-sound")).to_be_visible()  # a second tab takes no second line
        both = asyncio.Barrier(2)  # neither has seen the other's answer when it sends its own

        async def together(route: Route) -> None:
            await both.wait()
            await route.continue_()

        await one.context.route("**/desk/conversations/*/messages", together)
        for tab in (one, two):
            await tab.get_by_test_id("desk-composer").fill("请稍等，我查一下。")
        await one.keyboard.press("Enter")
        await two.get_by_test_id("desk-composer").press("Enter")
        for tab in (one, two):
            await expect(tab.get_by_test_id("desk-composer")).to_have_value("")
            await expect(tab.get_by_test_id("line-agent")).to_have_count(1)
        await two.get_by_test_id("connect-sound").click()
        await expect(one.get_by_test_id("line-ended")).to_contain_text("另一个标签页")
        await heard(two, "__hotlineDesk.peakIn")
        await heard(citizen, "__hotlineCall.peak")
