"""Which service a phrase belongs to, learned from all phrases together.

Regression over character n-grams and sentence vectors. Where the views ask how near a question is
to a phrase, this weighs what tells one service from its neighbours. One class a service: it takes
part in the fusion for catalogues up to :data:`MOST_SERVICES`; larger ones go without.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

MOST_SERVICES = 2000
VECTOR_SHARE = 1.5
FLOOR = -12.0  # a log probability below this says no more than this


class PhraseClassifier:
    """``keys`` are the services in the order of the columns that :meth:`scores` gives."""

    def __init__(self) -> None:
        self._characters = TfidfVectorizer(
            analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True, dtype=np.float32
        )
        self._regression = LogisticRegression(C=10, max_iter=200, tol=1e-3, class_weight="balanced")
        self.keys: list[str] = []

    def fit(self, texts: Sequence[str], vectors: NDArray[np.float32], keys: Sequence[str]) -> PhraseClassifier:
        """``vectors`` are centred and of unit length, one a text."""
        grams = self._characters.fit_transform(texts)
        self._regression.fit(self._joined(grams, vectors), keys)
        self.keys = [str(key) for key in self._regression.classes_]
        return self

    def scores(self, text: str, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """The log probability of each service, shape (services,), not below :data:`FLOOR`."""
        grams = self._characters.transform([text])
        logs = self._regression.predict_log_proba(self._joined(grams, vector.reshape(1, -1)))[0]
        return np.asarray(np.maximum(logs, FLOOR), dtype=np.float32)

    @staticmethod
    def _joined(grams: csr_matrix, vectors: NDArray[np.float32]) -> csr_matrix:
        return hstack([grams, csr_matrix(vectors * VECTOR_SHARE)]).tocsr()
