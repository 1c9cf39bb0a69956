"""``hotline tool read-numbers``: the contract's shape, line by line."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from ops.cli import app

LINES = '{"id":"a","text":"三千五，琴日，0757-86281234"}\n\n{"id":"b","text":"你好"}\n'


def test_each_line_gets_its_values_with_the_day_that_was_set() -> None:
    result = CliRunner().invoke(app, ["tool", "read-numbers", "--jsonl", "--today", "2026-11-25"], input=LINES)
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {
            "id": "a",
            "values": [
                {"kind": "amount", "value": 3500, "valid": True},
                {"kind": "date", "value": "2026-11-24", "valid": True},
            ],
        },
        {"id": "b", "values": []},
    ]


def test_a_text_is_read_for_people() -> None:
    result = CliRunner().invoke(app, ["tool", "read-numbers", "粤E12345，2月30号", "--today", "2026-11-25"])
    assert result.stdout.splitlines() == ["plate\t粤E12345\t✓", "date\t2026-02-30\t要再核对"]
    nothing = CliRunner().invoke(app, ["tool", "read-numbers", "你好"])
    assert "没有读到" in nothing.stdout


def test_a_line_that_is_no_json_is_named() -> None:
    result = CliRunner().invoke(app, ["tool", "read-numbers", "--jsonl"], input="{}\n")
    assert result.exit_code != 0
    assert "第 1 行" in result.output
