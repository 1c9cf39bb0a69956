"""``make test``: everything that must hold, in one command; ``lint`` runs the first part alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from hotline.settings import ROOT, Settings
from ops.progress import SetUpError, run_quietly, say
from ops.setup import APP, ENGINE, log_file, node_environment
from ops.training import engine_environment, index_if_changed, train_if_changed

_BIN = APP / "bin"
AT_ONCE = "TEST_WORKERS"
_PACKAGES = (
    "hotline",
    "knowledge_base",
    "data_hub",
    "storage",
    "voice",
    "desk",
    "insights",
    "actions",
    "gateway",
    "ops",
)


@dataclass(frozen=True)
class Check:
    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    folder: str = "."
    noisy: bool = False  # its output goes to the log, and is shown where it fails
    long: bool = False  # uses the whole machine, and is watched while it runs


def lint_checks() -> list[Check]:
    typed = [word for package in _PACKAGES for word in ("-p", package)]
    return [
        Check("格式（ruff format）", [str(_BIN / "ruff"), "format", "--check", "-q", "."]),
        Check("规则（ruff）", [str(_BIN / "ruff"), "check", "-q", "."]),
        Check("类型（mypy）", [str(_BIN / "mypy"), *typed]),
        Check("依赖方向（import-linter）", [str(_BIN / "lint-imports")], {"PYTHONPATH": str(ROOT)}),
        Check("知识库（knowledge_base lint）", [str(_BIN / "python"), "-m", "knowledge_base", "lint"]),
    ]


def test_checks() -> list[Check]:
    python = str(_BIN / "python")
    model = str(train_if_changed(Settings()))
    index_if_changed(Settings())
    node = node_environment()
    stories = [
        str(ENGINE / "bin" / "rasa"), "test", "core", "--e2e", "--no-plot", "--model", model, "--stories", "tests/conversations",
        "--out", str(Settings().data_dir / "rasa-test"), "--fail-on-prediction-errors",
    ]  # fmt: skip
    engine_tests = [str(ENGINE / "bin" / "python"), "-m", "unittest", "discover", "-s", "tests/engine", "-t", "."]
    return [
        Check("单元和集成测试", [python, "-m", "pytest", *_spread(), "tests/integration", "tests/unit"], long=True),
        Check("网页的类型", ["npm", "run", "--silent", "typecheck"], node, "web"),
        Check("网页的测试", ["npm", "test", "--silent"], node, "web"),
        Check("对话引擎的组件", engine_tests, engine_environment()),
        Check("对话脚本（rasa test）", stories, engine_environment(), noisy=True),
        Check("整条热线（验收测试）", [python, "-m", "pytest", "tests/acceptance"], long=True),
    ]


def at_once() -> int:
    """How many processes may test at the same time: ``TEST_WORKERS``, else two where there are two cores.

    Raises:
        SetUpError: the setting is no number from 1.
    """
    said = os.environ.get(AT_ONCE, "").strip()
    if not said:
        return min(2, os.cpu_count() or 1)
    if not said.isdecimal() or int(said) < 1:
        raise SetUpError(f"{AT_ONCE} 要写一个从 1 起的整数（同时跑几份测试），现在写的是「{said}」。")
    return int(said)


def _spread() -> list[str]:
    """A file's tests stay together, in the order of collection: those that wait for real time begin first."""
    number = at_once()
    return ["-n", str(number), "--dist", "loadfile", "--no-loadscope-reorder"] if number > 1 else []


def run(checks: list[Check]) -> list[str]:
    """Runs all; returns the names of those that failed. First the short ones, some at a time, each shown as it
    ends; then the long ones, one after the other, shown as they run."""
    failed = []
    with ThreadPoolExecutor(at_once()) as pool:
        short = [check for check in checks if not check.long]
        for check, (passed, output, seconds) in zip(short, pool.map(_in_silence, short), strict=True):
            say(f"── {check.name}\n{output}   {_outcome(passed, seconds)}")
            failed += [] if passed else [check.name]
    for check in checks:
        if check.long:
            say(f"── {check.name}")
            begun = time.monotonic()
            passed = subprocess.run(check.command, **_where(check), check=False).returncode == 0
            say(f"   {_outcome(passed, time.monotonic() - begun)}")
            failed += [] if passed else [check.name]
    return failed


def _in_silence(check: Check) -> tuple[bool, str, float]:
    """Whether it passes, what it said, and in how many seconds."""
    begun = time.monotonic()
    if check.noisy:
        try:
            run_quietly(check.name, check.command, log_file(), **_where(check))
            passed, output = True, ""
        except SetUpError as error:
            passed, output = False, f"{error}\n"
    else:
        done = subprocess.run(
            check.command, **_where(check), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        passed, output = done.returncode == 0, done.stdout.decode("utf-8", "replace")
    return passed, output, time.monotonic() - begun


def _where(check: Check) -> dict[str, Any]:
    return {"cwd": ROOT / check.folder, "env": {**os.environ, **check.env}}


def _outcome(passed: bool, seconds: float) -> str:
    return f"{'通过' if passed else '没有通过'}（{seconds:.0f} 秒）"


def main() -> int:
    try:
        checks = lint_checks() if "lint" in sys.argv[1:] else lint_checks() + test_checks()
        failed = run(checks)
    except SetUpError as error:
        say(str(error))
        return 1
    say(f"没有通过：{'、'.join(failed)}" if failed else "全部通过")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
