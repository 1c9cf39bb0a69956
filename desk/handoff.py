"""When a person is brought without having been asked for: the rules, as counts of what went wrong.

Pure but for the counts, which are of this process: after a restart a caller is given one more try.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

from hotline.desk import Handoff, HandoffReason, Needs
from hotline.messages import Channel
from hotline.numbers.numerals import parse_numeral
from hotline.work_orders import Urgency

_REMEMBERED = 5000
_NOT_UNDERSTOOD = "nlu_fallback"
# What a classifier calls that which it does not know; below this sureness it was not understood.
# Gibberish is called out of scope, or abuse, with about 0.6.
_ABUSE = "abuse_words"
_SURELY_ABUSE = 0.65
_CATCH_ALL = {"out_of_scope": 0.65, _ABUSE: _SURELY_ABUSE, "prompt_injection": 0.5, "ask_general": 0.5, "inform": 0.5}
_AGE = re.compile(
    r"(?:我|本人|我今年|今年)[^，,。！？!?他她佢爸妈公婆爷奶女儿子]{0,6}?([0-9]{2,3}|[一二三四五六七八九十百零]{2,5})(?:多|几)?(?:岁|歲)"
)
_ELDER_WORDS = re.compile(r"我(?:是|系|係)?(?:个|個)?(?:老人家?|长者|長者|孤寡老人|独居老人)(?:家)?(?![的证證卡优優])")


@dataclass(frozen=True)
class Heard:
    """One turn, as far as the rules look at it. ``confidence`` is the recogniser's, ``sure`` the
    classifier's of its intent; ``answered``: a service was named or offered."""

    text: str
    channel: Channel
    confidence: float
    intent: str | None
    sure: float = 1.0
    in_flow: bool = False
    answered: bool = False
    urgent: bool = False


@dataclass
class _Counts:
    misunderstood: int = 0
    unclear: int = 0


class HandoffRules:
    """``misunderstandings`` and ``unclear_turns`` in a row bring a person (0: never);
    ``min_confidence`` is below what speech counts as unclear; ``elder_age`` 0: age brings nobody."""

    def __init__(
        self, *, misunderstandings: int = 2, unclear_turns: int = 2, min_confidence: float = 0.35, elder_age: int = 0
    ) -> None:
        self._misunderstandings = misunderstandings
        self._unclear_turns = unclear_turns
        self._min_confidence = min_confidence
        self._elder_age = elder_age
        self._counts: OrderedDict[str, _Counts] = OrderedDict()

    def look(self, conversation_id: str, heard: Heard, needs: Needs = Needs()) -> Handoff | None:
        """The handoff that this turn brings by rule, or None. Counts the turn."""
        counts = self._counts.pop(conversation_id, _Counts())
        self._counts[conversation_id] = counts
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
        guessed = heard.sure < _CATCH_ALL.get(heard.intent or "", 0.0)
        missed = (guessed or heard.intent == _NOT_UNDERSTOOD) and not heard.in_flow and not heard.answered
        counts.misunderstood = counts.misunderstood + 1 if missed else 0
        unclear = heard.channel is Channel.VOICE and heard.confidence < self._min_confidence
        counts.unclear = counts.unclear + 1 if unclear else 0
        reason = self._reason(counts, heard)
        if reason is None:
            return None
        counts.misunderstood = counts.unclear = 0
        urgency = Urgency.EMERGENCY if reason is HandoffReason.CRISIS else Urgency.NORMAL
        return Handoff(reason=reason, urgency=urgency, needs=needs)

    def _reason(self, counts: _Counts, heard: Heard) -> HandoffReason | None:
        if heard.urgent:
            return HandoffReason.CRISIS
        if heard.intent == _ABUSE and heard.sure >= _SURELY_ABUSE:
            return HandoffReason.ABUSE
        if self._elder_age and tells_age(heard.text, self._elder_age):
            return HandoffReason.ELDERLY
        if self._unclear_turns and counts.unclear >= self._unclear_turns:
            return HandoffReason.UNCLEAR_SPEECH
        if self._misunderstandings and counts.misunderstood >= self._misunderstandings:
            return HandoffReason.MISUNDERSTOOD
        return None


def tells_age(text: str, at_least: int) -> bool:
    """Whether somebody says of themselves that they are ``at_least`` years old (「我今年七十二岁」)."""
    if _ELDER_WORDS.search(text):
        return True
    for found in _AGE.finditer(text):
        said = found[1]
        age = int(said) if said.isdigit() else parse_numeral(said)
        if age is not None and at_least <= age <= 120:
            return True
    return False
