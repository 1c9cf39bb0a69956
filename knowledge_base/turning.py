"""「那离职呢」「不是租房，是离职」: another service than the one in talk, named in a word or two.

Such a word is searched for twice: alone, and beside the name of the service in talk. Alone 「入户」 is any
way to be registered; beside 「出生医学证明」 it is a newborn's. Where the two searches agree they are
believed early, where they differ both are asked about: a word heard in the wrong company is answered wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence

from hotline.ports import SearchHit
from knowledge_base.decide import BESIDE, CLEAR, MOST_CANDIDATES, OTHER, POSSIBLE, Decision, Outcome, without

LONGEST = 8  # characters of a matter that is named in passing; longer ones speak for themselves
_NAMED = 0.9  # the service in talk itself is named this clearly
_SURELY = 0.9  # beside the name in talk, a service this likely is the one
_LEAST = 0.002  # and one less likely than this says nothing,
_LEAST_AKIN = 0.0005  # but one of the same family does with less
_FIRST_BY = 2.5  # how many times likelier than the next the first must be
_AGREED = 0.15  # how likely alone a service must be that both searches put first
_A_NOUN = 3  # characters that name a thing by themselves: 「护照」 has two, but both searches find it
_DOUBTFUL = 0.5


def turned_to(
    alone: Sequence[SearchHit],
    beside: Sequence[SearchHit],
    subject: str,
    context_key: str,
    *,
    corrects: bool,
    shared: bool = False,
) -> Decision | None:
    """Which service the words turn to; None where the two searches say too little.

    ``alone``: hits for the words; ``beside``: hits for the words and the name of the service in talk.
    ``subject``: the matter of the words. ``corrects``: the service in talk is said not to be meant.
    ``shared``: several services are called by these words (「医保」), so alone they choose none.
    """
    if alone and alone[0].item_key == context_key and alone[0].score >= _NAMED:
        return Decision(outcome=Outcome.CONTEXT, item_key=context_key)
    others, nearby = without(alone, context_key), without(beside, context_key)
    near = _clearly_first(nearby, context_key)
    if len(subject) <= 1:
        return _found(near.item_key) if near else None
    if not others:
        return None
    first = others[0]
    # What is doubtful alone stays so, though the one in talk, left out, held part of it.
    sure = min(first.score, _DOUBTFUL) if alone[0].score <= _DOUBTFUL else first.score
    if near and near.item_key == first.item_key and (sure >= _AGREED or near.score >= CLEAR):
        return _found(near.item_key)
    if shared:
        return Decision(outcome=Outcome.ASK_WHICH, candidates=[h.item_key for h in others[:MOST_CANDIDATES]])
    if sure >= BESIDE and (len(subject) >= _A_NOUN or near is None):
        return _found(first.item_key)
    if near and near.score >= _SURELY and sure < CLEAR:
        return _found(near.item_key)
    likely = [h.item_key for h in others if h.score >= OTHER]
    if near:
        likely = [near.item_key, *likely] if near.item_key[:2] == context_key[:2] else [*likely, near.item_key]
    else:
        likely += [h.item_key for h in nearby if h.score >= OTHER]
    if not likely and not corrects:
        return None
    if corrects and len(set(likely)) < 2 and not (near and near.item_key[:2] == context_key[:2]):
        likely += [h.item_key for h in others if h.score >= POSSIBLE / MOST_CANDIDATES]
    offered = list(dict.fromkeys(likely))[:MOST_CANDIDATES]
    if len(offered) == 1 and not corrects:
        offered.append(context_key)
    return Decision(outcome=Outcome.ASK_WHICH, candidates=offered) if offered else None


def _found(key: str) -> Decision:
    return Decision(outcome=Outcome.FOUND, item_key=key)


def _clearly_first(hits: Sequence[SearchHit], context_key: str) -> SearchHit | None:
    if not hits or hits[0].score < (_LEAST_AKIN if hits[0].item_key[:2] == context_key[:2] else _LEAST):
        return None
    return hits[0] if len(hits) == 1 or hits[0].score >= _FIRST_BY * hits[1].score else None
