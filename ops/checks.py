"""``make test``: everything that must hold, in one command; ``lint`` runs the first part alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

from hotline.settings import ROOT, Settings
from ops.progress import SetUpError, run_quietly, say
from ops.setup import APP, ENGINE, log_file, node_environment
from ops.training import engine_environment, index_if_changed, train_if_changed

_BIN = APP / "bin"
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
        Check("单元和集成测试", [python, "-m", "pytest", "tests/unit", "tests/integration"]),
        Check("网页的类型", ["npm", "run", "--silent", "typecheck"], node, "web"),
        Check("网页的测试", ["npm", "test", "--silent"], node, "web"),
        Check("对话引擎的组件", engine_tests, engine_environment()),
        Check("对话脚本（rasa test）", stories, engine_environment(), noisy=True),
        Check("整条热线（验收测试）", [python, "-m", "pytest", "tests/acceptance"]),
    ]


def run(checks: list[Check]) -> list[str]:
    """Runs all, the output shown as it comes; returns the names of those that failed."""
    failed = []
    for check in checks:
        say(f"── {check.name}")
        begun = time.monotonic()
        passed = _passes(check)
        say(f"   {'通过' if passed else '没有通过'}（{time.monotonic() - begun:.0f} 秒）")
        if not passed:
            failed.append(check.name)
    return failed


def _passes(check: Check) -> bool:
    folder, env = ROOT / check.folder, {**os.environ, **check.env}
    if not check.noisy:
        return subprocess.run(check.command, cwd=folder, env=env, check=False).returncode == 0
    try:
        run_quietly(check.name, check.command, log_file(), env, folder)
    except SetUpError as error:
        say(str(error))
        return False
    return True


def main() -> int:
    try:
        checks = lint_checks() if "lint" in sys.argv[1:] else lint_checks() + test_checks()
    except SetUpError as error:
        say(str(error))
        return 1
    failed = run(checks)
    say(f"没有通过：{'、'.join(failed)}" if failed else "全部通过")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
