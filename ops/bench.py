"""``make bench``: speed, side by side with its baseline in the same run.

Writes ``reports/bench.json`` and a table. The gateway's turn is measured against the engine's own
REST turn, alternating question by question on the same model; speech from a real recording over
the call socket at its natural pace, with its parts from the gateway's own metrics.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import numpy as np
import websockets

from hotline.settings import ROOT, Settings
from ops import bench_calls, bench_desk, bench_insights, bench_search, bench_speech, bench_training
from ops.evaluation import speech as accuracy
from ops.line import Line, running_line
from ops.progress import SetUpError, say
from ops.training import index_if_changed, train_if_changed
from voice.audio import read_wav, resample, to_pcm

REPORT = ROOT / "reports" / "bench.json"
QUESTIONS = ("居住证怎么办", "那要带什么材料", "社保卡丢了怎么补", "公积金租房提取要什么条件", "今天天气怎么样", "你好")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "40"))
WARM_UP = 5
CALLS = int(os.environ.get("BENCH_CALLS", "8"))
_FRAME_S = 0.02
_RATE = 16000


def percentiles(values: list[float]) -> dict[str, float]:
    ms = [1000 * v for v in values]
    return {
        "p50_ms": round(float(np.percentile(ms, 50)), 1),
        "p95_ms": round(float(np.percentile(ms, 95)), 1),
        "n": len(ms),
    }


def text_turns(line: Line) -> dict[str, Any]:
    """The same questions to the gateway and to bare Rasa, in turn, new conversations for both each round."""
    gateway: list[float] = []
    rasa: list[float] = []
    with httpx.Client(timeout=15) as http:
        for turn in range(ROUNDS + WARM_UP):
            begun = http.post(f"{line.address}/api/v1/conversations", json={"channel": "web"}).json()
            path = f"{line.address}/api/v1/conversations/{begun['conversation_id']}/messages"
            headers, sender = {"Authorization": f"Bearer {begun['token']}"}, uuid.uuid4().hex
            for number, question in enumerate(QUESTIONS):
                asks: list[tuple[list[float], str, dict[str, str]]] = [
                    (gateway, path, {"text": question}),
                    (rasa, f"{line.rasa}/webhooks/rest/webhook", {"sender": sender, "message": question}),
                ]
                for times, url, body in asks if (turn + number) % 2 else reversed(asks):
                    started = time.perf_counter()
                    http.post(url, json=body, headers=headers).raise_for_status()
                    if turn >= WARM_UP:
                        times.append(time.perf_counter() - started)
    return {
        "gateway": percentiles(gateway),
        "raw_rasa": percentiles(rasa),
        "p95_ratio": round(float(np.percentile(gateway, 95) / np.percentile(rasa, 95)), 3),
        "difference_p50_ms": round(1000 * (statistics.median(gateway) - statistics.median(rasa)), 1),
    }


async def one_call(address: str, sound: bytes, spoken_s: float) -> float | None:
    """Seconds from the end of the recording's speech to the first sound."""
    async with websockets.connect(address.replace("http", "ws") + "/api/v1/calls", max_size=None) as socket:
        await socket.send(json.dumps({"type": "start", "encoding": "pcm_s16le", "sample_rate": _RATE}))
        greeted = False
        ended_speaking = 0.0

        async def speak() -> None:
            nonlocal ended_speaking
            frame, silence = int(_RATE * _FRAME_S) * 2, bytes(int(_RATE * _FRAME_S) * 2)
            begun = time.perf_counter()
            sent = 0
            while True:
                chunk = sound[sent * frame : (sent + 1) * frame]
                await socket.send(chunk if len(chunk) == frame else silence)
                sent += 1
                if not ended_speaking and sent * _FRAME_S >= spoken_s:
                    ended_speaking = time.perf_counter()
                await asyncio.sleep(max(0.0, begun + sent * _FRAME_S - time.perf_counter()))

        speaking: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(60):
                async for frame in socket:
                    if isinstance(frame, bytes):
                        if ended_speaking:
                            return time.perf_counter() - ended_speaking
                        continue
                    event = json.loads(frame)
                    if event["type"] == "speech" and event["phase"] == "end" and not greeted:
                        greeted = True
                        speaking = asyncio.create_task(speak())
        finally:
            if speaking:
                speaking.cancel()
    return None


def speech(line: Line) -> dict[str, Any]:
    """Calls with two recordings in turn. The first call of each waits for its sentences to be made;
    later ones find them in the cache, as a busy line does with what is asked often."""
    clips = [_clip(name) for name in ("q_02.wav", "q_07.wav")]
    before = _speech_sums(line)
    waits = [asyncio.run(one_call(line.address, *clips[number % len(clips)])) for number in range(CALLS)]
    heard = [w for w in waits if w is not None]
    after = _speech_sums(line)
    parts = {}
    for part, (count, total) in after.items():
        had, spent = before.get(part, (0.0, 0.0))
        if count > had:
            parts[part] = round(1000 * (total - spent) / (count - had), 1)
    return {
        "end_of_speech_to_first_audio": percentiles(heard) if heard else None,
        "first_time_asked_ms": [round(1000 * w) for w in waits[: len(clips)] if w is not None],
        "calls": CALLS,
        "mean_parts_ms": parts,
    }


def _clip(name: str) -> tuple[bytes, float]:
    """A recording as PCM at the call's rate, and where its speech ends, in seconds."""
    samples, rate = read_wav(ROOT / "tests" / "data" / "speech" / name)
    voice = resample(samples, rate, _RATE)
    loud = np.flatnonzero(np.abs(voice.astype(np.int32)) > 500)
    return to_pcm(voice), float(loud[-1]) / _RATE


def _speech_sums(line: Line) -> dict[str, tuple[float, float]]:
    """Count and seconds of each part of speech so far, from /metrics."""
    found: dict[str, tuple[float, float]] = {}
    counts: dict[str, float] = {}
    for row in httpx.get(f"{line.address}/metrics").text.splitlines():
        for kind in ("count", "sum"):
            head = f'hotline_speech_seconds_{kind}{{part="'
            if row.startswith(head):
                part, value = row.removeprefix(head).split('"} ')
                if kind == "count":
                    counts[part] = float(value)
                else:
                    found[part] = (counts.get(part, 0.0), float(value))
    return {part: (counts.get(part, count), total) for part, (count, total) in found.items()}


def first_answer(line: Line) -> None:
    begun = httpx.post(f"{line.address}/api/v1/conversations", json={"channel": "web"}).json()
    httpx.post(
        f"{line.address}/api/v1/conversations/{begun['conversation_id']}/messages",
        json={"text": "居住证怎么办"},
        headers={"Authorization": f"Bearer {begun['token']}"},
        timeout=15,
    ).raise_for_status()


def _wait_for_speech(line: Line) -> None:
    """Speech engines load after the line answers: their figures start when they have."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        parts = httpx.get(f"{line.address}/readyz", timeout=5).json()["parts"]
        if all(parts[name]["status"] == "ok" for name in ("recogniser", "synthesiser")):
            return
        time.sleep(1.0)
    raise SetUpError("语音引擎五分钟内没有就绪，见网关的记录。")


def measure() -> dict[str, Any]:
    """Every part. One that fails costs its own figures and not the others': ``failed`` names it. What is
    there is written down after each part."""
    report: dict[str, Any] = {"date": date.today().isoformat(), "cores": os.cpu_count(), "failed": {}}

    def part(name: str, title: str, work: Callable[[], Any]) -> None:
        begun = time.monotonic()
        say(f"{title} …")
        try:
            report[name] = work()
        except Exception as problem:  # whatever a part ran into, the others are measured
            traceback.print_exc()
            report["failed"][name] = f"{type(problem).__name__}: {problem}"
            say(f"{title}：没有量成（{report['failed'][name][:200]}）")
        report.setdefault("seconds", {})[name] = round(time.monotonic() - begun)
        report["load_average"] = round(os.getloadavg()[0], 1)
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    say("训练、检索（数据变了才重做）…")
    train_if_changed(Settings())
    index_if_changed(Settings())
    begun = time.monotonic()
    say("启动（make run，什么都不缺时）…")
    with running_line(("make", "--no-print-directory", "run")) as line:
        first_answer(line)
        report["warm_start_to_first_answer_s"] = round(time.monotonic() - begun, 1)
        _wait_for_speech(line)
        time.sleep(5.0)
        memory = line.memory_mb()
        report["memory_at_rest_mb"] = memory | {"all": round(sum(memory.values()), 1)}
        part("text_turn", "文字轮次", lambda: text_turns(line))
        part("understanding", "听懂一句（解析加检索）", lambda: bench_search.understanding(line.rasa))
        part("speech", "语音", lambda: speech(line))
        clips = [_clip(name)[0] for name in ("q_02.wav", "q_07.wav")]
        part("loop_lag", "十路通话", lambda: bench_speech.loop_lag(line, clips))
        part("desk", "坐席工作台", lambda: bench_desk.measure(line))
    part("calls", "通话", bench_calls.measure)
    part("recognition", "识别", bench_speech.measure)
    part("accuracy", "识别：字错率、事项名", lambda: accuracy.measure()[1])
    part("search", "检索", _search)
    part("training_s", "从头训练", bench_training.measure)
    part("insights", "统计", bench_insights.measure)
    return report


def _search() -> dict[str, Any]:
    found = bench_search.measure()
    bench_search.plot(found)
    return found


def table(report: dict[str, Any]) -> str:
    """The parts that were measured."""
    sections = [
        _line_table(report),
        *(
            of(report[name])
            for name, of in (
                ("calls", bench_calls.table),
                ("search", bench_search.table),
                ("training_s", bench_training.table),
                ("desk", bench_desk.table),
                ("recognition", bench_speech.table),
                ("loop_lag", bench_speech.lag_line),
                ("accuracy", accuracy.table),
                ("insights", bench_insights.table),
            )
            if name in report
        ),
    ]
    if report["failed"]:
        sections.append("没有量成：" + "、".join(report["failed"]))
    return "\n\n".join(sections)


def _line_table(report: dict[str, Any]) -> str:
    lines = [f"| 项目（{report['cores']} 核，{report['date']}） | p50 | p95 |", "|---|---|---|"]

    def row(title: str, figures: dict[str, Any]) -> None:
        lines.append(f"| {title} | {figures['p50_ms']} ms | {figures['p95_ms']} ms |")

    if turns := report.get("text_turn"):
        row("网关一轮文字", turns["gateway"])
        row("直接问 Rasa", turns["raw_rasa"])
        lines.append(f"| p95 之比（要 ≤ 1.25） | | {turns['p95_ratio']} |")
    if understanding := report.get("understanding"):
        row("听懂一句：解析加检索（p95 要 ≤ 60 ms）", understanding)
    if talk := report.get("speech"):
        row("说完到听见第一声", talk["end_of_speech_to_first_audio"] or {"p50_ms": "—", "p95_ms": "—"})
        parts = "，".join(f"{name} {value} ms" for name, value in talk["mean_parts_ms"].items())
        lines += ["", f"语音各段平均：{parts}。"]
    memory, start = report["memory_at_rest_mb"], report["warm_start_to_first_answer_s"]
    lines += ["", f"静止内存共 {memory['all']} MB；`make run` 到第一句回答 {start} 秒。"]
    return "\n".join(lines)


def main() -> int:
    try:
        report = measure()
    except SetUpError as error:
        say(str(error))
        return 1
    print(table(report))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
