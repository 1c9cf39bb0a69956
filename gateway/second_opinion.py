"""A second opinion on danger, learnt from the sentences in ``danger_examples.yml``.

Rules cannot list every way to say that something is burning. Character pieces weighed by a
logistic regression catch many of the ways nobody wrote down. Training is deterministic and takes
some seconds, so the weights may be kept in a folder, under a name made from the examples and this
code: they are never out of step. Asking takes a fraction of a millisecond.

What people ask every day (the guides' phrases, the training examples of the engine) is learnt as no
danger, but for the sentences in which the rules find some: thousands of ordinary sentences teach it
what a water pipe, a lost card or a noisy neighbour sounds like.
"""

from __future__ import annotations

import hashlib
import logging
import math
import pickle
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import yaml

from hotline.errors import HotlineError

logger = logging.getLogger(__name__)

_FILE = Path(__file__).with_name("danger_examples.yml")
_ROOT = Path(__file__).resolve().parent.parent
_GUIDES = _ROOT / "knowledge_base" / "guides"
_EVERYDAY = tuple(_ROOT / "nlu_data" / f"{name}.yml" for name in ("aspects", "flows", "smalltalk", "out_of_scope"))
_LONGEST = 3
_CALM = "calm"
_UNREADABLE = (OSError, EOFError, pickle.UnpicklingError, zlib.error, ImportError, LookupError, ValueError, TypeError, AttributeError)  # fmt: skip

Vector = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class SecondOpinion:
    """``danger``: how likely it is danger, 0..1. ``classes``: then which, summing up to 1."""

    danger: float
    classes: dict[str, float]


class KeptModelError(HotlineError):
    """The weights kept in a folder cannot be read. They can always be learnt again."""

    code = "kept_model_unreadable"


class SecondOpinionModel:
    """Judges a sentence in plain words (``plain_words.py``)."""

    def __init__(
        self, column: dict[str, int], rarity: Vector, weights: Vector, bases: Vector, names: list[str]
    ) -> None:
        """``weights``: danger in the first row, then one row for each of ``names``."""
        self._column = column
        self._rarity = rarity
        self._weights = weights
        self._bases = bases
        self._names = names

    def of(self, plain: str) -> SecondOpinion:
        counted = Counter(piece for piece in _pieces(plain) if piece in self._column)
        columns = [self._column[piece] for piece in counted]
        values = np.array([1 + math.log(times) for times in counted.values()]) * self._rarity[columns]
        length = float(np.sqrt(values @ values)) or 1.0
        scores = self._weights[:, columns] @ (values / length) + self._bases
        likely = 1 / (1 + np.exp(-scores))
        kinds = likely[1:] / likely[1:].sum()
        return SecondOpinion(float(likely[0]), dict(zip(self._names, map(float, kinds), strict=True)))


@cache
def trained(
    plain: Callable[[str], str], alarming: Callable[[str], bool], file: Path = _FILE, kept_in: Path | None = None
) -> SecondOpinionModel:
    """The model learnt from ``file`` and from everyday sentences, each first made ``plain``; learnt once a
    process, or once for all where there is a folder to keep it in. ``alarming``: whether the rules find danger
    in plain words; such everyday sentences teach nothing."""
    if kept_in is None:
        return _learnt(plain, alarming, file)
    mark = hashlib.sha256()
    here = Path(__file__).parent
    for part in (file, here / "emergencies.yml", *sorted(here.glob("plain_words.*")), Path(__file__), *_everyday()):
        mark.update(part.read_bytes())
    kept = kept_in / f"danger-{mark.hexdigest()[:16]}.joblib"
    if kept.is_file():
        try:
            return _read(kept)
        except KeptModelError as error:
            logger.warning("%s learnt again: %s", kept.name, error.detail)
            kept.unlink(missing_ok=True)
    model = _learnt(plain, alarming, file)
    kept_in.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=kept_in, suffix=".part", delete=False) as part_file:
        joblib.dump(model, part_file)
    Path(part_file.name).replace(kept)
    return model


def _read(kept: Path) -> SecondOpinionModel:
    """Raises KeptModelError."""
    try:
        model = joblib.load(kept)
    # What a file cut short by a crash, or written by other versions, makes a pickle raise; also MemoryError,
    # where the damage reads as an enormous length.
    except (*_UNREADABLE, MemoryError) as error:
        raise KeptModelError(f"存下的判断模型读不出来（{type(error).__name__}），要重新学。") from error
    if not isinstance(model, SecondOpinionModel):
        raise KeptModelError(f"存下的判断模型里是别的东西（{type(model).__name__}），要重新学。")
    return model


def _everyday() -> list[Path]:
    return [*sorted(_GUIDES.rglob("*.yml")), *_EVERYDAY]


def _everyday_sentences() -> Iterator[str]:
    """What is asked of the guides, and the engine's examples other than those of danger."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for file in _everyday():
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
        if "nlu" not in content:
            yield from (*content["aliases"], *content["questions"])
            continue
        for entry in content["nlu"]:
            yield from (line.strip().removeprefix("- ") for line in entry["examples"].splitlines() if line.strip())


@cache
def _learnt(plain: Callable[[str], str], alarming: Callable[[str], bool], file: Path) -> SecondOpinionModel:
    # Heavy to import, and only wanted here: rules alone do not need it.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    examples: dict[str, list[str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    labelled = [(plain(said), label) for label, sayings in examples.items() for said in sayings]
    everyday = dict.fromkeys(plain(said) for said in _everyday_sentences())
    labelled += [(said, _CALM) for said in everyday if said and not alarming(said)]
    vectors = TfidfVectorizer(analyzer=_pieces, sublinear_tf=True)
    table = vectors.fit_transform([said for said, _ in labelled])
    names = [label for label in examples if label != _CALM]
    dangerous = [i for i, (_, label) in enumerate(labelled) if label != _CALM]

    def learn(rows: list[int], wanted: list[bool]) -> tuple[Vector, float]:
        fitted = LogisticRegression(C=10.0, solver="liblinear", random_state=0).fit(table[rows], wanted)
        return fitted.coef_[0], float(fitted.intercept_[0])

    learnt = [learn(list(range(len(labelled))), [label != _CALM for _, label in labelled])]
    learnt += [learn(dangerous, [labelled[i][1] == name for i in dangerous]) for name in names]
    return SecondOpinionModel(
        column=vectors.vocabulary_,
        rarity=vectors.idf_,
        weights=np.array([weights for weights, _ in learnt]),
        bases=np.array([base for _, base in learnt]),
        names=names,
    )


def _pieces(plain: str) -> list[str]:
    """Every run of one to three characters, with the ends of the sentence marked."""
    marked = f"^{plain}$"
    return [marked[i : i + n] for n in range(1, _LONGEST + 1) for i in range(len(marked) - n + 1)]
