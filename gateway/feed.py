"""Live fan-out of conversation events to the sockets that watch a conversation.

In this process; the store is the truth, so a watcher that reconnects reads what it missed there.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from hotline.events import ConversationEvent

_BACKLOG = 256

# Events, and whatever frames a watcher puts among them itself to have them leave in order.
Outbox = asyncio.Queue[ConversationEvent | dict[str, Any]]


class EventFeed:
    def __init__(self) -> None:
        self._watchers: dict[str, set[Outbox]] = defaultdict(set)

    def publish(self, events: Iterable[ConversationEvent]) -> None:
        """Hands stored events to whoever watches their conversation. A watcher too slow to keep
        up loses the rest here and reads it from the store, by the gap in ``seq``."""
        for event in events:
            for queue in self._watchers.get(event.conversation_id, ()):
                if not queue.full():
                    queue.put_nowait(event)

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
