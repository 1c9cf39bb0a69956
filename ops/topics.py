"""``bin/hotline topics``: mines any table of texts, and says how well topics agree with labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from insights.topics.table import agreement, as_json, baselines, mine_table, read_table
from insights.topics.vectors import TextEncoder
from insights.topics.words import WordCutter
from knowledge_base.catalogue import load_catalogue
from knowledge_base.text_vectors import FastEncoder, PairEncoder
from ops.progress import say

LONGEST_FOR_PAIR = 15_000
"""Distinct texts up to which both encoders are asked (about 20 ms a text); beyond, the fast one alone."""


def service_words() -> list[str]:
    """Names of services and what people call them: kept whole when words are cut."""
    return sorted({w for item in load_catalogue().items.values() for w in (item.name, *item.aliases) if len(w) <= 8})


def run(file: Path, text: str, label: str | None, time: str | None, out: Path, topics: int | None) -> dict[str, Any]:
    """Writes ``out``; returns measures where there are labels, empty where not.

    Without ``topics``, as many topics as there are labels are sought, so that methods are compared
    alike; without labels the number is chosen from the texts.
    """
    table = read_table(file, text, label, time)
    if topics is None and table.labels is not None:
        topics = len(set(table.labels))
    distinct = len(set(table.texts))
    say(f"{len(table.texts)} 行，{distinct} 句不同的话；算句向量 …")
    encoder: TextEncoder = PairEncoder()
    if distinct > LONGEST_FOR_PAIR:
        encoder = FastEncoder()
    cutter = WordCutter()
    mined = mine_table(table, encoder, cutter, topics)
    out.write_text(json.dumps(as_json(mined, table), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if table.labels is None:
        return {}
    return {"topics": agreement(table.labels, mined.assignments), **baselines(table, mined, cutter)}
