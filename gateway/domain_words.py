"""What the catalogue knows, as data for the recogniser: voice itself sees no knowledge base."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from hotline.catalogue import ServiceItem
from knowledge_base.catalogue import Catalogue, load_catalogue
from voice.stt.domain import DomainWords

_PROMPT_NAMES = 24
_HOTWORDS = 60
# What people do with services; their homophones (不办, 到齐) are commoner words.
_SPOKEN_OF_SERVICES = ("补办", "到期", "换领", "报名", "注销", "报销", "断缴", "投诉")


def domain_words(catalogue: Catalogue | None = None) -> DomainWords:
    """Names to listen for and to repair. Recognisers read only the last two hundred tokens or so of a
    prompt, so each area has its turn and a service gives its shortest name."""
    catalogue = catalogue or load_catalogue()
    by_area: dict[str, list[str]] = {}
    for item in catalogue.items.values():
        by_area.setdefault(item.area, []).append(min([item.name, *item.aliases], key=len))
    in_turn = [name for names in zip_longest(*by_area.values()) for name in names if name]
    towns = [town.short for town in catalogue.towns.values()]
    town_names = [town.name for town in catalogue.towns.values()]
    prompt = [*_SPOKEN_OF_SERVICES, *in_turn[:_PROMPT_NAMES], *towns]
    return DomainWords(
        names=(*(item.name for item in catalogue.items.values()), *towns, *town_names),
        aliases=tuple(alias for item in catalogue.items.values() for alias in item.aliases),
        places=(*towns, *town_names),
        sentences=tuple(text for item in catalogue.items.values() for text in item.questions),
        prose=tuple(text for item in catalogue.items.values() for text in _prose(item)),
        hotwords=tuple(dict.fromkeys([*in_turn, *towns]))[:_HOTWORDS],
        prompt="以下是南海区政务热线的普通话对话。" + "、".join(prompt),
    )


def _prose(item: ServiceItem) -> Iterator[str]:
    yield item.summary
    for facts in (*item.facts.values(), *item.elements.values()):
        for fact in facts:
            yield fact.text
            yield from fact.items
            yield from (document.name for document in fact.documents)
