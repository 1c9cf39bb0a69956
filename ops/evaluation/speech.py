"""Character error rate of the chosen recogniser on recordings with transcripts."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

from hotline.settings import ROOT, Settings
from ops.evaluation.scoring import Section, Tally, edit_distance

FIXTURES = ROOT / "tests" / "data" / "speech"


def measure() -> tuple[Section, dict[str, Any]]:
    """The recordings of the tests, and those of ``EVAL_SPEECH_DIR`` (WAVs with a ``transcripts.tsv``).

    The engine is part of a measure's name: figures of different engines are not compared.
    """
    from gateway.bootstrap import recognition_prompt
    from voice.audio import read_wav, resample, to_pcm
    from voice.stt.load import load_recogniser

    recogniser = load_recogniser(Settings(), prompt=recognition_prompt())
    folders = {"fixtures": FIXTURES}
    if extra := os.environ.get("EVAL_SPEECH_DIR"):
        folders[Path(extra).name] = Path(extra)
    section, clips_of = Section("speech"), {}
    for name, folder in folders.items():
        tally = Tally()
        with (folder / "transcripts.tsv").open(encoding="utf-8", newline="") as file:
            clips = list(csv.DictReader(file, delimiter="\t"))
        for clip in clips:
            samples, rate = read_wav(folder / clip["file"])
            session = recogniser.start()
            session.accept_chunk(to_pcm(resample(samples, rate, recogniser.sample_rate)))
            heard, said = letters(session.finish().text), letters(clip["transcript"])
            tally.count += edit_distance(said, heard)
            tally.total += len(said)
        section.tallies[f"speech.cer.{name}, {recogniser.name}"] = tally
        clips_of[name] = {"cer": tally.rate, "clips": len(clips), "characters": tally.total}
    return section, {"engine": recogniser.name, "folders": clips_of}


def letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
