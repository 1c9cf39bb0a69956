"""The citizen's page in a real browser: typing, and a call by microphone."""

from __future__ import annotations

import re
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from playwright.async_api import Page, async_playwright, expect

from voice.audio import read_wav, resample, to_pcm

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
RATE = 48000


@asynccontextmanager
async def page_of(line, chromium: str, *flags: str) -> AsyncIterator[Page]:
    """A telephone's page. Nothing may go wrong in it, and nothing may be asked of another origin."""
    wrong: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *flags])
        context = await browser.new_context(
            viewport={"width": 390, "height": 844}, permissions=["microphone"], locale="zh-CN"
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("request", lambda asked: None if _own(asked.url, line.address) else wrong.append(asked.url))
        await page.goto(f"{line.address}/")
        yield page
        await browser.close()
    assert wrong == []


def _own(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws", 1), "data:", "blob:"))


async def ask(page: Page, text: str, answers: int) -> None:
    """Types and sends; waits for the given number of answers on the page."""
    await page.get_by_test_id("composer-input").fill(text)
    await page.get_by_test_id("send-button").click()
    await expect(page.get_by_test_id("bot-message")).to_have_count(answers, timeout=10_000)


async def test_a_citizen_types_and_reads_the_answer_and_finds_it_again_after_a_reload(line, chromium):
    async with page_of(line, chromium) as page:
        messages, said = page.get_by_test_id("bot-message"), page.get_by_test_id("citizen-message")
        await expect(messages).to_have_count(1)
        await ask(page, "居住证要带什么材料", 2)
        await expect(messages.last).to_contain_text("居住证")
        await expect(messages.last).to_contain_text("身份证")
        await expect(messages.last.get_by_test_id("source-line")).to_be_visible()
        await ask(page, "<img src=x onerror=alert(1)>", 3)
        await expect(said.last).to_have_text("<img src=x onerror=alert(1)>")
        await ask(page, "那要多久", 4)
        await expect(messages.last).to_contain_text("居住证")
        shown, words = await messages.all_inner_texts(), await said.all_inner_texts()
        await page.reload()
        await expect(said).to_have_count(3)
        assert await said.all_inner_texts() == words
        assert (await messages.all_inner_texts())[-3:] == shown[-3:]


async def test_the_elderly_mode_makes_the_letters_large_and_stays_after_a_reload(line, chromium):
    async with page_of(line, chromium) as page:
        await ask(page, "居住证怎么办", 2)
        size = "element => parseFloat(getComputedStyle(element).fontSize)"
        small = await page.get_by_test_id("bot-message").last.evaluate(size)
        await page.get_by_test_id("elderly-toggle").click()
        await expect(page.get_by_test_id("elderly-toggle")).to_have_attribute("aria-pressed", "true")
        assert await page.get_by_test_id("bot-message").last.evaluate(size) >= max(24, small * 1.3)
        colours = "element => { const s = getComputedStyle(element); return [s.color, s.backgroundColor]; }"
        ink, ground = await page.get_by_test_id("elderly-toggle").evaluate(colours)
        assert ink != ground, "the pressed button can be read while the pointer rests on it"
        await page.reload()
        await expect(page.get_by_test_id("elderly-toggle")).to_have_attribute("aria-pressed", "true")
        sideways = await page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        assert sideways <= 0, "the page does not move sideways on a telephone"


async def test_asking_for_a_person_shows_the_queue(line, chromium):
    async with page_of(line, chromium) as page:
        await ask(page, "转人工", 2)
        await expect(page.get_by_test_id("queue-position")).to_contain_text("位")


def microphone(wav: Path, into: Path, silence_s: float) -> Path:
    """What the browser's microphone hears: silence, the recording, silence."""
    samples, rate = read_wav(wav)
    voice = resample(samples, rate, RATE)
    sound = np.concatenate([np.zeros(int(RATE * silence_s), np.int16), voice, np.zeros(RATE * 20, np.int16)])
    with wave.open(str(into), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(to_pcm(sound))
    return into


# 社保卡 or its homophones: the recogniser writes what it hears, the answer below must still be right.
SOCIAL_SECURITY_CARD = re.compile("[社舍射设涉][保堡包报]卡")


async def test_a_citizen_calls_from_the_page_and_hears_the_answer(line, chromium, question, tmp_path):
    line.until_speech_is_ready()
    heard = microphone(question, tmp_path / "microphone.wav", silence_s=6)
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with page_of(line, chromium, *flags, f"--use-file-for-fake-audio-capture={heard}%noloop") as page:
        await page.get_by_test_id("call-button").click()
        transcript = page.get_by_test_id("transcript")
        await expect(transcript.get_by_test_id("call-reply")).to_have_count(1, timeout=15_000)  # the greeting
        await expect(transcript.get_by_test_id("call-caller-line")).to_contain_text(
            SOCIAL_SECURITY_CARD, timeout=30_000
        )
        await expect(transcript.get_by_test_id("call-reply").last).to_contain_text("社会保障卡", timeout=15_000)
        greeted = await page.evaluate("() => window.__hotlineCall.bytesReceived")
        await page.wait_for_function("before => window.__hotlineCall.bytesReceived > before + 64000", arg=greeted)
        call = await page.evaluate("() => ({ ...window.__hotlineCall })")
        assert call["framesSent"] > 0
        assert call["peak"] > 0.01, "the answer is audible"
        await page.get_by_test_id("hangup-button").click()
        await expect(page.get_by_test_id("call-state")).to_have_text("已结束")
