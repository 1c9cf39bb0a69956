"""What an action hands to the gateway: one JSON message a reply.

The engine passes it on untouched; gateway/dialogue.py reads it back into the same types.
"""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from hotline.catalogue import ServiceItem
from hotline.messages import Aspect, Reply, Understanding

# 「不用转了，接着登记」: that nobody is waited for may be said beside anything else.
_NO_PERSON = re.compile(
    r"(?:不用|不要|不必|不需要|先不|别|唔使|唔好|唔)(?:再|帮我|给我|你)*(?:转(?:人工|真人|接|了|住|过|$|[，,。 ])|等人工|等(?:了|喇|啦|住)(?!多久|几)|排队?了|(?:要|找|搵)?(?:人工|真人)(?!费))"
    r"|取消(?:转接|转人工|排队|人工)|不转了|唔转(?:了|喇|啦|住)"
)


def _waits_no_longer(tracker: Tracker) -> bool:
    message = tracker.latest_message
    waiting = (message.get("metadata") or {}).get("state") == "queued"
    return waiting and bool(_NO_PERSON.search(str(message.get("text") or "")))


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
    hold); flow (the form under way); rating (1..5); recall (bool: wants to be told
    where an answer turns out wrong); call_back (the receipt of a filed call-back); speech_speed (slower, louder); dialect. For the
    actions themselves: small (a courtesy, not repeated) and private (holds what a citizen told:
    the engine's store does not keep it).
    """
    intent = tracker.latest_message.get("intent") or {}
    if _waits_no_longer(tracker):
        signals = {"handoff_cancelled": True, **signals}
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
