"""The ways in which the search looks at a phrase: its characters, words, sounds, and meaning.

Each view compares a question with every phrase of the index and gives numbers of about 0..1; how
much each counts is fitted (knowledge_base/fusion.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import faiss
import jieba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from knowledge_base.sound import cantonese_sounds, mandarin_sounds

Scores = NDArray[np.float32]

# Up to this many phrases all are compared; beyond, only those a view's index brings up.
EXACT_LIMIT = 20_000
_CELLS = 1024
_CELLS_LOOKED_AT = 12
# In a large index a term that this share of phrases holds tells nothing and costs most.
_TOO_COMMON = 0.02

jieba.setLogLevel(60)


class Encoder(Protocol):
    """Sentence vectors: rows of unit length, shape (texts, dimensions). ``name`` tells models apart."""

    name: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def _grams(tokens: Sequence[str], longest: int) -> list[str]:
    return [
        "\x1f".join(tokens[start : start + length])
        for length in range(1, longest + 1)
        for start in range(len(tokens) - length + 1)
    ]


def characters(text: str) -> list[str]:
    return _grams(text, 3)


def words(text: str) -> list[str]:
    return list(jieba.cut(text))


def mandarin(text: str) -> list[str]:
    return _grams(mandarin_sounds(text), 3)


def cantonese(text: str) -> list[str]:
    return _grams(cantonese_sounds(text), 3)


TERMS: dict[str, Callable[[str], list[str]]] = {
    "characters": characters,
    "words": words,
    "mandarin": mandarin,
    "cantonese": cantonese,
}


class TermView:
    """Cosine of TF-IDF over the terms of one view, kept as an inverted index."""

    def __init__(self, terms: Callable[[str], list[str]], phrases: Sequence[str]) -> None:
        common = _TOO_COMMON if len(phrases) > EXACT_LIMIT else 1.0
        self._vectoriser = TfidfVectorizer(analyzer=terms, sublinear_tf=True, max_df=common, dtype=np.float32)
        self.rows: csr_matrix = self._vectoriser.fit_transform(phrases).tocsr()
        self._by_term = self.rows.T.tocsr()

    def look(self, text: str) -> csr_matrix:
        return self._vectoriser.transform([text])

    def scores(self, looked: csr_matrix) -> Scores:
        """Against every phrase, shape (phrases,)."""
        return np.asarray((looked @ self._by_term).toarray().ravel(), dtype=np.float32)

    def scores_of(self, looked: csr_matrix, rows: NDArray[np.intp]) -> Scores:
        return np.asarray((self.rows[rows] @ looked.T).toarray().ravel(), dtype=np.float32)


class VectorView:
    """Cosine of sentence vectors, the corpus mean taken off: raw ones lie too close together."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._mean = vectors.mean(axis=0)
        self.rows = unit(vectors - self._mean)
        self._index: faiss.IndexIVFFlat | None = None
        if len(vectors) > EXACT_LIMIT:
            faiss.omp_set_num_threads(1)
            coarse = faiss.IndexFlatIP(vectors.shape[1])
            self._index = faiss.IndexIVFFlat(coarse, vectors.shape[1], _CELLS, faiss.METRIC_INNER_PRODUCT)
            self._index.train(self.rows[:: max(1, len(vectors) // (_CELLS * 40))])
            self._index.add(self.rows)
            self._index.nprobe = _CELLS_LOOKED_AT

    def look(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        row: NDArray[np.float32] = unit(vector.reshape(1, -1) - self._mean)[0]
        return row

    def scores(self, looked: NDArray[np.float32]) -> Scores:
        return np.asarray(self.rows @ looked, dtype=np.float32)

    def scores_of(self, looked: NDArray[np.float32], rows: NDArray[np.intp]) -> Scores:
        return np.asarray(self.rows[rows] @ looked, dtype=np.float32)

    def nearest(self, looked: NDArray[np.float32], count: int) -> NDArray[np.intp]:
        """Rows of the nearest phrases, approximately, best first."""
        if self._index is None:
            return np.asarray(np.argsort(-self.scores(looked))[:count], dtype=np.intp)
        _, found = self._index.search(looked.reshape(1, -1), count)
        return np.asarray(found[0][found[0] >= 0], dtype=np.intp)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    result: NDArray[np.float32] = (rows / np.where(norms == 0, 1, norms)).astype(np.float32)
    return result
