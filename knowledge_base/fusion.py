"""From what the views see to a probability: which service is meant, or that none is.

A softmax over the services and one more place, "none of them". The weights are fitted by
``python -m knowledge_base calibrate`` and kept in ``fusion.yml``: the guides' own phrases, each asked
of an index that doesn't hold it, and the training set's out-of-scope questions as "none".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

_FILE = Path(__file__).with_name("fusion.yml")

VIEWS = ("characters", "words", "mandarin", "cantonese", "vectors")
NEAREST = 3
FEATURES = (*VIEWS, *(f"{view}_{NEAREST}" for view in VIEWS), "classifier")


class Fusion:
    """``weights`` has one number for each of :data:`FEATURES`; ``none`` is the score of "none"."""

    def __init__(self, weights: NDArray[np.float64], none: float) -> None:
        self.weights = weights
        self.none = none

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """``features`` of shape (services, features) → the probability of each service.

        They add up to less than one: the rest is the probability that none is meant.
        """
        scores = np.append(features.astype(np.float64) @ self.weights, self.none)
        grown = np.exp(scores - scores.max())
        return np.asarray(grown[:-1] / grown.sum(), dtype=np.float64)


def load_fusion(with_classifier: bool, file: Path = _FILE) -> Fusion:
    """The fitted weights; those without the classifier are fitted apart."""
    kept = yaml.safe_load(file.read_text(encoding="utf-8"))
    chosen = kept["with_classifier" if with_classifier else "without_classifier"]
    return Fusion(np.array([chosen["weights"].get(name, 0.0) for name in FEATURES]), float(chosen["none"]))


def save_fusion(weights: dict[str, object], file: Path = _FILE) -> None:
    """Writes what ``calibrate`` found, in the form that :func:`load_fusion` reads."""
    file.write_text(yaml.safe_dump(weights, sort_keys=False, allow_unicode=True), encoding="utf-8")
