"""Everything that telephone doors should never be sent. After each test nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import struct
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from aiosipua.message import SipMessage, SipRequest, SipResponse
from phone_callers import AudioSocketCaller, SipCaller, free_port, silence, soon, tone, trail_of
from running_gateway import DEADLINE_S, Gateway, running_gateway

from hotline.events import EventType
from storage.errors import StorageDownError
from voice.telephony import audiosocket as audiosocket_door

pytestmark = pytest.mark.asyncio(loop_scope="module")

frame = AudioSocketCaller.frame
UUID = frame(0x01, uuid.uuid4().bytes)
SOUND = frame(0x10, bytes(320))


def counted() -> tuple[int, int, int]:
    """Tasks, threads, file handles. Pools of fixed size make their threads when first needed."""
    gc.collect()
    pools = ("recognise", "storage-read", "storage-write")
    threads = [thread for thread in threading.enumerate() if not thread.name.startswith(pools)]
    return len(asyncio.all_tasks()), len(threads), len(os.listdir("/proc/self/fd"))


def more_than(before: tuple[int, int, int]) -> bool:
    return any(now > then for now, then in zip(counted(), before, strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def warmed(running: Gateway) -> AsyncIterator[None]:
    """Whatever is made once is made: a call came through each door, the store was read. What is there by
    now the collector need not look through each time."""
    await asyncio.gather(*(running.services.store.events_after("nobody", 0) for _ in range(8)))
    async with calling_sip(running) as caller:
        await caller.until_loud()
    exchange = AudioSocketCaller(("127.0.0.1", running.services.settings.audiosocket_port))
    await exchange.dial()
    await exchange.until_loud()
    await exchange.close()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest_asyncio.fixture(loop_scope="module")
async def nothing_left(warmed: None, gateway: Gateway) -> AsyncIterator[None]:
    """Tasks, threads and handles are what they were. That the next caller is served, the next test shows."""
    await soon(lambda: gateway.services.calls.open == 0)
    await asyncio.sleep(0.05)  # the last caller's own sockets close in the next rounds of the loop
    before = counted()
    yield
    await soon(lambda: gateway.services.calls.open == 0)
    with suppress(TimeoutError):
        await soon(lambda: not more_than(before))
    assert not more_than(before), f"tasks, threads, handles: {before}, now {counted()}: {asyncio.all_tasks()}"


@asynccontextmanager
async def calling_sip(gateway: Gateway, **more: Any) -> AsyncIterator[SipCaller]:
    caller = SipCaller(("127.0.0.1", gateway.services.settings.sip_port), **more)
    try:
        await caller.dial()
        yield caller
    finally:
        await caller.close()


@asynccontextmanager
async def audiosocket(gateway: Gateway) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.services.settings.audiosocket_port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def kinds_until_closed(reader: asyncio.StreamReader) -> list[int]:
    """The types of the frames that come until the other side closes."""
    kinds = []
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                kind, length = struct.unpack("!BH", await reader.readexactly(3))
                await reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return kinds
            kinds.append(kind)


# ---------------------------------------------------------------- AudioSocket


@pytest.mark.parametrize(
    "sent",
    [
        SOUND,  # no UUID first
        frame(0x03, b"5"),
        frame(0x01, b"short"),
        frame(0x01, bytes(17)),
        b"GET / HTTP/1.1\r\n\r\n" + bytes(300),
        UUID + frame(0x13, bytes(960)),  # 24 kHz
        UUID + SOUND + struct.pack("!BH", 0x10, 65535) + bytes(320),  # lies upwards
        UUID + SOUND + struct.pack("!BH", 0x10, 321) + bytes(321),  # half a sample
        UUID + SOUND + frame(0x03, b"55"),
        UUID + SOUND + frame(0x01, bytes(3)),
        UUID + SOUND + frame(0x77, b"?") * 40,
    ],
    ids=lambda sent: f"{len(sent)} bytes",
)  # fmt: skip
async def test_what_is_no_audiosocket_is_told_so_and_hung_up(gateway: Gateway, nothing_left: None, sent: bytes) -> None:
    async with audiosocket(gateway) as (reader, writer):
        writer.write(sent)
        kinds = await kinds_until_closed(reader)
        assert kinds[-2:] == [0xFF, 0x00]


async def test_a_length_that_lies_downwards_ends_the_call_one_way_or_another(
    gateway: Gateway, nothing_left: None
) -> None:
    async with audiosocket(gateway) as (reader, writer):
        loud = np.random.default_rng(3).integers(-20000, 20000, 160).astype("<i2").tobytes()
        writer.write(UUID + SOUND + (struct.pack("!BH", 0x10, 100) + loud) * 50)
        assert (await kinds_until_closed(reader))[-1] == 0x00


async def test_a_frame_that_never_ends_is_not_waited_for_for_ever(
    gateway: Gateway, nothing_left: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiosocket_door, "UUID_WITHIN_S", 0.1)
    async with audiosocket(gateway) as (reader, writer):
        writer.write(UUID[:10])
        assert (await kinds_until_closed(reader))[-2:] == [0xFF, 0x00]


async def test_an_unknown_frame_type_is_passed_over(gateway: Gateway, nothing_left: None) -> None:
    caller = AudioSocketCaller(("127.0.0.1", gateway.services.settings.audiosocket_port))
    await caller.dial()
    caller.send(0x77, b"whatever comes with a later Asterisk")
    caller.send(0x02)
    await caller.until_loud()
    assert not caller.hung_up.is_set()
    await caller.close()


async def test_sixteen_kilohertz_come_back_as_sixteen(gateway: Gateway, nothing_left: None) -> None:
    async with audiosocket(gateway) as (reader, writer):
        writer.write(UUID + frame(0x12, bytes(640)))
        assert struct.unpack("!BH", await reader.readexactly(3)) == (0x12, 640)


@pytest.mark.parametrize("how", ["half-closed", "reset", "mid-frame"])
async def test_a_connection_that_goes_is_a_call_that_ended(gateway: Gateway, nothing_left: None, how: str) -> None:
    async with audiosocket(gateway) as (_, writer):
        writer.write(UUID + SOUND)
        await soon(lambda: gateway.services.calls.live)
        (call,) = gateway.services.calls.live.values()
        if how == "half-closed":
            writer.write_eof()
        elif how == "reset":
            writer.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            writer.transport.abort()
        else:
            writer.write(SOUND[:50])
            writer.write_eof()
        await soon(lambda: not gateway.services.calls.live)
        expected = {"half-closed": "caller", "reset": "vanished", "mid-frame": "bad_frame"}[how]
        assert call.reason == expected


async def test_a_caller_who_sends_and_never_reads_is_hung_up(
    gateway: Gateway, nothing_left: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiosocket_door, "_MAX_BACKLOG", -1)
    async with audiosocket(gateway) as (reader, writer):
        writer.write(UUID + SOUND)
        assert (await kinds_until_closed(reader))[-1] == 0x00


async def test_a_thousand_connections_that_say_nothing_leave_room_for_a_caller(
    gateway: Gateway, nothing_left: None, monkeypatch: pytest.MonkeyPatch, many_files: None
) -> None:
    monkeypatch.setattr(audiosocket_door, "UUID_WITHIN_S", 1.5)
    port = gateway.services.settings.audiosocket_port
    opened = []
    for _ in range(20):
        opened += await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(50)))
    try:
        async with calling_sip(gateway) as caller:
            await caller.until_loud()
        async with asyncio.timeout(DEADLINE_S):  # every one of them is closed
            await asyncio.gather(*(reader.read() for reader, _ in opened), return_exceptions=True)
        silent = AudioSocketCaller(("127.0.0.1", port))
        await silent.dial()
        await silent.until_loud()
        await silent.close()
    finally:
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)


# ---------------------------------------------------------------- SIP


class Peer:
    """A bare UDP socket that speaks SIP by hand."""

    def __init__(self, gateway: Gateway) -> None:
        self.door = ("127.0.0.1", gateway.services.settings.sip_port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def send(self, data: bytes | str) -> None:
        self.socket.sendto(data.encode() if isinstance(data, str) else data, self.door)

    async def answer(self) -> SipRequest | SipResponse:
        async with asyncio.timeout(DEADLINE_S):
            data = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
        return SipMessage.parse(data)

    async def final(self) -> SipResponse:
        while True:
            answer = await self.answer()
            if isinstance(answer, SipResponse) and answer.status_code >= 200:
                return answer

    def request(self, method: str, call: str, cseq: int = 1, to_tag: str = "", branch: str = "", **more: str) -> str:
        body = more.pop("body", "")
        tag = f";tag={to_tag}" if to_tag else ""
        headers = {
            "Via": f"SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch=z9hG4bK{branch or f'{call}{method}{cseq}'}",
            "From": "<sip:13800000002@127.0.0.1>;tag=here",
            "To": f"<sip:12345@127.0.0.1>{tag}",
            "Call-ID": call,
            "CSeq": f"{cseq} {method}",
            "Contact": f"<sip:13800000002@127.0.0.1:{self.port}>",
            "Max-Forwards": "70",
        } | {name.replace("_", "-"): value for name, value in more.items()}
        lines = [f"{method} sip:12345@127.0.0.1 SIP/2.0", *(f"{k}: {v}" for k, v in headers.items() if v)]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])

    def invite(self, call: str, sdp: str | None = None, **more: Any) -> str:
        body = offer() if sdp is None else sdp
        return self.request("INVITE", call, body=body, **({"Content_Type": "application/sdp"} if body else {}), **more)

    def close(self) -> None:
        self.socket.close()


def offer(host: str = "127.0.0.1", port: int = 40000, formats: str = "0 8", proto: str = "RTP/AVP") -> str:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} {proto} {formats}\r\na=sendrecv\r\n"
    )


@pytest.fixture
def peer(gateway: Gateway) -> Iterator[Peer]:
    made = Peer(gateway)
    yield made
    made.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00" * 4,
        b"\r\n\r\n",
        b"\xff\xfe" * 500,
        b"INVITE",
        b"INVITE sip:a@b SIP/2.0\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\nVia: \r\nFrom: <>\r\nTo: <>\r\nCall-ID: x\r\nCSeq: x INVITE\r\n\r\n",
        b"SIP/2.0 abc\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\nCSeq: 1 BYE\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\n" + b"X: y\r\n" * 400 + b"\r\n",
        b"A" * 40000,
        b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK1\r\nCSeq: 99999999999999999999 BYE\r\n\r\n",
    ],
    ids=lambda sent: f"{len(sent)} bytes of {sent[:8]!r}",
)
async def test_what_is_no_sip_is_dropped_without_a_word(
    gateway: Gateway, nothing_left: None, peer: Peer, sent: bytes
) -> None:
    peer.send(sent)
    peer.send(peer.request("OPTIONS", "after"))
    assert (await peer.final()).call_id == "after"


@pytest.mark.parametrize(
    ("sdp", "status"),
    [
        ("nonsense", 488),
        ("v=0\r\nm=audio x RTP/AVP 0\r\n", 488),
        (offer(formats="9 18"), 488),
        (offer(proto="RTP/SAVP"), 488),
        (offer(port=0), 488),
        (offer(port=70000), 488),
        (offer(host="example.org"), 488),
        (offer(host="224.0.0.1"), 488),
        ("v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 4000 RTP/AVP 96\r\n", 488),
    ],
)
async def test_an_offer_that_cannot_be_met_is_refused_with_a_reason(
    gateway: Gateway, nothing_left: None, peer: Peer, sdp: str, status: int
) -> None:
    peer.send(peer.invite(f"sdp-{uuid.uuid4()}", sdp))
    answer = await peer.final()
    assert answer.status_code == status
    assert answer.get_header("Reason")
    assert not gateway.services.calls.live


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Require": "100rel"}, 420), ({"Content_Type": "multipart/mixed"}, 415)],
)
async def test_what_an_invite_demands_and_we_cannot_do_is_named(
    gateway: Gateway, nothing_left: None, peer: Peer, headers: dict[str, str], status: int
) -> None:
    peer.send(
        peer.request("INVITE", f"x-{uuid.uuid4()}", body=offer(), **({"Content_Type": "application/sdp"} | headers))
    )
    assert (await peer.final()).status_code == status


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("BYE", 481), ("CANCEL", 481), ("INFO", 481), ("REGISTER", 405), ("DANCE", 405)],
)
async def test_requests_outside_a_call_are_answered_sanely(
    gateway: Gateway, nothing_left: None, peer: Peer, method: str, status: int
) -> None:
    peer.send(peer.request(method, f"m-{uuid.uuid4()}"))
    assert (await peer.final()).status_code == status


async def test_an_invite_that_comes_again_is_answered_again_and_is_one_call(
    gateway: Gateway, nothing_left: None, peer: Peer
) -> None:
    call = f"again-{uuid.uuid4()}"
    invite = peer.invite(call)
    for _ in range(3):
        peer.send(invite)
    first = await peer.final()
    assert first.status_code == 200
    peer.send(invite)
    second = await peer.final()
    assert (second.status_code, second.to_addr) == (200, first.to_addr)
    assert gateway.services.calls.open == 1
    tag = first.to_addr.tag
    peer.send(peer.request("ACK", call, to_tag=tag))
    bye = peer.request("BYE", call, cseq=2, to_tag=tag)
    peer.send(bye)
    peer.send(bye)
    answers = [await peer.final() for _ in range(2)]
    while answers[-1].cseq.method != "BYE" or answers[-2].cseq.method != "BYE":
        answers.append(await peer.final())
    assert answers[-1].status_code == answers[-2].status_code == 200


async def test_a_stranger_cannot_end_or_take_over_a_call(gateway: Gateway, nothing_left: None, peer: Peer) -> None:
    call = f"mine-{uuid.uuid4()}"
    peer.send(peer.invite(call))
    tag = (await peer.final()).to_addr.tag
    peer.send(peer.request("ACK", call, to_tag=tag))
    await soon(lambda: gateway.services.calls.live)
    stranger = Peer(gateway)
    try:
        stranger.send(stranger.request("BYE", call, cseq=2, to_tag="guessed"))
        assert (await stranger.final()).status_code == 481
        stranger.send(
            stranger.request(
                "INVITE", call, cseq=3, to_tag="guessed", body=offer(port=9), Content_Type="application/sdp"
            )
        )
        assert (await stranger.final()).status_code == 481
        stranger.send(stranger.invite(call, branch="other"))
        assert (await stranger.final()).status_code == 482
    finally:
        stranger.close()
    assert gateway.services.calls.live
    peer.send(peer.request("BYE", call, cseq=2, to_tag=tag))
    await soon(lambda: not gateway.services.calls.live)


async def test_who_does_not_acknowledge_hears_nothing_and_is_let_go(
    gateway: Gateway, nothing_left: None, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiosipua.transaction.T1", 0.02)
    monkeypatch.setattr("aiosipua.transaction.TIMER_H", 0.2)
    sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sound.bind(("127.0.0.1", 0))
    sound.setblocking(False)
    peer.send(peer.invite(f"deaf-{uuid.uuid4()}", offer(port=sound.getsockname()[1])))
    await soon(lambda: gateway.services.calls.live)
    (call,) = gateway.services.calls.live.values()
    await soon(lambda: not gateway.services.calls.live)
    assert call.reason == "not_acknowledged"
    with pytest.raises(BlockingIOError):
        sound.recv(2000)
    sound.close()


async def test_a_call_cancelled_before_it_is_answered_is_no_call(
    gateway: Gateway, nothing_left: None, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, create = asyncio.Event(), gateway.services.store.create_conversation

    async def slowly(*args: Any) -> Any:
        await held.wait()
        return await create(*args)

    monkeypatch.setattr(gateway.services.store, "create_conversation", slowly)
    call = f"cancel-{uuid.uuid4()}"
    peer.send(peer.invite(call, branch=call))
    await soon(lambda: gateway.services.calls.open == 1)
    peer.send(peer.request("CANCEL", call, branch=call))
    answers = {(await peer.final()).status_code, (await peer.final()).status_code}
    assert answers == {200, 487}
    held.set()
    await soon(lambda: gateway.services.calls.open == 0)


async def test_hold_another_address_and_going_on(gateway: Gateway, nothing_left: None) -> None:
    async with calling_sip(gateway) as caller:
        await caller.until_loud()
        for direction, expected in (("sendonly", "recvonly"), ("sendrecv", "sendrecv")):
            sdp = caller.call.sdp_offer
            for name in ("sendrecv", "sendonly"):
                sdp.audio.attributes.pop(name, None)
            sdp.audio.attributes[direction] = []
            before = caller.call.sdp_answer
            caller.agent.send_reinvite(caller.call.dialog, sdp, caller._address)
            await soon(lambda before=before: caller.call.sdp_answer is not before)
            assert caller.call.sdp_answer.audio.direction == expected
        frames = len(caller.heard)
        await caller.until(lambda: len(caller.heard) > frames + 5)
        assert not caller.hung_up.is_set()


async def test_keys_by_sip_info_are_keys(gateway: Gateway, nothing_left: None) -> None:
    async with calling_sip(gateway) as caller:
        await caller.until_loud()
        await caller.until_quiet()
        for body, kind in (("Signal=5\r\nDuration=160\r\n", "application/dtmf-relay"), ("7", "application/dtmf")):
            gateway.synthesiser.spoken.clear()
            caller.agent.send_info(caller.call.dialog, body, kind, caller._address)
            await soon(lambda: gateway.synthesiser.spoken)
            await caller.until_loud(1)
            await caller.until_quiet()


async def test_an_invite_without_an_offer_gets_ours(gateway: Gateway, nothing_left: None, peer: Peer) -> None:
    call = f"late-{uuid.uuid4()}"
    sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sound.bind(("127.0.0.1", 0))
    sound.setblocking(False)
    peer.send(peer.invite(call, ""))
    answer = await peer.final()
    assert "m=audio" in answer.text
    sdp = offer(port=sound.getsockname()[1], formats="8")
    tag = answer.to_addr.tag
    peer.send(peer.request("ACK", call, to_tag=tag, body=sdp, Content_Type="application/sdp"))
    async with asyncio.timeout(DEADLINE_S):
        packet = await asyncio.get_running_loop().sock_recv(sound, 2000)
    assert len(packet) == 12 + 160
    peer.send(peer.request("BYE", call, cseq=2, to_tag=tag))
    await soon(lambda: not gateway.services.calls.live)
    sound.close()


async def test_rtp_from_elsewhere_and_rtp_that_is_none_are_not_heard(gateway: Gateway, nothing_left: None) -> None:
    gateway.recogniser._script.append("居住证怎么办")
    async with calling_sip(gateway) as caller:
        await caller.until_loud()
        await caller.until_quiet()
        (call,) = gateway.services.calls.live.values()
        target = caller.call.sdp_answer.rtp_address
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            for number in range(100):
                loud = struct.pack("!BBHII", 0x80, 0, number, number * 160, 7) + b"\x10" * 160
                stranger.sendto(loud, target)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as same_host:
            for bad in (
                b"",
                b"\x80",
                b"\x80\x00" * 5,
                b"\xff" * 200,
                b"\x80\x60" + bytes(400),
                b"\x9f\x00" + bytes(10),
            ):
                same_host.sendto(bad, target)
            same_host.sendto(struct.pack("!BBHII", 0x80, 101, 1, 1, 9) + b"\x01", target)  # half a key
            same_host.sendto(struct.pack("!BBH", 0x81, 200, 9) + b"\x00", (target[0], target[1] + 1))
        await caller.speak(tone(0.8))
        await caller.speak(silence(1.2))
        await soon(lambda: gateway.engine.asked)
        assert not caller.hung_up.is_set()
    ended = (await trail_of(gateway, call, EventType.CALL_ENDED))[-1]
    assert ended.data["network"]["foreign"] == 100
    assert ended.data["network"]["unreadable"] >= 3


@pytest_asyncio.fixture(loop_scope="module")
async def strict(migrated_database: Path, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Two calls at most, one of a number; a caller is missed after 0.3 s; only this machine may call."""
    limits = {"calls_max": 2, "calls_per_caller": 1, "rtp_lost_s": 0.3, "telephony_allow": "127.0.0.1/32"}
    async with running_gateway(migrated_database, tmp_path, **limits) as gateway:
        yield gateway


async def test_a_full_line_is_503_and_a_number_with_a_call_is_486(strict: Gateway) -> None:
    async with calling_sip(strict, number="13800000001"):
        again = SipCaller(("127.0.0.1", strict.services.settings.sip_port), number="13800000001")
        await again.invite()
        assert again.status == 486
        await again.close()
        async with calling_sip(strict, number="13800000002"):
            third = SipCaller(("127.0.0.1", strict.services.settings.sip_port), number="13800000003")
            await third.invite()
            assert third.status == 503
            await third.close()
            async with audiosocket(strict) as (reader, writer):
                writer.write(UUID + SOUND)
                assert (await kinds_until_closed(reader))[-2:] == [0xFF, 0x00]
            async with strict.socket("/api/v1/calls") as browser:
                await browser.send('{"type":"start","encoding":"pcm_s16le","sample_rate":8000}')
                assert '"line_busy"' in await browser.recv()
    metrics = (await strict.http.get("/metrics")).text
    for refused in (
        'door="audiosocket",code="line_busy"', 'door="websocket",code="line_busy"'):  # fmt: skip
        code, door = refused.split(",")[1], refused.split(",")[0]
        assert f"hotline_calls_refused_total{{{code},{door}}}" in metrics or f"{{{door},{code}}}" in metrics


async def test_a_flood_of_calls_that_nobody_acknowledges_is_turned_away(
    strict: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiosipua.transaction.T1", 0.05)
    monkeypatch.setattr("aiosipua.transaction.TIMER_H", 0.3)
    flood = Peer(strict)
    answers = set()
    for number in range(100):
        flood.send(flood.invite(f"flood-{number}").replace("13800000002", f"1380000{number:04d}"))
        answers.add((await flood.final()).status_code)
        assert strict.services.calls.open <= 2
    flood.close()
    assert answers == {200, 503}
    await soon(lambda: strict.services.calls.open == 0)
    assert strict.services.calls.live == {}
    async with calling_sip(strict) as caller:
        await caller.until_loud()


async def test_a_caller_whose_sound_stops_is_missed_and_hung_up_on(strict: Gateway) -> None:
    async with calling_sip(strict) as caller:
        await soon(lambda: strict.services.calls.live)
        (call,) = strict.services.calls.live.values()
        async with asyncio.timeout(DEADLINE_S):
            await caller.hung_up.wait()
    await soon(lambda: not strict.services.calls.live)
    assert call.reason == "vanished"


async def test_a_host_that_may_not_call_gets_no_answer(strict: Gateway) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.setblocking(False)
        peer = Peer(strict)
        stranger.sendto(peer.request("OPTIONS", "stranger").encode(), peer.door)
        peer.send(peer.request("OPTIONS", "known"))
        assert (await peer.final()).call_id == "known"
        peer.close()
        with pytest.raises(BlockingIOError):
            stranger.recv(2000)


async def test_a_call_that_cannot_be_recorded_is_refused(
    gateway: Gateway, nothing_left: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise StorageDownError

    with monkeypatch.context() as patch:
        patch.setattr(gateway.services.store, "create_conversation", down)
        caller = SipCaller(("127.0.0.1", gateway.services.settings.sip_port))
        await caller.invite()
        assert caller.status == 503
        await caller.close()
        async with audiosocket(gateway) as (reader, writer):
            writer.write(UUID + SOUND)
            assert (await kinds_until_closed(reader))[-2:] == [0xFF, 0x00]


async def test_closing_the_gateway_hangs_up(migrated_database: Path, tmp_path: Path) -> None:
    async with running_gateway(migrated_database, tmp_path) as gateway:
        caller = SipCaller(("127.0.0.1", gateway.services.settings.sip_port))
        await caller.dial()
        exchange = AudioSocketCaller(("127.0.0.1", gateway.services.settings.audiosocket_port))
        await exchange.dial()
        await caller.until_loud()
        await exchange.until_loud()
    async with asyncio.timeout(DEADLINE_S):
        await caller.hung_up.wait()
        await exchange.hung_up.wait()
    await caller.close()
    await exchange.close()


async def test_doors_can_be_off_and_a_taken_port_is_said(migrated_database: Path, tmp_path: Path) -> None:
    taken = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", taken))
        async with running_gateway(migrated_database, tmp_path, audiosocket_port=0, sip_port=taken) as gateway:
            parts = (await gateway.http.get("/readyz")).json()["parts"]
    assert parts["audiosocket"] == {"status": "off"}
    assert parts["sip"]["status"] == "down"
    assert "SIP_PORT" in parts["sip"]["detail"]
