"""Starts the five processes, keeps them running, and ends them all."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from data_hub.reference.seed import write_catalogue
from hotline.keys import key_in
from hotline.settings import ROOT, Settings
from knowledge_base.catalogue import load_catalogue
from ops.progress import SetUpError, say
from ops.setup import APP, ENGINE
from ops.training import engine_environment, index_if_changed, train_if_changed

_GRACE_S = 5.0
_RESTART_S = (0.5, 1.0, 2.0, 5.0, 10.0)
_HEALTHY_S = 30.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One of the processes. ``failures`` in a row decide how long a restart waits."""

    name: str
    title: str
    command: list[str]
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    restart_at: float = field(default=0.0)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.env},
                cwd=ROOT,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends them in order
                preexec_fn=_die_with_parent,
            )
        self.started = time.monotonic()


def _die_with_parent() -> None:
    """A supervisor killed by force must not leave its children on the ports (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def hub_token(settings: Settings) -> str:
    """The token shared with the reference hub: the setting, else one made at the first start."""
    return settings.hub_token or _token_in(settings, "hub.token")


def line_token(settings: Settings) -> str:
    """The token by which the actions file requests at the gateway."""
    return settings.line_token or _token_in(settings, "line.token")


def _token_in(settings: Settings, name: str) -> str:
    return key_in(settings.data_dir, name, lambda: secrets.token_urlsafe(32).encode()).decode().strip()


def make_children(settings: Settings, model: Path) -> list[Child]:
    """The processes in the order they start; the slowest to load go first."""
    data, logs = settings.data_dir, settings.data_dir / "log"
    shared = {
        "DATA_DIR": str(data), "MODELS_DIR": str(settings.models_dir), "HUB_TOKEN": hub_token(settings),
        "LINE_TOKEN": line_token(settings),
        "HUB_PAASID": settings.hub_paasid, "HUB_PORT": str(settings.hub_port), "RASA_PORT": str(settings.rasa_port),
        "ACTIONS_PORT": str(settings.actions_port), "HOST": settings.host, "PORT": str(settings.port),
        "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false",
        "PYTHONPATH": str(ROOT), "SANIC_HOST": "127.0.0.1",
    }  # fmt: skip
    python = str(APP / "bin" / "python")
    rasa = [
        str(ENGINE / "bin" / "rasa"), "run", "--model", str(model), "--endpoints", "bot/endpoints.yml",
        "--credentials", "bot/credentials.yml", "--enable-api", "--interface", "127.0.0.1",
        "--port", str(settings.rasa_port), "--quiet",
    ]  # fmt: skip
    rasa_env = engine_environment() | {
        "ACTIONS_URL": f"http://127.0.0.1:{settings.actions_port}/webhook",
        "RASA_TRACKER_DB": str(data / "engine-tracker.db"),
        "LOG_LEVEL": "WARNING",
        "OMP_NUM_THREADS": "1",
    }
    children = [
        Child("rasa", "对话引擎", rasa, rasa_env, logs / "rasa.log"),
        Child("actions", "动作服务", [python, "-m", "actions.server"], shared, logs / "actions.log"),
    ]
    if not settings.hub_url:
        hub = [
            python, "-m", "data_hub.reference", "--host", "127.0.0.1", "--port", str(settings.hub_port),
            "--data-dir", str(data),
        ]  # fmt: skip
        children.append(Child("hub", "参考数据中台", hub, shared, logs / "hub.log"))
    children.append(Child("gateway", "网关", [python, "-m", "gateway.server"], shared, logs / "gateway.log"))
    behind = ["nice", "-n", "15", python, "-m", "ops.insights"]  # no turn waits for statistics
    children.append(Child("insights", "统计", behind, shared, logs / "insights.log"))
    return children


def check_ports(settings: Settings) -> None:
    """Raises SetUpError where a port is taken."""
    wanted = {"PORT": settings.port, "RASA_PORT": settings.rasa_port, "ACTIONS_PORT": settings.actions_port}
    if not settings.hub_url:
        wanted["HUB_PORT"] = settings.hub_port
    if len(set(wanted.values())) < len(wanted):
        raise SetUpError(f"端口设重了：{wanted}。请给每个部件不同的端口。")
    for name, port in wanted.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host if name == "PORT" else "127.0.0.1", port))
            except OSError as error:
                raise SetUpError(
                    f"端口 {port} 已被占用（{name}）。请停掉占用它的程序，或设 {name}=别的端口。"
                ) from error


class Supervisor:
    """Runs the children until told to stop; one that dies is started again."""

    def __init__(self, children: list[Child], tell: Callable[[str], None] = say) -> None:
        self._children = children
        self._tell = tell
        self._stopping = False

    def start(self) -> None:
        for child in self._children:
            child.start()

    def request_stop(self) -> None:
        self._stopping = True

    def watch(self, until: Callable[[], bool] | None = None, every_s: float = 0.25) -> bool:
        """Restarts what dies until a stop is asked for (False) or ``until`` holds (True)."""
        while not self._stopping:
            if until is not None and until():
                return True
            self._revive(time.monotonic())
            time.sleep(every_s)
        return False

    def _revive(self, now: float) -> None:
        for child in self._children:
            if child.process is None:
                if now >= child.restart_at:
                    child.start()
            elif (code := child.process.poll()) is not None:
                child.failures = 0 if now - child.started > _HEALTHY_S else child.failures + 1
                wait = _RESTART_S[min(child.failures, len(_RESTART_S) - 1)]
                child.process, child.restart_at = None, now + wait
                self._tell(f"{child.title}停了（退出码 {code}），{wait:g} 秒后重新启动；记录见 {child.log}")

    def stop(self) -> None:
        """Ends every child within ten seconds: asks, then forces."""
        running = [c for c in reversed(self._children) if c.process is not None and c.process.poll() is None]
        for child in running:
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_S
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(child, signal.SIGKILL)
                child.process.wait(2.0)


def _signal_group(child: Child, number: signal.Signals) -> None:
    assert child.process is not None
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return  # it ended by itself meanwhile


def _reached_at(settings: Settings) -> str:
    return "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104


def ready(settings: Settings) -> bool:
    try:
        with urlopen(f"http://{_reached_at(settings)}:{settings.port}/readyz", timeout=3) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def telephone_doors(settings: Settings) -> list[str]:
    """A line for each telephone door of the running gateway: where it listens, or why it does not."""
    try:
        with urlopen(f"http://{_reached_at(settings)}:{settings.port}/readyz", timeout=3) as answer:
            parts = json.load(answer)["parts"]
    except (URLError, OSError, ValueError, KeyError):
        return []
    told = []
    for name, title in (("sip", "电话（SIP，UDP）"), ("audiosocket", "电话（AudioSocket，TCP）")):
        door = parts.get(name, {})
        if door.get("status") == "ok":
            told.append(f"{title}  {door['address']}")
        elif door.get("status") == "down":
            told.append(f"{title}没有开：{door['detail']}")
    return told


def run() -> int:
    """``bin/hotline run``: starts everything, says where it is, and stays until Ctrl-C or SIGTERM."""
    settings = Settings()
    begun = time.monotonic()
    try:
        check_ports(settings)
        model = train_if_changed(settings)
        index_if_changed(settings)
        catalogue = load_catalogue()
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        write_catalogue(
            list(catalogue.items.values()), list(catalogue.halls.values()), settings.data_dir / "catalogue.json"
        )
    except SetUpError as error:
        say(f"没有启动：{error}")
        return 1
    supervisor = Supervisor(make_children(settings, model))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.request_stop())
    say("启动：对话引擎、动作服务、数据中台、网关、统计 …")
    supervisor.start()
    try:
        last_told = [begun]

        def all_ready() -> bool:
            if ready(settings):
                return True
            if time.monotonic() - last_told[0] > 10:
                last_told[0] = time.monotonic()
                say(f"  还在启动 … 已 {last_told[0] - begun:.0f} 秒")
            return False

        if supervisor.watch(all_ready, every_s=0.5):
            _announce(settings, time.monotonic() - begun)
            supervisor.watch(every_s=0.5)
    finally:
        say("正在停止 …")
        supervisor.stop()
        say("已停止。")
    return 0


def _announce(settings: Settings, seconds: float) -> None:
    from voice.stt.load import recogniser_choice
    from voice.tts.load import synthesiser_choice

    address = f"http://{settings.host}:{settings.port}"
    say(f"热线已就绪（{seconds:.0f} 秒）")
    say(f"  市民网页  {address}/")
    say(f"  接口说明  {address}/docs")
    say(f"  运行状况  {address}/readyz")
    for told in telephone_doors(settings):
        say(f"  {told}")
    say(f"  {recogniser_choice(settings).reason}")
    say(f"  {synthesiser_choice(settings).reason}")
    say("  按 Ctrl-C 停止。")
