"""Spoken numbers, read by ``bin/hotline tool read-numbers`` as anybody else would call it."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from hotline.settings import ROOT
from ops.evaluation.scoring import Section
from ops.evaluation.sets import Row
from ops.progress import SetUpError

Values = list[dict[str, Any]]  # {"kind", "value", "valid"} of one text
Tool = Callable[[str, Sequence[Row]], dict[str, Values]]

_TOOL_WITHIN_S = 120


def read_by_tool(today: str, rows: Sequence[Row]) -> dict[str, Values]:
    """What the command reads in each row's text, by row id; ``today`` is an ISO date.

    Raises:
        SetUpError: the command failed.
    """
    lines = "".join(json.dumps({"id": r["id"], "text": r["text"]}, ensure_ascii=False) + "\n" for r in rows)
    command = [str(ROOT / "bin" / "hotline"), "tool", "read-numbers", "--jsonl", "--today", today]
    done = subprocess.run(command, input=lines.encode(), capture_output=True, check=False, timeout=_TOOL_WITHIN_S)
    if done.returncode != 0:
        raise SetUpError(f"bin/hotline tool read-numbers 没有成功：{done.stderr.decode(errors='replace')[-500:]}")
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return {answer["id"]: answer["values"] for answer in answers}


def judge(rows: Sequence[Row], tool: Tool = read_by_tool) -> Section:
    """Rows are right by kind, value and validity; an invalid number's value is not compared.

    ``nothing_else`` counts texts in which no kind was read that is not there, and none twice.
    """
    section = Section("numbers")
    by_day: dict[str, list[Row]] = defaultdict(list)
    kinds: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        by_day[row["today"]].append(row)
        kinds[row["text"]].add(row["kind"])
    read: dict[str, Values] = {}
    for today, asked in by_day.items():
        read |= tool(today, asked)
    seen: set[str] = set()
    for row in rows:
        values = read.get(row["id"], [])
        right = any(matches(row, value) for value in values)
        section.count("read", right, ("all", row["kind"]))
        got = sorted(value["kind"] for value in values)
        if not right:
            said = "，".join(f"{v['kind']}{'' if v['valid'] else '（不对）'}" for v in values) or "没有读到"
            label = f"{row['kind']}{'' if row['valid'] == '1' else '（不对）'} → {said}"
            section.miss(row["id"], label, row["text"])
            section.confusions["kinds"][row["kind"], "+".join(got) or "—"] += 1
        if row["text"] not in seen:
            seen.add(row["text"])
            section.count("nothing_else", len(got) == len(set(got)) and set(got) <= kinds[row["text"]])
    return section


def matches(row: Row, value: dict[str, Any]) -> bool:
    """Whether ``value`` is the number that ``row`` states."""
    if value["kind"] != row["kind"] or bool(value["valid"]) != (row["valid"] == "1"):
        return False
    if row["valid"] != "1":
        return True
    if row["kind"] == "amount":
        try:
            return Decimal(str(value["value"])) == Decimal(row["value"])
        except InvalidOperation:
            return False
    return bool(str(value["value"]) == row["value"])
