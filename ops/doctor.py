"""``bin/hotline doctor``: what is missing or wrong, each with what to do."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from gateway.app import PAGES
from hotline.errors import GuideError
from hotline.settings import Settings
from knowledge_base.catalogue import load_catalogue
from knowledge_base.lint import lint
from ops.progress import SetUpError
from ops.setup import ENGINE
from ops.supervisor import check_ports, ready
from ops.training import check_training_files, model_path
from voice.stt.load import recogniser_choice
from voice.tts.load import synthesiser_choice

_NEEDED = ("fastapi", "sentence-transformers", "rasa-sdk", "vosk", "pyttsx3", "jieba", "websockets", "torch")
_DISK_GB = 2


@dataclass(frozen=True)
class Finding:
    good: bool
    message: str


def examine() -> list[Finding]:
    settings = Settings()
    return [*_software(), *_content(settings), *_line(settings)]


def _software() -> Iterator[Finding]:
    missing = []
    for name in _NEEDED:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    yield Finding(
        not missing, f"应用的 Python 包缺 {'、'.join(missing)}，请运行 make run" if missing else "应用的 Python 包齐全"
    )
    rasa = subprocess.run(
        [str(ENGINE / "bin" / "python"), "-c", "import importlib.metadata as m; print(m.version('rasa'))"],
        capture_output=True, text=True, check=False,
    ) if (ENGINE / "bin" / "python").exists() else None  # fmt: skip
    there = rasa is not None and rasa.returncode == 0
    yield Finding(
        there, f"对话引擎 Rasa {rasa.stdout.strip()}" if rasa and there else "没有对话引擎的环境，请运行 make run"
    )
    yield Finding((PAGES / "index.html").is_file(), "网页已构建" if PAGES.is_dir() else "网页没有构建，请运行 make run")


def _content(settings: Settings) -> Iterator[Finding]:
    try:
        catalogue = load_catalogue()
        faults = lint(catalogue)
        yield Finding(
            not faults, f"知识库 {len(catalogue)} 个事项，{len(faults)} 处要改（python -m knowledge_base lint）"
        )
    except GuideError as error:
        yield Finding(False, error.detail)
    problems = list(check_training_files())
    yield Finding(not problems, "训练数据没有问题" if not problems else "训练数据：" + "；".join(problems[:3]))
    trained = model_path(settings).is_file()
    yield Finding(trained, "对话模型是最新的" if trained else "数据改过但没有训练，请运行 bin/hotline train")
    for choice, works in (
        (recogniser_choice(settings), recogniser_choice(settings).engine is not None),
        (synthesiser_choice(settings), bool(synthesiser_choice(settings).engines)),
    ):
        yield Finding(works, choice.reason)


def _line(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.data_dir.parent).free / 2**30
    yield Finding(free > _DISK_GB, f"磁盘剩 {free:.0f} GB" + ("" if free > _DISK_GB else "，请清理"))
    if ready(settings):
        yield Finding(True, f"热线正在运行，各部件都答应（端口 {settings.port}）")
        return
    down = _parts_down(settings)
    if down:
        yield Finding(False, f"热线在运行，但这些部件没有答应：{'、'.join(down)}；记录在 {settings.data_dir / 'log'}")
        return
    try:
        check_ports(settings)
        yield Finding(True, "热线没有在运行，端口都空着，可以 make run")
    except SetUpError as error:
        yield Finding(False, str(error))


def _parts_down(settings: Settings) -> list[str]:
    try:
        urlopen(f"http://127.0.0.1:{settings.port}/readyz", timeout=4).close()
    except HTTPError as error:
        try:
            parts = json.load(error)["parts"]
        except (ValueError, KeyError):
            return []
        return [name for name, part in parts.items() if part["status"] == "down"]
    except (URLError, OSError):
        return []
    return []
