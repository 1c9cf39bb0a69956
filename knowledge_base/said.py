"""What a masked text says, for the statistics: which town it speaks of, and what it is about."""

from __future__ import annotations

import re
from functools import lru_cache

from opencc import OpenCC

from hotline.insights import Said
from knowledge_base.catalogue import Catalogue
from knowledge_base.subject import matter

_TO_SIMPLIFIED = OpenCC("t2s")
_LEAST_MATTER = 2  # characters that name something
_COURTESY = re.compile(
    r"^(?:你好|您好|请问|唔该|麻烦|劳驾|我?想(?:请)?问(?:一?下)?|我?想咨询(?:一?下)?|咨询一?下|[，,。！!？? ]|喂|诶|嗯|哦|那个)+"
    r"|(?:谢谢|多谢|唔该|[，,。！!？? ])+$"
)
_LEFT_BY_A_TOWN = re.compile(r"^(?:我(?:住|人)?(?:在|喺)?|喺|在|住|的|嘅|这边|呢边|那边|[，,。 ])+(?=[\u4e00-\u9fff])")


class SaidReader:
    """Called for every turn that is counted; what is asked often is remembered."""

    def __init__(self, catalogue: Catalogue, remembered: int = 65536) -> None:
        self._town = {name: town.name for town in catalogue.towns.values() for name in town.names}
        names = sorted(self._town, key=len, reverse=True)
        self._names = re.compile("|".join(map(re.escape, names)))
        self._ambiguous = tuple(place.word for place in catalogue.ambiguous_places)
        self.look = lru_cache(maxsize=remembered)(self._look)

    def _look(self, text: str) -> Said:
        text = str(_TO_SIMPLIFIED.convert(text)).replace("𠮶", "嗰")
        found = None if any(word in text for word in self._ambiguous) else self._names.search(text)
        rest = self._names.sub("", text) if found else text
        if found and found.start() <= 6:
            rest = _LEFT_BY_A_TOWN.sub("", rest)
        rest = _COURTESY.sub("", _COURTESY.sub("", rest))
        return Said(self._town[found.group()] if found else None, rest if len(matter(rest)) >= _LEAST_MATTER else "")
