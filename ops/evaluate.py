"""``make eval``: how right the running line is on questions it was not trained on.

Asks the whole line over HTTP, each question in a conversation of its own, and writes
``reports/eval.json`` and a table. The sets are in tests/evaluation (nobody tunes to them);
``EVAL_SPEECH_DIR`` adds any folder of WAVs with a ``transcripts.tsv``.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from hotline.settings import ROOT, Settings
from ops.line import running_line
from ops.progress import SetUpError, say

SETS = ROOT / "tests" / "evaluation"
REPORT = ROOT / "reports" / "eval.json"
Row = dict[str, str]


@dataclass
class Tally:
    """Counts of one measure; ``misses`` keeps examples for the list of the worst."""

    good: int = 0
    total: int = 0
    misses: list[str] = field(default_factory=list)

    def add(self, good: bool, miss: str) -> None:
        self.good += good
        self.total += 1
        if not good:
            self.misses.append(miss)

    @property
    def rate(self) -> float:
        return round(self.good / self.total, 3) if self.total else 0.0


class Client:
    """Talks to the line as a citizen's page does."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=15)

    def talk(self, *texts: str) -> list[dict[str, Any]]:
        """The turns of one new conversation."""
        begun = self._http.post("/api/v1/conversations", json={"channel": "web"}).raise_for_status().json()
        path = f"/api/v1/conversations/{begun['conversation_id']}/messages"
        headers = {"Authorization": f"Bearer {begun['token']}"}
        return [self._http.post(path, json={"text": t}, headers=headers).raise_for_status().json() for t in texts]


def rows(name: str) -> list[Row]:
    with (SETS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def questions(client: Client) -> dict[str, Any]:
    """Services and aspects of single questions, by variety."""
    offered: dict[str, Tally] = defaultdict(Tally)
    first: dict[str, Tally] = defaultdict(Tally)
    aspects: dict[str, Tally] = defaultdict(Tally)
    wrong: dict[str, Tally] = defaultdict(Tally)
    confusion: Counter[str] = Counter()
    for row in rows("questions.tsv"):
        heard = client.talk(row["text"])[0]["understanding"]
        answered, candidates = heard["item_key"], heard["candidates"]
        top = answered or (candidates[0] if candidates else None)
        told = f"{row['text']}（要 {row['item_key']}·{row['aspect']}，得 {top}·{heard['aspect']}·{heard['intent']}）"
        for group in ("all", row["variety"]):
            first[group].add(top == row["item_key"], told)
            offered[group].add(row["item_key"] in {answered, *candidates}, told)
            aspects[group].add(heard["aspect"] == row["aspect"], told)
            wrong[group].add(answered not in (None, row["item_key"]), told)
        if answered not in (None, row["item_key"]):
            confusion[f"{row['item_key']}→{answered}"] += 1
    return {
        "service_top1": {g: t.rate for g, t in first.items()},
        "service_answered_or_offered": {g: t.rate for g, t in offered.items()},
        "aspect": {g: t.rate for g, t in aspects.items()},
        "answered_wrongly": {g: t.rate for g, t in wrong.items()},
        "questions": offered["all"].total,
        "confused_services": confusion.most_common(20),
        "worst": offered["all"].misses[:20],
        "worst_aspects": aspects["all"].misses[:20],
    }


def follow_ups(client: Client) -> dict[str, Any]:
    both, service = Tally(), Tally()
    for row in rows("follow_ups.tsv"):
        heard = client.talk(row["first_text"], row["second_text"])[1]["understanding"]
        told = f"{row['first_text']} / {row['second_text']}（要 {row['second_item_key']}·{row['second_aspect']}，得 {heard['item_key']}·{heard['aspect']}）"
        right = row["second_item_key"] in {heard["item_key"], *heard["candidates"]}
        service.add(right, told)
        both.add(right and heard["aspect"] == row["second_aspect"], told)
    return {"service": service.rate, "service_and_aspect": both.rate, "rows": both.total, "worst": both.misses[:20]}


def out_of_scope(client: Client) -> dict[str, Any]:
    """Refused honestly: no service answered. Offering near ones by name is told apart."""
    refused, nothing_offered = Tally(), Tally()
    for row in rows("out_of_scope.tsv"):
        heard = client.talk(row["text"])[0]["understanding"]
        refused.add(heard["item_key"] is None, f"{row['text']}（答了 {heard['item_key']}）")
        nothing_offered.add(heard["item_key"] is None and not heard["candidates"], row["text"])
    return {
        "refused": refused.rate,
        "without_offers": nothing_offered.rate,
        "rows": refused.total,
        "worst": refused.misses,
    }


def flows(client: Client) -> dict[str, Any]:
    right = Tally()
    for row in rows("flows.tsv"):
        heard = client.talk(row["text"])[0]["understanding"]
        right.add(heard["intent"] == row["intent"], f"{row['text']}（要 {row['intent']}，得 {heard['intent']}）")
    return {"intent": right.rate, "rows": right.total, "worst": right.misses[:20]}


def emergencies(client: Client) -> dict[str, Any]:
    """Recognised: the reply names the right number. Look-alikes must not raise the alarm."""
    found, alarms = Tally(), Tally()
    for row in rows("emergencies.tsv"):
        turn = client.talk(row["text"])[0]
        intent = turn["understanding"]["intent"] or ""
        alarmed = intent.startswith("emergency") or intent == "crisis"
        if row["is_emergency"] == "1":
            said = "".join(reply["text"] for reply in turn["replies"])
            named = all(number in said for number in row["number"].split("+"))
            found.add(alarmed and named, f"{row['text']}（{intent}，要 {row['number']}）")
        else:
            alarms.add(alarmed, row["text"])
    return {
        "recognised": found.rate,
        "false_alarms": alarms.rate,
        "rows": found.total + alarms.total,
        "missed": found.misses,
    }


def speech() -> dict[str, Any]:
    """Character error rate of the chosen recogniser on WAVs with transcripts, 16 kHz."""
    from gateway.bootstrap import recognition_prompt
    from voice.audio import read_wav, resample, to_pcm
    from voice.stt.load import load_recogniser

    recogniser = load_recogniser(Settings(), prompt=recognition_prompt())
    folders = [ROOT / "tests" / "data" / "speech"]
    if extra := os.environ.get("EVAL_SPEECH_DIR"):
        folders += [Path(extra)]
    report: dict[str, Any] = {"engine": recogniser.name}
    for folder in folders:
        errors = characters = 0
        with (folder / "transcripts.tsv").open(encoding="utf-8", newline="") as file:
            clips = list(csv.DictReader(file, delimiter="\t"))
        for clip in clips:
            samples, rate = read_wav(folder / clip["file"])
            session = recogniser.start()
            session.accept_chunk(to_pcm(resample(samples, rate, recogniser.sample_rate)))
            heard, said = _letters(session.finish().text), _letters(clip["transcript"])
            errors += edit_distance(said, heard)
            characters += len(said)
        name = folder.name if folder.name != "speech" else "fixtures"
        report[name] = {"cer": round(errors / max(1, characters), 3), "clips": len(clips), "characters": characters}
    return report


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance."""
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


def table(report: dict[str, Any]) -> str:
    q, o, e = report["questions"], report["out_of_scope"], report["emergencies"]
    lines = ["| 项目 | 全部 | 普通话 | 粤语 | 带噪 |", "|---|---|---|---|---|"]
    names = {
        "service_answered_or_offered": "事项答对或列在选项里",
        "service_top1": "事项排第一",
        "aspect": "问的方面对",
        "answered_wrongly": "答错了别的事项（越低越好）",
    }
    for key, name in names.items():
        cells = [f"{q[key].get(g, 0):.1%}" for g in ("all", "mandarin", "cantonese", "noisy")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    f = report["follow_ups"]
    lines += [
        "",
        f"追问（事项和方面都对）{f['service_and_aspect']:.1%}；范围外老实拒答 {o['refused']:.1%}；"
        f"流程意图 {report['flows']['intent']:.1%}；紧急情况认出 {e['recognised']:.1%}，误报 {e['false_alarms']:.1%}。",
        f"语音识别：{json.dumps(report['speech'], ensure_ascii=False)}",
    ]
    return "\n".join(lines)


def main() -> int:
    parts = {
        "questions": questions,
        "follow_ups": follow_ups,
        "out_of_scope": out_of_scope,
        "flows": flows,
        "emergencies": emergencies,
    }
    try:
        say("启动一条热线来考 …")
        report: dict[str, Any] = {"date": date.today().isoformat(), "cores": os.cpu_count()}
        with running_line() as line:
            client = Client(line.address)
            for name, ask in parts.items():
                say(f"  {name} …")
                report[name] = ask(client)
        say("  speech …")
        report["speech"] = speech()
    except SetUpError as error:
        say(str(error))
        return 1
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
