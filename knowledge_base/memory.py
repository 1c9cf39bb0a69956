"""A search and sentence vectors that need no model, by characters alone. For tests and as fakes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hotline.catalogue import ServiceItem
from hotline.ports import SearchHit
from knowledge_base.subject import plain


class PhraseSearch:
    """Finds a service whose name, alias or question shares most character pairs with the text."""

    def __init__(self, items: Iterable[ServiceItem]) -> None:
        self._keys: list[str] = []
        self._counts: list[int] = []
        self._holding: defaultdict[str, list[int]] = defaultdict(list)  # pair → phrases
        for item in items:
            for phrase in [item.name, *item.aliases, *item.questions]:
                pairs = _pairs(plain(phrase))
                for pair in pairs:
                    self._holding[pair].append(len(self._keys))
                self._keys.append(item.key)
                self._counts.append(len(pairs))

    def search(self, text: str, limit: int = 5) -> list[SearchHit]:
        asked = _pairs(plain(text))
        shared = Counter(n for pair in asked for n in self._holding.get(pair, ()))
        best: dict[str, float] = {}
        for n, count in sorted(shared.items()):
            score = count / max(1, min(len(asked), self._counts[n]))
            best[self._keys[n]] = max(best.get(self._keys[n], 0.0), score)
        ranked = sorted(best.items(), key=lambda pair: -pair[1])[:limit]
        return [SearchHit(item_key=k, score=s) for k, s in ranked]


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}


class CharacterEncoder:
    """Vectors of the characters that occur: enough to tell the same matter from another, without a model."""

    name = "characters"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), 512), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for character in set(text):
                row[ord(character) % 512] = 1.0
            row /= np.linalg.norm(row) or 1.0
        return rows
