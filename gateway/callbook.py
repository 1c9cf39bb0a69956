"""Which calls are under way, through all doors, where the desk finds one, and whether one more can be taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.live_calls import DeskCall
from hotline.errors import CallerBusyError, HotlineError, LineBusyError, NotFoundError


class CallBook:
    """``live`` by call id. ``most`` calls at once; ``per_number`` of one number, 0 for any."""

    def __init__(self, most: int, per_number: int = 0) -> None:
        self.live: dict[str, DeskCall] = {}
        self.waiting = 0  # browsers that are connected and have not begun a call
        self._most = most
        self._per_number = per_number
        self._open = 0
        self._numbers: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """Calls that hold a place, those that are just beginning included."""
        return self._open

    def get(self, call_id: str) -> DeskCall:
        """Raises NotFoundError: no such call, or it has ended."""
        try:
            return self.live[call_id]
        except KeyError:
            raise NotFoundError("这通电话已经结束，或没有这通电话。") from None

    def of(self, conversation_id: str) -> DeskCall | None:
        return next((c for c in self.live.values() if c.conversation_id == conversation_id), None)

    @contextmanager
    def under_way(self, call: DeskCall) -> Iterator[None]:
        """``call`` is found until the block ends."""
        self.live[call.call_id] = call
        try:
            yield
        finally:
            del self.live[call.call_id]

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
