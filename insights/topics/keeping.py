"""Topics from run to run: stable numbers, the manager's choices, new texts by night.

A whole run lays everything out anew; a night gives new texts to the topics there are, and looks for
new topics only among what fits none. Topics are told to be the same by where their middles lie.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment

from hotline.insight_ports import KeptTopic, TextRow, TextShelf, TopicShelf
from hotline.insights import Grain, Topic, bucket_of
from insights.topics.events import find_events
from insights.topics.mining import Layout, Overview, examples, mine, topic_words
from insights.topics.naming import name_topics
from insights.topics.vectors import Matrix, Space, TextEncoder, packed, unit, unpacked
from insights.topics.words import WordCutter

SAME = 0.6  # cosine of two middles that are one topic
POOL = -1
LEAST_TEXTS, LEAST_SAID = 4, 15  # of a new topic, found by night
_FITS_SHARE = 0.97  # of a whole run's texts lie nearer than the limit
_SPACE = "topic_space"


class Marks(Protocol):
    async def get(self, name: str) -> Any: ...

    async def put(self, name: str, value: Any) -> None: ...


@dataclass(frozen=True)
class Run:
    """What a run did; ``seconds`` without reading and writing are ``computing_s``."""

    kind: str
    texts: int
    topics: int
    new_topics: int
    pooled: int
    seconds: float
    computing_s: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class TopicKeeper:
    """Runs the topics over what the shelves hold. ``encoder`` None: vectors come from elsewhere."""

    def __init__(
        self,
        texts: TextShelf,
        topics: TopicShelf,
        marks: Marks,
        model: str,
        blocks: tuple[int, ...],
        cutter: WordCutter,
        now: Callable[[], datetime],
        layout: Layout | None = None,
    ) -> None:
        self._texts, self._topics, self._marks = texts, topics, marks
        self._model, self._blocks, self._cutter, self._now, self.layout = model, blocks, cutter, now, layout

    async def encode_new(self, encoder: TextEncoder, limit: int = 200) -> int:
        """Vectors for up to ``limit`` texts that have none; returns how many."""
        rows = await self._texts.unencoded(limit)
        if rows:
            vectors = await asyncio.to_thread(encoder.encode, [text for _, text in rows])
            pairs = [(key, packed(vector)) for (key, _), vector in zip(rows, vectors, strict=True)]
            await self._texts.save_vectors(encoder.name, pairs)
        return len(rows)

    async def whole_run(self, topics: int | None = None) -> Run:
        """Everything anew; numbers, names given, pins and merges stay."""
        begun = time.monotonic()
        rows = await self._texts.texts(self._model)
        kept = await self._topics.topics()
        space = await self._space()
        computing = time.monotonic()
        found = await asyncio.to_thread(self._mine, rows, space, topics)
        spent = time.monotonic() - computing
        if found is None:
            return Run("whole", 0, 0, 0, 0, time.monotonic() - begun, spent)
        overview, space, vectors = found
        after, places = self._matched(overview, kept)
        labels = np.asarray([places[int(label)] for label in overview.labels])
        distances = overview.distances
        labels, distances = _drawn_to_pinned(vectors, labels, distances, after, overview, places)
        limit = float(np.quantile(distances, _FITS_SHARE))
        await self._keep_space(space, limit)
        await self._topics.save_topics(after)
        assigned = [(row.key, int(t), float(d)) for row, t, d in zip(rows, labels, distances, strict=True)]
        await self._texts.assign(assigned)
        await self._topics.recount()
        await self._marks.put("topics_counted", bucket_of(self._now(), Grain.DAY))
        alive = [k for k in after if not k.topic.retired]
        known = {k.topic.topic_id for k in kept}
        fresh = sum(k.topic.topic_id not in known for k in after)
        return Run("whole", len(rows), len(alive), fresh, 0, time.monotonic() - begun, spent)

    async def night(self, cluster_pool: bool = True) -> Run:
        """New texts to the topics there are; what fits none is looked through for new topics."""
        begun = time.monotonic()
        space, limit = await self._space(), await self._limit()
        if space is None or limit is None:
            return await self.whole_run()
        rows = await self._texts.texts(self._model, unassigned=True)
        kept = [k for k in await self._topics.topics() if not k.topic.retired]
        computing = time.monotonic()
        assigned = await asyncio.to_thread(_nearest, rows, kept, space, limit) if rows else []
        spent = time.monotonic() - computing
        await self._texts.assign(assigned)
        fresh: list[KeptTopic] = []
        pooled = sum(topic == POOL for _, topic, _ in assigned)
        if cluster_pool and pooled:
            fresh, more = await self._new_topics(space)
            spent += more
        counted = await self._marks.get("topics_counted")
        await self._topics.recount(None if fresh or counted is None else int(counted))
        await self._marks.put("topics_counted", bucket_of(self._now(), Grain.DAY))
        return Run("night", len(rows), len(kept) + len(fresh), len(fresh), pooled, time.monotonic() - begun, spent)

    async def _new_topics(self, space: Space) -> tuple[list[KeptTopic], float]:
        pool = [row for row in await self._texts.texts(self._model) if row.topic_id == POOL]
        begun = time.monotonic()
        made = await asyncio.to_thread(self._topics_in_pool, pool, space)
        spent = time.monotonic() - begun
        if not made:
            return [], spent
        taken = [k.topic.topic_id for k in await self._topics.topics()]
        first = max(taken, default=0) + 1
        kept, assigned = [], []
        for n, (topic, centroid, members) in enumerate(made):
            topic = topic.model_copy(update={"topic_id": first + n})
            kept.append(KeptTopic(topic, centroid))
            assigned += [(pool[m].key, first + n, 0.0) for m in members]
        await self._topics.save_topics(kept)
        await self._texts.assign(assigned)
        return kept, spent

    def _topics_in_pool(self, pool: Sequence[TextRow], space: Space) -> list[tuple[Topic, bytes, list[int]]]:
        if len(pool) < LEAST_TEXTS:
            return []
        raw = _vectors(pool)
        whole = space.whole(raw)
        found = []
        for event in find_events(space.last(raw), least=LEAST_TEXTS):
            said = sum(pool[n].said for n in event.members)
            if said < LEAST_SAID:
                continue
            texts = [pool[n].text for n in event.members]
            weighed = [[(pool[n].text, float(pool[n].said)) for n in event.members]]
            words = topic_words(weighed, self._cutter)
            name = name_topics(self._cutter, [texts], words, [[float(pool[n].said) for n in event.members]])[0]
            centroid = unit(whole[event.members].mean(axis=0, keepdims=True))[0]
            topic = Topic(topic_id=0, name=name, words=words[0], examples=examples(texts), size=said, first_seen=self._now())  # fmt: skip
            found.append((topic, centroid.astype(np.float32).tobytes(), event.members))
        return found

    def _mine(
        self, rows: Sequence[TextRow], space: Space | None, topics: int | None
    ) -> tuple[Overview, Space, Matrix] | None:
        if not rows:
            return None
        raw = _vectors(rows)
        said = np.asarray([row.said for row in rows], dtype=np.float32)
        # The space is that of the first run: middles of later runs are compared in it.
        space = space or Space.of(raw, self._blocks, said)
        vectors = space.whole(raw)
        overview = mine(
            [row.text for row in rows], vectors, self._cutter, topics, [row.said for row in rows], layout=self.layout
        )
        return overview, space, vectors

    def _matched(self, overview: Overview, kept: Sequence[KeptTopic]) -> tuple[list[KeptTopic], list[int]]:
        """Topics as they are to be kept, and the number of each found one."""
        found = np.stack([t.centroid for t in overview.topics])
        old = np.stack([np.frombuffer(k.centroid, dtype=np.float32) for k in kept]) if kept else None
        same: dict[int, KeptTopic] = {}
        if old is not None and old.shape[1] == found.shape[1]:
            near = found @ old.T
            for row, column in zip(*linear_sum_assignment(-near), strict=True):
                if near[row, column] >= SAME:
                    same[int(row)] = kept[int(column)]
        next_id = max((k.topic.topic_id for k in kept), default=0) + 1
        run = max((k.topic.run for k in kept), default=0) + 1
        after, places = [], []
        for n, mined in enumerate(overview.topics):
            values = {
                "name": mined.name, "words": mined.words, "examples": mined.examples, "size": mined.size, "run": run,
                "retired": False,
            }  # fmt: skip
            known = same.get(n)
            if known is None:
                topic = Topic(topic_id=next_id, first_seen=self._now(), **values)
                next_id += 1
            else:
                topic = known.topic.model_copy(update=values)
            places.append(topic.topic_id)
            after.append(KeptTopic(topic, mined.centroid.astype(np.float32).tobytes()))
        gone = {k.topic.topic_id for k in kept} - set(places)
        for k in kept:
            if k.topic.topic_id in gone:
                after.append(
                    KeptTopic(k.topic.model_copy(update={"retired": not k.topic.pinned, "size": 0}), k.centroid)
                )
        return after, places

    async def _space(self) -> Space | None:
        kept = await self._marks.get(_SPACE)
        if not kept or kept["model"] != self._model:
            return None
        return Space(np.frombuffer(base64.b64decode(kept["mean"]), dtype=np.float32), self._blocks)

    async def _limit(self) -> float | None:
        kept = await self._marks.get(_SPACE)
        return float(kept["limit"]) if kept else None

    async def _keep_space(self, space: Space, limit: float) -> None:
        mean = base64.b64encode(space.mean.astype(np.float32).tobytes()).decode()
        await self._marks.put(_SPACE, {"model": self._model, "mean": mean, "limit": limit})


def _vectors(rows: Sequence[TextRow]) -> Matrix:
    return unpacked([row.vector for row in rows if row.vector is not None])


def _nearest(
    rows: Sequence[TextRow], kept: Sequence[KeptTopic], space: Space, limit: float
) -> list[tuple[bytes, int, float]]:
    vectors = space.whole(_vectors(rows))
    centroids = np.stack([np.frombuffer(k.centroid, dtype=np.float32) for k in kept])
    near = vectors @ centroids.T
    best = near.argmax(axis=1)
    assigned = []
    for n, row in enumerate(rows):
        far = 1.0 - float(near[n, best[n]])
        assigned.append((row.key, kept[int(best[n])].topic.topic_id if far <= limit else POOL, far))
    return assigned


def _drawn_to_pinned(
    vectors: Matrix,
    labels: Any,
    distances: Matrix,
    after: Sequence[KeptTopic],
    overview: Overview,
    places: Sequence[int],
) -> tuple[Any, Matrix]:
    """Pinned topics that no cluster matched keep the texts that lie nearer to them than to any other."""
    found = set(places)
    for k in after:
        if k.topic.pinned and k.topic.topic_id not in found:
            far = 1.0 - vectors @ np.frombuffer(k.centroid, dtype=np.float32)
            nearer = far < distances
            labels = np.where(nearer, k.topic.topic_id, labels)
            distances = np.where(nearer, far, distances).astype(np.float32)
    return labels, distances
