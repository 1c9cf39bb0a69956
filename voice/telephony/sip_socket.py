"""The UDP socket of the SIP door: what reaches aiosipua is well formed and new.

aiosipua takes every datagram for a new request, so retransmissions are answered here with what was
answered before; nonsense is dropped without a word, as RFC 3261 advises against floods.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiosipua.headers import parse_via, stringify_via
from aiosipua.message import SipMessage, SipRequest, SipResponse, missing_required_headers
from aiosipua.transport import SipTransport

log = logging.getLogger(__name__)

_MAX_DATAGRAM = 16 * 1024
_REMEMBER_S = 32.0  # 64 × T1: as long as a client may repeat itself
_REMEMBERED = 4096

_Transaction = tuple[str | int | None, ...]  # branch and sender of the Via, Call-ID, CSeq number, method


@dataclass
class SipSocket(SipTransport):
    """A :class:`SipTransport` over UDP. ``allowed`` says whether a host may speak at all.

    ``dropped`` counts datagrams that were no SIP, or not from an allowed host.
    """

    allowed: Callable[[str], bool] = lambda _: True
    dropped: int = 0
    _datagrams: asyncio.DatagramTransport | None = field(default=None, init=False, repr=False)
    _answered: OrderedDict[_Transaction, tuple[float, SipResponse | None]] = field(
        default_factory=OrderedDict, init=False, repr=False
    )

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Protocol(self), local_addr=self.local_addr)
        self._datagrams = transport
        self.local_addr = transport.get_extra_info("sockname")[:2]

    async def stop(self) -> None:
        if self._datagrams is not None:
            self._datagrams.close()
            self._datagrams = None
            await asyncio.sleep(0)

    def send(self, message: SipRequest | SipResponse, addr: tuple[str, int]) -> None:
        if self._datagrams is None:
            return  # the door has closed; what was to be said has lost its meaning
        if isinstance(message, SipResponse):
            _one_tag(message)
            key = _transaction(message)
            if key is not None and key in self._answered:
                self._answered[key] = (self._answered[key][0], message)
        self._datagrams.sendto(bytes(message), addr)

    def received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A datagram from ``addr``."""
        if not data.strip(b"\r\n\0 "):
            return  # a keep-alive
        if not self.allowed(addr[0]) or len(data) > _MAX_DATAGRAM:
            self.dropped += 1
            return
        try:
            message = _parsed(data, addr)
        except (ValueError, IndexError, KeyError, AttributeError, TypeError) as error:
            self.dropped += 1
            log.debug("no SIP from %s: %s", addr, error)
            return
        if isinstance(message, SipRequest) and message.method != "ACK" and self._seen(message):
            return
        if self.on_message is not None:
            self.on_message(message, addr)

    def _seen(self, request: SipRequest) -> bool:
        """Whether this request came before; then its last answer is sent again."""
        now = asyncio.get_running_loop().time()
        while self._answered and (
            len(self._answered) > _REMEMBERED or next(iter(self._answered.values()))[0] < now - _REMEMBER_S
        ):
            self._answered.popitem(last=False)
        key = _transaction(request)
        if key is None:
            return False
        if key not in self._answered:
            self._answered[key] = (now, None)
            return False
        answer = self._answered[key][1]
        if answer is not None:
            self.send_reply(answer)
        return True


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, owner: SipSocket) -> None:
        self._owner = owner

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        try:
            self._owner.received(data, (str(addr[0]), int(addr[1])))
        except Exception:  # one peer's message must not end the door for all
            log.exception("a SIP message from %s could not be handled", addr)

    def error_received(self, exc: Exception) -> None:
        log.debug("SIP socket: %s", exc)  # an earlier answer found nobody there


def _parsed(data: bytes, addr: tuple[str, int]) -> SipRequest | SipResponse:
    """The message, its headers read once so that none of them fails later.

    Raises:
        ValueError: not SIP, or a request without the headers every request has.
    """
    message = SipMessage.parse(data)
    if message.cseq is None or message.from_addr is None or message.to_addr is None or not message.call_id:
        raise ValueError("a header that every message has is missing")
    if not message.via or not all(via.host for via in message.via):
        raise ValueError("no way back")
    _ = message.contact
    if isinstance(message, SipRequest):
        if missing_required_headers(message) or message.cseq.method != message.method:
            raise ValueError("headers are missing or contradict each other")
        _answer_to(message, addr)
    return message


def _answer_to(request: SipRequest, addr: tuple[str, int]) -> None:
    """Answers go where the request came from (RFC 3581), whatever it says of itself."""
    first, *others = request.headers.get("via")
    via = parse_via(first)
    via.params["received"] = addr[0]
    if "rport" in via.params:
        via.params["rport"] = str(addr[1])
    request.headers.remove("Via")
    for value in (stringify_via(via), *others):
        request.headers.append("Via", value)


def _transaction(message: SipRequest | SipResponse) -> _Transaction | None:
    cseq = message.cseq
    via = message.via[0] if message.via else None
    if cseq is None or via is None or not via.branch:
        return None
    return via.branch, via.host, via.port, message.call_id, cseq.seq, cseq.method


def _one_tag(response: SipResponse) -> None:
    """aiosipua adds its tag to a To that has one already."""
    to = response.headers.get_first("to") or ""
    parts = to.split(";tag=")
    if len(parts) > 2:
        response.headers.set_single("To", ";tag=".join(parts[:2]))
