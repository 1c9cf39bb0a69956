"""Topics of any table: ``bin/hotline topics``. Also how well they agree with labels, beside baselines."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hotline.errors import BadInputError
from hotline.privacy import mask_text
from insights.topics.mining import Overview, mine
from insights.topics.vectors import Matrix, Space, TextEncoder
from insights.topics.words import WordCutter

_SEED = 20261125


@dataclass(frozen=True)
class Table:
    """Columns of a file, row by row. ``texts`` are masked."""

    texts: list[str]
    labels: list[str] | None = None
    times: list[str] | None = None


def read_table(file: Path, text: str, label: str | None = None, time: str | None = None) -> Table:
    """Reads a TSV (or, by its name, a CSV) with a head line, in UTF-8.

    Raises:
        BadInputError: it cannot be read, has no such column, or no rows.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            comma = file.suffix.lower() == ".csv"
            # Quotes mean nothing in a TSV; a lone one in a petition must not swallow the rest.
            rows = csv.DictReader(lines) if comma else csv.DictReader(lines, delimiter="	", quoting=csv.QUOTE_NONE)
            have = list(rows.fieldnames or [])
            if missing := [c for c in (text, label, time) if c and c not in have]:
                raise BadInputError(f"文件里没有「{'、'.join(missing)}」这一列；有的是：{'、'.join(have)}。")
            found = [row for row in rows if (row[text] or "").strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{file.name} 读不出来（{type(error).__name__}），要 UTF-8 的 TSV 或 CSV。") from error
    if not found:
        raise BadInputError(f"{file.name} 里没有一行有文字。")
    return Table(
        [mask_text(row[text].strip()) for row in found],
        [row[label] or "" for row in found] if label else None,
        [row[time] or "" for row in found] if time else None,
    )


@dataclass(frozen=True)
class Mined:
    """What came of a table: ``overview`` is of the distinct texts, ``places`` says which each row has."""

    overview: Overview
    places: list[int]
    vectors: Matrix

    @property
    def assignments(self) -> list[int]:
        return [int(self.overview.labels[place]) for place in self.places]


def mine_table(table: Table, encoder: TextEncoder, cutter: WordCutter, topics: int | None = None) -> Mined:
    """Every distinct text is encoded and laid out once, and weighs as often as it occurs."""
    counts = Counter(table.texts)
    distinct = list(counts)
    place = {text: n for n, text in enumerate(distinct)}
    raw = encoder.encode(distinct)
    vectors = Space.of(raw, encoder.blocks).whole(raw)
    overview = mine(distinct, vectors, cutter, topics, [counts[text] for text in distinct])
    return Mined(overview, [place[text] for text in table.texts], vectors)


def as_json(mined: Mined, table: Table) -> dict[str, Any]:
    assignments = mined.assignments
    topics: list[dict[str, Any]] = [
        {"id": n, "name": t.name, "words": t.words, "size": t.size, "examples": t.examples}
        for n, t in enumerate(mined.overview.topics)
    ]
    if table.times is not None:
        for topic in topics:
            mine_ = Counter(t[:7] for t, a in zip(table.times, assignments, strict=True) if a == topic["id"])
            topic["over_time"] = dict(sorted(mine_.items()))
    return {"topics": topics, "assignments": assignments}


def agreement(labels: Sequence[str], found: Sequence[int]) -> dict[str, float]:
    """NMI and ARI (1 the same grouping, 0 as by chance)."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return {
        "nmi": round(float(normalized_mutual_info_score(labels, found)), 4),
        "ari": round(float(adjusted_rand_score(labels, found)), 4),
    }


def baselines(table: Table, mined: Mined, cutter: WordCutter) -> dict[str, dict[str, float]]:
    """KMeans on the same vectors and NMF on TF-IDF of the same words, with as many topics."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfVectorizer

    assert table.labels is not None
    count = max(1, len(mined.overview.topics))
    rows = np.asarray(mined.places)
    kmeans = KMeans(count, n_init=5, random_state=_SEED).fit_predict(mined.vectors)
    terms = TfidfVectorizer(analyzer=cutter.words, min_df=2).fit_transform(table.texts)
    count = min(count, *terms.shape)
    weights = NMF(count, init="nndsvda", max_iter=300, random_state=_SEED).fit_transform(terms)
    return {
        "kmeans": agreement(table.labels, kmeans[rows].tolist()),
        "nmf": agreement(table.labels, weights.argmax(axis=1).tolist()),
    }
