"""Callers on real sockets: a page's WebSocket, an Asterisk's AudioSocket, a SIP user agent.

All speak the same way, so that one script runs through every door. The SIP caller is aiosipua's
client with aiortp's session: another half of the libraries than the door uses.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
from aiortp import RTPSession
from aiosipua import SipUAC, SipUAS, UdpSipTransport, build_sdp
from websockets.asyncio.client import connect

from hotline.events import ConversationEvent, EventType
from voice.audio import Samples, to_pcm, to_samples
from voice.telephony.line import LiveCall

RATE = 8000
FRAME = 160
DEADLINE_S = 8.0
LOUD = 500


def tone(seconds: float, amplitude: int = 6000) -> Samples:
    samples = np.full(int(RATE * seconds), amplitude, np.int16)
    samples[1::2] *= -1
    return samples


def syllables(seconds: float) -> Samples:
    """What changes as words do: a tenth of a second each, high and low in turn."""
    time = np.arange(int(RATE * seconds)) / RATE
    pitch = np.where((time // 0.1) % 2, 400, 2000)
    samples: Samples = (6000 * np.sin(2 * np.pi * pitch * time)).astype(np.int16)
    return samples


def silence(seconds: float) -> Samples:
    return np.zeros(int(RATE * seconds), np.int16)


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _any_loud(pieces: list[Samples]) -> bool:
    return any(len(piece) and np.abs(piece).max() > LOUD for piece in pieces)


class Caller:
    """``heard`` is all sound so far; ``loud`` how many of its frames are more than silence."""

    def __init__(self, number: str | None = "13800000001") -> None:
        self.number = number
        self.heard: list[Samples] = []
        self.hung_up = asyncio.Event()
        self._changed = asyncio.Event()
        self._waited_for = 0

    @property
    def loud(self) -> int:
        return sum(1 for piece in self.heard if len(piece) and np.abs(piece).max() > LOUD)

    def sound(self) -> Samples:
        return np.concatenate(self.heard) if self.heard else silence(0)

    def hear(self, samples: Samples) -> None:
        self.heard.append(samples)
        self._changed.set()

    async def until(self, condition: Callable[[], bool], within_s: float = DEADLINE_S) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_loud(self, more: int = 3, within_s: float = DEADLINE_S) -> None:
        """Hears that many frames of speech, those included that nobody waited for yet."""
        self._waited_for += more
        await self.until(lambda: self.loud >= self._waited_for, within_s)

    async def until_quiet(self, frames: int = 10, within_s: float = DEADLINE_S) -> None:
        """Hears that many frames of silence in a row: the line has finished. A page only hears no more."""
        await self.until(lambda: len(self.heard) >= frames and not _any_loud(self.heard[-frames:]), within_s)
        self._waited_for = self.loud

    def mark(self) -> int:
        """From here on: how many samples were heard, and no loud frame of theirs is waited for any more."""
        self._waited_for = self.loud
        return len(self.sound())

    async def dial(self) -> None:
        raise NotImplementedError

    async def speak(self, samples: Samples, realtime: bool = False) -> None:
        """Sends sound, as fast as it goes or at the pace of a telephone."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for at in range(0, len(samples), FRAME):
            await self.send_frame(samples[at : at + FRAME])
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()) if realtime else 0)

    async def send_frame(self, samples: Samples) -> None:
        raise NotImplementedError

    async def press(self, digit: str) -> None:
        raise NotImplementedError

    async def hang_up(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        """Lets go of everything, in whatever state."""


class WebSocketCaller(Caller):
    def __init__(self, address: str, number: str | None = "13800000001") -> None:
        super().__init__(number)
        self._address = address

    async def dial(self) -> None:
        self._socket = await connect(f"ws://{self._address}/api/v1/calls", max_size=None)
        await self._say(type="start", encoding="pcm_s16le", sample_rate=RATE, caller=self.number)
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        self.speaking = False
        async for message in self._socket:
            if isinstance(message, bytes):
                self.hear(to_samples(message))
                continue
            frame = json.loads(message)
            if frame["type"] == "speech" and frame["phase"] in ("end", "cut"):
                for _ in range(10):
                    self.hear(silence(0.02))
        self.hung_up.set()
        self._changed.set()

    async def _say(self, **frame: Any) -> None:
        await self._socket.send(json.dumps(frame))

    async def send_frame(self, samples: Samples) -> None:
        await self._socket.send(to_pcm(samples))

    async def press(self, digit: str) -> None:
        await self._say(type="dtmf", digit=digit)

    async def hang_up(self) -> None:
        await self._say(type="stop")

    async def close(self) -> None:
        await self._socket.close()
        await self._task


class AudioSocketCaller(Caller):
    """``call_uuid`` None: one that holds the number, as the README's dialplan makes it."""

    def __init__(
        self, address: tuple[str, int], number: str | None = "13800000001", call_uuid: uuid.UUID | None = None
    ) -> None:
        super().__init__(number)
        self._address = address
        self._uuid = call_uuid or uuid.UUID(f"00000000-0000-4000-8000-{(number or '').rjust(12, '0')}")
        self.error = b""

    @staticmethod
    def frame(kind: int, payload: bytes = b"") -> bytes:
        return struct.pack("!BH", kind, len(payload)) + payload

    async def dial(self) -> None:
        self._reader, self.writer = await asyncio.open_connection(*self._address)
        self.send(0x01, self._uuid.bytes)
        await self.send_frame(silence(0.02))
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            while True:
                kind, length = struct.unpack("!BH", await self._reader.readexactly(3))
                payload = await self._reader.readexactly(length)
                if kind == 0x10:
                    self.hear(to_samples(payload))
                elif kind == 0xFF:
                    self.error = payload
                elif kind == 0x00:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.hung_up.set()
        self._changed.set()

    def send(self, kind: int, payload: bytes = b"") -> None:
        self.writer.write(self.frame(kind, payload))

    async def send_frame(self, samples: Samples) -> None:
        self.send(0x10, to_pcm(samples))
        await self.writer.drain()

    async def press(self, digit: str) -> None:
        self.send(0x03, digit.encode())

    async def hang_up(self) -> None:
        self.send(0x00)
        await self.writer.drain()

    async def close(self) -> None:
        self.writer.close()
        self._task.cancel()
        await asyncio.gather(self._task, self.writer.wait_closed(), return_exceptions=True)


class SipCaller(Caller):
    """``status`` is the final answer to the INVITE. ``lose`` tells which of our frames the network loses."""

    def __init__(self, address: tuple[str, int], number: str | None = "13800000001", payload_type: int = 0) -> None:
        super().__init__(number)
        self._address = address
        self.payload_type = payload_type
        self.status = 0
        self.lose: Callable[[int], bool] = lambda _: False
        self._frames = 0

    async def dial(self) -> None:
        await self.invite()
        assert self.status == 200, self.status

    async def invite(self) -> None:
        """Calls, and waits for the final answer."""
        port, media = free_port(), free_port()
        self._transport = UdpSipTransport(local_addr=("127.0.0.1", port))
        self.agent = SipUAC(self._transport)
        self._server = SipUAS(self._transport, uac=self.agent)
        self._server.on_bye = lambda *_: self._ended()
        loop = asyncio.get_running_loop()
        handler = loop.get_exception_handler()
        loop.set_exception_handler(lambda *_: None)  # aiosipua's assertion on Python 3.11 (docs/adr/0018)
        await self._server.start()
        await asyncio.sleep(0)
        loop.set_exception_handler(handler)
        offer = build_sdp("127.0.0.1", media, self.payload_type, {0: "PCMU", 8: "PCMA"}[self.payload_type])
        user = self.number or "anonymous"
        self.call = self.agent.send_invite(
            f"sip:{user}@127.0.0.1:{port}", f"sip:12345@127.0.0.1:{self._address[1]}", self._address, offer
        )
        try:
            await self.call.wait_answered(timeout=DEADLINE_S)
            self.status = 200
        except RuntimeError:  # aiosipua's word for «refused»
            self.status = self.call._reject_code
            return
        assert self.call.sdp_answer is not None
        self.rtp = await RTPSession.create(
            ("127.0.0.1", media), self.call.sdp_answer.rtp_address, self.payload_type, jitter_prefetch=0
        )
        self.rtp.on_audio = lambda pcm, _: self.hear(to_samples(pcm))

    def _ended(self) -> None:
        self.hung_up.set()
        self._changed.set()

    async def send_frame(self, samples: Samples) -> None:
        self._frames += 1
        if self.lose(self._frames):
            sender = self.rtp._sender
            sender.advance_timestamp()
            sender._sequence_number = (sender._sequence_number + 1) & 0xFFFF
            return
        self.rtp.send_audio_pcm_auto(to_pcm(np.pad(samples, (0, FRAME - len(samples)))))

    async def press(self, digit: str) -> None:
        self.rtp.send_dtmf(digit, timestamp=self.rtp._sender.current_timestamp)

    async def hang_up(self) -> None:
        self.call.hangup(self.agent)

    async def close(self) -> None:
        await self.hang_up()
        if hasattr(self, "rtp"):
            await self.rtp.close()
        await self._server.stop()
        await asyncio.sleep(0)


async def soon(condition: Callable[[], object], within_s: float = DEADLINE_S) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  what the gateway does has no event of its own
            await asyncio.sleep(0.005)


async def live_call(gateway: Any) -> LiveCall:
    """The one call under way."""
    await soon(lambda: len(gateway.services.calls.live) == 1)
    (call,) = gateway.services.calls.live.values()
    return call


async def trail_of(gateway: Any, call: LiveCall, until: EventType) -> list[ConversationEvent]:
    """The trail of the call's conversation, once it has an event of that type."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            trail = await gateway.services.store.events_after(call.conversation_id, 0)
            if any(event.type is until for event in trail):
                return trail
            await asyncio.sleep(0.005)
