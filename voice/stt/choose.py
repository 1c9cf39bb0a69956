"""Which recogniser runs: a pure function, so that it is tested without any engine."""

from __future__ import annotations

from dataclasses import dataclass

ORDER = ("vosk", "sherpa", "whisper")
"""What streams comes first, where its Chinese model is there; Whisper reads whole utterances."""

_NAMES = {"vosk": "Vosk", "sherpa": "sherpa-onnx", "whisper": "Whisper"}
_MISSING = {
    "vosk": "没有模型 vosk-small-cn，也没有给 VOSK_MODEL_PATH",
    "sherpa": "SHERPA_MODEL_PATH 没有给，或那个文件夹里没有能用的模型",
    "whisper": "没有模型 whisper-base",
}


@dataclass(frozen=True)
class Availability:
    """What is there to run: package and model both. ``given`` names the engines whose folder the
    operator set: somebody who brings a model means it to be used."""

    vosk: bool = False
    whisper: bool = False
    sherpa: bool = False
    given: frozenset[str] = frozenset()


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
    brought = [engine for engine in there if engine in available.given]
    first = (brought or there)[0]
    if setting == "auto":
        found = "没有 Vosk 中文模型" if first == "whisper" else "中文模型已就绪"
        why = "按设置里给的模型" if brought else found
        return Choice(first, f"语音识别：用 {_NAMES[first]}（{why}）")
    if setting in there:
        return Choice(setting, f"语音识别：用 {_NAMES[setting]}（按设置）")
    return Choice(first, f"语音识别：设置要 {_NAMES[setting]}，但{_MISSING[setting]}，先用 {_NAMES[first]}")
