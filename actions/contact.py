"""The way to reach a citizen that was given once in a talk: not asked for a second time."""

from __future__ import annotations

from pydantic import BaseModel
from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet

from actions.base import Events
from actions.sealed import DraftSeal

SLOT = "contact_draft"


class KnownContact(BaseModel):
    mobile: str | None = None
    name: str | None = None


def known_contact(seal: DraftSeal, tracker: Tracker) -> KnownContact:
    """What was given earlier in this talk, if anything."""
    return seal.open(tracker.get_slot(SLOT), KnownContact) or KnownContact()


def remember_contact(seal: DraftSeal, mobile: str | None, name: str | None) -> Events:
    """The slot that keeps it, sealed; none where nothing was given."""
    return [SlotSet(SLOT, seal.seal(KnownContact(mobile=mobile, name=name)))] if mobile else []
