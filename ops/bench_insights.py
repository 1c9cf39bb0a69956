"""The insights' speed: everything the pages ask on a generated year, mining, and a night beside a whole run.

``python -m ops.bench_insights`` takes 100,000 turns; ``--turns 1000000`` the size the figures are promised
for; ``--postgres URL`` asks the same of a PostgreSQL database (emptied first); ``--keep FOLDER`` leaves the databases
to be asked again; ``--full`` also mines 100,000 distinct utterances beside plain BERTopic.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from gateway.insight_parts import InsightParts
from hotline.settings import ROOT, Settings
from ops import bench_pages
from ops.demo.load import load
from ops.progress import say
from storage.migrations import upgrade

REPORT = ROOT / "reports" / "bench-insights.json"
LAST, SEED, TURNS, ROUNDS = date(2026, 10, 31), 20261125, 100_000, 20
UTTERANCES = 100_000
_LONGEST_MINING_S = 900
_MADE = "bench_made"


async def runs(url: str) -> dict[str, Any]:
    """A whole run, then a night in which one text in a hundred is new; the gaps grouped."""
    from ops.insights import Behind

    async with httpx.AsyncClient() as client:
        behind = Behind.make(Settings(_env_file=None, database_url=url), client)
        try:
            whole = await behind.keeper.whole_run()
            await _forget_some(behind)
            night = await behind.keeper.night()
            begun = time.monotonic()
            await behind.gaps.regroup()
            grouped = time.monotonic() - begun
        finally:
            await behind.close()
    return {
        "whole_s": round(whole.seconds, 2), "texts": whole.texts, "topics": whole.topics, "night_s": round(night.seconds, 2),
        "night_texts": night.texts, "night_share": round(night.seconds / whole.seconds, 4), "gaps_s": round(grouped, 2),
    }  # fmt: skip


async def _forget_some(behind: Any) -> None:
    """Makes every hundredth text new again."""
    import sqlalchemy as sa

    from storage.insight_tables import texts

    def work(connection: sa.Connection) -> None:
        keys = list(connection.execute(sa.select(texts.c.text_key).order_by(texts.c.text_key)).scalars())[::100]
        connection.execute(sa.update(texts).where(texts.c.text_key.in_(keys)).values(topic_id=None, distance=None))

    await behind.parts.runner.run(work, readonly=False)


def mine_one(method: str) -> dict[str, Any]:
    """100,000 distinct utterances by ``ours`` or ``plain`` BERTopic, in this process; seconds and memory."""
    from insights.topics.words import WordCutter
    from knowledge_base.catalogue import load_catalogue
    from knowledge_base.text_vectors import FastEncoder

    chance = np.random.default_rng(SEED)
    items = load_catalogue().items.values()
    phrases = [(q, item.area) for item in items for q in (*item.questions, *item.aliases)]
    base = FastEncoder().encode([q for q, _ in phrases])
    picked = chance.integers(0, len(phrases), UTTERANCES)
    # Vectors are stored when a turn is stored, so they are given here: a phrase's own, with noise.
    noise = chance.normal(size=(UTTERANCES, base.shape[1])).astype(np.float32)
    vectors = base[picked] + 0.35 * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    vectors = (vectors - vectors.mean(0)) / np.linalg.norm(vectors - vectors.mean(0), axis=1, keepdims=True)
    texts = [f"{phrases[n][0]}{i % 97}" for i, n in enumerate(picked)]
    begun = time.monotonic()
    if method == "ours":
        from insights.topics.mining import mine

        labels = mine(texts, vectors, WordCutter()).labels.tolist()
    else:
        from bertopic import BERTopic
        from sklearn.feature_extraction.text import CountVectorizer

        model = BERTopic(
            language="multilingual", embedding_model=None, vectorizer_model=CountVectorizer(analyzer=WordCutter().words)
        )
        labels = model.fit_transform(texts, embeddings=vectors)[0]
    seconds = time.monotonic() - begun
    from insights.topics.table import agreement

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": round(seconds, 1), "peak_mb": round(memory), "topics": len(set(labels)),
        "outliers": round(sum(label == -1 for label in labels) / len(labels), 3),
        **agreement([phrases[n][1] for n in picked], labels),
    }  # fmt: skip


def made(url: str, turns: int, truth: Path) -> dict[str, Any]:
    """Loads the year, finds its topics and groups its gaps."""
    told = {"load": load(url, turns, SEED, LAST, truth), "topics": asyncio.run(runs(url))}

    async def mark() -> None:
        parts = InsightParts.make(Settings(_env_file=None, database_url=url))
        try:
            await parts.marks.put(_MADE, {"turns": turns, "seed": SEED, "told": told})
        finally:
            await parts.close()

    asyncio.run(mark())
    return told


async def left(url: str, turns: int) -> dict[str, Any]:
    """What an earlier run told of the same year, where it left one."""
    await upgrade(url)
    parts = InsightParts.make(Settings(_env_file=None, database_url=url))
    try:
        mark = await parts.marks.get(_MADE) or {}
        return dict(mark["told"]) if (mark.get("turns"), mark.get("seed")) == (turns, SEED) else {}
    finally:
        await parts.close()


def measure(turns: int = TURNS, postgres: str = "", full: bool = False, keep: Path | None = None) -> dict[str, Any]:
    """``keep``: a folder in which the SQLite database stays; an earlier one of the same size is asked again."""
    told: dict[str, Any] = {"date": date.today().isoformat(), "cores": os.cpu_count(), "turns": turns}
    with tempfile.TemporaryDirectory() as folder:
        for name, url in {
            "sqlite": f"sqlite:///{keep or folder}/year.db",
            **({"postgresql": postgres} if postgres else {}),
        }.items():
            say(f"统计：{name}，{turns} 轮 …")
            told[name] = {
                **((keep and asyncio.run(left(url, turns))) or made(url, turns, Path(folder, "truth.json"))),
                "pages": asyncio.run(bench_pages.measure(url, ROUNDS)),
            }
    if full:
        for method in ("ours", "plain"):
            say(f"统计：十万句话的话题，{method} …")
            told[f"mining_{method}"] = _apart(method)
    return told


def _apart(method: str) -> dict[str, Any]:
    """In a process of its own, so that memory is its own; stopped after a quarter of an hour."""
    command = [sys.executable, "-m", "ops.bench_insights", "--mine", method]
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=_LONGEST_MINING_S
        )
    except subprocess.TimeoutExpired:
        return {"more_than_s": _LONGEST_MINING_S}
    if done.returncode != 0:
        return {"failed": done.returncode}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(told: dict[str, Any]) -> str:
    """Pages by the slowest of what they ask; every look is in the report."""
    stores = [name for name in ("sqlite", "postgresql") if name in told]
    lines = [
        f"| 统计的网页（{told['turns']} 轮）：最慢的一问，p50 / p95 毫秒 | {' | '.join(stores)} |",
        "|---|" + "---|" * len(stores),
    ]
    of_page: dict[str, list[str]] = {}
    for look in told[stores[0]]["pages"]:
        of_page.setdefault(look.partition("：")[0], []).append(look)
    for page, asked in of_page.items():
        shown = []
        for store in stores:
            slowest = max(asked, key=lambda look: float(told[store]["pages"][look]["p95_ms"]))
            took = told[store]["pages"][slowest]
            shown.append(f"{took['p50_ms']} / {took['p95_ms']}（{slowest.partition('：')[2]}）")
        lines.append(f"| {page}（{len(asked)} 问） | {' | '.join(shown)} |")
    for store in stores:
        t = told[store]["topics"]
        lines.append(
            f"| {store}：全部重做 / 一夜（秒，占比） | {t['whole_s']} / {t['night_s']}（{t['night_share']:.1%}） |"
        )
    for method in ("ours", "plain"):
        if m := told.get(f"mining_{method}"):
            lines.append(f"| 十万句，{method} | {m} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.bench_insights")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--postgres", default="")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder the database stays in, to be asked again")
    parser.add_argument("--mine", choices=["ours", "plain"])
    chosen = parser.parse_args()
    if chosen.mine:
        print(json.dumps(mine_one(chosen.mine)))
        return 0
    told = measure(chosen.turns, chosen.postgres, chosen.full, chosen.keep)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(table(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
