"""Softmax regression over a sparse and a dense block of features.

The same objective as scikit-learn's multinomial LogisticRegression with balanced class weights. That
one wants both blocks as one sparse matrix, where the sentence vectors, which hold no zeros, cost most
of the time; multiplied as the dense matrix they are, training takes a fraction of it.
"""

from __future__ import annotations

from typing import List, Mapping, Text, Tuple

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix


class SoftmaxRegression:
    """``classes``: labels in the order of the columns of ``weights`` (features × classes) and ``bias``."""

    def __init__(self, classes: List[Text], weights: np.ndarray, bias: np.ndarray) -> None:
        self.classes = classes
        self.weights = weights
        self.bias = bias

    @classmethod
    def fit(
        cls,
        sparse: csr_matrix,
        dense: np.ndarray,
        labels: List[Text],
        c: float,
        max_iter: int,
        heavier: Mapping[Text, float],
    ) -> "SoftmaxRegression":
        """``c``: inverse regularisation. Every class weighs the same, however many examples it has, but
        for the classes in ``heavier``, which weigh that many times as much."""
        classes, places = np.unique(labels, return_inverse=True)
        rows, columns = len(places), len(classes)
        weight = (rows / (columns * np.bincount(places)) * [heavier.get(str(label), 1.0) for label in classes])[places]
        weight = weight.astype(np.float32)
        sparse = sparse.astype(np.float32).tocsr()
        turned = sparse.T.tocsr()
        dense = np.ascontiguousarray(dense, dtype=np.float32)
        split = sparse.shape[1]
        features = split + dense.shape[1]
        wanted = np.zeros((rows, columns), np.float32)
        wanted[np.arange(rows), places] = 1

        def loss_and_gradient(parameters: np.ndarray) -> Tuple[float, np.ndarray]:
            weights = parameters[:-columns].reshape(features, columns).astype(np.float32)
            scores = sparse @ weights[:split] + dense @ weights[split:] + parameters[-columns:].astype(np.float32)
            probabilities = _softmax(scores)
            right = np.maximum(probabilities[np.arange(rows), places], 1e-30)
            error = (probabilities - wanted) * weight[:, None]
            gradient = np.empty_like(parameters)
            block = gradient[:-columns].reshape(features, columns)
            block[:split] = turned @ error
            block[split:] = dense.T @ error
            block += weights / c
            gradient[-columns:] = error.sum(0)
            squares = float(np.einsum("ij,ij->", weights, weights, dtype=np.float64))
            return float(-(weight * np.log(right)).sum(dtype=np.float64)) + squares / (2 * c), gradient

        start = np.zeros(features * columns + columns)
        found = minimize(
            loss_and_gradient,
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": max_iter, "maxcor": 6, "gtol": 1e-3, "ftol": 1e-7},
        ).x.astype(np.float32)
        return cls([str(label) for label in classes], found[:-columns].reshape(features, columns), found[-columns:])

    def probabilities(self, sparse: csr_matrix, dense: np.ndarray) -> np.ndarray:
        """One row for each text, one column for each class."""
        split = sparse.shape[1]
        scores = sparse.astype(np.float32) @ self.weights[:split] + dense @ self.weights[split:] + self.bias
        return _softmax(scores)


def _softmax(scores: np.ndarray) -> np.ndarray:
    scores = scores - scores.max(axis=1, keepdims=True)
    exponentials = np.exp(scores)
    return exponentials / exponentials.sum(axis=1, keepdims=True)
