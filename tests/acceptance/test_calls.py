"""Calls over the WebSocket: a person's voice in, the right answer said aloud."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.sync.client import ClientConnection, connect

from voice.audio import read_wav, resample, rms, to_pcm, to_samples, ulaw_decode, ulaw_encode

FRAME_S = 0.02


class Call:
    """One call; what arrives is kept in its order."""

    def __init__(self, socket: ClientConnection, encoding: str, rate: int) -> None:
        self.socket, self.encoding, self.rate = socket, encoding, rate
        self.frames: list[dict[str, Any]] = []
        self.sound = b""

    def send(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def speak(self, samples: np.ndarray) -> None:
        size = int(self.rate * FRAME_S)
        for at in range(0, len(samples), size):
            part = samples[at : at + size]
            self.socket.send(ulaw_encode(part) if self.encoding == "mulaw" else to_pcm(part))

    def until(self, kind: str, within_s: float = 20, **fields: Any) -> dict[str, Any]:
        """The next text frame of this kind; sound that comes before it is collected."""
        deadline = time.monotonic() + within_s
        while True:
            frame = self.socket.recv(timeout=max(0.01, deadline - time.monotonic()))
            if isinstance(frame, bytes):
                self.sound += frame
                continue
            read = json.loads(frame)
            self.frames.append(read)
            if read["type"] == kind and fields.items() <= read.items():
                return read

    def listen(self, seconds: float, within_s: float = 20) -> np.ndarray:
        """The next ``seconds`` of sound as samples."""
        width = 1 if self.encoding == "mulaw" else 2
        wanted, deadline = int(seconds * self.rate) * width, time.monotonic() + within_s
        heard = b""
        while len(heard) < wanted:
            frame = self.socket.recv(timeout=max(0.01, deadline - time.monotonic()))
            if isinstance(frame, bytes):
                heard += frame
        return ulaw_decode(heard) if self.encoding == "mulaw" else to_samples(heard)


@contextmanager
def call(line, encoding: str = "pcm_s16le", rate: int = 16000) -> Iterator[Call]:
    with connect(f"{line.sockets}/api/v1/calls", proxy=None, max_size=None) as socket:
        made = Call(socket, encoding, rate)
        made.send(type="start", encoding=encoding, sample_rate=rate)
        yield made


def spoken(wav: Path, rate: int) -> np.ndarray:
    """The recording at ``rate`` with silence before it, as in every call, and the silence that ends an utterance."""
    samples, source = read_wav(wav)
    before, after = np.zeros(int(rate * 0.5), np.int16), np.zeros(int(rate * 1.2), np.int16)
    return np.concatenate([before, resample(samples, source, rate), after])


@pytest.mark.parametrize(("encoding", "rate"), [("pcm_s16le", 16000), ("mulaw", 8000)])
def test_a_spoken_question_is_understood_and_answered_aloud(line, question, encoding, rate):
    line.until_speech_is_ready()
    with call(line, encoding, rate) as made:
        started = made.until("started")
        greeting = made.until("reply")
        assert "人工智能" in greeting["text"]
        made.until("speech", phase="start")
        made.speak(spoken(question, rate))  # the caller need not wait for the greeting to end
        made.until("speech", phase="cut")
        transcript = made.until("transcript", final=True)
        assert "社保卡" in transcript["text"]
        reply = made.until("reply")
        assert reply["understanding"]["item_key"] == "SB01"
        assert reply["sources"]
        made.until("speech", phase="start", turn_id=reply["turn_id"])
        assert rms(made.listen(2.0)) > 300, "the answer is audible"
        made.send(type="stop")
        assert made.until("ended")["reason"] == "caller"

    told = line.http.get(
        f"/api/v1/conversations/{started['conversation_id']}/messages",
        headers={"Authorization": f"Bearer {started['token']}"},
    ).json()["messages"]
    assert [m["turn_id"] for m in told] == [reply["turn_id"]]
    assert "社保卡" in told[0]["text"]


def test_the_zero_key_brings_a_person_in_any_moment(line):
    line.until_speech_is_ready()
    with call(line) as made:
        made.until("speech", phase="start")
        made.send(type="dtmf", digit="0")
        assert made.until("state")["state"] == "queued"


def test_sound_before_the_start_is_a_named_error_and_the_call_can_still_begin(line):
    with connect(f"{line.sockets}/api/v1/calls", proxy=None) as socket:
        early = Call(socket, "pcm_s16le", 16000)
        for sent, code in [
            (b"\x00" * 640, "frame_order"),
            (json.dumps({"type": "dtmf", "digit": "1"}), "frame_order"),
            (json.dumps({"type": "stop"}), "frame_order"),
            ("start", "bad_input"),
            (json.dumps({"type": "start", "encoding": "pcm_s16le", "sample_rate": 44100}), "audio_format"),
            (json.dumps({"type": "start", "encoding": "opus", "sample_rate": 16000}), "audio_format"),
            (json.dumps({"type": "start", "encoding": None, "sample_rate": "8000"}), "audio_format"),
        ]:
            socket.send(sent)
            frame = early.until("error", within_s=5)
            assert frame["code"] == code, sent
            assert frame["detail"]
        assert not any(f["type"] == "started" for f in early.frames)
        early.send(type="start", encoding="pcm_s16le", sample_rate=16000)
        early.until("started")


def test_odd_bytes_and_wrong_signals_within_a_call_are_named_and_the_call_goes_on(line, question):
    line.until_speech_is_ready()
    with call(line) as made:
        made.until("started")
        made.socket.send(b"\x00" * 641)
        assert made.until("error")["code"] == "audio_format"
        made.socket.send(b"\x00")  # the odd byte's other half
        made.send(type="start", encoding="pcm_s16le", sample_rate=16000)
        assert made.until("error")["code"] == "frame_order"
        made.send(type="dtmf", digit="??")
        assert made.until("error")["code"] == "bad_input"
        made.send(type="unknown")
        assert made.until("error")["code"] == "bad_input"
        made.speak(spoken(question, 16000))
        assert "社保卡" in made.until("transcript", final=True)["text"]
