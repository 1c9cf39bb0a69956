"""Fits the curve that turns a search score into a probability."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from knowledge_base.catalogue import Catalogue
from knowledge_base.decide import CLEAR
from knowledge_base.search import HybridSearch, SentenceEncoder


def calibrate(catalogue: Catalogue, nlu_data: Path) -> str:
    """The constants for ``search.CALIBRATION`` and how they do on their own data, as text.

    Right answers are taught by the guides' questions, each passed by in the index while it is
    asked; wrong ones by the training set's out-of-scope questions. Evaluation sets stay out of it.
    """
    search = HybridSearch(catalogue.items.values(), SentenceEncoder())
    asked: list[tuple[str | None, str]] = [(i.key, q) for i in catalogue.items.values() for q in i.questions]
    asked += [(None, text) for text in _out_of_scope(nlu_data / "out_of_scope.yml")]
    rows, right, ours = [], [], []
    for key, text in asked:
        ranked = sorted(search.scores(text, leave_out=text).items(), key=lambda pair: -pair[1])
        if len(ranked) > 1:
            rows.append((ranked[0][1], ranked[0][1] - ranked[1][1]))
            right.append(ranked[0][0] == key)
            ours.append(key is not None)
    model = LogisticRegression(C=100).fit(rows, right)
    clear = model.predict_proba(rows)[:, 1] >= CLEAR
    correct, own = np.array(right), np.array(ours)
    score, lead = model.coef_[0]
    return (
        f'CALIBRATION = {{"bias": {model.intercept_[0]:.2f}, "score": {score:.2f}, "lead": {lead:.2f}}}\n'
        f"指南问句（留一）：首位正确 {correct[own].mean():.3f}，直接回答 {clear[own].mean():.3f}，"
        f"其中答错 {(clear & ~correct)[own].mean():.3f}\n"
        f"范围外：误答 {clear[~own].mean():.3f}"
    )


def _out_of_scope(file: Path) -> list[str]:
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]
    lines = [line for entry in entries for line in entry["examples"].splitlines()]
    return [line.strip().removeprefix("- ") for line in lines if line.strip()]
