"""What a turn needs from the desk: to be told of the queue, to warn an agent, to know what a caller needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hotline.desk import DeskEvent, Needs
from hotline.messages import Understanding
from storage.ports import StoredTurn


class DeskLink(Protocol):
    def told(self, events: Sequence[DeskEvent]) -> None:
        """Stored desk events, on their way to the agents' screens; the queue is looked at again."""
        ...

    async def alert(self, conversation_id: str, kind: str, text: str) -> None:
        """Something the agent who has the floor must see at once."""
        ...

    def needs(self, turns: Sequence[StoredTurn], text: str, understanding: Understanding) -> Needs:
        """Area, town and dialect of a caller, from the talk so far and the latest sentence."""
        ...


class NoDesk:
    """A line without a desk: everybody waits, nobody is told."""

    def told(self, events: Sequence[DeskEvent]) -> None:
        return None

    async def alert(self, conversation_id: str, kind: str, text: str) -> None:
        return None

    def needs(self, turns: Sequence[StoredTurn], text: str, understanding: Understanding) -> Needs:
        return Needs()
