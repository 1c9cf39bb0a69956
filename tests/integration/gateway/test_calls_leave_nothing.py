"""Bad sound and bad sockets: a named error or a hang-up, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from running_gateway import DEADLINE_S, Gateway, frames_until
from websockets.asyncio.client import ClientConnection

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE = 8000
START: dict[str, Any] = {"type": "start", "encoding": "pcm_s16le", "sample_rate": RATE}


_POOLS = ("recognise", "recording", "asyncio_", "storage")  # bounded by themselves, and filled as they are needed


def counts() -> dict[str, int]:
    process = psutil.Process(os.getpid())
    # A pool's connection opens the database when two first ask at once: bounded like its thread.
    database = sum(".db" in file.path for file in process.open_files())
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": sum(not thread.name.startswith(_POOLS) for thread in threading.enumerate()),
        "files": process.num_fds() - database,
    }


async def calls_ended(gateway: Gateway) -> None:
    recordings = gateway.services.recordings
    async with asyncio.timeout(DEADLINE_S):
        while (recordings is not None and recordings._open) or 'hotline_calls_active{door="websocket"} 0.0' not in (
            await gateway.http.get("/metrics")
        ).text:
            await gateway.http.get("/healthz")


@asynccontextmanager
async def nothing_left(gateway: Gateway) -> AsyncIterator[None]:
    """What a first call sets up once (connections, threads) is there before the counting."""
    async with gateway.socket("/api/v1/calls") as call:
        await begin(call)
    await calls_ended(gateway)
    await gateway.http.get("/metrics")
    before = counts()
    yield
    await calls_ended(gateway)
    gc.collect()
    after = counts()
    for _ in range(2000):  # what was closed last is still on its way out
        if all(after[kind] <= before[kind] for kind in before):
            break
        await asyncio.sleep(0)
        after = counts()
    assert {kind: after[kind] - before[kind] for kind in before if after[kind] > before[kind]} == {}


async def begin(call: ClientConnection) -> None:
    await call.send(json.dumps(START))
    await frames_until(call, type="speech", phase="end")


def pcm(samples: Any) -> bytes:
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


def noise(seconds: float, level: float = 8000.0) -> bytes:
    return pcm(np.random.default_rng(1).normal(0, level, int(RATE * seconds)))


def music(seconds: float) -> bytes:
    at = np.arange(int(RATE * seconds)) / RATE
    notes = 220 * 2 ** (np.floor(at * 2) % 12 / 12)
    return pcm(sum(6000 / k * np.sin(2 * np.pi * k * np.cumsum(notes) / RATE) for k in (1, 2, 3)))


def clipped(seconds: float) -> bytes:
    return pcm(1e6 * np.sin(2 * np.pi * 300 * np.arange(int(RATE * seconds)) / RATE))


@pytest.mark.parametrize("bad", [noise(4), music(4), clipped(4), bytes(8 * RATE), b"\xff" * 4 * RATE])
async def test_bad_sound_is_survived_and_the_next_question_answered(gateway: Gateway, bad: bytes) -> None:
    async with nothing_left(gateway):
        gateway.recogniser._script.extend([""] * 3 if gateway.recogniser._script else [])
        async with gateway.socket("/api/v1/calls") as call:
            await begin(call)
            await call.send(bad + bytes(2 * 2 * RATE))
            gateway.recogniser._script.append("居住证怎么办")
            await call.send(pcm(np.tile([6000, -6000], RATE // 2)) + bytes(2 * 2 * RATE))
            await frames_until(call, type="reply", text="好的。")


async def test_ten_minutes_of_speech_sent_at_once_are_heard_in_pieces_or_refused_by_name(gateway: Gateway) -> None:
    async with nothing_left(gateway):
        minute = pcm(np.tile([6000, -6000], RATE * 60 // 2))
        async with gateway.socket("/api/v1/calls") as call:
            await begin(call)
            gateway.recogniser._script.extend(["一段很长的话"] * 20)
            for _ in range(10):
                await call.send(minute)
            await call.send(bytes(4 * RATE))
            seen = await frames_until(call, type="reply")
            assert any(f.get("cut") for f in seen if isinstance(f, dict))
            await call.send(json.dumps({"type": "stop"}))
            await frames_until(call, type="ended")


async def test_sockets_closed_by_half_or_broken_off_at_any_moment(gateway: Gateway) -> None:
    async with nothing_left(gateway):
        for number in range(12):
            async with gateway.socket("/api/v1/calls") as call:
                if number % 3:
                    await call.send(json.dumps(START))
                if number % 3 == 2:
                    await call.send(pcm(np.tile([6000, -6000], RATE // 2)))
                if number % 2:
                    call.transport.write_eof()
                    async with asyncio.timeout(DEADLINE_S):
                        await call.wait_closed()
                else:
                    call.transport.abort()


async def test_recordings_on_disk_are_closed_after_every_kind_of_end(gateway: Gateway) -> None:
    async with nothing_left(gateway):
        for end in ("stop", "close", "abort"):
            async with gateway.socket("/api/v1/calls") as call:
                await begin(call)
                if end == "stop":
                    await call.send(json.dumps({"type": "stop"}))
                    await frames_until(call, type="ended")
                elif end == "abort":
                    call.transport.abort()
    folder = Path(gateway.services.settings.data_dir) / "recordings"
    kept = await gateway.services.recordings.of_conversation("nothing")
    assert kept == []
    for file in folder.glob("*.nhrec"):
        content = await gateway.services.recordings.read(file.stem)
        assert content.finished
