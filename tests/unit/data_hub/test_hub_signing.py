from __future__ import annotations

import hashlib

import pytest

from data_hub.signing import (
    NONCE,
    PAASID,
    SIGNATURE,
    TIMESTAMP,
    InMemoryNonces,
    SignatureError,
    check_signature,
    signed_headers,
)
from tests.unit.data_hub.hub_samples import START, TOKEN, Clock


def test_the_signature_is_the_upper_case_sha_256_of_timestamp_token_nonce_timestamp() -> None:
    headers = signed_headers("app", TOKEN, START, nonce="n1")
    at = str(int(START.timestamp()))
    assert headers == {
        PAASID: "app",
        TIMESTAMP: at,
        NONCE: "n1",
        SIGNATURE: hashlib.sha256(f"{at}{TOKEN}n1{at}".encode()).hexdigest().upper(),
    }


@pytest.mark.parametrize("seconds", [-180, 180])
def test_a_request_inside_the_window_is_taken(seconds: int) -> None:
    clock = Clock()
    headers = signed_headers("app", TOKEN, clock())
    clock.advance(seconds=seconds)
    check_signature(headers, TOKEN, clock(), InMemoryNonces())


@pytest.mark.parametrize("seconds", [-181, 181])
def test_a_request_outside_the_window_is_refused(seconds: int) -> None:
    clock = Clock()
    headers = signed_headers("app", TOKEN, clock())
    clock.advance(seconds=seconds)
    with pytest.raises(SignatureError, match="180"):
        check_signature(headers, TOKEN, clock(), InMemoryNonces())


def test_a_nonce_is_taken_once_for_as_long_as_its_timestamp_could_pass() -> None:
    clock, nonces = Clock(), InMemoryNonces()
    ahead = Clock()
    ahead.advance(seconds=180)
    headers = signed_headers("app", TOKEN, ahead())
    check_signature(headers, TOKEN, clock(), nonces)
    clock.advance(seconds=360)
    with pytest.raises(SignatureError, match="随机串"):
        check_signature(headers, TOKEN, clock(), nonces)


def test_a_wrong_signature_does_not_use_up_the_nonce() -> None:
    nonces = InMemoryNonces()
    headers = signed_headers("app", TOKEN, START)
    with pytest.raises(SignatureError):
        check_signature({**headers, SIGNATURE: "0" * 64}, TOKEN, START, nonces)
    check_signature(headers, TOKEN, START, nonces)


@pytest.mark.parametrize(
    "change",
    [
        {PAASID: ""},
        {TIMESTAMP: ""},
        {NONCE: ""},
        {SIGNATURE: ""},
        {TIMESTAMP: "yesterday"},
        {TIMESTAMP: "１７９５３１２８００"},
        {TIMESTAMP: "9" * 30},
        {NONCE: "n" * 65},
        {NONCE: "another"},
        {SIGNATURE: "签名"},
        {PAASID: "stranger"},
    ],
)
def test_what_is_missing_malformed_or_wrong_is_refused(change: dict[str, str]) -> None:
    headers = {**signed_headers("app", TOKEN, START), **change}
    with pytest.raises(SignatureError):
        check_signature(headers, TOKEN, START, InMemoryNonces(), paasid="app")


def test_a_wrong_token_and_a_lower_case_signature_are_refused() -> None:
    with pytest.raises(SignatureError):
        check_signature(signed_headers("app", "other", START), TOKEN, START, InMemoryNonces())
    headers = signed_headers("app", TOKEN, START)
    with pytest.raises(SignatureError):
        check_signature({**headers, SIGNATURE: headers[SIGNATURE].lower()}, TOKEN, START, InMemoryNonces())
