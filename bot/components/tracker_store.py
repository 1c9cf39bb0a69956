"""A tracker store that keeps the dialogue's state but not the citizen's words."""

from __future__ import annotations

import copy
import itertools
from typing import Any, Dict, Iterator

from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.events import BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

NOT_KEPT = "［未保存］"


class WordlessSQLTrackerStore(SQLTrackerStore):
    """SQL tracker store whose user events hold intent and slots' sources, never text.

    The gateway stores the masked conversation; the engine needs only intents and slots to go
    on after a restart. What a citizen says to prove who they are would otherwise rest in the
    engine's database in clear.
    """

    def _additional_events(self, session: Any, tracker: DialogueStateTracker) -> Iterator[Event]:
        kept = self._event_query(session, tracker.sender_id, fetch_events_from_all_sessions=False).count()
        for event in itertools.islice(tracker.events, kept, len(tracker.events)):
            yield without_words(event)


def without_words(event: Event) -> Event:
    """``event`` itself; for a user's utterance a copy without text and entity values, and for a
    reply that repeats what the citizen told (``private``, actions/payload.py) one without words."""
    if isinstance(event, BotUttered):
        if not ((event.data or {}).get("custom") or {}).get("private"):
            return event
        hidden = copy.copy(event)
        hidden.text = None
        hidden.data = {"custom": {"private": True}}
        return hidden
    if not isinstance(event, UserUttered):
        return event
    bare = copy.copy(event)
    bare.text = NOT_KEPT
    bare.entities = []
    parse_data: Dict[str, Any] = dict(event.parse_data or {})
    parse_data["text"] = NOT_KEPT
    parse_data["entities"] = []
    parse_data.pop("text_tokens", None)
    bare.parse_data = parse_data
    return bare
