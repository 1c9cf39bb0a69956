"""How words sound, so that what a recogniser or a hurried hand wrote wrongly is still found.

「舍保」 and 「社保」 are written differently and sound alike. Mandarin is read by pypinyin and folded
over the confusions of southern speakers (zh/z, ch/c, sh/s, n/l, r/l, f/h, -ng/-n); Cantonese by
ToJyutping. Tones are left out: recognisers lose them first.
"""

from __future__ import annotations

from functools import lru_cache

import ToJyutping
from pypinyin import lazy_pinyin

_RETROFLEX = (("zh", "z"), ("ch", "c"), ("sh", "s"))


@lru_cache(maxsize=4096)
def mandarin_sounds(text: str) -> tuple[str, ...]:
    """One folded syllable for each Chinese character; other writing as it is."""
    return tuple(_folded(syllable) for syllable in lazy_pinyin(text))


@lru_cache(maxsize=4096)
def cantonese_sounds(text: str) -> tuple[str, ...]:
    """One jyutping syllable without its tone for each character that has one."""
    syllables = (sounds for _, sounds in ToJyutping.get_jyutping_list(text) if sounds)
    return tuple(part.rstrip("123456") for sounds in syllables for part in sounds.split())


def _folded(syllable: str) -> str:
    if not (syllable.isascii() and syllable.isalpha()):
        return syllable
    for spoken, meant in _RETROFLEX:
        if syllable.startswith(spoken):
            syllable = meant + syllable[len(spoken) :]
    syllable = syllable.removesuffix("g") if syllable.endswith("ng") else syllable
    if syllable[0] in "nr" and len(syllable) > 1:
        return "l" + syllable[1:]
    return "h" + syllable[1:] if syllable[0] == "f" else syllable
