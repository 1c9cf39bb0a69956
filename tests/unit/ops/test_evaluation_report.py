"""What an evaluation prints and writes: figures and labels, and no sentence of a set."""

from __future__ import annotations

import json

import pytest

from hotline.settings import ROOT
from ops import evaluate
from ops.evaluation import floors, report
from ops.evaluation.scoring import Section, Tally

SENTENCE = "这一句不该出现"


@pytest.fixture
def told() -> dict:
    section = Section("questions")
    for group in ("all", "mandarin"):
        section.count("top1", True, (group,))
    section.count("top1", False)
    section.confusions["services"]["JZ02", "JZ01"] += 2
    section.confusions["aspects"]["fee", "fee"] += 5
    section.confusions["aspects"]["fee", "—"] += 1
    section.miss("Q0001", "JZ02·fee → JZ01·fee·ask", SENTENCE, 1)
    bins = [{"low": 0.9, "high": 1.0, "rows": 4, "score": 0.95, "right": 0.75}]
    table = {"error": 0.2, "rows": 4, "bins": bins}
    return {
        "date": "2026-11-24",
        "sets": "blind",
        "cores": 2,
        "seconds": 12.0,
        "turns_without_intent": 0,
        "measures": evaluate._measures([section]),
        "sections": {"questions": section.as_json()},
        "calibration": {"questions": table, "with_out_of_scope": table},
        "speech": {"engine": "whisper", "folders": {"fixtures": {"cer": 0.05, "clips": 2, "characters": 20}}},
    }


@pytest.fixture
def files(tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text("前\n<!-- eval:begin -->\n旧\n<!-- eval:end -->\n后\n", encoding="utf-8")
    monkeypatch.setattr(evaluate, "_README", readme)
    return readme


def test_the_table_has_a_column_for_each_variety_and_no_made_up_figures(told):
    shown = report.summary(told)
    assert "| 单句提问 | 全部（2） | 普通话（1） | 粤语 | 听错或含糊 |" in shown
    assert "| 事项排第一 | 50.0% | 100.0% | — | — |" in shown
    assert "追问" not in shown, "what was not measured is not shown"
    assert "0.200" in shown


def test_details_tell_rows_by_id_and_never_their_words(told):
    shown = report.details(told)
    assert "JZ02→JZ01 2" in shown
    assert "- Q0001 JZ02·fee → JZ01·fee·ask" in shown
    assert "| 0.9–1.0 | 4 | 0.95 | 0.75 |" in shown
    assert SENTENCE not in shown + report.summary(told)
    assert SENTENCE in json.dumps(told, ensure_ascii=False), "the file has it"


def test_an_aspect_matrix_has_only_the_columns_that_came_up():
    assert report.matrix([["fee", "fee", 5], ["fee", "—", 1], ["where", "fee", 2]]) == (
        "|  | 费用 | — |\n|---|---|---|\n| 费用 | 5 | 1 |\n| 地点 | 2 |  |"
    )


def test_measures_survive_the_way_through_the_file(told):
    assert report.tallies_of(json.loads(json.dumps(told)))["questions.top1.all"] == Tally(1, 2)


def test_only_what_stands_between_the_markers_is_replaced():
    old = "前\n<!-- eval:begin -->\n旧\n<!-- eval:end -->\n后"
    assert report.with_block(old, r"新 \1") == "前\n<!-- eval:begin -->\n新 \\1\n<!-- eval:end -->\n后"
    with pytest.raises(ValueError, match="once"):
        report.with_block("没有", "新")


def test_the_readme_has_the_markers():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.with_block(readme, "x") != readme


def test_a_measure_below_its_floor_makes_the_command_fail_and_is_named(told, files, monkeypatch, capsys):
    monkeypatch.setattr(floors, "load", lambda: {"questions.top1.all": floors.Floor(0.9, 100, 0.85)})
    assert evaluate.conclude(told, record=False, write_readme=False) == 1
    assert "✗ questions.top1.all 是 50.0%" in capsys.readouterr().err


def test_a_measure_without_a_floor_is_told_and_does_not_fail(told, files, monkeypatch, capsys):
    monkeypatch.setattr(floors, "load", dict)
    assert evaluate.conclude(told, record=False, write_readme=False) == 0
    assert floors.HOW_TO_RECORD in capsys.readouterr().err


def test_floors_are_recorded_and_the_readme_is_written_only_for_the_sets_nobody_tunes_to(told, files, monkeypatch):
    recorded = []
    monkeypatch.setattr(floors, "record", lambda tallies, day: recorded.append((sorted(tallies), day)))
    assert evaluate.conclude(told | {"sets": "development"}, record=True, write_readme=True) == 0
    assert recorded == []
    assert "旧" in files.read_text(encoding="utf-8")
    assert evaluate.conclude(told, record=True, write_readme=True) == 0
    assert recorded == [(["questions.top1.all", "questions.top1.mandarin"], "2026-11-24")]
    written = files.read_text(encoding="utf-8")
    assert "旧" not in written
    assert "事项排第一" in written
    assert written.startswith("前\n")
    assert written.endswith("后\n")


def test_the_last_report_can_be_used_again(told, files, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("EVAL_SETS", raising=False)
    monkeypatch.setattr(evaluate, "report_file", lambda which: tmp_path / f"{which}.json")
    (tmp_path / "blind.json").write_text(json.dumps(told), encoding="utf-8")
    monkeypatch.setattr(floors, "load", dict)
    assert evaluate.main(["--from-report"]) == 0
    assert "事项排第一" in capsys.readouterr().out


def test_sets_that_do_not_exist_are_refused_in_chinese_before_anything_is_started(monkeypatch, capsys):
    monkeypatch.setenv("EVAL_SETS", "training")
    assert evaluate.main([]) == 1
    assert "没有叫「training」的评测集" in capsys.readouterr().err
