"""Repeats (并单): which requests the desk would propose to merge, against which tell of one matter.

Judged by pairs: precision is the share of proposed pairs that are one matter, recall the share of
such pairs that are proposed. All requests count as filed on one day: time keeps no pair apart here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations

from hotline.work_order_record import RequestReading, StoredReading
from ops.evaluation.scoring import Section
from ops.evaluation.sets import Row
from ops.progress import say

_DAY = datetime(2026, 11, 25, tzinfo=UTC)


def read(rows: Sequence[Row]) -> list[RequestReading]:
    """What the reader makes of each row's text, in this process."""
    from hotline.settings import Settings
    from knowledge_base.catalogue import load_catalogue
    from knowledge_base.request_reading import RequestReader
    from knowledge_base.search import SentenceEncoder  # torch: only where it is used
    from knowledge_base.triage import load_categories

    say("  并单：读诉求 …")
    reader = RequestReader(load_catalogue(), load_categories(), SentenceEncoder(Settings().embedding_model))
    return [reader.reading(row["text"]) for row in rows]


def judge(rows: Sequence[Row], readings: Sequence[RequestReading]) -> Section:
    """``readings`` of ``rows``, in their order."""
    from desk.work_orders.duplicates import candidates

    stored = [
        StoredReading(number=row["id"], created_at=_DAY, reading=reading)
        for row, reading in zip(rows, readings, strict=True)
    ]
    proposed = {
        frozenset({mine.number, found.number}) for mine in stored for found in candidates(mine, stored, most=len(rows))
    }
    matter = {row["id"]: row["matter"] for row in rows}
    text = {row["id"]: row["text"] for row in rows}
    same = {frozenset(pair) for pair in combinations(matter, 2) if matter[pair[0]] == matter[pair[1]]}
    section = Section("merges")
    for pair in sorted(map(sorted, proposed)):
        section.count("precision", frozenset(pair) in same)
        if frozenset(pair) not in same:
            section.miss("+".join(pair), "不是一件事，提了", "；".join(text[each] for each in pair), grade=1)
    for pair in sorted(map(sorted, same)):
        section.count("recall", frozenset(pair) in proposed)
        if frozenset(pair) not in proposed:
            section.miss("+".join(pair), "是一件事，没有提", "；".join(text[each] for each in pair))
    return section


def measure(rows: Sequence[Row]) -> Section:
    return judge(rows, read(rows))
