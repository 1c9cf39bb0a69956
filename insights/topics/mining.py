"""The overview: what everybody asks about, as a few dozen topics.

BERTopic over vectors that exist already: UMAP, then KMeans, then c-TF-IDF over jieba's words. Of many
texts a sample is laid out and every other text goes to the nearest of the topics found: the layout is
what costs (docs/adr/0028-topic-mining.md has the figures).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hotline.privacy import mask_text
from insights.topics.naming import name_topics
from insights.topics.vectors import Matrix, unit
from insights.topics.words import WordCutter

LAID_OUT = 12_000
"""Texts that UMAP lays out; more gained nothing measurable."""

_NEIGHBOURS, _PLANE = 15, 10
_CANDIDATES = (4, 6, 8, 10, 12, 16, 20, 25, 30, 35, 40, 50, 60)
_LEAST_A_TOPIC = 12  # texts, on average, where the number of topics is chosen
_WORDS, _EXAMPLES = 10, 5
_SEED = 20261125


Layout = Callable[[Matrix, int], Matrix]
"""Vectors and a seed to the plane that is clustered."""


@dataclass(frozen=True)
class MinedTopic:
    """``members`` are places in what was given, the most typical first; ``size`` in utterances."""

    name: str
    words: list[str]
    size: int
    members: list[int]
    examples: list[str]
    centroid: Matrix = field(repr=False)


@dataclass(frozen=True)
class Overview:
    """Topics, largest first; ``labels`` the topic of each text, ``distances`` (0..2) how far from its middle."""

    topics: list[MinedTopic]
    labels: NDArray[np.int64]
    distances: Matrix


def mine(
    texts: Sequence[str],
    vectors: Matrix,
    cutter: WordCutter,
    topics: int | None = None,
    weights: Sequence[int] | None = None,
    seed: int = _SEED,
    layout: Layout | None = None,
) -> Overview:
    """``vectors``: rows of unit length in one :class:`~insights.topics.vectors.Space`; ``weights``: how
    often each text was said; ``topics``: how many, chosen where None; ``layout``: UMAP where None."""
    said = np.ones(len(texts), dtype=np.float64) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(texts) < 2 * _CANDIDATES[0]:
        return _described(texts, vectors, np.zeros(len(texts), dtype=np.int64), said, cutter)
    chance = np.random.default_rng(seed)
    sample = np.arange(len(texts))
    if len(texts) > LAID_OUT:
        sample = np.sort(chance.choice(len(texts), LAID_OUT, replace=False, p=said**0.5 / (said**0.5).sum()))
    plane = (layout or lay_out)(vectors[sample], seed)
    count = min(topics or choose_count(plane, seed), len(sample))
    labels = np.zeros(len(texts), dtype=np.int64)
    labels[sample] = _bertopic([texts[int(n)] for n in sample], vectors[sample], plane, count, seed)
    if len(sample) < len(texts):
        centroids = _centroids(vectors[sample], labels[sample], said[sample])
        rest = np.setdiff1d(np.arange(len(texts)), sample)
        labels[rest] = np.argmax(vectors[rest] @ centroids.T, axis=1)
    return _described(texts, vectors, labels, said, cutter)


def lay_out(vectors: Matrix, seed: int = _SEED) -> Matrix:
    from umap import UMAP

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_jobs value")
        warnings.filterwarnings("ignore", message="Spectral initialisation failed")
        made = UMAP(
            n_neighbors=min(_NEIGHBOURS, len(vectors) - 1), n_components=min(_PLANE, len(vectors) - 2), min_dist=0.0,
            metric="cosine", random_state=seed, init="spectral" if len(vectors) > 50 else "random",
        ).fit_transform(vectors)  # fmt: skip
    return np.asarray(made, dtype=np.float32)


def choose_count(plane: Matrix, seed: int = _SEED) -> int:
    """How many topics the layout falls into, by the mean silhouette of 2,000 texts."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    counts = [k for k in _CANDIDATES if k * _LEAST_A_TOPIC <= len(plane)] or [2]
    scores = {}
    for count in counts:
        labels = KMeans(count, n_init=2, random_state=seed).fit_predict(plane)
        scores[count] = silhouette_score(plane, labels, sample_size=min(2000, len(plane)), random_state=seed)
    return max(counts, key=lambda k: scores[k])


class _LaidOut:
    """A layout that exists already, in the shape BERTopic asks for."""

    def __init__(self, plane: Matrix) -> None:
        self._plane = plane

    def fit(self, X: object, y: object = None) -> _LaidOut:
        return self

    def transform(self, X: object) -> Matrix:
        return self._plane


def _bertopic(texts: list[str], vectors: Matrix, plane: Matrix, count: int, seed: int) -> NDArray[np.int64]:
    """BERTopic's own clustering. Its words are left aside: ours are weighed by how often each text
    was said, over all texts and not the sample alone."""
    from bertopic import BERTopic
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import CountVectorizer

    # Texts are told apart by their place alone; the default of language="english" would strip Chinese.
    model = BERTopic(
        language="multilingual", embedding_model=None, umap_model=_LaidOut(plane),
        hdbscan_model=KMeans(count, n_init=5, random_state=seed), calculate_probabilities=False, verbose=False,
        vectorizer_model=CountVectorizer(analyzer=lambda text: [text[:1] or " "]),
    )  # fmt: skip
    labels, _ = model.fit_transform(texts, embeddings=vectors)
    return np.asarray(labels, dtype=np.int64)


def _centroids(vectors: Matrix, labels: NDArray[np.int64], said: NDArray[np.float64]) -> Matrix:
    rows = [
        np.average(vectors[labels == label], axis=0, weights=said[labels == label]) for label in range(labels.max() + 1)
    ]
    return unit(np.asarray(rows, dtype=np.float32))


def _described(
    texts: Sequence[str], vectors: Matrix, labels: NDArray[np.int64], said: NDArray[np.float64], cutter: WordCutter
) -> Overview:
    if not len(texts):
        return Overview([], labels, np.zeros(0, dtype=np.float32))
    sizes = np.bincount(labels, weights=said)
    order = np.argsort(-sizes, kind="stable")
    renumbered = np.empty_like(order)
    renumbered[order] = np.arange(len(order))
    labels = renumbered[labels]
    centroids = _centroids(vectors, labels, said)
    distances = (1.0 - np.einsum("ij,ij->i", vectors, centroids[labels])).astype(np.float32)
    members = [
        [int(n) for n in sorted(np.flatnonzero(labels == label), key=lambda n: float(distances[n]))]
        for label in range(len(order))
    ]
    words = topic_words([[(texts[n], said[n]) for n in some] for some in members], cutter)
    times = [[float(said[n]) for n in some] for some in members]
    names = name_topics(cutter, [[texts[n] for n in some] for some in members], words, times)
    topics = [
        MinedTopic(
            names[t], words[t], round(float(sizes[order[t]])), members[t], examples([texts[n] for n in members[t]]), centroids[t]
        )
        for t in range(len(order))
    ]  # fmt: skip
    return Overview(topics, labels, distances)


def topic_words(texts: Sequence[Sequence[tuple[str, float]]], cutter: WordCutter) -> list[list[str]]:
    """Each topic's words by c-TF-IDF, BERTopic's own weighing, best first; every text counts as often
    as it was said."""
    from bertopic.vectorizers import ClassTfidfTransformer
    from sklearn.feature_extraction import DictVectorizer

    counts: list[Counter[str]] = []
    for some in texts:
        count: Counter[str] = Counter()
        for text, said in some:
            for word in set(cutter.words(text)):
                count[word] += said  # type: ignore[assignment]
        counts.append(count)
    if not any(counts):
        return [[] for _ in texts]
    table = DictVectorizer()
    matrix = table.fit_transform(counts)
    if min(matrix.shape) == 1 and matrix.shape[1] == 1:  # BERTopic's weighing needs two words to tell apart
        return [[str(table.feature_names_[0])] if count else [] for count in counts]
    weights = ClassTfidfTransformer(bm25_weighting=True, reduce_frequent_words=True).fit_transform(matrix).tocsr()
    names = np.asarray(table.get_feature_names_out())
    found = []
    for row in range(len(texts)):
        line = weights[row]
        best = line.indices[np.argsort(-line.data, kind="stable")][:_WORDS]
        found.append([str(names[n]) for n in best])
    return found


def examples(texts: Sequence[str], most: int = _EXAMPLES) -> list[str]:
    """The first few that differ, masked."""
    return [mask_text(text)[:80] for text in dict.fromkeys(texts)][:most]
