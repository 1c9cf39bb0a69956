"""What ``make test`` runs: short checks side by side, long ones alone, and every failure named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ops import checks
from ops.checks import Check, at_once, run
from ops.progress import SetUpError


def python(name: str, code: str, **more: bool) -> Check:
    return Check(name, [sys.executable, "-c", code], **more)


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEST_WORKERS", "2")
    monkeypatch.setattr(checks, "log_file", lambda: tmp_path / "log")


def test_every_check_that_fails_is_named_and_what_it_said_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    failed = run(
        [
            python("好的", "print('fine')"),
            python("坏的", "import sys; print('broken here'); sys.exit(3)"),
            python("吵的", "import sys; print('noise'); sys.exit(1)", noisy=True),
            python("长的", "raise SystemExit(1)", long=True),
            python("长而好的", "print('watched')", long=True),
        ]
    )
    assert failed == ["坏的", "吵的", "长的"]
    shown = "".join(capfd.readouterr())
    assert all(words in shown for words in ("fine", "broken here", "noise", "watched"))


def test_a_noisy_check_that_passes_leaves_its_noise_in_the_log(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run([python("吵而好的", "print('only noise')", noisy=True)]) == []
    assert "only noise" not in "".join(capfd.readouterr())
    assert "only noise" in (tmp_path / "log").read_text(encoding="utf-8")


def test_short_checks_run_at_the_same_time_and_a_long_one_after_them(tmp_path: Path) -> None:
    """Each of the two waits for the other's file, the long one for nobody's."""

    def meets(mine: str, other: str) -> str:
        folder = str(tmp_path)
        return f"""
import pathlib, time
folder = pathlib.Path({folder!r})
(folder / {mine!r}).touch()
until = time.monotonic() + 30
while not (folder / {other!r}).exists():
    assert time.monotonic() < until
(folder / ({mine!r} + '-met')).touch()
"""

    alone = f"import pathlib; assert len(list(pathlib.Path({str(tmp_path)!r}).glob('*-met'))) == 2"
    assert run([python("长", alone, long=True), python("一", meets("a", "b")), python("二", meets("b", "a"))]) == []


def test_how_many_run_at_once_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_once() == 2
    monkeypatch.setenv("TEST_WORKERS", "1")
    assert at_once() == 1
    assert checks._spread() == []
    monkeypatch.setenv("TEST_WORKERS", "3")
    assert checks._spread()[:2] == ["-n", "3"]
    for wrong in ("0", "-1", "两", "1.5"):
        monkeypatch.setenv("TEST_WORKERS", wrong)
        with pytest.raises(SetUpError, match="TEST_WORKERS"):
            at_once()


@pytest.mark.parametrize(("cores", "wanted"), [(1, 1), (2, 2), (16, 2), (None, 1)])
def test_without_the_setting_two_run_where_there_are_two_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, wanted: int
) -> None:
    monkeypatch.delenv("TEST_WORKERS")
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert at_once() == wanted
