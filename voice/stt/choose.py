"""Which recogniser runs: a pure function, so that it is tested without any engine."""

from __future__ import annotations

from dataclasses import dataclass

ORDER = ("vosk", "whisper")
"""Vosk first where its Chinese model is there: it streams. Whisper otherwise."""

_NAMES = {"vosk": "Vosk", "whisper": "Whisper"}
_FETCH = {"vosk": "vosk-small-cn", "whisper": "whisper-base"}


@dataclass(frozen=True)
class Availability:
    """What is there to run: package and model both."""

    vosk: bool
    whisper: bool


@dataclass(frozen=True)
class Choice:
    """``engine`` is a name of ORDER, or None where none can run; ``reason`` one Chinese line."""

    engine: str | None
    reason: str


def choose_recogniser(setting: str, available: Availability) -> Choice:
    """The engine for ``STT_ENGINE``. A named engine that isn't there is replaced, and said so.

    Raises:
        ValueError: a setting that names no engine.
    """
    if setting not in ("auto", *ORDER):
        raise ValueError(f"STT_ENGINE={setting} 不认识，可选：auto、{'、'.join(ORDER)}")
    there = [engine for engine in ORDER if getattr(available, engine)]
    if not there:
        return Choice(None, "语音识别：没有可用的模型，请运行 ops.models fetch whisper-base；电话只能按 0 转人工")
    if setting == "auto":
        first = there[0]
        why = "中文模型已就绪" if first == "vosk" else "没有 Vosk 中文模型"
        return Choice(first, f"语音识别：用 {_NAMES[first]}（{why}）")
    if setting in there:
        return Choice(setting, f"语音识别：用 {_NAMES[setting]}（按设置）")
    return Choice(
        there[0],
        f"语音识别：设置要 {_NAMES[setting]}，但没有模型 {_FETCH[setting]}，先用 {_NAMES[there[0]]}",
    )
