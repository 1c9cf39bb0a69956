"""A real server that answers late, half, or nonsense."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from data_hub import fields
from data_hub.client import HttpDataHub
from data_hub.reference.seed import synthetic_cases
from hotline.cases import IdentityProof
from hotline.errors import CaseNotFoundError, HubDownError, IdentityRequiredError, NotFoundError
from tests.unit.data_hub.hub_samples import ITEMS, RESIDENCE_PERMIT, START, TOKEN

GOOD_ITEM = json.dumps(fields.item_to_hub(RESIDENCE_PERMIT)).encode()
OTHER_CASE = json.dumps(fields.case_to_hub(synthetic_cases(ITEMS, START.date())[1].case)).encode()


class BadHub(ThreadingHTTPServer):
    """Answers whatever the test put into ``status``, ``body`` and ``length``; ``hang`` never ends."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), BadHandler)
        self.status, self.body, self.length = 200, b"{}", -1
        self.hang = False
        self.let_go = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class BadHandler(BaseHTTPRequestHandler):
    server: BadHub

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        length = self.server.length if self.server.length >= 0 else len(self.server.body)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(self.server.body)
        self.wfile.flush()
        if self.server.hang:
            self.server.let_go.wait(10)
        self.close_connection = True

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def bad() -> Iterator[BadHub]:
    server = BadHub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.let_go.set()
    server.shutdown()
    thread.join()
    server.server_close()


async def ask_everything(url: str, timeout_s: float = 2) -> None:
    """Every method of the port has to name the hub as down."""
    hub = HttpDataHub(url, "app", TOKEN, timeout_s=timeout_s)
    for call in (
        lambda: hub.service_item("JZ02"),
        lambda: hub.service_halls(),
        lambda: hub.verify_identity("613482", IdentityProof(name="陈小明")),
        lambda: hub.case("613482", "v1"),
        lambda: hub.ping(),
    ):
        with pytest.raises(HubDownError):
            await call()
    await hub.aclose()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"3",
        b"<html>login</html>",
        b'{"taskName": ',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"halls": 3, "items": {}, "verificationId": "", "status": "verified"}',
        b'{"halls": [{"hallCode": "1"}], "items": null, "status": "verified"}',
    ],
    ids=lambda body: repr(body[:12]),
)
async def test_an_unreadable_answer_is_a_hub_that_is_down(bad: BadHub, body: bytes) -> None:
    bad.body = body
    await ask_everything(bad.url)


@pytest.mark.parametrize("status", [204, 301, 400, 401, 418, 422, 429, 500, 502, 503])
async def test_an_unexpected_status_is_a_hub_that_is_down(bad: BadHub, status: int) -> None:
    bad.status, bad.body = status, b"" if status == 204 else b'{"code": "x"}'
    await ask_everything(bad.url)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"detail":"Not Found"}', b'{"code":"route_404"}', b"[]"])
async def test_a_stranger_saying_not_found_or_forbidden_does_not_become_a_fact(
    bad: BadHub, status: int, body: bytes
) -> None:
    bad.status, bad.body = status, body
    await ask_everything(bad.url)


async def test_the_hubs_own_word_of_not_found_and_forbidden_is_taken(bad: BadHub) -> None:
    hub = HttpDataHub(bad.url, "app", TOKEN, timeout_s=2)
    bad.status, bad.body = 404, b'{"code": "case_not_found"}'
    with pytest.raises(CaseNotFoundError):
        await hub.case("613482", "v1")
    with pytest.raises(NotFoundError):
        await hub.service_item("JZ02")
    bad.status, bad.body = 403, b'{"code": "identity_required"}'
    with pytest.raises(IdentityRequiredError):
        await hub.case("613482", "v1")
    await hub.aclose()


async def test_an_answer_cut_in_the_middle_is_a_hub_that_is_down(bad: BadHub) -> None:
    bad.body, bad.length = GOOD_ITEM[: len(GOOD_ITEM) // 2], len(GOOD_ITEM)
    await ask_everything(bad.url)


async def test_an_answer_that_never_ends_meets_the_deadline(bad: BadHub) -> None:
    bad.body, bad.length, bad.hang = GOOD_ITEM[:10], len(GOOD_ITEM), True
    async with asyncio.timeout(4):  # five requests of 0.1 s, on a busy machine
        await ask_everything(bad.url, timeout_s=0.1)


async def test_the_answer_to_another_question_is_not_told(bad: BadHub) -> None:
    hub = HttpDataHub(bad.url, "app", TOKEN, timeout_s=2)
    bad.body = OTHER_CASE
    with pytest.raises(HubDownError):
        await hub.case("613482", "v1")
    bad.body = GOOD_ITEM
    with pytest.raises(HubDownError):
        await hub.service_item("SB01")
    assert (await hub.service_item("JZ02")) == RESIDENCE_PERMIT
    await hub.aclose()


async def test_nobody_listening_is_a_hub_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    await ask_everything(f"http://127.0.0.1:{port}")
    await ask_everything("not a url")
