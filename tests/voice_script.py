"""Calls written as a timeline and played on virtual time: no test waits for a second of it.

::

    call = ScriptedCall()
    call.says("居住证怎么办", at=4.0)
    call.hums(at=7.5)
    call.presses("0", at=12.0)
    await call.plays(until=15.0)

What a caller says is carried by the sound itself: each character is a piece of sound with a mark
of its own, which the recogniser here reads back. So words come out where the call cut them into
utterances, partial results grow as they are spoken, and noise holds no words. Marks survive 16-bit
PCM alone; give µ-law calls a ScriptedRecogniser.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from hotline.messages import Transcript
from hotline.settings import Settings
from voice.audio import Samples
from voice.clock import VirtualClock
from voice.ports import SpokenReply
from voice.session import CallSession
from voice.tts.scripted import ScriptedSynthesiser
from voice.vad import LoudnessVad

STEP_S = 0.02
CHARACTER_S = 0.2
_FIRST_MARK, _MARK_STEP = 5000, 4
_NOISE = 2000
LOUD = 6000
_HELD = "嗯哦啊唔好对是系"  # measured to hold still: docs/adr/0016-turn-taking.md


class InlineExecutor(Executor):
    """Runs work at once, so that a test never waits for a thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as problem:
            future.set_exception(problem)
        return future


class MarkedSpeech:
    """Makes sound out of words, and reads the words back out of sound. One for a call. Hums hold one
    sound, everything else changes it many times a second, as speech does."""

    def __init__(self) -> None:
        self._spoken: list[str] = []

    def sound(self, text: str, seconds: float, rate: int) -> Samples:
        """``text`` evenly over ``seconds``."""
        edges = np.linspace(0, round(seconds * rate), len(text) + 1).astype(int)
        pieces = []
        for number, (begin, end) in enumerate(pairwise(edges)):
            mark = _FIRST_MARK + _MARK_STEP * len(self._spoken)
            self._spoken.append(text[number])
            pieces.append(_wave(end - begin, mark) if text[number] in _HELD else _varied(end - begin, mark, rate))
        return np.concatenate(pieces)

    def words(self, pcm: bytes) -> str:
        loudness = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32))
        marks = loudness[loudness >= _FIRST_MARK]
        if not len(marks):
            return ""
        numbers = (marks - _FIRST_MARK) // _MARK_STEP
        order = numbers[np.concatenate([[True], numbers[1:] != numbers[:-1]])]
        return "".join(self._spoken[n] for n in order if n < len(self._spoken))


def _wave(samples: int, amplitude: int, half_period: int = 1) -> Samples:
    signs = np.where(np.arange(samples) // half_period % 2, -1, 1)
    return (signs * amplitude).astype(np.int16)


def _varied(samples: int, amplitude: int, rate: int) -> Samples:
    sounds = [_wave(rate // 20, amplitude, 1 + n % 5) for n in range(samples // (rate // 20) + 1)]
    return np.concatenate(sounds)[:samples]


class MarkRecogniser:
    """Hears :class:`MarkedSpeech`. ``partials``: as a streaming engine, else finals only."""

    name = "marks"

    def __init__(self, speech: MarkedSpeech, rate: int, partials: bool) -> None:
        self.sample_rate = rate
        self.speech = speech
        self.partials = partials
        self.sessions: list[_MarkSession] = []

    def start(self, options: object = None) -> _MarkSession:
        self.sessions.append(_MarkSession(self))
        return self.sessions[-1]


class _MarkSession:
    def __init__(self, recogniser: MarkRecogniser) -> None:
        self._recogniser = recogniser
        self.pcm = b""

    def accept_chunk(self, pcm: bytes) -> None:
        self.pcm += pcm

    def partial(self) -> Transcript | None:
        text = self._recogniser.speech.words(self.pcm) if self._recogniser.partials else ""
        return Transcript(text=text, confidence=0.0, final=False) if text else None

    def finish(self) -> Transcript:
        text = self._recogniser.speech.words(self.pcm)
        return Transcript(text=text, confidence=0.9 if text else 0.0)


class CannedDialogue:
    """Answers what it was told, and keeps what it was asked. ``answers``: text → reply."""

    def __init__(self, greeting: str = "您好，我是人工智能助手，通话会录音。") -> None:
        self.asked: list[tuple[str, float]] = []
        self.cuts: list[tuple[str, str, str]] = []
        self.handoffs = 0
        self.greeting = greeting
        self.answer_text = "请带身份证原件。"
        self.expects: str | None = None
        self.urgent = False
        self.problem: Exception | None = None
        self.state = "bot"
        self.waits_for: asyncio.Event | None = None
        self.thinks: Callable[[], Any] | None = None

    async def greet(self) -> SpokenReply:
        return SpokenReply.of_text("t0", self.greeting)

    async def answer(self, text: str, confidence: float) -> SpokenReply:
        self.asked.append((text, confidence))
        if self.waits_for is not None:
            await self.waits_for.wait()
        if self.thinks is not None:
            await self.thinks()
        if self.problem is not None:
            raise self.problem
        payload = SpokenReply.of_text("", self.answer_text).payload
        return SpokenReply(
            f"t{len(self.asked)}", self.answer_text, payload, self.state, self.expects, urgent=self.urgent
        )

    async def handoff(self) -> SpokenReply:
        self.handoffs += 1
        return SpokenReply.of_text("h1", "正在为您转人工。", "queued")

    async def cut(self, turn_id: str, heard: str, unheard: str) -> None:
        self.cuts.append((turn_id, heard, unheard))

    @property
    def heard(self) -> list[str]:
        return [text for text, _ in self.asked]


@dataclass
class _Sound:
    at: float
    samples: Samples


@dataclass
class _Happening:
    at: float
    what: Callable[[], Any]
    done: bool = field(default=False)


class ScriptedCall:
    """A caller and a session. Times in ``at=`` are seconds of the call; without ``at`` now.

    Args:
        script: replaces the recogniser by one that hears these lines, whatever was said.
        partials: the recogniser gives partial results, as streaming engines do.
    """

    def __init__(
        self,
        script: list[Any] | None = None,
        rate: int = 16000,
        encoding: str = "pcm_s16le",
        partials: bool = False,
        **options: Any,
    ) -> None:
        from voice.stt.scripted import ScriptedRecogniser

        self.rate, self.encoding = rate, encoding
        self.clock = VirtualClock()
        self.speech = MarkedSpeech()
        self.dialogue = options.pop("dialogue", None) or CannedDialogue()
        self.recogniser = options.pop("recogniser", None) or (
            MarkRecogniser(self.speech, rate, partials) if script is None else ScriptedRecogniser(script)
        )
        self.synthesiser = options.pop("synthesiser", None) or ScriptedSynthesiser()
        self.frames: list[tuple[float, dict[str, Any] | bytes]] = []
        self._sounds: list[_Sound] = []
        self._happenings: list[_Happening] = []
        self._gaps: list[tuple[float, float]] = []
        settings = {"opening_after_ms": 0} | options.pop("settings", {})
        self.session = CallSession(
            recogniser=self.recogniser,
            synthesiser=self.synthesiser,
            vad=options.pop("vad", LoudnessVad),
            dialogue=self.dialogue,
            settings=Settings(_env_file=None, **settings),
            send=self._send,
            clock=self.clock,
            executor=options.pop("executor", InlineExecutor()),
            **options,
        )

    async def _send(self, frame: dict[str, Any] | bytes) -> None:
        self.frames.append((self.clock.now(), frame))

    # ------------------------------------------------------------ the timeline

    def _time(self, at: float | None) -> float:
        return self.clock.now() if at is None else at

    def says(self, text: str, at: float | None = None, lasting: float | None = None) -> float:
        """Words, a fifth of a second each unless ``lasting`` says otherwise; returns when they end."""
        begun = self._time(at)
        seconds = len(text) * CHARACTER_S if lasting is None else lasting
        self._sounds.append(_Sound(begun, self.speech.sound(text, seconds, self.rate)))
        return begun + seconds

    def hums(self, at: float | None = None, lasting: float = 0.35, text: str = "嗯") -> float:
        """One held sound, 「嗯」."""
        return self.says(text, at, lasting)

    def noise(self, at: float | None = None, lasting: float = 0.5, level: int = _NOISE) -> float:
        """Sound without words: loud enough to be taken for speech, and rough."""
        begun = self._time(at)
        random = np.random.default_rng(7)
        self._sounds.append(_Sound(begun, random.integers(-level, level, round(lasting * self.rate)).astype(np.int16)))
        return begun + lasting

    def presses(self, keys: str, at: float | None = None, apart: float = 0.3) -> None:
        for number, key in enumerate(keys):
            self._happenings.append(_Happening(self._time(at) + number * apart, lambda key=key: self.session.dtmf(key)))

    def hangs_up(self, at: float) -> None:
        self._happenings.append(_Happening(at, self.session.stop))

    def vanishes(self, at: float) -> None:
        self._happenings.append(_Happening(at, self.session.abandon))

    def loses_packets(self, at: float, lasting: float) -> None:
        """Nothing at all comes in meanwhile; what was said then is lost."""
        self._gaps.append((at, at + lasting))

    async def plays(self, until: float, step_s: float = STEP_S) -> None:
        """Starts the call where needed and lets it run up to ``until``."""
        if self.session._floor_task is None and not self.session.ended.is_set():
            await self.start()
        while self.clock.now() < until - 1e-9:
            now = self.clock.now()
            for happening in self._happenings:
                if not happening.done and happening.at <= now + 1e-9:
                    happening.done = True
                    await happening.what()
            if not any(begin <= now < end for begin, end in self._gaps):
                await self.session.audio(self._sounding(now, step_s).tobytes())
            await self.clock.advance(step_s)

    def _sounding(self, now: float, seconds: float) -> Samples:
        begin = round(now * self.rate)
        mixed = np.zeros(round(seconds * self.rate), np.int16)
        for sound in self._sounds:
            offset = begin - round(sound.at * self.rate)
            here = sound.samples[max(0, offset) : max(0, offset + len(mixed))]
            start = max(0, -offset)
            mixed[start : start + len(here)] = here
        return mixed

    # ------------------------------------------------------------ step by step

    async def start(self) -> None:
        assert await self.session.start(self.encoding, self.rate, {"type": "started", "call_id": "c1"})
        await self.clock.settle()

    async def _sound(self, samples: Samples, step_s: float = STEP_S) -> None:
        step = round(self.rate * step_s)
        for at in range(0, len(samples), step):
            await self.session.audio(samples[at : at + step].tobytes())
            await self.clock.advance(step_s)

    async def speak(self, seconds: float) -> None:
        """Words of no importance."""
        await self._sound(_varied(round(seconds * self.rate), LOUD, self.rate))

    async def hum(self, seconds: float) -> None:
        await self._sound(_wave(round(seconds * self.rate), LOUD))

    async def quiet(self, seconds: float, step_s: float = STEP_S) -> None:
        await self._sound(np.zeros(round(seconds / step_s) * round(step_s * self.rate), np.int16), step_s)

    async def listen_to_greeting(self) -> None:
        """Waits the greeting out, in silence, then forgets it."""
        await self.start()
        while not self.has({"type": "speech", "phase": "end"}):
            await self.quiet(0.1)
        self.frames.clear()

    # ------------------------------------------------------------ what came of it

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

    def when(self, **wanted: Any) -> float:
        """When the first text frame with these fields left. Raises StopIteration where none did."""
        return next(at for at, f in self.frames if isinstance(f, dict) and wanted.items() <= f.items())

    def said(self) -> list[str]:
        return [event["text"] for event in self.events if event["type"] == "reply"]

    def heard(self) -> list[str]:
        """The final transcripts."""
        return [e["text"] for e in self.events if e["type"] == "transcript" and e["final"]]
