"""The evaluation of recognition: folders, bands, names before and after the corrector; and the bench's lag."""

from __future__ import annotations

import numpy as np
import pytest

from ops import bench_speech
from ops.evaluation import speech
from ops.evaluation.scoring import Section
from voice.audio import wav_bytes
from voice.stt.corrector import SoundCorrector
from voice.stt.scripted import ScriptedRecogniser


@pytest.fixture
def folder(tmp_path):
    tone = (3000 * np.sin(np.arange(22050) / 20)).astype(np.int16)
    (tmp_path / "a.wav").write_bytes(wav_bytes(tone, 22050))
    (tmp_path / "transcripts.tsv").write_text("file\ttranscript\na.wav\t社保卡，丢了\n", encoding="utf-8")
    return tmp_path


def test_folders_come_from_the_environment_and_the_command_besides_the_fixtures(monkeypatch):
    monkeypatch.setenv("EVAL_SPEECH_DIR", "/x/real:/x/made")
    assert list(speech.folders_of(["/y/more"])) == ["fixtures", "real", "made", "more"]
    monkeypatch.delenv("EVAL_SPEECH_DIR")
    assert list(speech.folders_of()) == ["fixtures"]


def test_each_recording_is_heard_in_both_bands_and_rated_before_and_after_correction(folder):
    recogniser = ScriptedRecogniser(["射包卡丢了", "社保卡丢"])
    section = Section("speech")
    told = speech._rate_folder(section, "mine", folder, recogniser, SoundCorrector(["社保卡"]))
    assert (told["clips"], told["characters"]) == (1, 5)
    assert (told["cer_uncorrected"], told["cer"]) == (0.4, 0.0)
    assert (told["cer_8khz_uncorrected"], told["cer_8khz"]) == (0.2, 0.2)
    assert set(section.tallies) == {"speech.cer.mine, scripted", "speech.cer.mine 8 kHz, scripted"}
    lengths = [len(pcm) / 2 / 16000 for pcm in recogniser.utterances]
    assert lengths == pytest.approx([1.0, 1.0], abs=0.03)


def test_names_are_counted_before_and_after_correction(folder):
    [clip] = speech.clips_in(folder)
    section = Section("speech")
    recogniser = ScriptedRecogniser(["射包卡怎么办", "社保卡怎么办", "什么"])
    names = [("社保卡", clip)] * 3
    told = speech._count_names(section, names, recogniser, SoundCorrector(["社保卡"]))
    assert told == {"spoken": 3, "before": 0.3333, "after": 0.6667}
    assert len(section.misses) == 1


def test_a_quantile_is_read_from_a_histogram_within_its_bucket():
    counts = {0.01: 50.0, 0.02: 90.0, 0.05: 100.0, float("inf"): 100.0}
    assert bench_speech.quantile_ms(counts, 0.5) == 10.0
    assert bench_speech.quantile_ms(counts, 0.7) == 15.0
    assert bench_speech.quantile_ms(counts, 0.99) == pytest.approx(47.0, abs=0.1)
    assert bench_speech.quantile_ms({0.01: 1.0, float("inf"): 100.0}, 0.99) is None, "beyond the last limit"
    assert bench_speech.quantile_ms({0.01: 0.0, float("inf"): 0.0}, 0.5) is None
