"""Trails written by hand, for the reader and the stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hotline.insights import Said, ServicePlace, TrailConversation, TrailEvent
from insights.reading import Reader

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # nine in the morning there
PLACES = {"JZ02": ServicePlace("residence", "公安局"), "SB09": ServicePlace("social_security", "社保局")}
TOWNS = {"桂城": "桂城街道", "狮山": "狮山镇"}


def look(text: str) -> Said:
    town = next((name for word, name in TOWNS.items() if word in text), None)
    return Said(town, text if "办" in text or "停水" in text else "")


READER = Reader(PLACES, look)


class Trail:
    """Builds a trail event by event; seconds count from the start."""

    def __init__(self, name: str = "c1", channel: str = "web", caller: str | None = None, at: datetime = T0) -> None:
        self.name, self.channel, self.caller, self.at = name, channel, caller, at
        self.events: list[TrailEvent] = []
        self.turns = 0
        self.add("conversation_started", 0)

    def add(self, kind: str, second: float, turn: str | None = None, **data: Any) -> Trail:
        at = self.at + timedelta(seconds=second)
        self.events.append(TrailEvent(len(self.events) + 1, turn, kind, at, data))
        return self

    def ask(self, text: str, second: float, waited: float = 1.0, **understanding: Any) -> Trail:
        """A turn with its reply; without ``understanding`` nothing was understood."""
        self.turns += 1
        turn = f"{self.name}t{self.turns}"
        self.add("citizen_message", second, turn, text=text, confidence=1.0)
        told = {"intent": "nlu_fallback", "confidence": 0.2, "item_key": None, "candidates": [], **understanding}
        return self.add("reply", second + waited, turn, text="…", sources=[], understanding=told)

    def answered(self, text: str, second: float, item: str = "JZ02", confidence: float = 0.9) -> Trail:
        return self.ask(text, second, intent="ask_materials", aspect="materials", item_key=item, confidence=confidence)

    def handed_over(self, second: float) -> Trail:
        self.ask("转人工", second, 0.5, intent="handoff", confidence=1.0)
        return self.add("state", second + 0.5, f"{self.name}t{self.turns}", state="queued")

    def made(self) -> TrailConversation:
        return TrailConversation(self.name, self.channel, self.caller, self.at, len(self.events), self.events)
