"""Whether a change made the line better or worse, by the measures of ``make eval`` before and after; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_LEAST_SHARE, _LEAST_ROWS = 0.005, 2.0
"""The same rows are asked both times, so a difference is real; below this it is not worth a word."""

Measure = Mapping[str, Any]


def verdict(
    before: Mapping[str, Measure], after: Mapping[str, Measure], lower_is_better: Callable[[str], bool]
) -> dict[str, Any]:
    """``verdict`` (better, worse, same) and the ``changes`` behind it, the worst first.

    A measure is ``{"rate", "count", "total"}``. Any measure that got worse makes the whole worse: what is
    gained for one question is not paid for with another one's answer.
    """
    changes = []
    for key in sorted({*before} & {*after}):
        old, new = before[key], after[key]
        moved = new["rate"] - old["rate"]
        if abs(moved) < _LEAST_SHARE or abs(new["count"] - old["count"]) < _LEAST_ROWS:
            continue
        better = (moved < 0) == lower_is_better(key)
        changes.append({"measure": key, "before": old["rate"], "after": new["rate"], "better": better})
    changes.sort(key=lambda c: (c["better"], -abs(c["after"] - c["before"]), c["measure"]))
    worse, better = any(not c["better"] for c in changes), any(c["better"] for c in changes)
    return {"verdict": "worse" if worse else "better" if better else "same", "changes": changes}
