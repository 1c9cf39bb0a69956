"""The x-tif headers that provincial gateways use.

signature = upper-case hex SHA-256(timestamp + token + nonce + timestamp); timestamp in whole
seconds, accepted within ``WINDOW_S`` either way; a nonce once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from hotline.errors import HotlineError

WINDOW_S = 180
PAASID, TIMESTAMP, NONCE, SIGNATURE = (
    "x-tif-paasid",
    "x-tif-timestamp",
    "x-tif-nonce",
    "x-tif-signature",
)


class SignatureError(HotlineError):
    """A request is not signed as it must be. ``gateway_code`` is what such gateways answer."""

    code = "bad_signature"
    status = 401
    gateway_code = 400001
    citizen_sentence = "请求签名不对，数据中台没有受理。"


class NonceMemory(Protocol):
    """Remembers nonces for at least twice the window."""

    def remember(self, nonce: str, now: datetime) -> bool:
        """False where the nonce was seen before."""
        ...


class InMemoryNonces:
    """Nonces of one process."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def remember(self, nonce: str, now: datetime) -> bool:
        oldest = now.timestamp() - 2 * WINDOW_S
        self._seen = {n: at for n, at in self._seen.items() if at >= oldest}
        if nonce in self._seen:
            return False
        self._seen[nonce] = now.timestamp()
        return True


def signature(timestamp: str, nonce: str, token: str) -> str:
    return hashlib.sha256(f"{timestamp}{token}{nonce}{timestamp}".encode()).hexdigest().upper()


def signed_headers(paasid: str, token: str, now: datetime, nonce: str | None = None) -> dict[str, str]:
    """The four headers of one request."""
    timestamp = str(int(now.timestamp()))
    nonce = nonce or secrets.token_hex(16)
    return {
        PAASID: paasid,
        TIMESTAMP: timestamp,
        NONCE: nonce,
        SIGNATURE: signature(timestamp, nonce, token),
    }


def check_signature(
    headers: Mapping[str, str], token: str, now: datetime, nonces: NonceMemory, paasid: str | None = None
) -> None:
    """Returns where the request is signed. ``paasid`` None takes any application number.

    Raises:
        SignatureError: a header is missing or malformed, too old, wrong, or used before.
    """
    given = {name: headers.get(name, "") for name in (PAASID, TIMESTAMP, NONCE, SIGNATURE)}
    absent = [name for name, value in given.items() if not value]
    if absent:
        raise SignatureError(f"缺少请求头 {'、'.join(absent)}。")
    timestamp, nonce = given[TIMESTAMP], given[NONCE]
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12) or len(nonce) > 64:
        raise SignatureError("时间戳须为秒数，随机串不超过 64 个字符。")
    if abs(now.timestamp() - int(timestamp)) > WINDOW_S:
        raise SignatureError(f"时间戳与中台相差超过 {WINDOW_S} 秒，请校准时钟。")
    if paasid is not None and not hmac.compare_digest(given[PAASID].encode(), paasid.encode()):
        raise SignatureError("应用号或签名不对。")
    if not hmac.compare_digest(given[SIGNATURE].encode(), signature(timestamp, nonce, token).encode()):
        raise SignatureError("应用号或签名不对。")
    # Only now: a wrong signature must not use up somebody else's nonce.
    if not nonces.remember(nonce, now):
        raise SignatureError("随机串已用过，请换一个再发。")
