"""Keeps the groups of knowledge gaps: texts that say the same, by average linkage, and each month's turns.

By night everything is grouped anew. Between nights a new text joins the group it is nearest to, by the same
measure, or makes one of its own with those that say the same; the months it was said in are packed again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np

from hotline.insight_ports import GapBook
from hotline.insights import GapGroup, GapMonth, GapTurn
from insights.gaps import UNGROUPED, packed
from insights.topics.events import NEAR, find_events
from insights.topics.naming import name_topics
from insights.topics.vectors import Matrix, Space, unpacked
from insights.topics.words import WordCutter

_COMPARED = 3000
"""Texts compared with one another at once; memory grows with the square. Of more the most said come first."""
_EXAMPLES, _ITEMS, _WORDS = 8, 3, 6

Months = Mapping[int, Sequence[GapTurn]]


class GapKeeper:
    """``mean_of`` gives the mean of the topic space (None before the first run); ``k``: a group of fewer people
    is given no name."""

    def __init__(
        self, book: GapBook, cutter: WordCutter, blocks: tuple[int, ...], k: int, mean_of: Callable[[], Awaitable[Matrix | None]], now: Callable[[], datetime]
    ) -> None:  # fmt: skip
        self._book, self._cutter, self._blocks, self._k, self._mean_of, self._now = (
            book,
            cutter,
            blocks,
            k,
            mean_of,
            now,
        )

    async def refresh(self) -> int:
        """Counts the months in which something changed; how many."""
        stale = await self._book.stale()
        if not stale:
            return 0
        known, mean = await self._book.groups(), await self._mean_of()
        if not known and mean is not None:
            return await self.regroup()
        numbers = {group.group_id for group in known}
        turns = {m.month: [_of_known(t, numbers) for t in await self._book.turns(m.month)] for m in stale}
        groups: list[GapGroup] = []
        assigned: dict[bytes, int] = {}
        if mean is not None:
            new = _most_said(t for each in turns.values() for t in each if t.group_id is None and t.encoded)
            vectors = await self._vectors(new, mean)
            groups, assigned = await asyncio.to_thread(_placed, list(vectors), _matrix(vectors, self._blocks), known)
            groups = _with_items(groups, assigned, turns)
        seen = max((group.group_id for group in known), default=0)
        kept = await self._book.keep(seen, groups, assigned, self._counted(stale, turns, assigned, anew=False))
        return len(stale) if kept else 0

    async def regroup(self) -> int:
        """Groups everything anew; how many months there are."""
        months, mean = await self._book.months(), await self._mean_of()
        if not months or mean is None:
            return 0
        seen = max((group.group_id for group in await self._book.groups()), default=0)
        turns = {month.month: await self._book.turns(month.month) for month in months}
        keys = _most_said(t for each in turns.values() for t in each if t.encoded)
        vectors = await self._vectors(keys, mean)
        first = GapGroup(seen, "", "", [], [], [], 0, b"")
        groups, assigned = await asyncio.to_thread(_placed, list(vectors), _matrix(vectors, self._blocks), [], first)
        groups = await self._named(_with_items(groups, assigned, turns), assigned, turns)
        counted = self._counted(months, turns, assigned, anew=True)
        kept = await self._book.keep(
            seen, groups, assigned, counted, anew=bool(groups)
        )  # numbers are never given twice
        return len(months) if kept else 0

    async def _vectors(self, keys: Sequence[bytes], mean: Matrix) -> dict[bytes, Matrix]:
        """Unit vectors of texts, in the order of ``keys``."""
        raw = await self._book.vectors(keys)
        keys = [key for key in keys if key in raw]
        return (
            dict(zip(keys, Space(mean, self._blocks).last(unpacked([raw[key] for key in keys])), strict=True))
            if keys
            else {}
        )

    def _counted(
        self, months: Sequence[GapMonth], turns: Months, assigned: Mapping[bytes, int], anew: bool
    ) -> list[GapMonth]:
        """A month in which a text still waits for its group counts as not quite counted."""
        found = []
        for month in months:
            mine = turns[month.month]

            def group_of(turn: GapTurn) -> int:
                known = UNGROUPED if anew else turn.group_id or UNGROUPED
                return assigned.get(turn.text_key, known)

            waits = any(group_of(turn) == UNGROUPED for turn in mine)
            content, names = packed(mine, group_of)
            found.append(GapMonth(month.month, month.changes, month.changes - waits, names, content, self._now()))
        return found

    async def _named(self, groups: Sequence[GapGroup], assigned: Mapping[bytes, int], months: Months) -> list[GapGroup]:
        """With names and words, where at least k people said it."""
        people: dict[int, set[str]] = defaultdict(set)
        said: dict[int, Counter[bytes]] = defaultdict(Counter)
        for turn in _all(months):
            if (group := assigned.get(turn.text_key)) is not None:
                people[group].add(turn.who)
                said[group][turn.text_key] += 1
        large = [group.group_id for group in groups if len(people[group.group_id]) >= self._k]
        texts = await self._book.texts([key for group in large for key in said[group]])
        named = await asyncio.to_thread(self._names, {group: said[group] for group in large}, texts)
        return [g._replace(name=named[g.group_id][0], words=named[g.group_id][1]) if g.group_id in named else g for g in groups]  # fmt: skip

    def _names(
        self, said: Mapping[int, Counter[bytes]], texts: Mapping[bytes, str]
    ) -> dict[int, tuple[str, list[str]]]:
        named = {}
        for group, counts in said.items():
            often = {texts[key]: n for key, n in counts.most_common() if key in texts}
            weights: Counter[str] = Counter()
            for text, n in often.items():
                weights.update(dict.fromkeys(set(self._cutter.words(text)), n))
            words = [word for word, _ in weights.most_common(_WORDS)]
            name = name_topics(self._cutter, [list(often)], [words], [[float(n) for n in often.values()]])[0]
            named[group] = name[:120], words
        return named


def _of_known(turn: GapTurn, numbers: set[int]) -> GapTurn:
    """A text that went unsaid in a night may still name a group of the day before."""
    return turn if turn.group_id in numbers else turn._replace(group_id=None)


def _all(months: Months) -> Iterable[GapTurn]:
    return (turn for turns in months.values() for turn in turns)


def _most_said(turns: Iterable[GapTurn]) -> list[bytes]:
    counts = Counter(turn.text_key for turn in turns)
    return sorted(counts, key=lambda key: (-counts[key], key))


def _matrix(vectors: Mapping[bytes, Matrix], blocks: tuple[int, ...]) -> Matrix:
    return np.stack(list(vectors.values())) if vectors else np.zeros((0, blocks[-1]), dtype=np.float32)


def _placed(
    keys: Sequence[bytes], vectors: Matrix, known: Sequence[GapGroup], last: GapGroup | None = None
) -> tuple[list[GapGroup], dict[bytes, int]]:
    """New groups, and the group of each text: the nearest where the mean distance to what it holds is small
    enough, else a new one. ``last`` has the highest number taken, where it isn't among ``known``."""
    number = max((group.group_id for group in (*known, *([last] if last else []))), default=0)
    middles = [np.frombuffer(group.middle, dtype=np.float32) for group in known]
    numbers = [group.group_id for group in known]
    made: list[GapGroup] = []
    assigned: dict[bytes, int] = {}
    for start in range(0, len(keys), _COMPARED):
        some = vectors[start : start + _COMPARED]
        left = np.arange(len(some))
        if middles:
            far = 1.0 - some @ np.stack(middles).T
            best = far.argmin(axis=1)
            fits = far[left, best] <= NEAR
            assigned |= {keys[start + int(n)]: numbers[int(best[n])] for n in left[fits]}
            left = left[~fits]
        for members in _alike(some[left]):
            number += 1
            places = sorted(int(left[n]) for n in members)  # most said first, as the keys are
            middle = some[places].mean(axis=0).astype(np.float32)
            mine = [keys[start + n] for n in places]
            made.append(GapGroup(number, hashlib.sha256(min(mine)).hexdigest()[:12], "", [], [k.hex() for k in mine[:_EXAMPLES]], [], len(mine), middle.tobytes()))  # fmt: skip
            assigned |= dict.fromkeys(mine, number)
            middles.append(middle)
            numbers.append(number)
    return made, assigned


def _alike(vectors: Matrix) -> list[list[int]]:
    """Every row, with those that say the same."""
    if len(vectors) < 2:
        return [[n] for n in range(len(vectors))]
    return [event.members for event in find_events(vectors, least=1)]


def _with_items(groups: Sequence[GapGroup], assigned: Mapping[bytes, int], months: Months) -> list[GapGroup]:
    """With the services its turns were taken to be about, most often first."""
    items: dict[int, Counter[str]] = defaultdict(Counter)
    for turn in _all(months):
        group = assigned.get(turn.text_key)
        if group is not None and turn.item_key:
            items[group][turn.item_key] += 1
    return [g._replace(item_keys=[key for key, _ in items[g.group_id].most_common(_ITEMS)]) for g in groups]
