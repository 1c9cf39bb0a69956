"""``make eval``: how right the running line is on sentences it was not trained on.

Starts a line of its own, asks it over HTTP, each question in a conversation of its own, and asks
the catalogue search, the reading of numbers and the recogniser besides. Writes ``reports/eval.json``,
prints tables, and fails where a measure fell below tests/evaluation/floors.yml. The sets are in
tests/evaluation (nobody tunes to them); ``EVAL_SETS=development`` asks those that may be looked at,
``EVAL_SPEECH_DIR`` adds any folder of WAVs with a ``transcripts.tsv``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from hotline.settings import ROOT
from ops.evaluation import desk_fields, floors, judging, merges, numbers, report, search, speech
from ops.evaluation.asking import Client
from ops.evaluation.scoring import Section
from ops.evaluation.sets import BLIND, load_sets
from ops.line import running_line
from ops.progress import SetUpError, say

_README = ROOT / "README.md"


def report_file(which: str) -> Path:
    """Where the figures of the sets called ``which`` are written."""
    return ROOT / "reports" / ("eval.json" if which == BLIND else f"eval-{which}.json")


def measure(which: str) -> dict[str, Any]:
    """Asks everything and returns the report: ``measures`` by name, ``sections`` with confusions and misses.

    Raises:
        SetUpError: the line did not start, or a tool of it failed.
        httpx.HTTPError: the line stopped answering.
    """
    begun = time.monotonic()
    sets = load_sets(which)
    say("启动一条热线来考 …")
    with running_line() as line:
        client = Client(line.address)
        sections, lost = judging.ask_and_judge(client, sets, say)
        client.close()
    if rows := sets.get("numbers"):
        say("  号码 …")
        sections["numbers"] = numbers.judge(rows)
    if rows := sets.get("merges"):
        sections["merges"] = merges.measure(rows)
    if rows := sets.get("desk_fields"):
        say("  坐席表单的字段 …")
        sections["desk_fields"] = desk_fields.judge(rows)
    sections["search"], calibration = search.measure(sets)
    say("  语音识别 …")
    sections["speech"], recognised = speech.measure()
    return {
        "date": date.today().isoformat(),
        "sets": which,
        "cores": os.cpu_count(),
        "seconds": round(time.monotonic() - begun, 1),
        "turns_without_intent": lost,
        "measures": _measures(sections.values()),
        "sections": {name: section.as_json() for name, section in sections.items()},
        "calibration": calibration,
        "speech": recognised,
    }


def _measures(sections: Iterable[Section]) -> dict[str, dict[str, float]]:
    return {
        key: {"rate": round(tally.rate, 4), "count": round(tally.count, 3), "total": tally.total}
        for section in sections
        for key, tally in section.tallies.items()
    }


def conclude(told: dict[str, Any], record: bool, write_readme: bool) -> int:
    """Prints the tables, writes what was asked for, compares with the floors; the exit code."""
    print(report.summary(told))
    print(f"\n{report.details(told)}", flush=True)
    if lost := told["turns_without_intent"]:
        say(f"注意：有 {lost} 轮没有得到对话引擎的理解（被拒绝、引擎没起来，或超过时限），按没有听懂算。")
    if told["sets"] != BLIND:
        return 0  # floors and the README are about the sets that nobody tunes to
    if write_readme:
        _README.write_text(report.with_block(_README.read_text(encoding="utf-8"), report.summary(told)), "utf-8")
        say("README.md 里的准确率已更新。")
    tallies = report.tallies_of(told)
    if record:
        floors.record(tallies, told["date"])
        say(f"门槛已写进 {floors.FILE.relative_to(ROOT)}（{len(tallies)} 项）。")
        return 0
    limits = floors.load()
    if missing := floors.without_floor(tallies, limits):
        say(f"{len(missing)} 项还没有门槛：{floors.HOW_TO_RECORD}。")
    fallen = floors.fallen(tallies, limits)
    for sentence in fallen:
        say(f"✗ {sentence}")
    return 1 if fallen else 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make eval", description="量一条运行中的热线有多准。")
    parser.add_argument("--record-floors", action="store_true", help="把量到的数让出余量，写成门槛")
    parser.add_argument("--write-readme", action="store_true", help="把表写进 README.md")
    parser.add_argument("--from-report", action="store_true", help="不再问一遍，用上次写下的结果")
    chosen = parser.parse_args(arguments)
    which = os.environ.get("EVAL_SETS") or BLIND
    file = report_file(which)
    try:
        if chosen.from_report:
            if not file.exists():
                raise SetUpError(f"还没有 {file.relative_to(ROOT)}，请先运行 make eval。")
            told = json.loads(file.read_text(encoding="utf-8"))
        else:
            told = measure(which)
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except SetUpError as error:
        say(str(error))
        return 1
    except httpx.HTTPError as error:
        say(f"热线没有答完就停了或出错了：{error}")
        return 1
    return conclude(told, chosen.record_floors, chosen.write_readme)


if __name__ == "__main__":
    sys.exit(main())
