"""A search that needs no model: whole phrases by their characters. For tests and as a fake."""

from __future__ import annotations

from collections.abc import Iterable

from hotline.catalogue import ServiceItem
from hotline.ports import SearchHit
from knowledge_base.subject import plain


class PhraseSearch:
    """Finds a service whose name, alias or question shares most character pairs with the text."""

    def __init__(self, items: Iterable[ServiceItem]) -> None:
        self._phrases = [(i.key, plain(p)) for i in items for p in [i.name, *i.aliases, *i.questions]]

    def search(self, text: str, limit: int = 5) -> list[SearchHit]:
        asked = _pairs(plain(text))
        best: dict[str, float] = {}
        for key, phrase in self._phrases:
            pairs = _pairs(phrase)
            shared = len(asked & pairs) / max(1, min(len(asked), len(pairs)))
            best[key] = max(best.get(key, 0.0), shared)
        ranked = sorted(best.items(), key=lambda pair: -pair[1])[:limit]
        return [SearchHit(item_key=k, score=s) for k, s in ranked if s > 0]


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}
