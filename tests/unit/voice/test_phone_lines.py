"""What telephone lines share: pace, silence for telephones that send none, and the end of a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from hotline.errors import BadInputError, HotlineError, LineBusyError
from voice.clock import VirtualClock
from voice.ports import EventSink
from voice.telephony.line import Door, HungUp, IncomingCall, Key, LiveCall, Signal, carry, silence_of
from voice.telephony.phone import Pacer, PhoneLine, take_call

INCOMING = IncomingCall(Door.SIP, "pcm_s16le", 8000, "13800000001")
SPEECH = b"\x10\x20" * 160


class Listener:
    """A session that keeps what it was fed."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.sound = b""
        self.keys: list[str] = []
        self.stopped = False

    async def start(self, encoding: object, sample_rate: object) -> bool:
        return True

    async def audio(self, data: bytes) -> None:
        self.sound += data

    async def dtmf(self, digit: str) -> None:
        if digit == "?":
            raise BadInputError("不认识的按键")
        self.keys.append(digit)

    async def stop(self) -> None:
        self.stopped = True
        self.ended.set()


class ScriptedLine(PhoneLine):
    """Receives what a test puts; keeps when each frame left."""

    def __init__(self, clock: VirtualClock, fill_after_s: float = 0.2) -> None:
        super().__init__(INCOMING, clock, idle_s=20.0, idle_reason="vanished", fill_after_s=fill_after_s)
        self.clock = clock
        self.signals: asyncio.Queue[Signal] = asyncio.Queue()
        self.written: list[tuple[float, bytes]] = []
        self.lost = False

    async def receive(self) -> Signal:
        return await self.signals.get()

    def write(self, frame: bytes) -> None:
        if self.lost:
            raise ConnectionError("lost")
        self.written.append((self.clock.now(), frame))


class Board:
    """A switchboard with one session."""

    def __init__(self, session: Listener, refused: HotlineError | None = None) -> None:
        self.session, self.refused = session, refused
        self.calls: list[LiveCall] = []

    def refusal(self, number: str | None) -> HotlineError | None:
        return self.refused

    @asynccontextmanager
    async def call(self, incoming: IncomingCall, send: EventSink) -> AsyncIterator[LiveCall]:
        if self.refused is not None:
            raise self.refused
        call = LiveCall("c", "v", "t", incoming, self.session)  # type: ignore[arg-type]
        self.calls.append(call)
        yield call


@pytest.fixture
async def carried() -> AsyncIterator[Any]:
    """A call being carried on virtual time; afterwards nothing of it runs."""
    clock, session = VirtualClock(), Listener()
    line = ScriptedLine(clock)
    call = LiveCall("c", "v", "t", INCOMING, session)  # type: ignore[arg-type]
    task = asyncio.create_task(carry(call, line, clock))
    await clock.settle()
    yield clock, line, session, call, task
    await clock.settle()
    assert task.done()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_frame_leaves_every_twenty_ms_silence_between_speeches() -> None:
    clock, wire = VirtualClock(), []
    pacer = Pacer(clock, silence_of(INCOMING))
    task = asyncio.create_task(pacer.run(lambda frame: wire.append((round(clock.now(), 3), frame))))
    await clock.settle()
    await clock.advance(0.1)
    for _ in range(5):
        pacer.put(SPEECH)
    await clock.advance(0.2)
    task.cancel()
    assert [at for at, _ in wire] == [round(n * 0.02, 3) for n in range(len(wire))]
    assert len(wire) == 16
    assert [frame == SPEECH for _, frame in wire] == [False] * 6 + [True] * 5 + [False] * 5


async def test_after_a_stall_there_is_no_burst() -> None:
    clock, wire = VirtualClock(), []
    pacer = Pacer(clock, b"")

    def write(frame: bytes) -> None:
        wire.append(clock.now())
        if len(wire) == 3:
            clock._now += 1.0  # the process stood still for a second

    task = asyncio.create_task(pacer.run(write))
    await clock.settle()
    await clock.advance(0.2)
    task.cancel()
    assert len(wire) <= 12


async def test_an_interruption_takes_back_what_has_not_left() -> None:
    line = ScriptedLine(VirtualClock())
    await line.send(SPEECH)
    await line.send({"type": "speech", "phase": "start"})
    assert line.pacer.waiting == 1
    await line.send({"type": "speech", "phase": "cut"})
    assert line.pacer.waiting == 0


async def test_a_telephone_that_sends_no_silence_is_given_some_and_no_time_is_lost(carried: Any) -> None:
    clock, line, session, _, _ = carried
    for _ in range(10):
        line.signals.put_nowait(SPEECH)
        await clock.advance(0.02)
    assert session.sound == SPEECH * 10
    await clock.advance(2.0)
    assert not any(session.sound[len(SPEECH) * 10 :])
    assert len(session.sound) / 16000 == pytest.approx(clock.now(), abs=0.15)
    line.signals.put_nowait(SPEECH)
    await clock.advance(0.02)
    assert session.sound.endswith(SPEECH)
    line.signals.put_nowait(HungUp())


async def test_a_stall_of_the_network_is_no_silence(carried: Any) -> None:
    clock, line, session, _, _ = carried
    line.signals.put_nowait(SPEECH)
    await clock.advance(0.18)
    line.signals.put_nowait(SPEECH)
    await clock.advance(0.02)
    assert session.sound == SPEECH * 2
    line.signals.put_nowait(HungUp())


async def test_signs_of_life_hold_the_call_and_are_no_sound(carried: Any) -> None:
    clock, line, session, call, task = carried
    for _ in range(6):
        line.signals.put_nowait(b"")
        await clock.advance(10.0)
    assert not task.done()
    assert not any(session.sound)
    await clock.advance(20.0)
    assert call.reason == "vanished"


async def test_a_caller_who_is_gone_ends_the_call(carried: Any) -> None:
    clock, line, session, call, task = carried
    line.signals.put_nowait(SPEECH)
    await clock.advance(19.9)
    assert not task.done()
    await clock.advance(0.3)
    assert task.done()
    assert (call.reason, session.stopped) == ("vanished", False)


async def test_hanging_up_in_good_order_stops_the_session(carried: Any) -> None:
    clock, line, session, call, _ = carried
    line.signals.put_nowait(Key("5"))
    line.signals.put_nowait(HungUp())
    await clock.settle()
    assert (session.keys, session.stopped, call.reason) == (["5"], True, "caller")


async def test_something_wrong_is_noted_and_the_call_goes_on(carried: Any) -> None:
    clock, line, session, _, task = carried
    line.signals.put_nowait(Key("?"))
    line.signals.put_nowait(Key("1"))
    await clock.settle()
    assert session.keys == ["1"]
    assert not task.done()
    line.signals.put_nowait(HungUp())


async def test_a_wire_that_breaks_while_the_line_talks_ends_the_call(carried: Any) -> None:
    clock, line, _, call, _ = carried
    line.lost = True
    await clock.advance(0.04)
    assert call.reason == "vanished"


async def test_the_last_words_leave_before_the_line_hangs_up() -> None:
    clock, session = VirtualClock(), Listener()
    line, board = ScriptedLine(clock), Board(session)
    task = asyncio.create_task(take_call(line, board, clock))
    await clock.settle()
    for _ in range(3):
        await line.send(SPEECH)
    session.ended.set()
    await clock.settle()
    assert await task == "line"
    assert [frame for _, frame in line.written[-3:]] == [SPEECH] * 3


async def test_a_call_that_cannot_be_taken_is_the_doors_to_refuse() -> None:
    clock = VirtualClock()
    with pytest.raises(LineBusyError):
        await take_call(ScriptedLine(clock), Board(Listener(), LineBusyError()), clock)


def test_silence_is_a_frame_of_the_calls_own_format() -> None:
    assert silence_of(INCOMING) == bytes(320)
    assert silence_of(IncomingCall(Door.WEBSOCKET, "mulaw", 8000)) == b"\xff" * 160
    assert len(silence_of(IncomingCall(Door.AUDIOSOCKET, "pcm_s16le", 16000))) == 640
    assert not np.frombuffer(silence_of(INCOMING), np.int16).any()
