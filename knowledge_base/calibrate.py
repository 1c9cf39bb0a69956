"""Fits how much each view of the search counts, so that its scores are probabilities.

Right answers are taught by the guides' own phrases: in each of :data:`FOLDS` rounds one part of them
is kept out of the index and asked. "None" is taught by the training set's out-of-scope questions.
Evaluation sets stay out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import minimize

from hotline.catalogue import ServiceItem
from knowledge_base.catalogue import Catalogue
from knowledge_base.decide import CLEAR
from knowledge_base.fusion import FEATURES, Fusion
from knowledge_base.search import HybridSearch, SentenceEncoder
from knowledge_base.views import Encoder

FOLDS = 5
NONE_SHARE = 0.25  # how much the out-of-scope questions weigh beside the others
SHRINK = 1e-4

Rows = NDArray[np.float32]  # (questions, services, features)
_UNFITTED = Fusion(np.zeros(len(FEATURES)), 0.0)


class _Remembering:
    """An encoder that looks a text up before it computes it."""

    def __init__(self, encoder: Encoder) -> None:
        self.name = encoder.name
        self._encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known |= dict(zip(missing, self._encoder.encode(missing), strict=True))
        return np.stack([self._known[text] for text in texts])


def calibrate(catalogue: Catalogue, nlu_data: Path) -> tuple[dict[str, object], str]:
    """The content of ``fusion.yml``, and how the weights do on their own data, as text."""
    items = list(catalogue.items.values())
    encoder = _Remembering(SentenceEncoder())
    keys = [item.key for item in items]
    asked, right = _asked_of_the_rest(items, keys, encoder)
    whole_index = HybridSearch(items, encoder, fusion=_UNFITTED)
    none = np.stack([_all_features(whole_index, keys, text) for text in _out_of_scope(nlu_data / "out_of_scope.yml")])
    kept: dict[str, object] = {}
    told = []
    for name, used in (
        ("with_classifier", np.ones(len(FEATURES), bool)),
        ("without_classifier", np.array([feature != "classifier" for feature in FEATURES])),
    ):
        fusion = fit(asked, right, none, used)
        weights = {f: round(float(w), 3) for f, w, u in zip(FEATURES, fusion.weights, used, strict=True) if u}
        kept[name] = {"weights": weights, "none": round(fusion.none, 3)}
        told.append(f"{name}：{_report(fusion, asked, right, none)}")
    return kept, "\n".join(told)


def fit(asked: Rows, right: NDArray[np.intp], none: Rows, used: NDArray[np.bool_]) -> Fusion:
    """The weights that make ``right`` (places of services) and, for ``none``, no service likeliest."""
    blocks = [(asked[:, :, used].astype(np.float64), right, 1.0 / len(asked))]
    blocks.append((none[:, :, used].astype(np.float64), np.full(len(none), asked.shape[1]), NONE_SHARE / len(none)))
    width = int(used.sum())

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, slope = values[:width], np.zeros_like(values)
        total = SHRINK * float(weights @ weights)
        slope[:width] = 2 * SHRINK * weights
        for features, target, share in blocks:
            scores = np.concatenate([features @ weights, np.full((len(features), 1), values[width])], axis=1)
            grown = np.exp(scores - scores.max(axis=1, keepdims=True))
            chances = grown / grown.sum(axis=1, keepdims=True)
            rows = np.arange(len(features))
            total -= share * float(np.log(chances[rows, target] + 1e-12).sum())
            chances[rows, target] -= 1
            slope[:width] += share * np.einsum("qs,qsf->f", chances[:, :-1], features)
            slope[width] += share * float(chances[:, -1].sum())
        return total, slope

    found = minimize(loss, np.ones(width + 1), jac=True, method="L-BFGS-B", options={"maxiter": 400}).x
    weights = np.zeros(len(used))
    weights[used] = found[:width]
    return Fusion(weights, float(found[width]))


def _asked_of_the_rest(items: list[ServiceItem], keys: list[str], encoder: Encoder) -> tuple[Rows, NDArray[np.intp]]:
    """Features of each alias and question, asked of an index that was made without its part."""
    asked, right = [], []
    for fold in range(FOLDS):
        kept_out: list[tuple[str, str]] = []
        rest = []
        for item in items:
            parts = {"aliases": item.aliases, "questions": item.questions}
            out = [text for part in parts.values() for text in part[fold::FOLDS]]
            kept_out += [(item.key, text) for text in out]
            rest.append(item.model_copy(update={n: [t for t in part if t not in out] for n, part in parts.items()}))
        search = HybridSearch(rest, encoder, fusion=_UNFITTED)
        asked += [_all_features(search, keys, text) for _, text in kept_out]
        right += [keys.index(key) for key, _ in kept_out]
        print(f"第 {fold + 1}/{FOLDS} 份问过了", flush=True)
    return np.stack(asked), np.array(right)


def _all_features(search: HybridSearch, keys: list[str], text: str) -> NDArray[np.float32]:
    services, features = search.features(text)
    placed = np.zeros((len(keys), features.shape[1]), dtype=np.float32)
    placed[services] = features
    return placed


def _report(fusion: Fusion, asked: Rows, right: NDArray[np.intp], none: Rows) -> str:
    chances = np.stack([fusion.probabilities(rows) for rows in asked])
    order = np.argsort(-chances, axis=1)
    first = order[:, 0] == right
    clear = chances.max(axis=1) >= CLEAR
    among = (order[:, :3] == right[:, None]).any(axis=1)
    refused = np.array([fusion.probabilities(rows).max() < CLEAR for rows in none])
    return (
        f"留出的说法 {len(right)} 句，首位正确 {first.mean():.3f}，前三有 {among.mean():.3f}，"
        f"直接回答 {clear.mean():.3f}，其中答错 {(clear & ~first).mean():.3f}；范围外误答 {(~refused).mean():.3f}"
    )


def _out_of_scope(file: Path) -> list[str]:
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]
    lines = [line for entry in entries for line in entry["examples"].splitlines()]
    return [line.strip().removeprefix("- ") for line in lines if line.strip()]
