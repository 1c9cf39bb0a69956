"""The catalogue search itself, as ``bin/hotline tool search`` asks it, and how far its score can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hotline.ports import SearchHit
from ops.evaluation.asking import Progress
from ops.evaluation.scoring import Section, Tally, calibration_error, reliability
from ops.evaluation.sets import Row, Sets
from ops.progress import say

_LIMIT = 3


def rank(rows: Sequence[Row]) -> list[list[SearchHit]]:
    """The three best services of each row's text, in this process."""
    from hotline.settings import Settings
    from knowledge_base.catalogue import load_catalogue
    from knowledge_base.search import HybridSearch, SentenceEncoder  # torch: only where it is used

    say("  目录检索：备好索引（指南改过就要重算）…")
    settings = Settings()
    encoder = SentenceEncoder(settings.embedding_model)
    index = HybridSearch(load_catalogue().items.values(), encoder, settings.models_dir / "search")
    progress = Progress("目录检索", len(rows))
    ranked = []
    for row in rows:
        ranked.append(index.search(row["text"], _LIMIT))
        progress.step()
    return ranked


def measure(sets: Sets) -> tuple[Section, dict[str, Any]]:
    """Ranks of the questions' services, and the calibration of the best score (see :func:`judge`)."""
    asked, foreign = sets.get("questions", ()), sets.get("out_of_scope", ())
    ranked = rank([*asked, *foreign])
    return judge(asked, ranked[: len(asked)], ranked[len(asked) :])


def judge(
    rows: Sequence[Row], ranked: Sequence[Sequence[SearchHit]], foreign: Sequence[Sequence[SearchHit]] = ()
) -> tuple[Section, dict[str, Any]]:
    """``foreign``: hits of texts that no service answers, where every best hit is wrong.

    The calibration has two tables: ``questions``, and ``with_out_of_scope``. A text without
    any hit states no score and is in neither.
    """
    section = Section("search")
    scored: list[tuple[float, bool]] = []
    for row, hits in zip(rows, ranked, strict=True):
        keys = [hit.item_key for hit in hits[:_LIMIT]]
        groups = ("all", row["variety"])
        section.count("top1", keys[:1] == [row["item_key"]], groups)
        section.count("top3", row["item_key"] in keys, groups)
        if hits:
            scored.append((hits[0].score, keys[0] == row["item_key"]))
        if row["item_key"] not in keys:
            section.miss(row["id"], f"{row['item_key']} → {'、'.join(keys) or '—'}", row["text"])
    calibration = {
        "questions": _table(scored),
        "with_out_of_scope": _table([*scored, *((hits[0].score, False) for hits in foreign if hits)]),
    }
    error = calibration["questions"]["error"]
    section.tallies["search.calibration_error.all"] = Tally(error * len(scored), len(scored))
    return section, calibration


def _table(scored: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    bins = reliability(scored)
    return {"error": calibration_error(bins), "rows": len(scored), "bins": [asdict(each) for each in bins]}
