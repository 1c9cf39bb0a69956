"""Words of the trade, handed in as data by whoever knows the catalogue (gateway/domain_words.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DomainWords:
    """What callers are likely to say.

    Attributes:
        names: official names (services, towns): written right beyond doubt.
        places: towns and the like; also among the names.
        aliases: other ways to say them, misspellings perhaps among them.
        sentences: what people ask, in their spelling.
        prose: what the trade itself writes, without misspellings.
        hotwords: the few that an engine should listen for most, the most important first.
        prompt: a sentence of such words, for engines that are primed with text.
    """

    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()
    hotwords: tuple[str, ...] = ()
    prompt: str = ""
