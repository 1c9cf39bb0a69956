"""Which calls are under way, through all doors, and whether one more can be taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from hotline.errors import CallerBusyError, HotlineError, LineBusyError
from voice.telephony.line import LiveCall


class CallBook:
    """``live`` by call id. ``most`` calls at once; ``per_number`` of one number, 0 for any."""

    def __init__(self, most: int, per_number: int = 0) -> None:
        self.live: dict[str, LiveCall] = {}
        self.waiting = 0  # browsers that are connected and have not begun a call
        self._most = most
        self._per_number = per_number
        self._open = 0
        self._numbers: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """Calls that hold a place, those that are just beginning included."""
        return self._open

    def refusal(self, number: str | None) -> HotlineError | None:
        """Why no call of this number can be taken now, if none can."""
        if self._open >= self._most:
            return LineBusyError()
        if number is not None and 0 < self._per_number <= self._numbers[number]:
            return CallerBusyError()
        return None

    @contextmanager
    def place(self, number: str | None) -> Iterator[None]:
        """A place for one call. Raises LineBusyError, CallerBusyError."""
        if (refused := self.refusal(number)) is not None:
            raise refused
        self._open += 1
        if number is not None:
            self._numbers[number] += 1
        try:
            yield
        finally:
            self._open -= 1
            if number is not None:
                self._numbers[number] -= 1
                if not self._numbers[number]:
                    del self._numbers[number]
