"""An agent at the running line's desk."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from running_line import ROOT, Line, Talk
from websockets.sync.client import connect

PASSWORD = "Feng-Huang-2026"


class Agent:
    """An agent signed in, with the screen open."""

    def __init__(self, line: Line, token: str) -> None:
        self.line = line
        self.token = token

    def ask(self, verb: str, path: str, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        sent = {"params": body} if verb == "GET" else {"json": body}
        return httpx.request(verb, f"{self.line.address}/api/v1/desk{path}", headers=headers, timeout=20, **sent)

    def of(self, talk: Talk, step: str, **body: Any) -> dict[str, Any]:
        answer = self.ask("POST", f"/conversations/{talk.conversation_id}/{step}", **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @contextmanager
    def screen(self) -> Iterator[Any]:
        address = self.line.address.replace("http", "ws")
        with connect(f"{address}/api/v1/desk/events?token={self.token}") as socket:
            assert json.loads(socket.recv(timeout=10))["type"] == "hello"
            yield socket


def sign_in(line: Line) -> Agent:
    """Makes the account and signs in."""
    command = [str(ROOT / "bin" / "hotline"), "users", "add", "mei", "--role", "agent", "--password-stdin"]
    env = os.environ | {"DATA_DIR": str(line.data_dir)}
    subprocess.run(command, input=PASSWORD.encode(), env=env, check=True, capture_output=True)
    body = {"username": "mei", "password": PASSWORD}
    answer = httpx.post(f"{line.address}/api/v1/auth/login", json=body, timeout=20)
    return Agent(line, answer.json()["token"])
