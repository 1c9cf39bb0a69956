"""A call over its socket is recorded, refused, and taken out by the operator's command."""

from __future__ import annotations

import asyncio
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running_gateway import DEADLINE_S, Gateway, frames_until
from typer.testing import CliRunner

from hotline.ports import Recording
from ops.cli import app

pytestmark = pytest.mark.asyncio(loop_scope="module")


def sound(seconds: float, amplitude: int) -> bytes:
    samples = np.full(int(8000 * seconds), amplitude, np.int16)
    samples[1::2] *= -1
    return samples.tobytes()


async def call_through(gateway: Gateway, *script: str, **start: Any) -> tuple[dict[str, Any], list[Any]]:
    """One call that says each line of the script; its ``started`` frame and all that came."""
    gateway.recogniser._script.extend(script)
    async with gateway.socket("/api/v1/calls") as call:
        await call.send(json.dumps({"type": "start", "encoding": "pcm_s16le", "sample_rate": 8000, **start}))
        seen = await frames_until(call, type="speech", phase="end")
        for _ in script:
            await call.send(sound(0.8, 6000) + sound(1.2, 0))
            seen += await frames_until(call, type="speech", phase="end")
        await call.send(json.dumps({"type": "stop"}))
        seen += await frames_until(call, type="ended")
    return seen[0], seen


async def recordings_of(gateway: Gateway, conversation: str) -> list[Recording]:
    recordings = gateway.services.recordings
    assert recordings is not None
    async with asyncio.timeout(DEADLINE_S):  # it is closed after the last frame
        while recordings._open:
            await gateway.http.get("/healthz")
    return await recordings.of_conversation(conversation)


def files(gateway: Gateway) -> list[Path]:
    return sorted((gateway.services.settings.data_dir / "recordings").glob("*"))


async def test_a_call_is_recorded_and_can_be_taken_out(
    new_gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started, seen = await call_through(new_gateway, "居住证怎么办")
    assert started["recorded"] is True
    greeting = next(f for f in seen if isinstance(f, dict) and f["type"] == "reply")
    assert "录音" in greeting["text"]
    (kept,) = await recordings_of(new_gateway, started["conversation_id"])
    assert kept.call_id == started["call_id"]
    assert kept.ended_at is not None
    assert {turn.who for turn in kept.turns} == {"caller", "line"}
    trail = await new_gateway.services.store.events_after(started["conversation_id"], 0)
    assert trail[1].data["recording_id"] == kept.recording_id

    monkeypatch.setenv("DATA_DIR", str(new_gateway.services.settings.data_dir))
    out = tmp_path / "out.wav"

    def command(*words: str) -> Any:
        return CliRunner().invoke(app, ["recordings", *words])

    listed = await asyncio.to_thread(command, "list", started["conversation_id"])
    assert kept.recording_id in listed.output
    taken = await asyncio.to_thread(command, "export", kept.recording_id, str(out))
    assert taken.exit_code == 0, taken.output
    with wave.open(str(out)) as wav:
        assert wav.getnchannels() == 2
        assert wav.getnframes() / 8000 == pytest.approx(kept.seconds, abs=0.1)
    assert out.stat().st_mode & 0o777 == 0o600
    again = await asyncio.to_thread(command, "export", kept.recording_id, str(out))
    assert again.exit_code == 1
    missing = await asyncio.to_thread(command, "export", "nothing", str(tmp_path / "none.wav"))
    assert missing.exit_code == 1
    assert not (tmp_path / "none.wav").exists()


async def test_a_caller_who_refuses_leaves_no_recording(new_gateway: Gateway) -> None:
    started, seen = await call_through(new_gateway, "不要录音", "居住证怎么办")
    texts = [f["text"] for f in seen if isinstance(f, dict) and f["type"] == "reply"]
    assert "删掉" in texts[1]
    assert texts[2] == "好的。"
    assert await recordings_of(new_gateway, started["conversation_id"]) == []
    assert files(new_gateway) == []


async def test_a_door_may_ask_not_to_record(new_gateway: Gateway) -> None:
    started, seen = await call_through(new_gateway, record=False)
    assert started["recorded"] is False
    assert "录音" not in next(f for f in seen if isinstance(f, dict) and f["type"] == "reply")["text"]
    assert files(new_gateway) == []
