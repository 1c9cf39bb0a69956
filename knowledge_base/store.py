"""What the search keeps between starts: phrases' vectors, and the classifier made from them.

Vectors are kept a phrase at a time, so that a guide with one new phrase costs one more vector.
Everything here can be made again: an unreadable file is thrown away.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import joblib
import numpy as np
import sklearn
from numpy.typing import NDArray

from knowledge_base.phrase_classifier import PhraseClassifier
from knowledge_base.views import Encoder


class SearchStore:
    """``folder`` None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def vectors(self, encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text."""
        kept = self._kept_vectors(encoder)
        missing = [text for text in dict.fromkeys(texts) if text not in kept]
        if missing:
            made = encoder.encode(missing)
            kept |= dict(zip(missing, made, strict=True))
            wanted = list(dict.fromkeys(texts))  # phrases no longer used are dropped
            self._write(
                self._vector_file(encoder),
                lambda file: np.savez(file, texts=np.array(wanted), vectors=np.stack([kept[text] for text in wanted])),
            )
        return np.stack([kept[text] for text in texts])

    def classifier(self, texts: Sequence[str], vectors: NDArray[np.float32], keys: Sequence[str]) -> PhraseClassifier:
        marks = [sklearn.__version__, *texts, *keys]
        mark = hashlib.sha256("\n".join(marks).encode() + np.round(vectors, 3).tobytes()).hexdigest()[:20]
        file = self._folder / f"classifier-{mark}.joblib" if self._folder else None
        if file is not None and file.is_file():
            try:
                kept = joblib.load(file)
                if isinstance(kept, PhraseClassifier):
                    return kept
            except Exception:
                file.unlink(missing_ok=True)  # cut short by a crash, or of another version: made again
        made = PhraseClassifier().fit(texts, vectors, keys)
        if file is not None and self._folder is not None:
            for old in self._folder.glob("classifier-*.joblib"):
                old.unlink(missing_ok=True)
            self._write(file, lambda opened: joblib.dump(made, opened))
        return made

    def _kept_vectors(self, encoder: Encoder) -> dict[str, NDArray[np.float32]]:
        file = self._vector_file(encoder)
        if file is None or not file.is_file():
            return {}
        try:
            with np.load(file) as kept:
                return dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))
        except Exception:  # numpy and zipfile have many ways to say that a file is torn: made again
            file.unlink(missing_ok=True)
            return {}

    def _vector_file(self, encoder: Encoder) -> Path | None:
        mark = hashlib.sha256(encoder.name.encode()).hexdigest()[:12]
        return self._folder / f"vectors-{mark}.npz" if self._folder else None

    def _write(self, file: Path | None, write: Callable[[IO[bytes]], object]) -> None:
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
            write(part)
        Path(part.name).replace(file)
