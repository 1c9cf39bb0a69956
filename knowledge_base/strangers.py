"""Words of a question that no phrase of a service knows: what makes 「烟草专卖许可证」 no food licence.

A search finds the nearest service, and 「许可证」 alone brings one near. The words left over tell that
something else is meant. They are weighed only where the classifier, too, doubts that the question is ours:
people say ordinary things in words that no guide has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import jieba

from hotline.catalogue import ServiceItem
from knowledge_base.catalogue import Catalogue
from knowledge_base.search import phrases_of
from knowledge_base.subject import asking_words, whole

_EVERYWHERE = 12  # a word in the phrases of so many services tells nothing of any

_MADE: dict[str, Strangers] = {}


def strangers_of(catalogue: Catalogue) -> Strangers:
    """Made once for a catalogue as it is now: about a second, so the server asks before anybody calls."""
    if catalogue.content_hash not in _MADE:
        made = Strangers(catalogue.items)
        _MADE.clear()  # of the catalogue before an edit
        _MADE[catalogue.content_hash] = made
    return _MADE[catalogue.content_hash]


class Strangers:
    """Knows the words of each service of a catalogue."""

    def __init__(self, items: Mapping[str, ServiceItem]) -> None:
        self._phrases = {key: _phrases(item) for key, item in items.items()}
        jieba.initialize()
        self._everywhere = lru_cache(maxsize=8192)(self._is_everywhere)

    def of(self, text: str, key: str) -> list[str]:
        """The words of ``text``, in written Chinese, that the phrases of service ``key`` don't have."""
        known = self._phrases.get(key, "")
        words = jieba.cut(whole(text))
        return [w for w in words if len(w) > 1 and w not in known and not self._everywhere(w)]

    def _is_everywhere(self, word: str) -> bool:
        return word in asking_words() or sum(word in phrases for phrases in self._phrases.values()) >= _EVERYWHERE


def _phrases(item: ServiceItem) -> str:
    texts: Iterable[str] = phrases_of(item)
    return "|".join(whole(text) for text in texts)
