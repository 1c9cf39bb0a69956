"""How Chinese characters sound, with what southern speakers and recognisers confuse folded together.

A syllable is its pinyin without the tone; then zh/z, ch/c, sh/s and n/l are one, f is one with h
before u (福 and 湖), and so are -ng and -n. Two texts that fold alike may be the same words.
"""

from __future__ import annotations

from functools import lru_cache

from pypinyin import Style, lazy_pinyin

# f + vowel is heard as h + u + vowel.
_F_FINALS = {
    "a": "ua",
    "ei": "ui",
    "an": "uan",
    "ang": "uang",
    "en": "un",
    "eng": "ong",
    "o": "uo",
    "u": "u",
    "ou": "ou",
}
_RETROFLEX = ("zh", "ch", "sh")


def toned(text: str) -> list[str]:
    """One syllable a character, its tone a digit behind (``she4``); read as words are read."""
    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, errors=lambda other: list(other))  # type: ignore[arg-type, return-value]


@lru_cache(maxsize=8192)
def folded(syllable: str) -> str:
    """A toned syllable without what is confused; anything else as it is."""
    plain = syllable.rstrip("12345")
    if not (plain.isascii() and plain.isalpha()):
        return syllable
    if plain.startswith(_RETROFLEX):
        plain = plain[0] + plain[2:]
    elif plain[0] == "f" and plain[1:] in _F_FINALS:
        plain = "h" + _F_FINALS[plain[1:]]
    elif plain[0] == "n" and len(plain) > 1:
        plain = "l" + plain[1:]
    return plain[:-1] if plain.endswith("ng") else plain
