"""Recognition: our ``/asr`` beside vosk-server's own way on one model, calls that stay in real time by
engine, memory a call, and how long the event loop is kept waiting by ten calls. Under five minutes.

The Vosk model of the comparison is Korean, the one that packages bring: servers are compared, not
languages. Its speech is made by espeak-ng.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import websockets

from hotline.ports import Recogniser
from hotline.settings import ROOT, Settings
from ops.line import Line, free_ports
from ops.progress import SetUpError, say
from voice.audio import Samples, read_wav, resample, to_pcm, to_samples
from voice.stt.load import availability, load_recogniser
from voice.stt.vosk import VoskRecogniser
from voice.tts.espeak import EspeakSynthesiser
from voice.utterance import Utterance

RATE = 16000
CHUNK_S = 0.2  # as vosk-server's own client sends
ROUNDS = 6
CLIENTS = 2
TALKERS = 4  # at their natural pace, for the latency at several clients
CALLS = 10
_PHRASES = ("네", "아니요", "안녕 하세요", "감사 합니다", "서울", "주민등록증")
_LADDER = (1, 2, 4, 6, 8, 12, 16, 24, 32)
_STEP_S = 9.0  # of sound a step of the ladder
_PAUSE_S = 1.0
_IN_TIME_S = 1.0
_READY_S = 60.0


def measure() -> dict[str, Any]:
    """``server`` (nothing where the model is missing) and ``engines``."""
    report: dict[str, Any] = {}
    korean = Settings().models_dir / "vosk-ko"
    if korean.is_dir():
        say("识别：和 vosk-server 的做法同场比较 …")
        sound = asyncio.run(korean_speech())
        report["server"] = compare_servers(korean, sound)
    report["engines"] = {}
    for engine in ("whisper", "sherpa", "vosk"):
        if getattr(availability(Settings()), engine):
            report["engines"][engine] = _capacity_in_a_process(engine)
    if korean.is_dir():
        report["engines"]["vosk (Korean model)"] = _capacity_in_a_process("vosk-ko")
    return report


# ---------------------------------------------------------------- two servers, one model


async def korean_speech() -> Samples:
    """The phrases one after the other, with silences that end sentences: about 12 s."""
    synthesiser = EspeakSynthesiser(voice="ko", workers=1)
    pieces = [np.zeros(RATE * 3 // 10, np.int16)]
    for phrase in _PHRASES:
        speech = await synthesiser.synthesise(phrase, speed=130 / 160)
        pieces += [resample(to_samples(speech.pcm), speech.sample_rate, RATE), np.zeros(RATE, np.int16)]
    await synthesiser.close()
    return np.concatenate(pieces)


def compare_servers(model: Path, sound: Samples) -> dict[str, Any]:
    """Both servers run all the time and are asked in turn, round by round; a round's ratio is of the two
    measured one right after the other, and the median of the rounds is told. Throughput is seconds of
    sound a second, free decoding, both cores busy. Latency is from a chunk to its answer, with a phrase
    list (so that decoding is short and the server's own share is seen): one client as fast as it is
    answered, and several who speak at their natural pace. Processor time is told as well: it says the
    same on a machine that others use, too."""
    pcm = to_pcm(sound[: len(sound) // 2])
    seconds = len(pcm) / 2 / RATE
    listed = {"phrase_list": list(_PHRASES)}
    with _servers(model) as (addresses, processes):
        for url in addresses.values():
            asyncio.run(_streams(url, pcm, CLIENTS))  # loads, warms up
        spent: dict[str, list[float]] = {name: [] for name in addresses}
        throughput: dict[str, list[float]] = {name: [] for name in addresses}
        alone: dict[str, list[float]] = {name: [] for name in addresses}
        several: dict[str, list[float]] = {name: [] for name in addresses}
        for turn in range(ROUNDS):
            order = list(addresses.items())
            for name, url in order if turn % 2 else order[::-1]:
                begun, before = time.perf_counter(), _cpu_s(processes[name])
                asyncio.run(_streams(url, pcm, CLIENTS))
                spent[name].append((_cpu_s(processes[name]) - before) / (CLIENTS * seconds))
                throughput[name].append(CLIENTS * seconds / (time.perf_counter() - begun))
            for name, url in order if turn % 2 else order[::-1]:
                alone[name] += asyncio.run(_streams(url, pcm, 1, listed))
                if turn < ROUNDS // 2:
                    several[name] += asyncio.run(_streams(url, pcm, TALKERS, listed, paced=True))
    ratios = [ours / theirs for ours, theirs in zip(throughput["ours"], throughput["vosk_server"], strict=True)]
    return {
        "throughput": {name: round(statistics.median(values), 2) for name, values in throughput.items()},
        "throughput_ratio": round(statistics.median(ratios), 3),
        "throughput_ratios": [round(ratio, 3) for ratio in ratios],
        "cpu_s_a_second_of_sound": {name: round(statistics.median(values), 3) for name, values in spent.items()},
        "latency": _compared(alone),
        f"latency_{TALKERS}_clients": _compared(several),
    }


def _compared(times: dict[str, list[float]]) -> dict[str, Any]:
    parts: dict[str, Any] = {
        name: {f"p{q}_ms": round(1000 * float(np.percentile(v, q)), 2) for q in (50, 95)} for name, v in times.items()
    }
    added = {key: round(parts["ours"][key] - parts["vosk_server"][key], 2) for key in ("p50_ms", "p95_ms")}
    return parts | {"added": added, "chunks": len(times["ours"])}


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def _servers(model: Path) -> Iterator[tuple[dict[str, str], dict[str, psutil.Process]]]:
    ours, theirs, rasa, actions, hub = free_ports(5)
    with tempfile.TemporaryDirectory(prefix="hotline-") as folder, contextlib.ExitStack() as stack:
        env = os.environ | {
            "HOST": "127.0.0.1", "PORT": str(ours), "RASA_PORT": str(rasa), "ACTIONS_PORT": str(actions),
            "HUB_PORT": str(hub), "DATA_DIR": folder, "STT_ENGINE": "vosk", "VOSK_MODEL_PATH": str(model),
            "TTS_ENGINE": "espeak",
        }  # fmt: skip
        processes = {}
        commands = {"ours": ["gateway.server"], "vosk_server": ["ops.vosk_baseline", str(model), str(theirs)]}
        for name, command in commands.items():
            log = stack.enter_context((Path(folder) / f"{command[0]}.log").open("wb"))
            process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=env, stdout=log, stderr=log)
            stack.callback(_end, process)
            processes[name] = psutil.Process(process.pid)
        addresses = {"ours": f"ws://127.0.0.1:{ours}/asr", "vosk_server": f"ws://127.0.0.1:{theirs}"}
        for url in addresses.values():
            asyncio.run(_until_it_listens(url))
        yield addresses, processes


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


async def _until_it_listens(url: str) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            async with websockets.connect(url):
                return
        except OSError:
            await asyncio.sleep(0.3)
    raise SetUpError(f"识别服务 {url} 没有在 {_READY_S:.0f} 秒内启动。")


async def _stream(url: str, pcm: bytes, config: dict[str, Any], paced: bool = False) -> list[float]:
    """The seconds from each chunk to its answer. ``paced``: chunks are sent when they would be spoken."""
    times = []
    step = int(RATE * CHUNK_S) * 2
    async with websockets.connect(url) as socket:
        await socket.send(json.dumps({"config": {"sample_rate": RATE, **config}}))
        messages: list[str | bytes] = [pcm[at : at + step] for at in range(0, len(pcm), step)]
        started = time.perf_counter()
        for number, message in enumerate([*messages, '{"eof" : 1}']):
            if paced:
                await asyncio.sleep(max(0.0, started + number * CHUNK_S - time.perf_counter()))
            begun = time.perf_counter()
            await socket.send(message)
            await socket.recv()
            times.append(time.perf_counter() - begun)
    return times[1:-1]  # the first makes the recogniser, the last ends it


async def _streams(
    url: str, pcm: bytes, count: int, config: dict[str, Any] | None = None, paced: bool = False
) -> list[float]:
    async def one(number: int) -> list[float]:
        await asyncio.sleep(number * CHUNK_S / count if paced else 0.0)
        return await _stream(url, pcm, config or {}, paced)

    return [t for times in await asyncio.gather(*(one(n) for n in range(count))) for t in times]


# ---------------------------------------------------------------- calls in real time


def _capacity_in_a_process(engine: str) -> dict[str, Any]:
    """A process of its own, so that memory is the engine's."""
    say(f"识别：{engine} 同时能听几路 …")
    ran = subprocess.run(
        [sys.executable, "-m", "ops.bench_speech", engine], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise SetUpError(f"{engine} 没有量成：{ran.stderr[-800:]}")
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def capacity(engine: str) -> dict[str, Any]:
    """Callers who say sentence after sentence, a second of silence between, in real time. They stay in
    real time while 95 of 100 finals are there within a second of the end of the sentence (the 0.7 s in
    which the end is made sure of are part of that second)."""
    recogniser, clips = _engine(engine)
    process = psutil.Process()
    with ThreadPoolExecutor(2) as threads:
        asyncio.run(_hear_callers(recogniser, clips, 1, threads))  # loads, warms up
        at_rest = process.memory_full_info().pss
        steps: list[dict[str, Any]] = []
        for callers in _LADDER:
            waits, peak = asyncio.run(_hear_callers(recogniser, clips, callers, threads))
            p95 = float(np.percentile(waits, 95))
            steps.append(
                {
                    "calls": callers,
                    "final_p95_ms": round(1000 * p95),
                    "memory_per_call_mb": round(max(0, peak - at_rest) / callers / 2**20, 1),
                }
            )
            if p95 > _IN_TIME_S:
                break
    good = [step for step in steps if step["final_p95_ms"] <= 1000 * _IN_TIME_S]
    return {
        "calls_in_real_time": good[-1]["calls"] if good else 0,
        "memory_per_call_mb": (good or steps)[-1]["memory_per_call_mb"],
        "memory_at_rest_mb": round(at_rest / 2**20),
        "steps": steps,
    }


def _engine(name: str) -> tuple[Recogniser, list[Samples]]:
    settings = Settings()
    if name == "vosk-ko":
        sound = asyncio.run(korean_speech())
        return VoskRecogniser(settings.models_dir / "vosk-ko"), [sound[: 4 * RATE], sound[4 * RATE : 8 * RATE]]
    from gateway.domain_words import domain_words

    clips = []
    for file in sorted((ROOT / "tests" / "data" / "speech").glob("*.wav")):
        samples, rate = read_wav(file)
        clips.append(resample(samples, rate, RATE))
    return load_recogniser(settings.model_copy(update={"stt_engine": name}), domain_words()), clips


async def _hear_callers(
    recogniser: Recogniser, clips: Sequence[Samples], callers: int, threads: ThreadPoolExecutor
) -> tuple[list[float], int]:
    """Seconds from the end of each sentence to its final, and the most memory meanwhile."""
    process, peak = psutil.Process(), 0
    waits: list[float] = []

    async def caller(number: int) -> None:
        await asyncio.sleep(number * (_STEP_S / 3) / callers)
        begun = asyncio.get_running_loop().time()
        turn = number
        while asyncio.get_running_loop().time() - begun < _STEP_S:
            waits.append(await _sentence(recogniser, clips[turn % len(clips)], threads))
            turn += 1

    work = asyncio.gather(*(caller(number) for number in range(callers)))
    while not work.done():
        peak = max(peak, process.memory_full_info().pss)
        await asyncio.wait({work}, timeout=1.0)
    await work
    return waits, peak


async def _sentence(recogniser: Recogniser, clip: Samples, threads: ThreadPoolExecutor) -> float:
    """As a call does it: 100 ms pieces at their pace, the pause told when it begins, the end 0.7 s later."""
    loop, step = asyncio.get_running_loop(), RATE // 10
    utterance = Utterance(recogniser, RATE, threads)
    silence = np.zeros(step, np.int16)
    pieces = [clip[at : at + step] for at in range(0, len(clip), step)]
    begun = loop.time()
    for number, piece in enumerate([*pieces, *[silence] * 7], start=1):
        if number == len(pieces) + 1:
            utterance.pause_began()
        utterance.feed(piece)
        await asyncio.sleep(max(0.0, begun + number * 0.1 - loop.time()))
    utterance.end()
    await utterance.transcript()
    waited = loop.time() - begun - len(pieces) * 0.1
    await asyncio.sleep(max(0.0, _PAUSE_S - 0.7))
    return waited


# ---------------------------------------------------------------- the event loop under calls


def loop_lag(line: Line, clips: Sequence[bytes]) -> dict[str, Any]:
    """Ten calls that speak at once on the running line; its own histogram tells how late its loop was."""
    before = _lag_buckets(line)
    asyncio.run(_calls(line.address, clips))
    after = _lag_buckets(line)
    counts = {limit: after[limit] - before.get(limit, 0.0) for limit in after}
    return {
        "calls": CALLS,
        "samples": int(counts[float("inf")]),
        "p50_ms": quantile_ms(counts, 0.50),
        "p99_ms": quantile_ms(counts, 0.99),
    }


async def _calls(address: str, clips: Sequence[bytes]) -> None:
    async def call(number: int) -> None:
        await asyncio.sleep(number * 0.2)
        async with websockets.connect(address.replace("http", "ws") + "/api/v1/calls", max_size=None) as socket:
            await socket.send(json.dumps({"type": "start", "encoding": "pcm_s16le", "sample_rate": RATE}))

            async def ignore() -> None:
                async for _ in socket:
                    pass

            listening = asyncio.create_task(ignore())
            sound = (bytes(RATE) + clips[number % len(clips)] + bytes(6 * RATE)) * 3
            begun, frame = time.perf_counter(), RATE // 50 * 2
            for sent, at in enumerate(range(0, len(sound), frame), start=1):
                await socket.send(sound[at : at + frame])
                await asyncio.sleep(max(0.0, begun + sent * 0.02 - time.perf_counter()))
            await socket.send(json.dumps({"type": "stop"}))
            listening.cancel()

    async with asyncio.timeout(90):
        await asyncio.gather(*(call(number) for number in range(CALLS)))


def _lag_buckets(line: Line) -> dict[float, float]:
    """Cumulative counts of the gateway's histogram by upper limit in seconds."""
    head = 'hotline_loop_lag_seconds_bucket{le="'
    found = {}
    for row in httpx.get(f"{line.address}/metrics").text.splitlines():
        if row.startswith(head):
            limit, count = row.removeprefix(head).split('"} ')
            found[float(limit)] = float(count)
    return found


def quantile_ms(cumulative: dict[float, float], share: float) -> float | None:
    """A quantile from cumulative counts, linear within its bucket; None without samples or beyond the last."""
    limits = sorted(cumulative)
    wanted = share * cumulative[limits[-1]]
    low = below = 0.0
    for limit in limits:
        if cumulative[limit] >= wanted and cumulative[limit] > below:
            if limit == float("inf"):
                return None
            return round(1000 * (low + (limit - low) * (wanted - below) / (cumulative[limit] - below)), 1)
        low, below = limit, cumulative[limit]
    return None


def table(report: dict[str, Any]) -> str:
    lines = []
    if server := report.get("server"):
        lines += [
            "| 识别服务，同一模型同一声音 | 本项目 `/asr` | vosk-server 的做法 | 比 |",
            "|---|---|---|---|",
            f"| 吞吐（每秒识别几秒声音，{CLIENTS} 路） | {server['throughput']['ours']} | {server['throughput']['vosk_server']}"
            f" | {server['throughput_ratio']}（要 ≥ 1.0） |",
            f"| 处理器时间（识别一秒声音用几秒） | {server['cpu_s_a_second_of_sound']['ours']}"
            f" | {server['cpu_s_a_second_of_sound']['vosk_server']} | |",
            *(
                f"| 一块声音到回答 p50 / p95（ms），{who} | {of['ours']['p50_ms']} / {of['ours']['p95_ms']}"
                f" | {of['vosk_server']['p50_ms']} / {of['vosk_server']['p95_ms']}"
                f" | 多 {of['added']['p50_ms']} / {of['added']['p95_ms']} ms（要 ≤ 10） |"
                for who, of in (("1 路", server["latency"]), (f"{TALKERS} 路", server[f"latency_{TALKERS}_clients"]))
            ),
            "",
        ]
    lines += ["| 引擎 | 同时几路跟得上 | 每路内存 | 载入后内存 |", "|---|---|---|---|"]
    for name, each in report["engines"].items():
        lines.append(
            f"| {name} | {each['calls_in_real_time']} | {each['memory_per_call_mb']} MB | {each['memory_at_rest_mb']} MB |"
        )
    return "\n".join(lines)


def lag_line(lag: dict[str, Any]) -> str:
    return f"{lag['calls']} 路通话时事件循环的延迟：p50 {lag['p50_ms']} ms，p99 {lag['p99_ms']} ms（要 ≤ 20）。"


if __name__ == "__main__":
    print(json.dumps(capacity(sys.argv[1]) if len(sys.argv) > 1 else measure(), ensure_ascii=False))
