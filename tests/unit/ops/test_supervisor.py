"""The supervisor with real, tiny processes: what dies comes back, and all end when told to."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hotline.settings import Settings
from ops import supervisor as module
from ops.progress import SetUpError
from ops.supervisor import Child, Supervisor, check_ports, hub_token, make_children, telephone_doors

# A child marks that it stands once its handlers do, then waits for signals; it never ends by itself.
_WAITS = (
    "import pathlib,signal,sys; {handler} pathlib.Path(sys.argv[1]).touch(); [signal.pause() for _ in iter(int, 1)]"
)
POLITE = _WAITS.format(handler="")
STUBBORN = _WAITS.format(handler="signal.signal(signal.SIGTERM, signal.SIG_IGN);")
_DEADLINE_S = 10.0


def until(holds: Callable[[], bool]) -> Callable[[], bool]:
    """``holds``, failing the test where it takes too long."""
    end = time.monotonic() + _DEADLINE_S

    def check() -> bool:
        assert time.monotonic() < end, "it took too long"
        return holds()

    return check


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.children: list[Child] = []

    def child(self, name: str, script: str = POLITE) -> Child:
        mark = self.folder / name
        command = [sys.executable, "-S", "-c", script, str(mark)]
        self.children.append(Child(name, name, command, {}, self.folder / "log" / f"{name}.log"))
        return self.children[-1]

    def start(self) -> Supervisor:
        self.supervisor = Supervisor(self.children, self.told.append)
        self.supervisor.start()
        return self.supervisor

    def stands(self, *children: Child) -> Callable[[], bool]:
        return until(lambda: all((self.folder / c.name).exists() for c in children))


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(module, "_RESTART_S", (0.0, 0.01))
    made = House(tmp_path)
    yield made
    for child in made.children:
        if child.process is not None and child.process.poll() is None:
            child.process.kill()
            child.process.wait()


def test_a_child_that_is_killed_comes_back_and_the_others_stay(house: House) -> None:
    one, two = house.child("one"), house.child("two")
    supervisor = house.start()
    assert supervisor.watch(house.stands(one, two), every_s=0.01)
    assert one.process is not None
    assert two.process is not None
    killed, kept = one.process.pid, two.process.pid
    (house.folder / "one").unlink()
    os.kill(killed, signal.SIGKILL)
    assert supervisor.watch(house.stands(one), every_s=0.01)
    assert one.process is not None
    assert one.process.pid != killed
    assert two.process.pid == kept
    assert one.failures == 1
    assert len(house.told) == 1
    assert "one" in house.told[0]
    assert "-9" in house.told[0]
    supervisor.stop()


def test_a_child_that_keeps_dying_waits_longer_each_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RESTART_S", (0.0, 0.01, 0.02, 0.03))
    child = house.child("short", "raise SystemExit(3)")
    supervisor = house.start()
    assert supervisor.watch(until(lambda: child.failures >= 4), every_s=0.01)
    waits = [told.split("，")[1].split()[0] for told in house.told]
    assert waits[:4] == ["0.01", "0.02", "0.03", "0.03"]
    supervisor.stop()


def test_stopping_ends_every_child(house: House) -> None:
    children = [house.child(f"c{n}") for n in range(3)]
    supervisor = house.start()
    supervisor.watch(house.stands(*children), every_s=0.01)
    pids = [c.process.pid for c in children if c.process]
    supervisor.stop()
    assert len(pids) == 3
    assert not any(_alive(pid) for pid in pids)


def test_a_child_that_will_not_end_is_ended_within_the_grace(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GRACE_S", 0.1)
    child = house.child("stubborn", STUBBORN)
    supervisor = house.start()
    supervisor.watch(house.stands(child), every_s=0.01)
    assert child.process is not None
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < 3.0
    assert child.process.returncode == -signal.SIGKILL


def test_the_whole_grace_is_within_the_ten_seconds_promised() -> None:
    assert module._GRACE_S + 2.0 * 1 < 10.0


def test_a_stop_asked_for_ends_the_watch(house: House) -> None:
    house.child("one")
    supervisor = house.start()
    supervisor.request_stop()
    assert supervisor.watch() is False
    supervisor.stop()


def test_what_a_child_says_is_in_its_log(house: House) -> None:
    child = house.child("talks", "import sys; print('out'); print('err', file=sys.stderr)")
    supervisor = house.start()
    supervisor.watch(until(lambda: child.failures >= 1), every_s=0.01)
    supervisor.stop()
    assert {"out", "err"} <= set(child.log.read_text(encoding="utf-8").split())


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetUpError, match=f"{port}.*PORT"):
            check_ports(Settings(_env_file=None, port=port, hub_url="http://hub"))


def test_one_port_for_two_parts_is_refused() -> None:
    with pytest.raises(SetUpError, match="设重"):
        check_ports(Settings(_env_file=None, port=5005))


def test_the_hubs_token_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path / "var", hub_token="")
    token = hub_token(settings)
    assert len(token) > 30
    assert hub_token(settings) == token
    assert (tmp_path / "var" / "hub.token").stat().st_mode & 0o077 == 0
    assert hub_token(settings.model_copy(update={"hub_token": "given"})) == "given"


def test_a_district_hub_of_its_own_leaves_the_reference_hub_out(tmp_path: Path) -> None:
    own = Settings(_env_file=None, data_dir=tmp_path, hub_url="https://hub.example.org")
    names = [c.name for c in make_children(own, tmp_path / "m.tar.gz")]
    assert names == ["rasa", "actions", "gateway", "insights"]
    reference = Settings(_env_file=None, data_dir=tmp_path, hub_url="")
    assert [c.name for c in make_children(reference, tmp_path / "m")] == [
        "rasa",
        "actions",
        "hub",
        "gateway",
        "insights",
    ]


def test_the_launcher_says_where_telephones_come_in_and_why_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {
        "sip": {"status": "ok", "address": "127.0.0.1:5060"},
        "audiosocket": {"status": "down", "detail": "端口 9092 用不了。"},
    }
    monkeypatch.setattr(module, "urlopen", lambda *_, **__: io.BytesIO(json.dumps({"parts": parts}).encode()))
    assert telephone_doors(Settings(_env_file=None)) == [
        "电话（SIP，UDP）  127.0.0.1:5060",
        "电话（AudioSocket，TCP）没有开：端口 9092 用不了。",
    ]
