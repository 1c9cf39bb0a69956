"""Asterisk's AudioSocket over TCP: one connection a call.

A frame is type (1 byte), length (2, big-endian), payload. The first is the call's UUID; then sound
(16-bit little-endian mono, 20 ms), keys, and the end. Sound goes back in the type it came in.
Source: Asterisk's res_audiosocket; docs/voice.md says how the dialplan calls it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from hotline.errors import BadPhoneFrameError, HotlineError
from voice.clock import Clock, RealClock
from voice.telephony.line import FILL_AFTER_TCP_S, Door, HungUp, IncomingCall, Key, Signal, Switchboard
from voice.telephony.phone import PhoneLine, take_call

log = logging.getLogger(__name__)

UUID_WITHIN_S = 5.0
RATE_WITHIN_S = 0.5
MAX_WAITING = 256
# Chosen by the dialplan: the last twelve digits are the caller's number (README).
NUMBER_PREFIX = "00000000-0000-4000-8000-"

_HEADER = struct.Struct("!BH")
_MAX_SOUND = 8192  # bytes; Asterisk sends 320 or 640
_MAX_BACKLOG = 64 * 1024  # four seconds at 8 kHz: the other side no longer reads
_STRIKES = 16
_CLOSE_WITHIN_S = 1.0
_TCP_LOST_MS = 20_000


class Kind(IntEnum):
    HANG_UP = 0x00
    UUID = 0x01
    SILENCE = 0x02
    DTMF = 0x03
    SLIN_8K = 0x10
    SLIN_16K = 0x12
    ERROR = 0xFF


_RATES: dict[int, int] = {Kind.SLIN_8K: 8000, Kind.SLIN_16K: 16000}
_OTHER_SOUND = frozenset(range(0x11, 0x19)) - set(_RATES)  # 12, 24, 32 … 192 kHz


@dataclass(frozen=True)
class Frame:
    """``kind`` is a :class:`Kind` or a number we don't know."""

    kind: int
    payload: bytes = b""

    def __bytes__(self) -> bytes:
        return _HEADER.pack(self.kind, len(self.payload)) + self.payload


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None where the stream ends between two frames.

    Raises:
        BadPhoneFrameError: a length that no frame of its type can have, or an end inside a frame.
    """
    try:
        header = await reader.readexactly(_HEADER.size)
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise BadPhoneFrameError("AudioSocket 连接在一帧中间断开。") from None
        return None
    kind, length = _HEADER.unpack(header)
    if not _plausible(kind, length):
        raise BadPhoneFrameError(f"AudioSocket 帧的长度不对（类型 0x{kind:02x}，长度 {length}）。")
    try:
        return Frame(kind, await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        raise BadPhoneFrameError("AudioSocket 帧比它自己说的短。") from None


def _plausible(kind: int, length: int) -> bool:
    match kind:
        case Kind.HANG_UP | Kind.SILENCE:
            return length <= 2
        case Kind.UUID:
            return length == 16
        case Kind.DTMF:
            return length == 1
        case Kind.SLIN_8K | Kind.SLIN_16K:
            return length <= _MAX_SOUND and length % 2 == 0
        case Kind.ERROR:
            return length <= 64
    return length <= _MAX_SOUND


def caller_number(call_uuid: uuid.UUID) -> str | None:
    """The number that the dialplan put into the UUID, if it did."""
    text = str(call_uuid)
    digits = text.removeprefix(NUMBER_PREFIX)
    return digits.lstrip("0") or None if digits != text and digits.isdecimal() else None


class AudioSocketLine(PhoneLine):
    """One connection after its UUID. ``first`` is the frame after it, read ahead to learn the rate."""

    def __init__(
        self,
        incoming: IncomingCall,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        first: asyncio.Future[Frame | None],
        clock: Clock,
        idle_s: float,
    ) -> None:
        super().__init__(incoming, clock, idle_s=idle_s, idle_reason="idle", fill_after_s=FILL_AFTER_TCP_S)
        self._reader, self._writer = reader, writer
        self._first: asyncio.Future[Frame | None] | None = first
        self._kind = next(kind for kind, rate in _RATES.items() if rate == incoming.sample_rate)
        self._strikes = 0

    async def receive(self) -> Signal:
        first, self._first = self._first, None
        try:
            frame = await (first or read_frame(self._reader))
        except BadPhoneFrameError as error:
            await self.complain(error)
            return HungUp(error.code)
        except OSError:
            return HungUp("vanished")
        if frame is None or frame.kind == Kind.HANG_UP:
            return HungUp()  # Asterisk ends most calls by closing the connection
        if frame.kind == self._kind:
            return frame.payload
        if frame.kind == Kind.DTMF:
            return Key(frame.payload.decode("latin-1"))
        if frame.kind == Kind.ERROR:
            log.warning("asterisk reported an error on its AudioSocket: %s", frame.payload.hex() or "no code")
            return HungUp("vanished")
        if frame.kind != Kind.SILENCE:
            await self._strike(frame.kind)
            if self._strikes > _STRIKES:
                return HungUp(BadPhoneFrameError.code)
        return b""

    async def _strike(self, kind: int) -> None:
        """A frame of a type we don't know is passed over; many of them mean a stream out of step."""
        self._strikes += 1
        await self.complain(BadPhoneFrameError(f"不认识 AudioSocket 帧类型 0x{kind:02x}，已跳过。"))

    def write(self, frame: bytes) -> None:
        if self._writer.is_closing() or self._writer.transport.get_write_buffer_size() > _MAX_BACKLOG:
            raise ConnectionError("the other side no longer reads")
        self._writer.write(bytes(Frame(self._kind, frame)))


class AudioSocketDoor:
    """Listens for Asterisk. ``start``, then ``close``, which hangs up every call."""

    def __init__(
        self,
        switchboard: Switchboard,
        *,
        idle_s: float,
        allows: Callable[[str], bool] = lambda _: True,
        clock: Clock | None = None,
    ) -> None:
        self._switchboard = switchboard
        self._allows = allows
        self._idle_s = idle_s
        self._clock = clock or RealClock()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._waiting = 0  # connections without a UUID yet
        self.address: tuple[str, int] | None = None

    async def start(self, host: str, port: int) -> None:
        """Raises OSError where the address cannot be had."""
        self._server = await asyncio.start_server(self._connected, host, port, backlog=256)
        self.address = self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if not self._allows(writer.get_extra_info("peername")[0]):
                writer.transport.abort()
                return
            if self._waiting >= MAX_WAITING:
                log.warning("more than %s AudioSocket connections say nothing; the next is closed", MAX_WAITING)
                writer.transport.abort()
                return
            _notice_a_lost_peer(writer)
            error = await self._serve(reader, writer)
            await _hang_up(writer, error)
        except asyncio.CancelledError:  # the door closes
            await _hang_up(writer, error=False)
        except OSError:
            writer.transport.abort()
        finally:
            self._connections.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One call; True where it ended in an error of the other side or ours."""
        self._waiting += 1
        try:
            async with asyncio.timeout(UUID_WITHIN_S):
                opening = await read_frame(reader)
            if opening is None or opening.kind == Kind.HANG_UP:
                return False
            if opening.kind != Kind.UUID:
                raise BadPhoneFrameError("AudioSocket 的第一帧要是通话的 UUID。")
            first = asyncio.ensure_future(read_frame(reader))
            await asyncio.wait({first}, timeout=RATE_WITHIN_S)
        except TimeoutError:
            log.warning("an AudioSocket connection sent no UUID within %s s", UUID_WITHIN_S)
            return True
        except BadPhoneFrameError as problem:
            log.warning("an AudioSocket connection was refused: %s", problem.detail)
            return True
        finally:
            self._waiting -= 1
        try:
            number = caller_number(uuid.UUID(bytes=opening.payload))
            incoming = IncomingCall(Door.AUDIOSOCKET, "pcm_s16le", _rate_of(first), number)
            line = AudioSocketLine(incoming, reader, writer, first, self._clock, self._idle_s)
            return await take_call(line, self._switchboard, self._clock) == BadPhoneFrameError.code
        except HotlineError as problem:
            log.warning("an AudioSocket call could not begin: %s", problem.detail)
            return True
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)


def _rate_of(first: asyncio.Future[Frame | None]) -> int:
    """The rate that the frame after the UUID tells; the usual one where none has come, or a bad one.

    Raises:
        BadPhoneFrameError: sound at a rate the line doesn't take.
    """
    if not first.done() or first.exception() is not None:
        return 8000
    frame = first.result()
    if frame is not None and frame.kind in _OTHER_SOUND:
        raise BadPhoneFrameError(
            f"只收 8 或 16 千赫的声音（0x10、0x12），收到 0x{frame.kind:02x}；请在 Asterisk 里用 slin 或 slin16。"
        )
    return _RATES.get(frame.kind, 8000) if frame is not None else 8000


def _notice_a_lost_peer(writer: asyncio.StreamWriter) -> None:
    """A machine that lost its power sends no end: unanswered bytes close the connection."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TCP_LOST_MS)


async def _hang_up(writer: asyncio.StreamWriter, error: bool) -> None:
    if error:
        writer.write(bytes(Frame(Kind.ERROR, b"\x01")))
    writer.write(bytes(Frame(Kind.HANG_UP)))
    writer.close()
    try:
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            await writer.wait_closed()
    except (TimeoutError, OSError):
        writer.transport.abort()
