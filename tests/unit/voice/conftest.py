"""A scripted call on virtual time: sound is counted in samples, pacing runs on a clock we move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pytest

from hotline.settings import Settings
from voice.clock import VirtualClock
from voice.ports import SpokenReply
from voice.session import CallSession
from voice.stt.scripted import ScriptedRecogniser
from voice.tts.scripted import ScriptedSynthesiser
from voice.vad import LoudnessVad


class InlineExecutor(Executor):
    """Runs work at once, so that a test never waits for a thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as problem:
            future.set_exception(problem)
        return future


class CannedDialogue:
    """Answers what it was told, and keeps what it was asked."""

    def __init__(self, greeting: str = "您好，我是人工智能助手，通话会录音。") -> None:
        self.asked: list[tuple[str, float]] = []
        self.handoffs = 0
        self.greeting = greeting
        self.answer_text = "请带身份证原件。"
        self.problem: Exception | None = None
        self.state = "bot"
        self.waits_for: asyncio.Event | None = None

    async def greet(self) -> SpokenReply:
        return SpokenReply.of_text("t0", self.greeting)

    async def answer(self, text: str, confidence: float) -> SpokenReply:
        self.asked.append((text, confidence))
        if self.waits_for is not None:
            await self.waits_for.wait()
        if self.problem is not None:
            raise self.problem
        return SpokenReply.of_text(f"t{len(self.asked)}", self.answer_text, self.state)

    async def handoff(self) -> SpokenReply:
        self.handoffs += 1
        return SpokenReply.of_text("h1", "正在为您转人工。", "queued")


class ScriptedCall:
    """Drives a session and keeps what it sends."""

    def __init__(self, script: list[Any], rate: int = 16000, encoding: str = "pcm_s16le", **options: Any) -> None:
        self.rate, self.encoding = rate, encoding
        self.clock = VirtualClock()
        self.dialogue = options.pop("dialogue", None) or CannedDialogue()
        self.recogniser = options.pop("recogniser", None) or ScriptedRecogniser(script)
        self.synthesiser = options.pop("synthesiser", None) or ScriptedSynthesiser()
        self.frames: list[tuple[float, dict[str, Any] | bytes]] = []
        self.session = CallSession(
            recogniser=self.recogniser,
            synthesiser=self.synthesiser,
            vad=LoudnessVad,
            dialogue=self.dialogue,
            settings=Settings(_env_file=None),
            send=self._send,
            clock=self.clock,
            executor=options.pop("executor", InlineExecutor()),
            **options,
        )

    async def _send(self, frame: dict[str, Any] | bytes) -> None:
        self.frames.append((self.clock.now(), frame))

    async def start(self) -> None:
        assert await self.session.start(self.encoding, self.rate, {"type": "started", "call_id": "c1"})
        await self.clock.settle()

    async def _sound(self, seconds: float, amplitude: int, step_s: float = 0.02) -> None:
        for _ in range(round(seconds / step_s)):
            samples = np.full(int(self.rate * step_s), amplitude, np.int16)
            samples[1::2] *= -1
            await self.session.audio(samples.tobytes())
            await self.clock.advance(step_s)

    async def speak(self, seconds: float) -> None:
        await self._sound(seconds, 6000)

    async def quiet(self, seconds: float, step_s: float = 0.02) -> None:
        await self._sound(seconds, 0, step_s)

    async def listen_to_greeting(self) -> None:
        """Waits the greeting out, in silence, then forgets it."""
        await self.start()
        while not self.has({"type": "speech", "phase": "end"}):
            await self.quiet(0.1)
        self.frames.clear()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [frame for _, frame in self.frames if isinstance(frame, dict)]

    @property
    def kinds(self) -> list[str]:
        """Text frames in short, a run of audio frames as one 「audio」."""
        kinds: list[str] = []
        for _, frame in self.frames:
            if isinstance(frame, bytes):
                kind = "audio"
            else:
                more = frame.get("phase") or frame.get("code") or frame.get("reason") or frame.get("state")
                kind = frame["type"] + (f":{more}" if more else "")
            if not (kind == "audio" and kinds[-1:] == ["audio"]):
                kinds.append(kind)
        return kinds

    def has(self, wanted: dict[str, Any]) -> bool:
        return any(wanted.items() <= event.items() for event in self.events)

    def said(self) -> list[str]:
        return [event["text"] for event in self.events if event["type"] == "reply"]


@pytest.fixture
async def make_call():
    """``make_call(["第一句", …])`` → a ScriptedCall; after the test nothing may be left running."""
    calls: list[ScriptedCall] = []

    def make(script: list[Any] | None = None, **options: Any) -> ScriptedCall:
        calls.append(ScriptedCall(script or [], **options))
        return calls[-1]

    yield make
    for call in calls:
        await call.session.abandon()
        await call.clock.settle()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert left == set(), "a call left tasks running"
