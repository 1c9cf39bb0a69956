"""From ranked services to one of: answer, ask which, go on with the one in talk, say it isn't known."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from hotline.ports import SearchHit

CLEAR = 0.60  # a service this likely is answered
POSSIBLE = 0.12  # one this likely is worth asking about
SHORT_SUBJECT = 3  # characters: 「那小孩呢」 says something about the service in talk
MOST_CANDIDATES = 3


class Outcome(StrEnum):
    FOUND = "found"
    CONTEXT = "context"
    ASK_WHICH = "ask_which"  # candidates are offered
    ASK_SUBJECT = "ask_subject"  # nothing was named, and nothing is in talk
    UNKNOWN = "unknown"


class Decision(BaseModel):
    """``item_key`` for FOUND and CONTEXT; ``candidates`` for ASK_WHICH, and the nearest ones for UNKNOWN."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    item_key: str | None = None
    candidates: list[str] = []


def decide(hits: Sequence[SearchHit], subject: str, context_key: str | None) -> Decision:
    """What to do with a question whose matter is ``subject`` (see knowledge_base.subject).

    ``context_key`` is the service the talk is about, if any.
    """
    if not subject:
        if context_key:
            return Decision(outcome=Outcome.CONTEXT, item_key=context_key)
        return Decision(outcome=Outcome.ASK_SUBJECT)
    if hits and hits[0].score >= CLEAR:
        return Decision(outcome=Outcome.FOUND, item_key=hits[0].item_key)
    possible = [h.item_key for h in hits if h.score >= POSSIBLE]
    if possible:
        # The best is unclear because another is near: both are offered, though the other alone scores low.
        offered = [h.item_key for h in hits[: max(2, len(possible))]]
        return Decision(outcome=Outcome.ASK_WHICH, candidates=offered[:MOST_CANDIDATES])
    if context_key and len(subject) <= SHORT_SUBJECT:
        return Decision(outcome=Outcome.CONTEXT, item_key=context_key)
    return Decision(outcome=Outcome.UNKNOWN, candidates=[h.item_key for h in hits[:2]])
