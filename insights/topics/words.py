"""The words topics are told apart by: jieba's, without those that any question has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import jieba

jieba.setLogLevel(60)
_FILE = Path(__file__).with_name("stop_words.txt")
_WORD = re.compile(r"^[\u4e00-\u9fffA-Za-z][\u4e00-\u9fffA-Za-z0-9]+$")
_MASKED = re.compile(r"\d*\*+\d*|［[^］]*］|\d{2,}")


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


class WordCutter:
    """Cuts Chinese into words; ``terms`` are kept whole (names of services). Shared, thread-safe."""

    def __init__(self, terms: Iterable[str] = ()) -> None:
        self._jieba = jieba.Tokenizer()
        for term in terms:
            self._jieba.add_word(term, 20000)

    def cut(self, text: str) -> list[str]:
        """All words, in order; masked numbers become gaps."""
        return [w for w in self._jieba.cut(_MASKED.sub(" ", text)) if w.strip()]

    def words(self, text: str) -> list[str]:
        """Words that tell what a text is about: two characters or more, no stop word, no figure."""
        stops = stop_words()
        return [w.lower() for w in self.cut(text) if w not in stops and _WORD.match(w)]
