"""SIP: an ordinary telephone or exchange calls in. Signalling by aiosipua, sound by rtp.py.

A call is accepted only when its conversation can be recorded, and talks only once its caller has
acknowledged: a forged sender hears nothing. What is refused is refused by a code that exchanges act
upon (486, 488, 503 …), with the reason in words.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from aiortp import PortAllocator
from aiosipua import IncomingCall as SipCall
from aiosipua import SipRequest, SipResponse, SipUAS
from aiosipua.dialog import DialogState, dialog_matches
from aiosipua.sdp import SdpMessage, build_sdp, negotiate_sdp, parse_sdp
from aiosipua.uas_requests import handle_ack

from hotline.errors import CallerBusyError, HotlineError
from voice.audio import FRAME_MS
from voice.clock import Clock, RealClock
from voice.telephony.line import FILL_AFTER_UDP_S, Door, HungUp, IncomingCall, Key, Signal, Switchboard
from voice.telephony.phone import PhoneLine, take_call
from voice.telephony.rtp import PCMA, PCMU, RtpLeg
from voice.telephony.sip_socket import SipSocket

log = logging.getLogger(__name__)

USER_AGENT = "nanhai-hotline"
ON_HOLD_S = 300.0
_BYE_AGAIN_S = (0.5, 1.0, 2.0, 4.0)
_OUR_KEYS = 101
_QUEUE = 500  # signals: ten seconds of sound
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_RETRY_AFTER = {"Retry-After": "30"}
_KEY_LINE = re.compile(r"^\s*Signal\s*=\s*([0-9*#A-D])\s*$", re.MULTILINE)


@dataclass(frozen=True)
class SipSettings:
    """``advertised``: the host that callers reach us by, where it is not the one we listen on.
    ``rtp_ports``: first and last. ``rtp_lost_s`` without any packet end a call."""

    advertised: str = ""
    rtp_ports: tuple[int, int] = (20000, 20400)
    rtp_lost_s: float = 20.0
    allowed: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    def allows(self, host: str) -> bool:
        return not self.allowed or any(ipaddress.ip_address(host) in network for network in self.allowed)


class SipLine(PhoneLine):
    """One SIP call's sound as a line. ``pick_up`` answers; ``acknowledged`` is set by the ACK of that."""

    def __init__(self, incoming: IncomingCall, clock: Clock, lost_s: float) -> None:
        super().__init__(incoming, clock, idle_s=lost_s, idle_reason="vanished", fill_after_s=FILL_AFTER_UDP_S)
        self.leg: RtpLeg | None = None
        self.pick_up: Callable[[], Awaitable[HungUp | None]] | None = None
        self.acknowledged = asyncio.Event()
        self._lost_s = lost_s
        self._signals: asyncio.Queue[Signal] = asyncio.Queue()

    def heard(self, signal: Signal) -> None:
        """From the network. Sound that nobody takes is not kept for ever."""
        if self._signals.qsize() < _QUEUE or not isinstance(signal, bytes):
            self._signals.put_nowait(signal)

    def hold(self, held: bool) -> None:
        """Whoever holds us plays music, or nothing at all."""
        self.idle_s = ON_HOLD_S if held else self._lost_s
        if self.leg is not None:
            self.leg.held = held

    async def answer(self) -> HungUp | None:
        return await self.pick_up() if self.pick_up is not None else None

    async def receive(self) -> Signal:
        return await self._signals.get()

    def network(self) -> dict[str, int]:
        return {kind: count for kind, count in self.leg.counts.items() if count} if self.leg is not None else {}

    def write(self, frame: bytes) -> None:
        if self.leg is not None:
            self.leg.send_frame(frame)


@dataclass
class _Call:
    """A SIP call from INVITE to its end. ``gone``: it ended on the caller's side, or was refused."""

    sip: SipCall
    line: SipLine
    task: asyncio.Task[None] | None = None
    gone: HungUp | None = None
    session_version: int = 0
    trusted: set[str] = field(default_factory=set)


class SipDoor:
    """Listens for SIP on UDP. ``start``, then ``close``, which hangs up every call."""

    def __init__(self, switchboard: Switchboard, settings: SipSettings, clock: Clock | None = None) -> None:
        self._switchboard = switchboard
        self._settings = settings
        self._clock = clock or RealClock()
        self._ports = PortAllocator(settings.rtp_ports)
        self._socket = SipSocket(allowed=settings.allows)
        self._agent = _Agent(self._socket, self)
        self._calls: dict[str, _Call] = {}
        self._byes: dict[str, asyncio.Task[None]] = {}
        self.address: tuple[str, int] | None = None

    async def start(self, host: str, port: int) -> None:
        """Raises OSError where the address cannot be had."""
        self._socket.local_addr = (host, port)
        await self._agent.start()
        self.address = self._socket.local_addr

    async def close(self) -> None:
        tasks = [call.task for call in self._calls.values() if call.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for bye in self._byes.values():
            bye.cancel()
        await asyncio.gather(*self._byes.values(), return_exceptions=True)
        await self._agent.stop()

    # ------------------------------------------------------------ what the agent asks and tells

    def refusal(self, request: SipRequest, addr: tuple[str, int]) -> tuple[int, str, dict[str, str]] | None:
        """(status, reason, headers) where this new INVITE is not taken; nothing is kept of it."""
        wanted = [token.strip() for token in request.headers.get("require") if token.strip()]
        if wanted:
            return 420, "Bad Extension", {"Unsupported": ", ".join(wanted)}
        if request.body and request.content_type != "application/sdp":
            return 415, "Unsupported Media Type", {"Accept": "application/sdp"}
        if request.body and _offer(request, addr[0]) is None:
            return 488, "Not Acceptable Here", _because("only PCMU or PCMA over RTP/AVP is taken")
        problem = self._switchboard.refusal(_number(request))
        if problem is not None:
            return _status_of(problem)
        return None

    def invited(self, sip: SipCall) -> None:
        number = _number(sip.invite)
        line = SipLine(
            IncomingCall(Door.SIP, "pcm_s16le", 8000, number), self._clock, self._settings.rtp_lost_s
        )  # fmt: skip
        call = _Call(sip, line, trusted={sip.source_addr[0]})
        sip.advertised_addr = (self._our_host(sip.source_addr), self._socket.local_addr[1])
        line.pick_up = partial(self.accept, call)
        self._calls[sip.call_id] = call
        call.task = asyncio.create_task(self._answer(call))

    def acknowledged(self, request: SipRequest) -> None:
        call = self._calls.get(request.call_id or "")
        if call is None:
            return
        if call.sip.sdp_offer is None and (answer := _media_of(request)) is not None:
            self._agree(call, answer)  # the INVITE had no offer; this answers ours
        call.line.acknowledged.set()

    def ended(self, call_id: str, reason: str) -> None:
        """The caller's side ended the call."""
        call = self._calls.get(call_id)
        if call is None:
            return
        call.gone = HungUp(reason)
        call.line.heard(call.gone)
        call.line.acknowledged.set()

    def changed(self, sip: SipCall) -> None:
        """A re-INVITE: hold, another address, another codec, or only a sign of life."""
        call = self._calls.get(sip.call_id)
        if call is None:
            return
        offer = _offer(sip.invite, sip.source_addr[0]) if sip.invite.body else None
        if sip.invite.body and offer is None:
            self._agent.refuse(sip.invite, 488, "Not Acceptable Here")
            return
        sip.accept(self._answer_to(call, offer))

    def key(self, request: SipRequest) -> None:
        """A key by SIP INFO: application/dtmf-relay («Signal=5») or application/dtmf («5»)."""
        call = self._calls.get(request.call_id or "")
        if call is None:
            return
        kind, text = (request.content_type or "").split(";")[0].strip().lower(), request.text
        found = _KEY_LINE.search(text) if kind == "application/dtmf-relay" else None
        digit = found[1] if found else text.strip() if kind == "application/dtmf" else ""
        if digit:
            call.line.heard(Key(digit[:1]))

    def bye_answered(self, branch: str) -> None:
        if (again := self._byes.pop(branch, None)) is not None:
            again.cancel()

    # ------------------------------------------------------------ one call

    async def _answer(self, call: _Call) -> None:
        """From the INVITE to the end."""
        sip, line = call.sip, call.line
        try:
            line.leg = RtpLeg(
                deliver=line.heard, clock=self._clock, ports=self._ports, payload_type=PCMA,
                key_types=_key_types(sip.sdp_offer),
            )  # fmt: skip
            await line.leg.open(self._socket.local_addr[0])
            await take_call(line, self._switchboard, self._clock)
        except HotlineError as problem:
            log.warning("a SIP call was refused: %s", problem.detail)
            self._refuse(call, *_status_of(problem))
        except (OSError, RuntimeError) as problem:  # aiortp's word for «no port is free»
            log.error("no RTP port for a SIP call: %s", problem)
            self._refuse(call, 503, "Service Unavailable", _because("no RTP port is free") | _RETRY_AFTER)
        finally:
            self._calls.pop(sip.call_id, None)
            if line.leg is not None:
                await line.leg.close()
            self._hang_up(call)

    async def accept(self, call: _Call) -> HungUp | None:
        """Answers 200 and waits until that is acknowledged, or the caller is gone."""
        if call.gone is None:
            call.sip.accept(self._answer_to(call, call.sip.sdp_offer))
        await call.line.acknowledged.wait()
        return call.gone

    def _answer_to(self, call: _Call, offer: SdpMessage | None) -> SdpMessage:
        """Our side of the agreement; the leg follows it at once."""
        assert call.line.leg is not None
        assert call.sip.advertised_addr is not None
        host, port = call.sip.advertised_addr[0], call.line.leg.port
        if offer is None:
            answer = build_sdp(host, port, PCMA, "PCMA")
        else:
            keys = min(_key_types(offer), default=0)
            answer, _ = negotiate_sdp(offer, host, port, [PCMU, PCMA], keys, session_name=USER_AGENT)
            self._agree(call, offer)
        if answer.audio is not None:
            answer.audio.attributes["ptime"] = [str(FRAME_MS)]
        call.session_version += 1
        answer.origin.session_id, answer.origin.session_version = str(port), str(call.session_version)
        return answer

    def _agree(self, call: _Call, theirs: SdpMessage) -> None:
        address, audio = theirs.rtp_address, theirs.audio
        if address is None or audio is None or call.line.leg is None:
            return
        sends = next((c.payload_type for c in audio.codecs if c.payload_type in (PCMU, PCMA)), PCMA)
        held = audio.direction in ("sendonly", "inactive") or address[0] == "0.0.0.0"  # noqa: S104
        call.line.hold(held)
        call.line.leg.talk_to(address, call.trusted, sends)

    def _refuse(self, call: _Call, status: int, reason: str, headers: dict[str, str]) -> None:
        if call.gone is None and call.sip.dialog.state is DialogState.EARLY:
            call.gone = HungUp("refused")
            self._agent.refuse(call.sip.invite, status, reason, headers)

    def _hang_up(self, call: _Call) -> None:
        """BYE where the call stands, repeated until it is answered; otherwise the call is forgotten."""
        self._agent.forget(call.sip)
        if call.gone is not None:
            return
        bye = call.sip.hangup()
        if bye is None:
            self._agent.refuse(call.sip.invite, 503, "Service Unavailable", _RETRY_AFTER)
        elif (branch := bye.via[0].branch) is not None:
            self._byes[branch] = asyncio.create_task(self._repeat(bye, call.sip.source_addr, branch))

    async def _repeat(self, bye: SipRequest, address: tuple[str, int], branch: str) -> None:
        try:
            for wait in _BYE_AGAIN_S:
                await asyncio.sleep(wait)
                self._socket.send(bye, address)
        finally:
            self._byes.pop(branch, None)

    def _our_host(self, peer: tuple[str, int]) -> str:
        if self._settings.advertised:
            return self._settings.advertised
        host = self._socket.local_addr[0]
        if not ipaddress.ip_address(host).is_unspecified:
            return host
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # asks the routing table; sends nothing
            probe.connect(peer)
            return str(probe.getsockname()[0])


class _Agent(SipUAS):
    """aiosipua's user agent, with a doorkeeper before new calls, keys by INFO, and no To tag added twice."""

    def __init__(self, transport: SipSocket, door: SipDoor) -> None:
        super().__init__(transport, user_agent=USER_AGENT)
        self._door = door
        self.on_invite = door.invited
        self.on_reinvite = door.changed
        self.on_bye = lambda call, _: door.ended(call.call_id, "caller")
        self.on_cancel = lambda request, _: door.ended(request.call_id or "", "caller")
        self.on_ack_timeout = lambda call: door.ended(call.call_id, "not_acknowledged")
        self._handlers["INFO"] = self._info
        self._handlers["ACK"] = self._ack

    def refuse(self, request: SipRequest, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        """A final answer without a call."""
        self._send_error(request, status, reason, extra_headers=headers)

    def forget(self, call: SipCall) -> None:
        """Nothing of this call is sent or expected any more."""
        call._stop_retransmissions()
        self._calls.pop(call.call_id, None)
        self._remove_invite_transaction(call.invite)

    def _on_message(self, msg: SipRequest | SipResponse, addr: tuple[str, int]) -> None:
        if isinstance(msg, SipRequest):
            self._handle_request(msg, addr)
        elif msg.status_code >= 200 and msg.via and msg.via[0].branch:
            self._door.bye_answered(msg.via[0].branch)

    def _handle_invite(self, request: SipRequest, addr: tuple[str, int]) -> None:
        known = self._calls.get(request.call_id or "")
        if request.to_addr is not None and request.to_addr.tag:
            if known is None or known.dialog.state is not DialogState.CONFIRMED:
                self.refuse(request, 481, "Call/Transaction Does Not Exist")
                return
            if request.body and _media_of(request) is None:
                self.refuse(request, 400, "Bad Request", _because("the session description cannot be read"))
                return
        elif known is not None:
            self.refuse(request, 482, "Loop Detected")  # the same call by another way (RFC 3261, 8.2.2.2)
            return
        elif (refusal := self._door.refusal(request, addr)) is not None:
            self.refuse(request, *refusal)
            return
        super()._handle_invite(request, addr)

    def _ack(self, request: SipRequest, addr: tuple[str, int]) -> None:
        call = self._calls.get(request.call_id or "")
        handle_ack(self, request, addr)
        if call is not None and dialog_matches(call.dialog, request):
            self._door.acknowledged(request)

    def _info(self, request: SipRequest, addr: tuple[str, int]) -> None:
        call = self._calls.get(request.call_id or "")
        if call is None:
            self.refuse(request, 481, "Call/Transaction Does Not Exist")
        elif self._validate_in_dialog(call.dialog, request):
            self._door.key(request)
            self.transport.send_reply(call.dialog.create_response(request, 200, "OK"))


def _number(request: SipRequest) -> str | None:
    """The caller's number, where the From has one."""
    user = (request.from_addr.uri.user if request.from_addr is not None else None) or ""
    return user if _NUMBER.fullmatch(user) else None


def _media_of(request: SipRequest) -> SdpMessage | None:
    try:
        return parse_sdp(request.text) if request.body else None
    except (ValueError, IndexError):
        return None


def _offer(request: SipRequest, source: str) -> SdpMessage | None:
    """The offered session where we can take part in it: G.711 over plain RTP, to an IPv4 address
    that the caller may name. None otherwise."""
    offer = _media_of(request)
    if offer is None or offer.audio is None or offer.rtp_address is None or offer.audio.proto != "RTP/AVP":
        return None
    host, port = offer.rtp_address
    codecs = {codec.payload_type for codec in offer.audio.codecs}
    return offer if 0 < port < 65536 and codecs & {PCMU, PCMA} and _may_name(host, source) else None


def _may_name(host: str, source: str) -> bool:
    """A caller's sound may go to any one machine, but to ours only for a caller who is on it."""
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        return False
    if address.is_loopback:
        return ipaddress.ip_address(source).is_loopback
    return not address.is_multicast and host != "255.255.255.255"


def _key_types(offer: SdpMessage | None) -> frozenset[int]:
    """Payload types of RFC 4733 keys in an offer; ours where there is none."""
    if offer is None or offer.audio is None:
        return frozenset({_OUR_KEYS})
    named = (codec for codec in offer.audio.codecs if codec.encoding_name.lower() == "telephone-event")
    return frozenset(codec.payload_type for codec in named if codec.clock_rate in (0, 8000))


def _because(words: str) -> dict[str, str]:
    return {"Reason": f'SIP;text="{words}"'}


def _status_of(problem: HotlineError) -> tuple[int, str, dict[str, str]]:
    if isinstance(problem, CallerBusyError):
        return 486, "Busy Here", _because("this caller has calls enough")
    return 503, "Service Unavailable", _because(problem.code) | _RETRY_AFTER
