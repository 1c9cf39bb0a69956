"""Words of the trade, handed in as data by whoever knows the catalogue (gateway/domain_words.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DomainWords:
    """What callers are likely to say.

    Attributes:
        names: official names (services, towns): written right beyond doubt.
        aliases: other ways to say them, misspellings perhaps among them.
        hotwords: the few that an engine should listen for most, the most important first.
        prompt: a sentence of such words, for engines that are primed with text.
    """

    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    hotwords: tuple[str, ...] = ()
    prompt: str = ""
