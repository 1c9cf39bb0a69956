"""Double blind review: two people, neither sees the other's verdict; where they differ, a third settles."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from hotline.insights import Review
from insights.quality import kappa


class Settled(NamedTuple):
    """What the reviews of a conversation came to. ``agreed``: without a third."""

    conversation_id: str
    passed: bool
    score: float
    agreed: bool


def by_conversation(reviews: Sequence[Review]) -> dict[str, dict[int, Review]]:
    """Finished reviews by conversation and place."""
    found: dict[str, dict[int, Review]] = defaultdict(dict)
    for review in reviews:
        if review.done_at is not None:
            found[review.conversation_id][review.place] = review
    return found


def settled(reviews: Sequence[Review]) -> list[Settled]:
    """Conversations on which there is a verdict: two alike, or the third's."""
    found = []
    for conversation_id, done in by_conversation(reviews).items():
        first, second, third = (done.get(place) for place in (1, 2, 3))
        if first is None or second is None:
            continue
        agreed = first.passed == second.passed
        if agreed:
            found.append(
                Settled(conversation_id, bool(first.passed), ((first.score or 0) + (second.score or 0)) / 2, True)
            )
        elif third is not None:
            found.append(Settled(conversation_id, bool(third.passed), float(third.score or 0), False))
    return found


def agreement(reviews: Sequence[Review]) -> float | None:
    """Cohen's kappa over the pairs of first and second verdicts."""
    pairs = [
        (bool(done[1].passed), bool(done[2].passed))
        for done in by_conversation(reviews).values()
        if 1 in done and 2 in done
    ]
    return kappa(pairs)


def next_place(of_this: Sequence[Review], all_reviews: Sequence[Review], pool: Sequence[str]) -> str | None:
    """Who is to settle, where the two differ and nobody was asked yet: of the ``pool`` but these two,
    the one with the fewest reviews; None where there is nothing to settle, or nobody."""
    done = {r.place: r for r in of_this if r.done_at is not None}
    if {1, 2} - set(done) or any(r.place == 3 for r in of_this) or done[1].passed == done[2].passed:
        return None
    load = Counter(r.reviewer for r in all_reviews)
    others = set(pool) - {r.reviewer for r in of_this}
    return min(others, key=lambda name: (load[name], name), default=None)
