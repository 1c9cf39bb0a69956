"""Live fan-out of conversation events to the sockets that watch a conversation.

In this process; the store is the truth, so a watcher that reconnects reads what it missed there.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from hotline.events import ConversationEvent

_BACKLOG = 256
_REMEMBERED = 10_000

# Events, and whatever frames a watcher puts among them itself to have them leave in order.
Outbox = asyncio.Queue[ConversationEvent | dict[str, Any]]


class EventFeed:
    def __init__(self) -> None:
        self._watchers: dict[str, set[Outbox]] = defaultdict(set)
        self._pages: Counter[str] = Counter()
        self._left: OrderedDict[str, datetime] = OrderedDict()

    def publish(self, events: Iterable[ConversationEvent]) -> None:
        """Hands stored events to whoever watches their conversation. A watcher too slow to keep
        up loses the rest here and reads it from the store, by the gap in ``seq``."""
        for event in events:
            for queue in self._watchers.get(event.conversation_id, ()):
                if not queue.full():
                    queue.put_nowait(event)

    def hint(self, conversation_id: str, frame: dict[str, Any]) -> None:
        """A passing frame that is not kept (somebody is typing), for whoever watches now."""
        for queue in self._watchers.get(conversation_id, ()):
            if not queue.full():
                queue.put_nowait(frame)

    def unwatched_since(self, conversation_id: str) -> datetime | None:
        """When the last page of a conversation was closed; None where one is open, or none ever was."""
        return self._left.get(conversation_id)

    @asynccontextmanager
    async def page(self, conversation_id: str) -> AsyncIterator[Outbox]:
        """As :meth:`watch`, by the citizen's own page: its closing is remembered."""
        self._pages[conversation_id] += 1
        self._left.pop(conversation_id, None)
        try:
            async with self.watch(conversation_id) as queue:
                yield queue
        finally:
            self._pages[conversation_id] -= 1
            if not self._pages[conversation_id]:
                del self._pages[conversation_id]
                self._left[conversation_id] = datetime.now(UTC)
                if len(self._left) > _REMEMBERED:
                    self._left.popitem(last=False)

    @asynccontextmanager
    async def watch(self, conversation_id: str) -> AsyncIterator[Outbox]:
        queue: Outbox = asyncio.Queue(_BACKLOG)
        watchers = self._watchers[conversation_id]
        watchers.add(queue)
        try:
            yield queue
        finally:
            watchers.discard(queue)
            if not watchers:
                self._watchers.pop(conversation_id, None)
