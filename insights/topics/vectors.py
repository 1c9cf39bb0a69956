"""Vectors of what was said: two encoders side by side, each centred, so that neither drowns the other.

Which two, and what they gain together: docs/adr/0028-topic-mining.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


class TextEncoder(Protocol):
    """Sentence vectors of several encoders in one row. ``blocks`` are their dimensions, in order; the
    last one is what events are compared by. ``name`` tells encoders apart."""

    name: str
    blocks: tuple[int, ...]

    def encode(self, texts: Sequence[str]) -> Matrix: ...


def packed(row: NDArray[np.floating]) -> bytes:
    """How a vector is stored: half precision."""
    return row.astype(np.float16).tobytes()


def unpacked(rows: Sequence[bytes]) -> Matrix:
    return np.frombuffer(b"".join(rows), dtype=np.float16).reshape(len(rows), -1).astype(np.float32)


@dataclass(frozen=True)
class Space:
    """Where vectors are compared: less the mean of the texts they are compared with."""

    mean: Matrix
    blocks: tuple[int, ...]

    @classmethod
    def of(cls, vectors: Matrix, blocks: tuple[int, ...], weights: Matrix | None = None) -> Space:
        return cls(np.average(vectors, axis=0, weights=weights).astype(np.float32), blocks)

    def whole(self, vectors: Matrix) -> Matrix:
        """All blocks, each of unit length, then the row of unit length."""
        parts, start = [], 0
        centred = vectors - self.mean
        for width in self.blocks:
            parts.append(unit(centred[:, start : start + width]))
            start += width
        return unit(np.hstack(parts))

    def last(self, vectors: Matrix) -> Matrix:
        """The block events are compared by."""
        width = self.blocks[-1]
        return unit((vectors - self.mean)[:, -width:])


def unit(rows: Matrix) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Matrix = (rows / np.maximum(lengths, 1e-9)).astype(np.float32)
    return scaled
