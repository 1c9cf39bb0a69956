"""Events (hot issues, gaps): the same thing said by many, by average linkage on centred e5.

The overview's clusters are even and cover everything; events are small, tight and few, so another
method finds them (docs/adr/0028-topic-mining.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from insights.topics.vectors import Matrix

NEAR = 0.55  # cosine distance, of centred vectors
MOST = 6000  # texts compared with one another: memory grows with the square


@dataclass(frozen=True)
class Event:
    """Texts that say the same: places in what was given, the most typical first."""

    members: list[int]
    spread: float  # mean cosine distance to the middle


def find_events(vectors: Matrix, near: float = NEAR, least: int = 2) -> list[Event]:
    """Groups of ``least`` or more, largest first. ``vectors``: rows of unit length, centred
    (:meth:`insights.topics.vectors.Space.last`). Of more than ``MOST`` rows the last are compared."""
    offset = max(0, len(vectors) - MOST)
    rows = vectors[offset:]
    if len(rows) < max(2, least):
        return []
    apart = np.clip(1.0 - rows @ rows.T, 0.0, 2.0)
    np.fill_diagonal(apart, 0.0)
    labels = fcluster(linkage(squareform(apart, checks=False), "average"), near, "distance")
    found = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < least:
            continue
        middle = rows[members].mean(axis=0)
        far = 1.0 - rows[members] @ (middle / max(float(np.linalg.norm(middle)), 1e-9))
        order = members[np.argsort(far, kind="stable")]
        found.append(Event([int(n) + offset for n in order], float(far.mean())))
    return sorted(found, key=lambda e: -len(e.members))


def weighted_size(event: Event, weights: Sequence[int]) -> int:
    """How often the event's texts were said."""
    return sum(weights[n] for n in event.members)
