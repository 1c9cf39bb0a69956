"""``make bench``, calls: how long a caller waits for the first sound, and how soon the line is silent.

A gateway of its own (a child process) with real voice activity detection, recognition, synthesis,
storage and recording. Its dialogue is scripted and thinks as long as the engine was measured to,
so that every answer is one the cache has not seen, or has, as wanted. Each question is spoken into
the answer before it (barge-in) or after it, at its natural pace.

- ``whisper``: Mandarin recordings and sentences.
- ``streaming``: the streaming engine's path, by the one Vosk model that packages bring (Korean).
- ``own share``: engines that cost nothing; what is left is ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import websockets

from hotline.settings import ROOT, Settings
from ops.progress import SetUpError, say
from voice.audio import Samples, read_wav, resample, to_pcm, to_samples

THINKS_S = float(os.environ.get("BENCH_THINKS_S", "0.195"))  # p95 of an engine turn, docs/voice.md
INTO = int(os.environ.get("BENCH_CALL_INTO", "8"))  # questions spoken into an answer
AFTER = int(os.environ.get("BENCH_CALL_AFTER", "4"))  # and after one
OFTENER = 2.5  # where engines cost nothing, a question takes seconds: more of them
RATE = 16000
FRAME_S = 0.02
_FRAME = int(RATE * FRAME_S)
_LOUD = 500
_KNOWN = "请带居民身份证原件，到就近的服务大厅办理。"
_NEW = "第{}种情形，要带身份证和居住证明，到所在镇街的服务大厅办理。"
KOREAN = ("감사 합니다", "서울", "주민등록증", "안녕 하세요")
_LONGEST_CALL_S = 100.0


@dataclass
class Waits:
    """Seconds, one a question. ``first``: end of speech → first sound; ``word``: → the answer's own
    first word; ``stop``: start of speech → the line is silent."""

    first: list[float] = field(default_factory=list)
    word: list[float] = field(default_factory=list)
    stop: list[float] = field(default_factory=list)
    missed: int = 0


# ---------------------------------------------------------------- the gateway under measurement


def serve(kind: str) -> None:
    """Runs in the child: a gateway on a free port, printed once its engines are warm."""
    asyncio.run(_serve(kind))


async def _serve(kind: str) -> None:
    import uvicorn

    from gateway.app import create_app
    from gateway.services import Services

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder))
        async with _house(kind, settings) as house:

            @asynccontextmanager
            async def bootstrap() -> AsyncIterator[Services]:
                yield house

            await house.speech.warm_up()
            listener = socket.create_server(("127.0.0.1", 0))  # listens at once: nobody has to wait for it
            print(listener.getsockname()[1], flush=True)
            server = uvicorn.Server(uvicorn.Config(create_app(bootstrap), log_level="error", access_log=False))
            await server.serve(sockets=[listener])


@asynccontextmanager
async def _house(kind: str, settings: Settings) -> AsyncIterator[Any]:
    from data_hub.memory import InMemoryDataHub
    from gateway.callers import CallerSeal
    from gateway.desk_service import DeskService
    from gateway.emergencies import EmergencyWatch
    from gateway.feed import EventFeed
    from gateway.memory_dialogue import ScriptedDialogue
    from gateway.metrics import Metrics
    from gateway.replies import Sentences
    from gateway.services import Services
    from gateway.speech import SpeechEngines
    from gateway.turns import TurnService
    from hotline.messages import CitizenMessage, Transcript
    from hotline.ports import DialogueAnswer, Recogniser, Synthesiser
    from storage.desk import StoredDesk
    from storage.engine import make_engine
    from storage.migrations import upgrade
    from storage.recordings import SqlRecordings
    from storage.sql import SqlStore
    from voice.recording import Recordings
    from voice.stt.load import load_recogniser
    from voice.stt.scripted import ScriptedRecogniser
    from voice.stt.vosk import VoskRecogniser
    from voice.tts.load import load_synthesiser
    from voice.tts.scripted import ScriptedSynthesiser
    from voice.vad import load_vad

    class Thinking(ScriptedDialogue):
        """Answers with a sentence it has said before and a new one in turn."""

        async def answer(self, message: CitizenMessage, state: str = "bot") -> DialogueAnswer:
            await asyncio.sleep(0.0 if kind == "free" else THINKS_S)
            number = len(self.asked)
            self._otherwise = _KNOWN if number % 2 else _NEW.format(number + 2)
            return await super().answer(message, state)

    class Heard(ScriptedRecogniser):
        def next_line(self) -> Transcript:
            return Transcript(text="居住证怎么办", confidence=0.9)

    recogniser: Recogniser = Heard([])
    synthesiser: Synthesiser = ScriptedSynthesiser(ms_per_character=150.0)
    if kind == "whisper":
        from gateway.domain_words import domain_words

        recogniser = load_recogniser(settings.model_copy(update={"stt_engine": "whisper"}), domain_words())
    elif kind == "streaming":
        recogniser = VoskRecogniser(settings.models_dir / "vosk-ko")
    if kind != "free":
        synthesiser = load_synthesiser(settings)
    await upgrade(settings.effective_database_url)
    store = SqlStore(make_engine(settings.effective_database_url))
    engine, feed, metrics, sentences = Thinking(), EventFeed(), Metrics(), Sentences(settings.handoff_number)
    speech = SpeechEngines(settings, recogniser, synthesiser, load_vad(settings.models_dir), sentences, metrics)
    watch = EmergencyWatch(kept_in=settings.models_dir / "danger")
    desk = DeskService(
        books=StoredDesk(store, settings.desk_max_conversations), store=store, feed=feed, engine=engine,
        sentences=sentences, settings=settings, knowledge=None,  # type: ignore[arg-type]  # asked for by agents
    )  # fmt: skip
    turns = TurnService(
        store=store, engine=engine, feed=feed, emergencies=watch, sentences=sentences, session_turns=1000, desk=desk
    )  # fmt: skip
    recordings = Recordings(SqlRecordings(store.runner), settings)
    parts: dict[str, Any] = {
        "settings": settings, "store": store, "turns": turns, "feed": feed, "sentences": sentences,
        "hub": InMemoryDataHub(), "engine": engine, "speech": speech, "metrics": metrics, "recordings": recordings,
        "desk": desk, "callers": CallerSeal.in_folder(settings.data_dir),
    }  # fmt: skip
    # Parts of the gateway that a call does not use.
    parts |= {each.name: None for each in fields(Services) if each.init and each.name not in parts}
    try:
        yield Services(**parts)
    finally:
        await turns.close()
        await speech.close()
        await recordings.close()
        await store.close()


# ---------------------------------------------------------------- the caller


class Caller:
    """One call: a microphone that never rests, and what came back with its times."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self._saying: list[Samples] = []
        self.began = self.ended = 0.0
        self.spoken = asyncio.Event()
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.sounds: list[float] = []
        self.arrived = asyncio.Condition()

    async def speak(self) -> None:
        """Sends a frame each 20 ms, silence where nothing is said."""
        begun, sent = time.perf_counter(), 0
        silence = np.zeros(_FRAME, np.int16)
        while True:
            frame = self._saying.pop(0) if self._saying else silence
            await self._line.send(to_pcm(frame))
            if frame is not silence:
                if np.abs(frame.astype(np.int32)).max() > _LOUD:
                    now = time.perf_counter()
                    self.began = self.began or now
                    self.ended = now
                if not self._saying:
                    self.spoken.set()
            sent += 1
            await asyncio.sleep(max(0.0, begun + sent * FRAME_S - time.perf_counter()))

    async def listen(self) -> None:
        async for frame in self._line:
            now = time.perf_counter()
            async with self.arrived:
                if isinstance(frame, bytes):
                    self.sounds.append(now)
                else:
                    self.events.append((now, json.loads(frame)))
                self.arrived.notify_all()

    async def say(self, clip: Samples) -> None:
        self.began = self.ended = 0.0
        self.spoken.clear()
        self._saying = [clip[at : at + _FRAME] for at in range(0, len(clip) - _FRAME + 1, _FRAME)]
        await self.spoken.wait()

    async def until(self, since: float, within_s: float = 8.0, **wanted: Any) -> float | None:
        """When the first event after ``since`` with these fields came."""

        return await self._first(
            lambda: next((at for at, e in self.events if at > since and wanted.items() <= e.items()), None), within_s
        )

    async def sound_after(self, since: float) -> float | None:
        return await self._first(lambda: next((at for at in self.sounds if at > since), None), 8.0)

    async def _first(self, found: Callable[[], float | None], within_s: float) -> float | None:
        try:
            async with asyncio.timeout(within_s), self.arrived:
                await self.arrived.wait_for(lambda: found() is not None)
        except TimeoutError:
            return None
        return found()


async def converse(port: int, clips: list[Samples], waits: Waits, into: int, after: int) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{port}/api/v1/calls", max_size=None) as line:
        await line.send(json.dumps({"type": "start", "encoding": "pcm_s16le", "sample_rate": RATE}))
        caller = Caller(line)
        running = [asyncio.create_task(caller.speak()), asyncio.create_task(caller.listen())]
        try:
            await caller.until(0.0, type="speech", phase="start")
            for number in range(into + after):
                interrupts = number < into
                if interrupts:
                    # Into the words at ever other moments, so that frames are not always met alike.
                    await asyncio.sleep(0.9 + 0.037 * number)
                else:
                    await caller.until(caller.ended, type="speech", phase="end")
                    await asyncio.sleep(0.3)
                await _one(caller, clips[number % len(clips)], interrupts, waits)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _one(caller: Caller, clip: Samples, into: bool, waits: Waits) -> None:
    asked = time.perf_counter()
    speaking = asyncio.create_task(caller.say(clip))
    cut = await caller.until(asked, 4.0, type="speech", phase="cut") if into else None
    await speaking
    ended = caller.ended
    reply = await caller.until(ended, type="reply")
    word = await caller.until(reply, type="speech", phase="start") if reply is not None else None
    first = await caller.sound_after(ended) if word is not None else None
    if word is None or first is None:
        waits.missed += 1
        return
    if cut is not None:
        waits.stop.append(max([cut, *(at for at in caller.sounds if cut - 1 < at < cut)]) - caller.began)
    waits.word.append(word - ended)
    waits.first.append(first - ended)


# ---------------------------------------------------------------- the measurement


def mandarin() -> list[Samples]:
    return [_clip(*read_wav(ROOT / "tests" / "data" / "speech" / name)) for name in ("q_02.wav", "q_07.wav")]


def korean() -> list[Samples]:
    from voice.tts.espeak import EspeakSynthesiser

    async def speak() -> list[Samples]:
        synthesiser = EspeakSynthesiser(voice="ko", workers=1)
        try:
            made = [await synthesiser.synthesise(phrase, 0.8) for phrase in KOREAN]
        finally:
            await synthesiser.close()
        return [_clip(to_samples(speech.pcm), speech.sample_rate) for speech in made]

    return asyncio.run(speak())


def _clip(samples: Samples, rate: int) -> Samples:
    """At the call's rate, from the first to the last sound that is no silence."""
    voice = resample(samples, rate, RATE)
    loud = np.flatnonzero(np.abs(voice.astype(np.int32)) > _LOUD)
    return voice[loud[0] : loud[-1] + 1]


async def _within(call: Coroutine[Any, Any, None]) -> bool:
    """False where the machine was too slow for the whole call: what was measured until then stands."""
    try:
        await asyncio.wait_for(call, _LONGEST_CALL_S)
    except TimeoutError:
        return False
    return True


def talk(kind: str, clips: list[Samples]) -> dict[str, Any]:
    command = [sys.executable, "-c", f"from ops.bench_calls import serve; serve({kind!r})"]
    with tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = child.stdout.readline() if child.stdout else ""
            if not line.strip().isdigit():
                log.seek(0)
                raise SetUpError(f"通话测速的网关没有起来：{log.read()[-500:]}")
            waits = Waits()
            times = OFTENER if kind == "free" else 1.0
            call = converse(int(line), clips, waits, round(INTO * times), round(AFTER * times))
            ended = asyncio.run(_within(call))
            parts = _parts(int(line))
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
    return {
        "first_sound": percentiles(waits.first),
        "first_word": percentiles(waits.word),
        "barge_in_stop": percentiles(waits.stop),
        "missed": waits.missed,
        "ended": ended,
        "mean_parts_ms": parts,
    }


def _parts(port: int) -> dict[str, float]:
    import httpx

    sums: dict[str, float] = {}
    counts: dict[str, float] = {}
    for row in httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines():
        for kind, kept in (("count", counts), ("sum", sums)):
            head = f'hotline_speech_seconds_{kind}{{part="'
            if row.startswith(head):
                part, value = row.removeprefix(head).split('"} ')
                kept[part] = float(value)
    return {part: round(1000 * sums[part] / counts[part], 1) for part in sums if counts.get(part)}


def percentiles(seconds: list[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    ms = [1000 * value for value in seconds]
    return {
        "p50_ms": round(float(np.percentile(ms, 50)), 1),
        "p95_ms": round(float(np.percentile(ms, 95)), 1),
        "n": len(ms),
    }


def measure() -> dict[str, Any]:
    """Under five minutes; engines whose model is missing are left out."""
    models = Settings().models_dir
    report: dict[str, Any] = {"dialogue_thinks_ms": 1000 * THINKS_S, "load_average": os.getloadavg()[0]}
    say("通话：自己的一份 …")
    report["free"] = talk("free", mandarin())
    if (models / "whisper-base").is_dir():
        say("通话：Whisper …")
        report["whisper"] = talk("whisper", mandarin())
    if (models / "vosk-ko").is_dir():
        say("通话：流式引擎（Vosk 韩语模型）…")
        report["streaming"] = talk("streaming", korean())
    # With engines that cost nothing, what is over the wait for the end of the words is ours.
    patience = Settings.model_fields["endpoint_silence_ms"].default
    own = report["free"]["first_word"]
    report["own_share"] = own and {name: round(own[name] - patience, 1) for name in ("p50_ms", "p95_ms")}
    return report


def table(report: dict[str, Any]) -> str:
    def row(title: str, figures: dict[str, Any] | None) -> str:
        shown: dict[str, Any] = figures or {"p50_ms": "—", "p95_ms": "—"}
        return f"| {title} | {shown['p50_ms']} ms | {shown['p95_ms']} ms |"

    rows = ["| 通话 | p50 | p95 |", "|---|---|---|"]
    names = {"streaming": ("流式引擎", 900), "whisper": ("Whisper base", 1400)}
    for kind, (name, goal) in names.items():
        if kind in report:
            rows.append(row(f"说完到第一声，{name}（要 ≤ {goal}）", report[kind]["first_sound"]))
            rows.append(row(f"说完到答复的第一个字，{name}", report[kind]["first_word"]))
            rows.append(row(f"开口到播报停下，{name}（要 ≤ 300）", report[kind]["barge_in_stop"]))
    rows.append(row("其中自己的一份（要 ≤ 80）", report["own_share"]))
    return "\n".join(rows)


def main() -> int:
    try:
        report = measure()
    except SetUpError as error:
        say(str(error))
        return 1
    print(json.dumps(report, ensure_ascii=False, indent=1))
    print(table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
