"""Live fan-out of the desk's events to the agents' screens; the store is the truth behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from hotline.desk import DeskEvent
from hotline.desk_ports import DeskTrail

_BACKLOG = 512
_PAGE = 200


class DeskFeed:
    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[DeskEvent]] = set()

    def publish(self, events: Iterable[DeskEvent]) -> None:
        for event in events:
            for queue in self._watchers:
                if not queue.full():
                    queue.put_nowait(event)

    async def follow(self, trail: DeskTrail, after: int) -> AsyncIterator[DeskEvent]:
        """The desk's events after ``after``, in order, each once, until closed."""
        queue: asyncio.Queue[DeskEvent] = asyncio.Queue(_BACKLOG)
        self._watchers.add(queue)
        try:
            seen = after
            while True:
                missed = await trail.desk_events_after(seen, _PAGE)
                for event in missed:
                    seen = event.seq
                    yield event
                if len(missed) == _PAGE:
                    continue
                while (told := await queue.get()).seq <= seen + 1:
                    if told.seq == seen + 1:
                        seen = told.seq
                        yield told
        finally:
            self._watchers.discard(queue)
