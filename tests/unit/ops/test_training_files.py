"""A slip in the training files is named with file and line before the engine reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops import setup, training
from ops.training import check_file, check_training_files

GOOD = 'version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - 你好\n    - 您好\n'


def problems(folder: Path, text: str, versioned: bool = True) -> list[str]:
    file = folder / "nlu.yml"
    file.write_text(text, encoding="utf-8")
    return [p.removeprefix(f"{folder}/") for p in check_file(file, versioned)]


def test_the_projects_own_training_files_are_in_order() -> None:
    assert list(check_training_files()) == []


def test_a_good_file_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('version: "3.1"\nnlu:\n- intent: [greet\n', 4, "YAML"),
        ('version: "3.1"\nnlu:\n\t- intent: greet\n', 3, "YAML"),
        ("- a\n- b\n", 1, "键: 值"),
        ("", 1, "键: 值"),
        ("nlu:\n- intent: greet\n  examples: |\n    - 你好\n", 1, "version"),
        ('version: "3.1"\nnlu:\n- examples: |\n    - 你好\n', 3, "intent"),
        ('version: "3.1"\nnlu:\n- intent: a\n  examples: |\n    - 甲\n- examples: |\n    - 乙\n', 6, "intent"),
        ('version: "3.1"\nnlu:\n- 你好\n', 3, "intent"),
        ('version: "3.1"\nnlu:\n- intent: greet\n', 3, "examples"),
        ('version: "3.1"\nnlu:\n- intent: greet\n  examples:\n', 3, "examples"),
        (GOOD + "    您好呀\n", 7, "您好呀"),
        (GOOD + "    -您好呀\n", 7, "-您好呀"),
        (GOOD + "    ・您好呀\n    - 早\n", 7, "・您好呀"),
    ],
)
def test_a_slip_is_named_with_its_file_and_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    found = problems(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(f"nlu.yml:{line}：")
    assert reason in found[0]


def test_the_pipeline_file_needs_no_version(tmp_path: Path) -> None:
    assert problems(tmp_path, "recipe: default.v1\n", versioned=False) == []


def test_a_slip_stops_the_training_and_tells_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hotline.settings import Settings
    from ops.progress import SetUpError

    (tmp_path / "nlu_data").mkdir()
    (tmp_path / "nlu_data" / "bad.yml").write_text("nlu: [", encoding="utf-8")
    (tmp_path / "config.yml").write_text("recipe: default.v1\n", encoding="utf-8")
    monkeypatch.setattr(training, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(training, "_SOURCES", ("config.yml", "nlu_data"))
    with pytest.raises(SetUpError, match=r"bad\.yml:1"):
        training.train_if_changed(Settings(_env_file=None, data_dir=tmp_path, models_dir=tmp_path))


def test_nothing_is_trained_where_nothing_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hotline.settings import Settings

    settings = Settings(_env_file=None, data_dir=tmp_path, models_dir=tmp_path)
    model = training.model_path(settings)
    model.parent.mkdir(parents=True)
    model.touch()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained")

    monkeypatch.setattr(training, "run_quietly", never)
    assert training.train_if_changed(settings) == model


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    folder = tmp_path / "bot"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.py").write_text("a", encoding="utf-8")
    (folder / "deep" / "b.yml").write_text("b", encoding="utf-8")
    return folder


def test_the_fingerprint_ignores_what_python_leaves_behind(sources: Path) -> None:
    before = setup.fingerprint([sources])
    (sources / "deep" / "__pycache__").mkdir()
    (sources / "deep" / "__pycache__" / "a.pyc").write_bytes(b"\0")
    assert setup.fingerprint([sources]) == before


def test_the_fingerprint_sees_names_contents_and_the_rest(sources: Path) -> None:
    marks = {setup.fingerprint([sources]), setup.fingerprint([sources], "3.12")}
    (sources / "deep" / "b.yml").write_text("B", encoding="utf-8")
    marks.add(setup.fingerprint([sources]))
    (sources / "deep" / "b.yml").rename(sources / "deep" / "c.yml")
    marks.add(setup.fingerprint([sources]))
    assert len(marks) == 4


def test_work_is_done_once_for_a_mark(tmp_path: Path) -> None:
    done: list[str] = []
    stamp = tmp_path / "deep" / "stamp"
    for mark in ("1", "1", "2", "2"):
        setup.once(stamp, mark, lambda mark=mark: done.append(mark))
    assert done == ["1", "2"]


def test_work_that_failed_is_done_again(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"

    def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        setup.once(stamp, "1", fail)
    assert not stamp.exists()


def _shim(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def test_a_python_310_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = _shim(tmp_path / "bin" / "python3.10", "echo 3 10")
    monkeypatch.setenv("PATH", str(good.parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert setup.find_python_310() == str(good)


@pytest.mark.parametrize("script", ["exit 127", "echo 3 11", "echo 3 10; exit 1"])
def test_a_shim_that_does_not_work_is_passed_over_for_pyenvs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    _shim(tmp_path / "bin" / "python3.10", script)
    _shim(tmp_path / "pyenv" / "versions" / "3.10.2" / "bin" / "python3.10", "exit 1")
    good = _shim(tmp_path / "pyenv" / "versions" / "3.10.1" / "bin" / "python3.10", "echo 3 10")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert setup.find_python_310() == str(good)


def test_no_python_310_anywhere_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ops.progress import SetUpError

    def fail(*_: object, **__: object) -> None:
        raise SetUpError("no network")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(setup, "run_quietly", fail)
    monkeypatch.setattr(setup, "_pip", lambda *_: None)
    with pytest.raises(SetUpError, match=r"python3\.10"):
        setup.find_python_310()


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "gbk.yml"
    file.write_bytes(b'version: "3.1"\nnlu:\n' + "- intent: 问候\n".encode("gbk"))
    assert [p for p in check_file(file) if p.startswith(f"{file}:3") and "UTF-8" in p]


def test_a_control_character_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "control.yml"
    file.write_text('version: "3.1"\nnlu:\n- intent: greet\x07\n', encoding="utf-8")
    assert [p for p in check_file(file) if p.startswith(f"{file}:3") and "控制字符" in p]
