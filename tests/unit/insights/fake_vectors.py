"""Vectors of hashed character pairs: quick, and texts that share words lie near one another."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from insights.topics.vectors import unit


class HashEncoder:
    name = "usem3+e5"  # the name the line's own encoder stores under
    blocks: tuple[int, ...] = (512, 384)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), sum(self.blocks)), dtype=np.float32)
        for n, text in enumerate(texts):
            for pair in (text[i : i + 2] for i in range(max(1, len(text) - 1))):
                place = zlib.crc32(pair.encode())
                rows[n, place % 512] += 1.0
                rows[n, 512 + place % 384] += 1.0
        return np.hstack([unit(rows[:, :512]), unit(rows[:, 512:])])


def principal_plane(vectors: NDArray[np.float32], _seed: int) -> NDArray[np.float32]:
    """A layout by principal components: quick where UMAP takes ten seconds to load."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return (centred @ axes[:10].T).astype(np.float32)
