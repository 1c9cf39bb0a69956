"""Which known incident a caller asks about. Pure; the actions look it up before they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from hotline.insights import LOCAL, Incident, Topic


def fitting_incident(
    incidents: Sequence[Incident], text: str, town: str | None = None, item_key: str | None = None
) -> Incident | None:
    """The incident that ``text`` asks about, or None.

    One that concerns the answered service fits by ``item_key``; otherwise one of its words must be in
    the text. One of a certain town fits callers of that town, and those whose town is not known: they
    are told which town it is about. The most particular comes first: town known, then the longer word.
    """
    found: list[tuple[tuple[bool, int], Incident]] = []
    for incident in incidents:
        if incident.town and town and incident.town != town:
            continue
        by_item = item_key is not None and item_key in incident.item_keys
        word = max((len(w) for w in incident.words if w in text), default=0)
        if by_item or word:
            found.append(((bool(incident.town and incident.town == town), word), incident))
    return max(found, key=lambda f: f[0])[1] if found else None


def told(incident: Incident) -> str:
    """The sentence callers hear: where, what, who says so, until when."""
    until = incident.valid_until.astimezone(LOCAL).strftime("%m月%d日%H:%M")
    where = f"{incident.town}：" if incident.town else ""
    return f"{where}{incident.text}（{incident.source}，有效至{until}）"


_GENERIC = 3
"""A word of so many topics tells none of them apart (「小区」)."""


def words_for(topic: Topic, topics: Iterable[Topic], text: str) -> list[str]:
    """By which of a topic's words its incident is recognised, where nobody named any: those that what is told
    says itself, without words of many topics; else the word that sets the topic apart most."""
    used = Counter(word for other in topics for word in set(other.words))
    telling = [word for word in topic.words if len(word) >= 2 and used[word] < _GENERIC]
    return [word for word in telling if word in text][:5] or telling[:1]
