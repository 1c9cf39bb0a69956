"""What the line could not answer, or answered badly: grouped, so that one change helps many."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hotline.insight_ports import Row, TextShelf
from hotline.insights import Span
from insights.suppression import hidden_in_row
from insights.topics.events import find_events
from insights.topics.mining import examples
from insights.topics.naming import name_topics
from insights.topics.vectors import Matrix, Space, unpacked
from insights.topics.words import WordCutter

TITLES = {
    "refused": "说了不知道",
    "low_confidence": "答了但把握低",
    "corrected": "答过又要人工",
    "rated_badly": "评价差",
}
_READ, _COMPARED, _SHOWN = 8000, 1500, 100


class GapFinder:
    """``mean_of`` gives the mean of the topic space (None before the first run)."""

    def __init__(
        self, texts: TextShelf, cutter: WordCutter, blocks: tuple[int, ...], k: int, mean_of: Callable[[], Awaitable[Matrix | None]]
    ) -> None:  # fmt: skip
        self._texts, self._cutter, self._blocks, self._k, self._mean_of = texts, cutter, blocks, k, mean_of

    async def gaps(self, span: Span) -> dict[str, Any]:
        """Groups of at least k people, most asked first. ``waiting``: turns whose texts have no vector yet."""
        rows = await self._texts.gap_turns(span, _READ)
        mean = await self._mean_of()
        ready = [row for row in rows if row["vector"] is not None]
        found = await asyncio.to_thread(self._grouped, ready, mean) if mean is not None and ready else []
        kinds = Counter(row["gap"] for row in rows)
        return {
            "turns": len(rows), "truncated": len(rows) == _READ, "waiting": len(rows) - len(ready),
            "kinds": {kind: {"title": title, "turns": kinds.get(kind, 0)} for kind, title in TITLES.items()},
            "gaps": found[:_SHOWN],
        }  # fmt: skip

    def _grouped(self, rows: Sequence[Row], mean: Matrix) -> list[dict[str, Any]]:
        by_text: dict[bytes, list[Row]] = defaultdict(list)
        for row in rows:
            by_text[bytes(row["text_key"])].append(row)
        most_said = sorted(by_text.values(), key=lambda some: -len(some))[:_COMPARED]
        space = Space(mean, self._blocks)
        vectors = space.last(unpacked([some[0]["vector"] for some in most_said]))
        events = find_events(vectors, least=1)
        groups = [[row for n in event.members for row in most_said[n]] for event in events]
        shown = [
            self._gap(rows)
            for rows in groups
            if len({r["caller_key"] or r["conversation_id"] for r in rows}) >= self._k
        ]
        return sorted(shown, key=lambda gap: -gap["people"])

    def _gap(self, rows: Sequence[Row]) -> dict[str, Any]:
        texts = Counter(row["text"] for row in rows)
        often = [text for text, _ in texts.most_common()]
        counts: Counter[str] = Counter()
        for text, said in texts.items():
            counts.update(dict.fromkeys(set(self._cutter.words(text)), said))
        words = [word for word, _ in counts.most_common(6)]
        items = Counter(row["item_key"] for row in rows if row["item_key"])
        people = {row["caller_key"] or row["conversation_id"] for row in rows}
        return {
            "gap_id": hashlib.sha256(min(often).encode()).hexdigest()[:12],
            "name": name_topics(self._cutter, [often], [words], [[float(texts[t]) for t in often]])[0],
            "words": words, "turns": len(rows),
            "people": len(people), "kinds": self._without_small(rows, "gap"), "examples": examples(often, 8),
            "item_keys": [key for key, _ in items.most_common(3)],
            "towns": {town or "不明": turns for town, turns in self._without_small(rows, "town").items()},
        }  # fmt: skip

    def _without_small(self, rows: Sequence[Row], by: str) -> dict[str, int | None]:
        """Turns by ``by``, most first; None where fewer than k people said them, or one could be worked out."""
        turns = Counter(row[by] for row in rows)
        people: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            people[row[by]].add(row["caller_key"] or row["conversation_id"])
        order = [key for key, _ in turns.most_common()]
        hidden = hidden_in_row([len(people[key]) for key in order], self._k)
        return {key: None if n in hidden else turns[key] for n, key in enumerate(order)}
