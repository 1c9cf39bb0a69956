"""The sound of a SIP call: RTP and RTCP on two UDP ports, by aiortp; order by jitter.py."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from aiortp import PortAllocator, RtpPacket, get_codec
from aiortp.base_session import BaseRTPSession
from aiortp.dtmf import DtmfReceiver
from aiortp.packet import RtcpByePacket, RtcpPacket, RtcpRrPacket, RtcpSrPacket
from aiortp.plc import PcmConcealer

from voice.clock import Clock
from voice.telephony.jitter import JitterBuffer
from voice.telephony.line import Key, Signal

log = logging.getLogger(__name__)

PCMU, PCMA = 0, 8
_COMFORT_NOISE = 13
_RATE = 8000
_FRAME_SAMPLES = 160
_MAX_PAYLOAD = 1600  # 200 ms
_HELD = "0.0.0.0"  # noqa: S104  the old way to put a call on hold (RFC 2543)


class RtpLeg(BaseRTPSession):
    """Sound both ways for one call. ``deliver`` gets PCM, keys, and b"" for a sign of life.

    Packets from elsewhere than ``trusted`` hosts are dropped: anybody can send a datagram. The port
    is the caller's real one as soon as the first packet has come (an address translator between us).
    """

    def __init__(
        self,
        *,
        deliver: Callable[[Signal], None],
        clock: Clock,
        ports: PortAllocator,
        payload_type: int,
        key_types: Iterable[int] = (101,),
    ) -> None:
        super().__init__(payload_type, clock_rate=_RATE, cname="hotline", port_allocator=ports)
        self._deliver = deliver
        self._clock = clock
        self._codecs = {number: get_codec(number) for number in (PCMU, PCMA)}
        self._sends = payload_type
        self._key_types = frozenset(key_types)
        self._trusted: frozenset[str] = frozenset()
        self._concealer = PcmConcealer(sample_rate=_RATE)
        self._jitter = JitterBuffer(self._concealer.conceal, self._concealer.update, rate=_RATE)
        self._keys = DtmfReceiver(lambda digit, _: deliver(Key(digit)))
        self.held = False  # then nothing is sent, and what comes is music
        self.foreign = 0  # packets from elsewhere
        self.unreadable = 0

    @property
    def counts(self) -> dict[str, int]:
        """Packets received, lost, late, duplicate, reordered, foreign, unreadable."""
        return vars(self._jitter.counts) | {"foreign": self.foreign, "unreadable": self.unreadable}

    @property
    def port(self) -> int:
        assert self._allocated_rtp_port is not None
        return self._allocated_rtp_port

    async def open(self, host: str) -> None:
        """Binds a pair of ports. Raises OSError or RuntimeError where none is free."""
        try:
            await self._bind_transports((host, 0), (host, 0))
        except BaseException:
            await self.close()
            raise
        assert self._sender is not None
        self._sender.timestamp_increment = _FRAME_SAMPLES
        self._remote_addr = None

    def talk_to(self, address: tuple[str, int], trusted: Iterable[str], payload_type: int) -> None:
        """Where the sound goes from now on, from where it may come, and how it is written."""
        self._sends = payload_type
        self._trusted = frozenset(trusted) | {address[0]}
        self.update_remote(address)
        if address[0] == _HELD:
            self._remote_addr = self._remote_rtcp_addr = None

    def send_frame(self, pcm: bytes) -> None:
        """20 ms of sound; nothing where the caller gave no address yet. Also lets waiting gaps end."""
        for piece in self._jitter.due(self._clock.now()):
            self._deliver(piece)
        if self.held or self._sender is None or self._closed or self._remote_addr is None or not self._remote_addr[1]:
            return
        payload = self._codecs[self._sends].encode(pcm)
        self._sender.send_raw(self._sends, payload, self._sender.current_timestamp, addr=self._remote_addr)
        self._sender.advance_timestamp()

    def _handle_rtp(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr[0] not in self._trusted:
            self.foreign += 1
            return
        try:
            packet = RtpPacket.parse(data)
            self._take(packet, addr)
        except ValueError:
            self.unreadable += 1

    def _take(self, packet: RtpPacket, addr: tuple[str, int]) -> None:
        is_key = packet.payload_type in self._key_types
        codec = self._codecs.get(packet.payload_type)
        if codec is None and not is_key and packet.payload_type != _COMFORT_NOISE:
            raise ValueError("a payload type that was not agreed")
        if len(packet.payload) > _MAX_PAYLOAD:
            raise ValueError("more than a packet of telephone sound can hold")
        self._remote_addr = (addr[0], addr[1])
        if packet.ssrc != self._remote_ssrc:
            self._remote_ssrc_changed(packet.ssrc)
            self._jitter.reset()
        assert self._stream_stats is not None
        self._stream_stats.add(packet)
        pcm = codec.decode(packet.payload) if codec is not None and packet.payload and not self.held else None
        for piece in self._jitter.push(packet.sequence_number, packet.timestamp, pcm, self._clock.now()):
            self._deliver(piece)
        if is_key:
            self._keys.handle_packet(packet)
        if pcm is None:
            self._deliver(b"")

    def _handle_rtcp(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr[0] not in self._trusted:
            self.foreign += 1
            return
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            self.unreadable += 1
            return
        self._remote_rtcp_addr = (addr[0], addr[1])
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._record_incoming_sr(packet.sender_info.ntp_timestamp)
                self._process_receiver_reports(packet.reports)
            elif isinstance(packet, RtcpRrPacket):
                self._process_receiver_reports(packet.reports)
            elif isinstance(packet, RtcpByePacket):
                return  # the BYE of SIP decides; a stream may be followed by another
        self._deliver(b"")

    def _send_bye(self) -> None:
        if self._reports_known():
            super()._send_bye()

    def _send_rtcp_report(self) -> None:
        if self._reports_known():
            super()._send_rtcp_report()

    def _reports_known(self) -> bool:
        return self._remote_rtcp_addr is not None and self._remote_rtcp_addr[1] > 0
