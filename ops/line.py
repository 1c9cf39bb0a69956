"""The whole line, started for a while on ports and data of its own: for evaluation and benches."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from hotline.settings import ROOT, Settings
from ops.progress import SetUpError

_READY_WITHIN_S = 180.0


@dataclass(frozen=True)
class Line:
    """``address`` of the gateway, ``rasa`` of the engine; ``seconds`` from the command to readiness."""

    address: str
    rasa: str
    data_dir: Path
    pid: int
    seconds: float

    def memory_mb(self) -> dict[str, float]:
        """Proportional memory (PSS) of the launcher and its children in MB, by process."""
        root = psutil.Process(self.pid)
        sizes: dict[str, float] = {}
        for process in [root, *root.children(recursive=True)]:
            name = _name(process.cmdline())
            sizes[name] = sizes.get(name, 0.0) + process.memory_full_info().pss / 2**20
        return {name: round(size, 1) for name, size in sizes.items()}


def _name(command: list[str]) -> str:
    words = " ".join(command)
    known = {
        "rasa run": "rasa",
        "actions.server": "actions",
        "data_hub": "hub",
        "gateway": "gateway",
        "ops.cli": "launcher",
    }
    return next((name for mark, name in known.items() if mark in words), "speech workers")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


@contextmanager
def running_line(command: tuple[str, ...] = ("bin/hotline", "run")) -> Iterator[Line]:
    """Starts the line by ``command``, yields it once it is ready, ends it.

    Raises:
        SetUpError: it was not ready in time; the message has the end of its output.
    """
    port, rasa, actions, hub, audiosocket, sip = free_ports(6)
    with tempfile.TemporaryDirectory(prefix="hotline-") as folder:
        data = Path(folder)
        env = os.environ | {
            "HOST": "127.0.0.1", "PORT": str(port), "RASA_PORT": str(rasa), "ACTIONS_PORT": str(actions),
            "HUB_PORT": str(hub), "DATA_DIR": folder, "MODELS_DIR": str(Settings().models_dir),
            "AUDIOSOCKET_PORT": str(audiosocket), "SIP_PORT": str(sip),
        }  # fmt: skip
        begun = time.monotonic()
        log = data / "launcher.log"
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_ready(address, process, log)
            launcher = _launcher(process.pid)
            yield Line(address, f"http://127.0.0.1:{rasa}", data, launcher, time.monotonic() - begun)
        finally:
            process.terminate()
            process.wait(15)


def _launcher(pid: int) -> int:
    """The launcher itself, where ``pid`` is a make around it."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return next((p.pid for p in processes if "ops.cli" in " ".join(p.cmdline())), pid)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/readyz", timeout=3).status_code == 200:
                return
        except httpx.HTTPError:
            pass  # not listening yet
        time.sleep(0.5)  # asking makes every part work: seldom enough not to slow the start
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise SetUpError(f"热线没有在 {_READY_WITHIN_S:.0f} 秒内就绪：\n{tail}")
