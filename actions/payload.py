"""What an action hands to the gateway: one JSON message a reply.

The engine passes it on untouched; gateway/dialogue.py reads it back into the same types.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from hotline.catalogue import ServiceItem
from hotline.messages import Aspect, Reply, Understanding


def say(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    reply: Reply,
    *,
    aspect: Aspect | None = None,
    item: ServiceItem | None = None,
    candidates: list[str] | None = None,
    **signals: Any,
) -> None:
    """Sends ``reply`` with how the turn was understood.

    ``signals``: handoff, handoff_cancelled, urgent (bool); expects (what the next message will
    hold); flow (the form under way); rating (1..5); call_back (the receipt of a filed call-back); speech_speed (slower, louder); dialect. For the
    actions themselves: small (a courtesy, not repeated) and private (holds what a citizen told:
    the engine's store does not keep it).
    """
    intent = tracker.latest_message.get("intent") or {}
    understanding = Understanding(
        intent=intent.get("name"),
        confidence=float(intent.get("confidence") or 0.0),
        aspect=aspect,
        item_key=item.key if item else None,
        item_code=item.code if item else None,
        item_name=item.name if item else None,
        candidates=candidates or [],
    )
    dispatcher.utter_message(
        json_message={
            "reply": reply.model_dump(mode="json"),
            "understanding": understanding.model_dump(mode="json"),
            **signals,
        }
    )
