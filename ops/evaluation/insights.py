"""How right the insights are: topics against labels beside baselines, bursts against what was planted.

Everything is generated here with a seed that nothing was tuned on (docs/adr/0029-early-warning.md); any
TSV of texts with labels can be added by ``EVAL_TOPICS`` = file:text column:label column, separated by
commas.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.insight_parts import InsightParts
from hotline.insights import LOCAL, Grain, bucket_of
from hotline.settings import Settings
from insights.topics.table import Table, agreement, baselines, mine_table, read_table
from insights.topics.words import WordCutter
from insights.warning import Burst, Counts, Rule, replay
from knowledge_base.catalogue import load_catalogue
from knowledge_base.said import SaidReader
from knowledge_base.text_vectors import PairEncoder
from ops.demo.bursts import kinds
from ops.demo.load import load
from ops.evaluation.scoring import Section, Tally
from storage.insight_facts import text_key

SEED, LAST_DAY, TURNS = 20261126, date(2026, 10, 31), 60_000
_GRACE = timedelta(hours=3)
_SHARE = 0.1  # of what is said of a kind lies in a topic, for an alert of the topic to be about it
_EVERY = 4  # of the guides' questions, for the labelled set


@dataclass(frozen=True)
class Truth:
    """Something that did happen: an alert of one of ``topics`` from ``town`` in time is right."""

    name: str
    town: str
    begins: datetime
    peak: datetime
    ends: datetime
    topics: frozenset[int]
    storm: bool


def measure(progress: Callable[[str], None]) -> tuple[Section, dict[str, Any]]:
    """The section with tallies that have floors, and all figures."""
    section = Section("insights")
    figures: dict[str, Any] = {"topics": topic_figures(progress)}
    progress("  突发：生成一年，逐小时重放 …")
    figures["bursts"] = told = burst_figures(progress)
    section.tallies["bursts.found.all"] = Tally(told["found"], told["planted"])
    section.tallies["bursts.false_alarms.all"] = Tally(told["false_alerts"], told["alerts"])
    ours = figures["topics"]["guides_by_area"]
    section.tallies["topics.nmi.guides"] = Tally(ours["topics"]["nmi"] * ours["texts"], ours["texts"])
    return section, figures


def topic_figures(progress: Callable[[str], None]) -> dict[str, Any]:
    """NMI and ARI of the project's own labelled texts (guides' questions by area) and of any TSV named."""
    encoder, cutter = PairEncoder(), WordCutter()
    tables = {"guides_by_area": guides_by_area()}
    for named in filter(None, os.environ.get("EVAL_TOPICS", "").split(",")):
        file, text, label = named.rsplit(":", 2)
        tables[Path(file).stem] = read_table(Path(file), text, label)
    found = {}
    for name, table in tables.items():
        progress(f"  话题：{name}（{len(table.texts)} 句）…")
        assert table.labels is not None
        mined = mine_table(table, encoder, cutter, len(set(table.labels)))
        ours = agreement(table.labels, mined.assignments)
        found[name] = {
            "texts": len(table.texts),
            "labels": len(set(table.labels)),
            "topics": ours,
            **baselines(table, mined, cutter),
        }
    return found


def guides_by_area() -> Table:
    """Every fourth question of each guide, labelled with the guide's area."""
    rows = [(q, item.area) for item in load_catalogue().items.values() for q in item.questions[::_EVERY]]
    return Table([q for q, _ in rows], [area for _, area in rows])


def burst_figures(progress: Callable[[str], None], seed: int = SEED, turns: int = TURNS) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        url, truth = f"sqlite:///{folder}/year.db", Path(folder, "truth.json")
        load(url, turns, seed, LAST_DAY, truth, trail=False, progress=lambda _: None)
        settings = Settings(_env_file=None, database_url=url)
        counts, truths = asyncio.run(_mined(settings, json.loads(truth.read_text(encoding="utf-8"))))
    days = [LAST_DAY - timedelta(days=n) for n in range(364 - 56, -1, -1)]
    found = replay(counts, days, Rule())
    return {"seed": seed, "turns": turns, "days": len(days), **judge(found, counts, truths)}


async def _mined(settings: Settings, told: dict[str, Any]) -> tuple[Counts, list[Truth]]:
    import httpx

    from ops.insights import Behind

    async with httpx.AsyncClient() as client:
        behind = Behind.make(settings, client)
        try:
            await behind.keeper.whole_run()
            return await counts_of(behind.parts), await truths_of(behind.parts, told)
        finally:
            await behind.close()


async def counts_of(parts: InsightParts, last: date = LAST_DAY, days: int = 365) -> Counts:
    first = datetime.combine(last - timedelta(days=days - 1), datetime.min.time(), LOCAL)
    end = first + timedelta(days=days) - timedelta(hours=1)
    rows = await parts.alerts.hourly(bucket_of(first, Grain.HOUR), bucket_of(end, Grain.HOUR))
    return Counts.of(rows, first, days * 24)


async def truths_of(parts: InsightParts, told: dict[str, Any]) -> list[Truth]:
    """Bursts and storms with the topics that tell of them."""
    catalogue = load_catalogue()
    look = SaidReader(catalogue).look
    topic_of = {row.key: row.topic_id for row in await parts.texts.texts(PairEncoder.name)}

    def topics(texts: Sequence[str]) -> frozenset[int]:
        counted: dict[int, int] = defaultdict(int)
        for text in texts:
            topic = topic_of.get(text_key(look(text).matter))
            if topic is not None:
                counted[topic] += 1
        return frozenset(t for t, n in counted.items() if n >= _SHARE * sum(counted.values()))

    said = {
        what: topics([t.format(place=p) for t in kind["texts"] for p in kind["places"]])
        for what, kind in kinds().items()
    }
    truths = []
    for burst in told["bursts"]:
        begins, peak, ends = (datetime.fromisoformat(burst[name]) for name in ("begins", "peak", "ends"))
        truths.append(
            Truth(f"{burst['burst_id']} {burst['what']}", burst["town"], begins, peak, ends, said[burst["what"]], False)
        )
    for storm in told["storms"]:
        day = datetime.combine(date.fromisoformat(storm["day"]), datetime.min.time(), LOCAL)
        about = topics([q for key in storm["items"] for q in catalogue.items[key].questions])
        truths += [
            Truth(f"storm {storm['day']}", town, day, day + timedelta(hours=16), day + timedelta(hours=24), about, True)
            for town in storm["towns"]
        ]
    return truths


def judge(found: Sequence[Burst], counts: Counts, truths: Sequence[Truth]) -> dict[str, Any]:
    """Recall and precision over planted bursts; hours from a burst's beginning to its first alert, and
    from the alert to its peak. Storms are true too, but are not counted as planted."""
    first: dict[int, datetime] = {}
    false_alerts = 0
    for burst in found:
        topic, town = counts.pairs[burst.pair]
        at = counts.first + timedelta(hours=burst.hour + 1)  # an hour is known when it is over
        right = [
            n
            for n, t in enumerate(truths)
            if t.town == town and topic in t.topics and t.begins <= at <= t.ends + _GRACE
        ]
        false_alerts += not right
        for n in right:
            first[n] = min(first.get(n, at), at)
    planted = [
        n for n, t in enumerate(truths) if not t.storm and t.begins.date() > counts.first.date() + timedelta(days=56)
    ]
    caught = [n for n in planted if n in first]
    delays = [(first[n] - truths[n].begins).total_seconds() / 3600 for n in caught]
    leads = [(truths[n].peak - first[n]).total_seconds() / 3600 for n in caught]
    days = counts.people.shape[1] / 24 - 56
    return {
        "planted": len(planted), "found": len(caught), "recall": _round(len(caught) / max(1, len(planted))),
        "alerts": len(found), "false_alerts": false_alerts, "precision": _round(1 - false_alerts / max(1, len(found))),
        "false_alerts_a_week": _round(false_alerts / days * 7),
        "delay_h": {"median": _round(statistics.median(delays)), "p90": _round(sorted(delays)[int(0.9 * len(delays))])} if delays else None,
        "lead_before_peak_h": {"median": _round(statistics.median(leads)), "before_the_peak": _round(sum(h > 0 for h in leads) / len(leads))} if leads else None,
        "missed": [truths[n].name for n in planted if n not in first][:20],
    }  # fmt: skip


def _round(value: float) -> float:
    return round(value, 3)


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown, in Chinese."""
    lines = ["| 话题和标注（NMI / ARI） | 话题 | KMeans | NMF |", "|---|---|---|---|"]
    for name, told in figures["topics"].items():
        cells = " | ".join(f"{told[m]['nmi']:.3f} / {told[m]['ari']:.3f}" for m in ("topics", "kmeans", "nmf"))
        lines.append(f"| {name}（{told['texts']} 句，{told['labels']} 类） | {cells} |")
    b = figures["bursts"]
    delay, lead = b["delay_h"] or {}, b["lead_before_peak_h"] or {}
    lines += [
        "", "| 突发（埋下的） | 数 |", "|---|---|",
        f"| 找到 | {b['found']} / {b['planted']}（{b['recall']:.1%}） |",
        f"| 预警里真的 | {b['alerts'] - b['false_alerts']} / {b['alerts']}（{b['precision']:.1%}） |",
        f"| 每周误报 | {b['false_alerts_a_week']} |",
        f"| 开始到预警，中位数 / 九成以内 | {delay.get('median')} / {delay.get('p90')} 小时 |",
        f"| 比最多人说时早，中位数 | {lead.get('median')} 小时 |",
    ]  # fmt: skip
    return "\n".join(lines)
