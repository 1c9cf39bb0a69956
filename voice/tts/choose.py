"""Which synthesiser runs, and which stand behind it: a pure function."""

from __future__ import annotations

from dataclasses import dataclass

ORDER = ("kokoro", "espeak")
"""Kokoro is understood (8 % errors by Whisper's ear), espeak hardly; espeak is always there."""

_NAMES = {"kokoro": "Kokoro", "espeak": "espeak-ng"}


@dataclass(frozen=True)
class Availability:
    """What is there to run: package and model both."""

    kokoro: bool
    espeak: bool


@dataclass(frozen=True)
class Choice:
    """``engines`` in the order they are tried for each sentence; ``reason`` one Chinese line."""

    engines: tuple[str, ...]
    reason: str


def choose_synthesiser(setting: str, available: Availability) -> Choice:
    """The engines for ``TTS_ENGINE``. A named engine that isn't there is replaced, and said so.

    Raises:
        ValueError: a setting that names no engine.
    """
    if setting not in ("auto", *ORDER):
        raise ValueError(f"TTS_ENGINE={setting} 不认识，可选：auto、{'、'.join(ORDER)}")
    there = [engine for engine in ORDER if getattr(available, engine)]
    if not there:
        return Choice((), "语音播报：没有可用的引擎，答复只显示文字")
    if setting in there:
        rest = [engine for engine in there if engine != setting]
        return Choice((setting, *rest), f"语音播报：用 {_NAMES[setting]}（按设置）")
    chosen = tuple(there)
    if setting != "auto":
        reason = f"语音播报：设置要 {_NAMES[setting]}，但它不可用，先用 {_NAMES[chosen[0]]}"
    elif chosen[0] == "kokoro":
        reason = "语音播报：用 Kokoro（普通话女声已就绪）"
    else:
        reason = "语音播报：用 espeak-ng（没有 Kokoro 的模型或音色，声音较机械）"
    return Choice(chosen, reason)
