"""A conversation's events in their order, from any point on, nothing twice and nothing missed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.feed import EventFeed
from hotline.events import ConversationEvent
from storage.ports import EventTrail

_PAGE = 200


async def follow(
    trail: EventTrail, feed: EventFeed, conversation_id: str, after: int
) -> AsyncIterator[ConversationEvent]:
    """Runs until it is closed. Whatever the live fan-out lost is read from the store by its gap."""
    async with feed.watch(conversation_id) as queue:
        seen = after
        while True:
            # Watching began before this read, so an event is either in the store or still to come.
            missed = await trail.events_after(conversation_id, seen, _PAGE)
            for event in missed:
                seen = event.seq
                yield event
            if len(missed) == _PAGE:
                continue
            while True:
                told = await queue.get()
                if isinstance(told, dict) or told.seq <= seen:
                    continue
                if told.seq > seen + 1:
                    break  # a gap: the store has what is between
                seen = told.seq
                yield told
