"""A topic's name: a phrase people used, most of them in this topic and few in others.

A list of top words reads as a salad; a phrase that was said is read at once. The words that set the
topic apart follow in brackets where the phrase does not hold them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from insights.topics.words import WordCutter, stop_words

_LONGEST_WORDS, _SHORTEST, _LONGEST = 5, 2, 12
_READ = 400  # texts of a topic that are looked at
_WORDS_SHOWN = 2


def phrases(words: Sequence[str]) -> set[str]:
    """Runs of up to five words that neither begin nor end with a stop word."""
    stops = stop_words()
    found = set()
    for start in range(len(words)):
        if words[start] in stops or not words[start][0].isalnum():
            continue
        for end in range(start + 1, min(start + _LONGEST_WORDS, len(words)) + 1):
            if not words[end - 1][0].isalnum():
                break
            phrase = "".join(words[start:end])
            if words[end - 1] not in stops and _SHORTEST <= len(phrase) <= _LONGEST and "*" not in phrase:
                found.add(phrase)
    return found


def name_topics(
    cutter: WordCutter,
    texts: Sequence[Sequence[str]],
    top_words: Sequence[Sequence[str]],
    said: Sequence[Sequence[float]] | None = None,
) -> list[str]:
    """A name for each topic: ``texts`` its texts, the most typical first; ``top_words`` best first;
    ``said`` how often each text was said (once where not given)."""
    counts: list[Counter[str]] = []
    weights: list[float] = []
    for n, some in enumerate(texts):
        times = said[n] if said is not None else [1.0] * len(some)
        count: Counter[str] = Counter()
        for text, often in list(zip(some, times, strict=True))[:_READ]:
            for phrase in phrases(cutter.cut(text)):
                count[phrase] += often  # type: ignore[assignment]
        counts.append(count)
        weights.append(sum(times[:_READ]))
    overall: Counter[str] = Counter()
    for count in counts:
        overall.update(count)
    names: list[str] = []
    for count, weight, top in zip(counts, weights, top_words, strict=True):
        best = max(((_worth(p, n, overall[p], weight, top), p) for p, n in count.items()), default=(0.0, ""))[1]
        names.append(_named(best, top, names))
    return names


def _worth(phrase: str, here: float, overall: float, texts: float, top: Sequence[str]) -> float:
    """How often here, how seldom elsewhere, how much it holds of what sets the topic apart."""
    held = sum(1.0 / (rank + 1) for rank, word in enumerate(top[:6]) if word in phrase.lower())
    if not held:
        return 0.0
    return (
        math.sqrt(here / texts)
        * (here / (overall + 1 + 0.03 * texts))
        * (0.3 + held)
        * math.log(1 + min(len(phrase), 8))
    )


def _named(phrase: str, top: Sequence[str], taken: Sequence[str]) -> str:
    further = [w for w in top if w not in phrase.lower() and phrase not in w]
    if not phrase:
        return "、".join(top[:3]) or "其他"
    name = f"{phrase}（{'、'.join(further[:_WORDS_SHOWN])}）" if further else phrase
    if name in taken and len(further) > _WORDS_SHOWN:
        name = f"{phrase}（{'、'.join(further[1 : 1 + _WORDS_SHOWN])}）"
    return name if name not in taken else f"{name} {len(taken) + 1}"
