"""How right recognition is: character error rate by engine and band, and names of services before and
after the corrector. Runs alone, too: ``python -m ops.evaluation.speech FOLDER…``.

A folder of recordings holds WAVs (16-bit mono, any rate) and ``transcripts.tsv`` with the columns
``file`` and ``transcript``.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hotline.messages import Transcript
from hotline.ports import Recogniser
from hotline.settings import ROOT, Settings
from ops.evaluation.scoring import Section, Tally, edit_distance
from voice.audio import (
    Framer,
    Samples,
    StreamResampler,
    read_wav,
    resample,
    to_pcm,
    to_samples,
    ulaw_decode,
    ulaw_encode,
)
from voice.stt.choose import ORDER
from voice.stt.corrector import SoundCorrector
from voice.stt.domain import DomainWords
from voice.stt.load import availability, corrector_of, load_recogniser, recogniser_choice
from voice.tts.load import load_synthesiser, synthesiser_choice

FIXTURES = ROOT / "tests" / "data" / "speech"
WIDE, TELEPHONE = "16 kHz", "8 kHz"
SPOKEN_NAMES = 30
_SEED = 20261126
_ASKED = ("怎么办", "要带什么材料", "在哪里办", "要多久", "丢了怎么办")
_NOISE = 60.0  # RMS on the int16 scale: a quiet office behind the caller


@dataclass(frozen=True)
class Clip:
    samples: Samples
    rate: int
    said: str


def folders_of(extra: Sequence[str] = ()) -> dict[str, Path]:
    """The recordings of the tests, those of ``EVAL_SPEECH_DIR`` (several with the path separator) and ``extra``."""
    given = [*(os.environ.get("EVAL_SPEECH_DIR") or "").split(os.pathsep), *extra]
    return {"fixtures": FIXTURES, **{Path(folder).name: Path(folder) for folder in given if folder}}


def clips_in(folder: Path) -> Iterator[Clip]:
    with (folder / "transcripts.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            samples, rate = read_wav(folder / row["file"])
            yield Clip(samples, rate, row["transcript"])


def measure(extra: Sequence[str] = ()) -> tuple[Section, dict[str, Any]]:
    """Every engine that can run here. The engine is part of a measure's name: figures of different
    engines are not compared."""
    from gateway.domain_words import domain_words

    settings, domain = Settings(), domain_words()
    chosen = recogniser_choice(settings).engine or "none"
    corrector = corrector_of(domain)
    there = availability(settings)
    section, engines = Section("speech"), {}
    names = spoken_names(domain, settings)
    for engine in ORDER:
        if not getattr(there, engine):
            continue
        # Without names: what the engine says by itself, so that the corrector's part is seen.
        bare = DomainWords(prompt=domain.prompt, hotwords=domain.hotwords)
        recogniser = load_recogniser(settings.model_copy(update={"stt_engine": engine}), bare)
        engines[engine] = {
            "folders": {
                name: _rate_folder(section, name, folder, recogniser, corrector)
                for name, folder in folders_of(extra).items()
            },
            "names": _count_names(section, names, recogniser, corrector),
        }
    return section, {
        "engine": chosen,
        "folders": engines.get(chosen, {}).get("folders", {}),
        "engines": engines,
    }


def _rate_folder(
    section: Section, name: str, folder: Path, recogniser: Recogniser, corrector: SoundCorrector
) -> dict[str, Any]:
    clips = list(clips_in(folder))
    told: dict[str, Any] = {"clips": len(clips), "characters": sum(len(letters(clip.said)) for clip in clips)}
    begun, seconds = time.perf_counter(), 0.0
    for band in (WIDE, TELEPHONE):
        before, after = Tally(), Tally()
        for clip in clips:
            said, heard = letters(clip.said), hear(recogniser, clip, band)
            seconds += len(clip.samples) / clip.rate
            for tally, text in ((before, heard.text), (after, corrector.correct(heard.text))):
                tally.count += edit_distance(said, letters(text))
                tally.total += len(said)
        suffix = "" if band == WIDE else f" {band}"
        section.tallies[f"speech.cer.{name}{suffix}, {recogniser.name}"] = after
        key = "cer" if band == WIDE else "cer_8khz"
        told |= {key: round(after.rate, 4), f"{key}_uncorrected": round(before.rate, 4)}
    return told | {"real_time_factor": round((time.perf_counter() - begun) / seconds, 2) if seconds else None}


def hear(recogniser: Recogniser, clip: Clip, band: str) -> Transcript:
    """One recording through a session, in 20 ms pieces; on the telephone as G.711 would carry it."""
    if band == TELEPHONE:
        wire = ulaw_decode(ulaw_encode(resample(clip.samples, clip.rate, 8000)))
        sound = StreamResampler(8000, recogniser.sample_rate).feed(wire)
    else:
        sound = resample(clip.samples, clip.rate, recogniser.sample_rate)
    session = recogniser.start()
    framer = Framer(recogniser.sample_rate // 50)
    for frame in [*framer.feed(sound), *framer.flush()]:
        session.accept_chunk(to_pcm(frame))
    return session.finish()


def spoken_names(domain: DomainWords, settings: Settings) -> list[tuple[str, Clip]]:
    """Names of services and towns in short questions, spoken by the line's own neural voice with a
    little noise behind it: synthetic speech, and the best there is in quantity. None without such a voice."""
    if not (synthesiser_choice(settings).engines or ("",))[0].startswith("kokoro"):
        return []
    chance = random.Random(_SEED)  # noqa: S311 (a fixed sample, not a secret)
    names = [name for name in (*domain.names, *domain.aliases) if 3 <= len(name) <= 7]
    sample = [*chance.sample(names, SPOKEN_NAMES - len(domain.places)), *domain.places]
    sentences = [f"我想去{name}办事" if name in domain.places else f"{name}{chance.choice(_ASKED)}" for name in sample]

    async def speak() -> list[tuple[str, Clip]]:
        synthesiser = load_synthesiser(settings)
        noise = np.random.default_rng(_SEED)
        try:
            spoken = []
            for name, sentence in zip(sample, sentences, strict=True):
                speech = await synthesiser.synthesise(sentence)
                voice = to_samples(speech.pcm).astype(np.float32)
                heard = np.clip(voice + noise.normal(0, _NOISE, len(voice)), -32768, 32767).astype(np.int16)
                spoken.append((name, Clip(heard, speech.sample_rate, sentence)))
            return spoken
        finally:
            await synthesiser.close()

    return asyncio.run(speak())


def _count_names(
    section: Section, names: Sequence[tuple[str, Clip]], recogniser: Recogniser, corrector: SoundCorrector
) -> dict[str, Any]:
    before, after = Tally(), Tally()
    for name, clip in names:
        heard = hear(recogniser, clip, TELEPHONE).text
        repaired = corrector.correct(heard)
        before.add(name in heard)
        after.add(name in repaired)
        if name not in repaired:
            section.miss(recogniser.name, f"{name}", repaired)
    if names:
        section.tallies[f"speech.names_heard.before correction, {recogniser.name}"] = before
        section.tallies[f"speech.names_heard.after correction, {recogniser.name}"] = after
    return {"spoken": len(names), "before": round(before.rate, 4), "after": round(after.rate, 4)}


def letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def table(told: dict[str, Any]) -> str:
    lines = [
        "| 引擎 | 录音 | 段（字） | 16 kHz 字错率（纠正前） | 8 kHz 字错率（纠正前） | 用时／声音 |",
        "|---|---|---|---|---|---|",
    ]
    for engine, each in told["engines"].items():
        for name, row in each["folders"].items():
            lines.append(
                f"| {engine} | {name} | {row['clips']}（{row['characters']}） | {row['cer']:.1%}（{row['cer_uncorrected']:.1%}）"
                f" | {row['cer_8khz']:.1%}（{row['cer_8khz_uncorrected']:.1%}） | {row['real_time_factor']} |"
            )
    for engine, each in told["engines"].items():
        if (names := each["names"])["spoken"]:
            lines += [
                "",
                f"{engine}，8 kHz，合成的 {names['spoken']} 句里的事项名、镇街名：纠正前听对 {names['before']:.1%}，"
                f"纠正后 {names['after']:.1%}。",
            ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.evaluation.speech", description="量语音识别有多准。")
    parser.add_argument("folders", nargs="*", help="WAV 和 transcripts.tsv 所在的文件夹")
    _, told = measure(parser.parse_args(arguments).folders)
    print(table(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
