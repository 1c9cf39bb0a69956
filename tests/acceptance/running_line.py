"""The whole line as its operators start it, on ports and in a data folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[2]

# How each process is known among the supervisor's children.
_COMMANDS = {"rasa": "rasa run", "actions": "actions.server", "hub": "data_hub.reference", "gateway": "gateway.server"}


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; held together until all are known, so that none comes twice."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@dataclass
class Talk:
    """One conversation from outside, over HTTP."""

    line: Line
    conversation_id: str
    token: str
    greeting: list[dict[str, Any]]

    @property
    def path(self) -> str:
        return f"/api/v1/conversations/{self.conversation_id}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, text: object, client_message_id: str | None = None) -> httpx.Response:
        body = {"text": text} | ({"client_message_id": client_message_id} if client_message_id else {})
        return self.line.http.post(f"{self.path}/messages", json=body, headers=self.headers)

    def say(self, text: str, client_message_id: str | None = None) -> dict[str, Any]:
        """A turn that must be taken: its JSON."""
        answer = self.post(text, client_message_id)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def history(self, after: str | None = None) -> dict[str, Any]:
        answer = self.line.http.get(
            f"{self.path}/messages", params={"after": after} if after else {}, headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def events(self, after: int | None = None, token: str | None = None) -> ClientConnection:
        query = f"token={token or self.token}" + ("" if after is None else f"&after={after}")
        return connect(f"{self.line.sockets}{self.path}/events?{query}", proxy=None)


@dataclass
class Line:
    """A running line. ``http`` speaks to its gateway."""

    process: subprocess.Popen[bytes]
    address: str
    data_dir: Path
    output: Path
    audiosocket: int
    sip: int
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.address, timeout=20, trust_env=False)

    @property
    def sockets(self) -> str:
        return self.address.replace("http", "ws", 1)

    def talk(self) -> Talk:
        answer = self.http.post("/api/v1/conversations", json={"channel": "web"})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        return Talk(self, made["conversation_id"], made["token"], made["replies"])

    def readyz(self) -> tuple[int, dict[str, Any]]:
        """Status and parts; status 0 while the gateway itself does not answer."""
        try:
            answer = self.http.get("/readyz")
        except httpx.HTTPError:
            return 0, {}
        return answer.status_code, answer.json()["parts"]

    def until(self, condition: Callable[[], bool], within_s: float, what: str) -> None:
        """Asks again and again until ``condition`` holds; fails at the deadline or where the line ended."""
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, f"not within {within_s} s: {what}\n{self.told()}"
            try:
                code = self.process.wait(0.2)
            except (subprocess.TimeoutExpired, InterruptedError):
                continue
            raise AssertionError(f"the line ended by itself ({code}) before: {what}\n{self.told()}")

    def until_ready(self, within_s: float = 90) -> None:
        self.until(lambda: self.readyz()[0] == 200, within_s, "every part is ready")

    def until_speech_is_ready(self, within_s: float = 90) -> None:
        def loaded() -> bool:
            parts = self.readyz()[1]
            return all(parts.get(part, {}).get("status") == "ok" for part in ("recogniser", "synthesiser"))

        self.until(loaded, within_s, "recogniser and synthesiser are loaded")

    def told(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")[-3000:]

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, name: str) -> psutil.Process:
        for child in psutil.Process(self.process.pid).children():
            if child.status() != psutil.STATUS_ZOMBIE and _COMMANDS[name] in " ".join(child.cmdline()):
                return child
        raise AssertionError(f"{name} is not running\n{self.told()}")

    @contextmanager
    def hung(self, name: str) -> Iterator[None]:
        """The part is there, holds its port, and does not answer."""
        part = self.part(name)
        part.suspend()
        try:
            yield
        finally:
            part.resume()

    @contextmanager
    def killed(self, name: str) -> Iterator[None]:
        """The part is killed by force; nobody starts it again before the block is over."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            part = self.part(name)
            part.kill()
            self._until_gone(part)
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    def _until_gone(self, part: psutil.Process) -> None:
        # The stopped supervisor does not collect its child: a zombie is as good as gone, its sockets are closed.
        deadline = time.monotonic() + 5
        while part.is_running() and part.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, "a killed process lives"

    def stop(self) -> None:
        """Ends the line as Ctrl-C does, and checks that nothing of it is left after ten seconds."""
        self.http.close()
        children = self.children()
        assert len(children) >= 4, "the line had fewer than its four processes"
        self.process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs([*children, psutil.Process(self.process.pid)], timeout=10)
        left = [f"{p.pid} {' '.join(p.cmdline())[:120]}" for p in alive if p.status() != psutil.STATUS_ZOMBIE]
        for process in alive:
            process.kill()
        assert not left, f"still running ten seconds after SIGTERM: {left}"
        assert self.process.wait(1) == 0


def start_line(folder: Path) -> Line:
    gateway, rasa, actions, hub, audiosocket, sip = free_ports(6)
    own = {
        "HOST": "127.0.0.1",
        "PORT": str(gateway),
        "RASA_PORT": str(rasa),
        "ACTIONS_PORT": str(actions),
        "HUB_PORT": str(hub),
        "AUDIOSOCKET_PORT": str(audiosocket),
        "SIP_PORT": str(sip),
        "DATA_DIR": str(folder / "data"),
    }
    inherited = {k: v for k, v in os.environ.items() if k not in {"HUB_URL", "HUB_TOKEN", "DATABASE_URL"}}
    output = folder / "output.txt"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [str(ROOT / "bin" / "hotline"), "run"],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            env=inherited | own,
            cwd=folder,
        )
    return Line(process, f"http://127.0.0.1:{gateway}", folder / "data", output, audiosocket, sip)
