"""A thousand WebSockets that are open and send nothing, at each door that takes sound."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from phone_callers import AudioSocketCaller, soon
from running_gateway import DEADLINE_S, Gateway, frame, frames_until, running_gateway
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.routes import calls as calls_door

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("many_files")]

MANY = 1000
SILENT_S = 2.0
_POOLS = ("recognise", "recording", "asyncio_", "storage", "AnyIO")  # bounded by themselves


def left() -> tuple[int, int, int]:
    """Tasks, threads, file handles."""
    threads = sum(not thread.name.startswith(_POOLS) for thread in threading.enumerate())
    return len(asyncio.all_tasks()), threads, psutil.Process(os.getpid()).num_fds()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def line(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """A line that has answered before: what is made once is made."""
    async with running_gateway(migrated_database, tmp_path_factory.mktemp("many")) as gateway:
        await answers_everybody(gateway)
        yield gateway


async def answers_everybody(line: Gateway) -> None:
    """By chat and by telephone."""
    talk = await line.open()
    assert (await talk.say("居住证怎么办")).json()["replies"][0]["text"] == "好的。"
    telephone = AudioSocketCaller(("127.0.0.1", line.services.settings.audiosocket_port))
    await telephone.dial()
    await telephone.until_loud()
    await telephone.close()
    await soon(lambda: line.services.calls.open == 0)


async def call(line: Gateway) -> None:
    async with line.socket("/api/v1/calls") as socket:
        await socket.send(json.dumps({"type": "start", "encoding": "pcm_s16le", "sample_rate": 8000}))
        await frames_until(socket, type="speech", phase="end")


@asynccontextmanager
async def a_thousand(line: Gateway, path: str) -> AsyncIterator[list[ClientConnection]]:
    """Open at once; after the block nothing of them is left."""
    gc.collect()
    before = left()
    sockets: list[ClientConnection] = []
    try:
        for _ in range(MANY // 100):
            opening = (connect(f"ws://{line.address}{path}", compression=None) for _ in range(100))
            sockets += await asyncio.gather(*opening)
        yield sockets
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))
    with suppress(TimeoutError):
        await soon(lambda: all(now <= then for now, then in zip(left(), before, strict=True)))
    assert all(now <= then for now, then in zip(left(), before, strict=True)), (
        f"{before}, now {left()}: {threading.enumerate()}"
    )


async def told(socket: ClientConnection) -> tuple[str, int | None]:
    """Why it was let go, and the code it was closed with (None: cut off)."""
    why = ""
    try:
        while True:
            why = (await frame(socket)).get("reason", why)
    except ConnectionClosed as closed:
        end = closed.rcvd
        return (why or end.reason, end.code) if end else (why, None)


async def test_a_thousand_who_never_begin_a_call_are_told_why_and_let_go(
    line: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_door, "START_WITHIN_S", SILENT_S)
    async with a_thousand(line, "/api/v1/calls") as sockets:
        assert line.services.calls.waiting <= calls_door.MAX_WAITING
        assert line.services.calls.open == 0  # none of them holds a line
        await answers_everybody(line)
        reasons = Counter(await asyncio.gather(*(told(socket) for socket in sockets)))
    assert set(reasons) == {("idle", 1000), ("line_busy", 1013)}
    assert line.services.calls.waiting == 0
    await call(line)


async def test_a_thousand_who_send_no_sound_to_be_recognised_are_told_why_and_let_go(line: Gateway) -> None:
    line.services.settings.call_idle_s = SILENT_S
    async with a_thousand(line, "/asr") as sockets:
        await answers_everybody(line)
        async with line.socket("/asr") as busy:
            await busy.send(bytes(6400))
            assert await frame(busy) == {"partial": ""}
        reasons = Counter(await asyncio.gather(*(told(socket) for socket in sockets)))
    line.services.settings.call_idle_s = DEADLINE_S
    assert reasons == {("idle", 1001): MANY}
    await call(line)
