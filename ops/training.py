"""Trains the dialogue engine where its data or configuration changed, and not otherwise."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from hotline.settings import ROOT, Settings
from ops.progress import SetUpError, run_quietly, say
from ops.setup import APP, ENGINE, fingerprint, log_file, once

_SOURCES = (
    "config.yml",
    "bot/domain",
    "bot/rules",
    "bot/stories",
    "bot/components",
    "nlu_data",
    "bot/requirements.lock",
)
QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONWARNINGS": "ignore",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "LOG_LEVEL_LIBRARIES": "ERROR",
    "MPLBACKEND": "Agg",
}
_KEPT_MODELS = 3


def engine_environment() -> dict[str, str]:
    """What the engine's processes need: our components importable, no telemetry, no noise."""
    return {**QUIET, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def model_path(settings: Settings) -> Path:
    """Where the model for the present data and configuration lies, trained or not."""
    mark = fingerprint(ROOT / name for name in _SOURCES)
    return settings.models_dir / "engine" / f"{mark[:20]}.tar.gz"


def train_if_changed(settings: Settings) -> Path:
    """The model for the present sources, trained now where it isn't there.

    Raises:
        SetUpError: a training file is wrong (file and line are named), or training failed.
    """
    path = model_path(settings)
    if path.is_file():
        return path
    problems = list(check_training_files())
    if problems:
        raise SetUpError("训练数据有误：\n" + "\n".join(f"  {p}" for p in problems))
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [
        str(ENGINE / "bin" / "rasa"), "train", "--config", "config.yml", "--domain", "bot/domain",
        "--data", "nlu_data", "bot/rules", "bot/stories",
        "--out", str(path.parent), "--fixed-model-name", path.name.removesuffix(".tar.gz"),
    ]  # fmt: skip
    run_quietly("训练对话引擎（两核约两分钟）", command, log_file(), engine_environment(), ROOT)
    if not path.is_file():
        raise SetUpError(f"训练结束了，但没有生成模型。全部输出见 {log_file()}")
    for old in sorted(path.parent.glob("*.tar.gz"), key=lambda p: p.stat().st_mtime)[:-_KEPT_MODELS]:
        old.unlink()
    return path


def index_if_changed(settings: Settings) -> None:
    """Makes the search's vectors and classifier where the guides changed since they were made.

    Raises:
        SetUpError: a guide is wrong, or the making failed.
    """
    cache = settings.models_dir / "search"
    mark = fingerprint([ROOT / "knowledge_base"], settings.embedding_model)

    def work() -> None:
        command = [
            str(APP / "bin" / "python"), "-m", "knowledge_base.index",
            "--cache", str(cache), "--model", settings.embedding_model,
        ]  # fmt: skip
        env = {"OMP_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)}
        run_quietly("准备事项检索（两核约一分钟）", command, log_file(), env, ROOT)

    cache.mkdir(parents=True, exist_ok=True)
    once(cache / "made-for", mark, work)


def check_training_files() -> Iterator[str]:
    """What is wrong with the YAML the engine learns from, each as 「文件:行：原因」."""
    for folder in ("nlu_data", "bot/domain", "bot/rules", "bot/stories"):
        for file in sorted((ROOT / folder).rglob("*.yml")):
            yield from check_file(file)
    yield from check_file(ROOT / "config.yml", versioned=False)


def check_file(file: Path, versioned: bool = True) -> Iterator[str]:
    """Problems of one file: YAML syntax, the version key, and NLU examples that the engine would skip in silence."""
    name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    try:
        text = file.read_bytes().decode("utf-8")
        document = yaml.compose(text)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        yield f"{name}:{line}：不是 UTF-8 编码的文字，请另存为 UTF-8"
        return
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        yield f"{name}:{line}：YAML 写法不对（{error.problem}）"
        return
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        yield f"{name}:{line}：有不可见的控制字符，请删掉"
        return
    if not isinstance(document, yaml.MappingNode):
        yield f"{name}:1：最外层要是「键: 值」"
        return
    keys = {key.value: value for key, value in document.value}
    if versioned and "version" not in keys:
        yield f'{name}:1：缺少 version: "3.1"'
    nlu = keys.get("nlu")
    if isinstance(nlu, yaml.SequenceNode):
        for entry in nlu.value:
            yield from _check_nlu_entry(name, entry, text.splitlines())


def _check_nlu_entry(name: Path, entry: yaml.Node, lines: list[str]) -> Iterator[str]:
    line = entry.start_mark.line + 1
    if not isinstance(entry, yaml.MappingNode):
        yield f"{name}:{line}：每一项要有 intent（或 lookup、regex、synonym）和 examples"
        return
    fields = {key.value: value for key, value in entry.value}
    if not {"intent", "lookup", "regex", "synonym"} & fields.keys():
        yield f"{name}:{line}：不知道这些例句属于哪个意图，缺少 intent"
    examples = fields.get("examples")
    if not isinstance(examples, yaml.ScalarNode) or not examples.value.strip():
        yield f"{name}:{line}：缺少 examples，写成「examples: |」换行后每行一个「- 例句」"
        return
    first = examples.start_mark.line + 1
    for offset, example in enumerate(lines[first : examples.end_mark.line]):
        if example.strip() and not re.match(r"\s*- \S", example):
            yield f"{name}:{first + offset + 1}：例句要以「- 」开头，这一行是「{example.strip()[:30]}」"


def main() -> int:
    try:
        train_if_changed(Settings())
        index_if_changed(Settings())
    except SetUpError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
