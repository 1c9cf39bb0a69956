"""What a call needs from the house around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hotline.messages import Reply, Understanding
from hotline.ports import SpeechChange
from voice.audio import Samples


@dataclass(frozen=True)
class SpokenReply:
    """One answer on its way to a caller.

    ``payload`` is what the ``reply`` frame carries: the JSON of a Reply and ``understanding``.
    ``state`` is the conversation's after this turn (bot, queued, agent, closed). An empty
    ``speech_text`` is not spoken (an agent has the floor). ``expects`` is what the dialogue waits
    for next (``identity_proof`` …): it sets the patience for the next utterance and what keys mean.
    ``speech_change`` holds from this answer on. ``urgent``: the number to call in danger, said to its
    end also to a caller who goes on talking. ``local``: the voice side's own words; what the
    dialogue waits for stays as it was.
    """

    turn_id: str
    speech_text: str
    payload: dict[str, Any] = field(default_factory=dict)
    state: str = "bot"
    expects: str | None = None
    speech_change: SpeechChange | None = None
    urgent: bool = False
    local: bool = False

    @classmethod
    def of_text(cls, turn_id: str, text: str, state: str = "bot") -> SpokenReply:
        """A reply of the voice side itself (a prompt, a named error): no sources, no service."""
        payload = Reply(text=text).model_dump(mode="json")
        payload["understanding"] = Understanding().model_dump(mode="json")
        return cls(turn_id, text, payload, state, local=True)


class Dialogue(Protocol):
    """The conversation behind a call. May raise any HotlineError: its sentence is spoken."""

    async def greet(self) -> SpokenReply:
        """The first words: who speaks, that it is an AI, that the call is recorded."""
        ...

    async def answer(self, text: str, confidence: float) -> SpokenReply: ...

    async def handoff(self) -> SpokenReply:
        """The caller pressed 0 and wants a person."""
        ...

    async def cut(self, turn_id: str, heard: str, unheard: str) -> None:
        """The caller spoke into a speech: what of it was heard, and what was not. Never raises."""
        ...


class CallTape(Protocol):
    """Where both sides of a call may be recorded. Calls never block and never raise."""

    def caller(self, samples: Samples, at: float) -> None:
        """Sound of the caller, at the call's rate; ``at`` is the call's clock when it came in."""
        ...

    def line(self, samples: Samples, at: float) -> None:
        """Sound for the caller, heard from ``at`` on."""
        ...

    def line_cut(self, at: float) -> None:
        """What was to be heard after ``at`` is not."""
        ...

    def turn(self, turn_id: str, who: str, begun: float, ended: float) -> None:
        """``who`` (caller or line) spoke for this turn from ``begun`` to ``ended``, by the call's clock."""
        ...


class CallTap(Protocol):
    """Somebody who hears the caller along: int16 samples at the call's rate. Must not block."""

    def caller(self, samples: NDArray[np.int16]) -> None: ...


EventSink = Callable[[dict[str, Any] | bytes], Awaitable[None]]
"""Text frames as dicts, audio frames as bytes."""


@dataclass
class TurnTimings:
    """When each stage of one spoken turn was reached, in seconds of the call's clock.

    ``speech_ended`` is where the caller's voice stopped, ``endpoint`` where that was noticed.
    ``first_audio`` is the first sound the caller hears, ``first_word`` the answer's own first: they
    differ where an opening fills the wait. A stage that was not reached stays None.
    """

    turn_id: str
    speech_ended: float
    endpoint: float
    recognised: float | None = None
    answered: float | None = None
    first_audio: float | None = None
    first_word: float | None = None

    def parts_ms(self) -> dict[str, float]:
        """Duration of each stage in milliseconds, ``total`` (to the first sound) and ``answer`` (to the
        answer's own first word), as far as reached."""
        stages = [
            ("endpointing", self.speech_ended, self.endpoint),
            ("recognition", self.endpoint, self.recognised),
            ("dialogue", self.recognised, self.answered),
            ("synthesis", self.answered, self.first_word),
            ("total", self.speech_ended, self.first_audio),
            ("answer", self.speech_ended, self.first_word),
        ]
        return {
            name: round(1000 * (end - begin), 1) for name, begin, end in stages if begin is not None and end is not None
        }
