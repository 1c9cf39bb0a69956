"""What a call needs from the house around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hotline.messages import Reply, Understanding
from hotline.ports import SpeechChange


@dataclass(frozen=True)
class SpokenReply:
    """One answer on its way to a caller.

    ``payload`` is what the ``reply`` frame carries: the JSON of a Reply and ``understanding``.
    ``state`` is the conversation's after this turn (bot, queued, agent, closed). An empty
    ``speech_text`` is not spoken (an agent has the floor). ``endpoint_silence_ms`` gives the next
    utterance more patience, where a number is asked for. ``speech_change`` holds from this answer on.
    """

    turn_id: str
    speech_text: str
    payload: dict[str, Any] = field(default_factory=dict)
    state: str = "bot"
    endpoint_silence_ms: int | None = None
    speech_change: SpeechChange | None = None

    @classmethod
    def of_text(cls, turn_id: str, text: str, state: str = "bot") -> SpokenReply:
        """A reply of the voice side itself (a prompt, a named error): no sources, no service."""
        payload = Reply(text=text).model_dump(mode="json")
        payload["understanding"] = Understanding().model_dump(mode="json")
        return cls(turn_id, text, payload, state)


class Dialogue(Protocol):
    """The conversation behind a call. May raise any HotlineError: its sentence is spoken."""

    async def greet(self) -> SpokenReply:
        """The first words: who speaks, that it is an AI, that the call is recorded."""
        ...

    async def answer(self, text: str, confidence: float) -> SpokenReply: ...

    async def handoff(self) -> SpokenReply:
        """The caller pressed 0 and wants a person."""
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
    A stage that was not reached stays None.
    """

    turn_id: str
    speech_ended: float
    endpoint: float
    recognised: float | None = None
    answered: float | None = None
    first_audio: float | None = None

    def parts_ms(self) -> dict[str, float]:
        """Duration of each stage in milliseconds, and ``total``, as far as reached."""
        stages = [
            ("endpointing", self.speech_ended, self.endpoint),
            ("recognition", self.endpoint, self.recognised),
            ("dialogue", self.recognised, self.answered),
            ("synthesis", self.answered, self.first_audio),
            ("total", self.speech_ended, self.first_audio),
        ]
        return {
            name: round(1000 * (end - begin), 1) for name, begin, end in stages if begin is not None and end is not None
        }
