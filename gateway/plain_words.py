"""What was said, in the plain words that the rules of danger are written in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from opencc import OpenCC
from pypinyin.constants import PINYIN_DICT

_FILE = Path(__file__).with_name("plain_words.yml")
_TO_SIMPLIFIED = OpenCC("t2s")
_MARKS = re.compile(r"[^\w]+")


class PlainWords:
    """Turns Cantonese, traditional script, fillers and mishearings into simplified Mandarin.

    The result is for recognising only: it is neither shown nor stored.
    """

    def __init__(self, file: Path = _FILE) -> None:
        table: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        self._before = _Replacements(table["before"])
        self._words = _Replacements(table["words"])
        self._patterns = [(re.compile(pattern), by) for pattern, by in table["patterns"]]
        self._meant = {_folded(sound): meant for sound, meant in table["sounds"].items()}
        longest_first = sorted(self._meant, key=len, reverse=True)
        self._sounds = re.compile("(?<= )(?:" + "|".join(longest_first) + ")(?= )")

    def of(self, text: str) -> str:
        """``text`` plain: no blanks, every run of marks a single 「，」."""
        folded = unicodedata.normalize("NFKC", text).lower()
        folded = _TO_SIMPLIFIED.convert(self._before.apply("".join(folded.split())))
        folded = folded.replace("𠮶", "嗰")  # what the converter makes of it, and nobody types
        plain = _MARKS.sub("，", self._words.apply(folded)).strip("，")
        for pattern, by in self._patterns:
            plain = pattern.sub(by, plain)
        return self._by_sound(plain)

    def _by_sound(self, text: str) -> str:
        """Puts what is meant where only the sound of it was written down."""
        sounded = " " + " ".join(map(_sound, text)) + " "
        characters = list(text)
        for match in self._sounds.finditer(sounded):
            first = sounded.count(" ", 0, match.start()) - 1
            for offset, character in enumerate(self._meant[match[0]]):
                characters[first + offset] = character
        return "".join(characters)


class _Replacements:
    """Many words replaced in one pass, the longest first, so that none is replaced twice."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table
        self._any = re.compile("|".join(re.escape(word) for word in sorted(table, key=len, reverse=True)))

    def apply(self, text: str) -> str:
        return self._any.sub(lambda match: self._table[match[0]], text)


@lru_cache(maxsize=8192)
def _sound(character: str) -> str:
    """The first reading of ``character``, folded; the character itself where it has none."""
    readings = PINYIN_DICT.get(ord(character))
    if readings is None:
        return character
    plain = unicodedata.normalize("NFD", readings.split(",")[0])
    return _folded("".join(c for c in plain if c.isalpha() and c.isascii()))


def _folded(pinyin: str) -> str:
    """zh/z, ch/c, sh/s, n/l and the final n/ng are one sound to many speakers here."""
    folded = re.sub(r"\b([zcs])h", r"\1", pinyin)
    return re.sub(r"\bn", "l", re.sub(r"ng\b", "n", folded))
