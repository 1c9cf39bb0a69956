"""How alike two names of a place are."""

from __future__ import annotations


def likeness(one: str, other: str) -> float:
    """How much of the shorter one's pairs of characters stand in the longer one, 0..1."""
    pairs = [{text[i : i + 2] for i in range(len(text) - 1)} or {text} for text in (one, other)]
    return len(pairs[0] & pairs[1]) / max(1, min(map(len, pairs)))
