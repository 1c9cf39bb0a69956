"""What to do while the caller says nothing: pure, counted in audio received."""

from __future__ import annotations

from enum import StrEnum


class SilenceStep(StrEnum):
    """Taken once each, in this order."""

    STILL_THERE = "still_there"
    OFFER_PERSON = "offer_person"
    GOODBYE = "goodbye"


class SilenceWatch:
    """Two counts, in seconds of audio.

    ``silent_for`` runs from the start of the call, the caller's last word or the end of the last
    answer, and goes on during the greeting and the prompts. ``unprompted_for`` runs while the
    bot says and does nothing. The first prompt waits for ``prompt_s`` of the second; the offer of
    a person comes at two thirds of ``hangup_s`` of the first, the goodbye at ``hangup_s``.
    """

    def __init__(self, prompt_s: float, hangup_s: float) -> None:
        self._prompt_s = prompt_s
        self._hangup_s = hangup_s
        self._done: SilenceStep | None = None
        self.silent_for = 0.0
        self.unprompted_for = 0.0

    def reset(self) -> None:
        """The caller did something, or heard an answer."""
        self.silent_for = self.unprompted_for = 0.0
        self._done = None

    def bot_was_busy(self) -> None:
        self.unprompted_for = 0.0

    def listen(self, seconds: float, bot_busy: bool) -> SilenceStep | None:
        """``seconds`` more without speech → the step that is due now, if any."""
        self.silent_for += seconds
        if bot_busy:
            self.unprompted_for = 0.0
            return None
        self.unprompted_for += seconds
        if self.silent_for >= self._hangup_s:
            return self._take(SilenceStep.GOODBYE)
        if self._done is None and self.unprompted_for >= self._prompt_s:
            return self._take(SilenceStep.STILL_THERE)
        if self._done is SilenceStep.STILL_THERE and self.silent_for >= self._hangup_s * 2 / 3:
            return self._take(SilenceStep.OFFER_PERSON)
        return None

    def _take(self, step: SilenceStep) -> SilenceStep | None:
        if self._done is SilenceStep.GOODBYE:
            return None
        self._done = step
        return step
