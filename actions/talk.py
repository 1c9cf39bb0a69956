"""Everything that needs no lookup: greetings, repeating, cancelling, a person, words that call for care."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, HotlineAction, intent_of
from actions.payload import say
from hotline.messages import Reply

_SPOKEN_BY_INTENT = frozenset({"greet", "goodbye", "thank", "bot_challenge", "affirm", "deny", "slower", "rate"})
_SAFETY = frozenset({"emergency_report", "crisis", "abuse_words", "prompt_injection", "third_person_data"})
_BRINGS_A_PERSON = frozenset({"emergency_report", "crisis"})


class SmallTalk(HotlineAction):
    def name(self) -> str:
        return "action_small_talk"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        intent = intent_of(tracker)
        say(dispatcher, tracker, self.tools.wording.reply(intent if intent in _SPOKEN_BY_INTENT else "affirm"))
        return [SlotSet("misunderstandings", 0)]


class Repeat(HotlineAction):
    """The last reply again, word for word."""

    def name(self) -> str:
        return "action_repeat"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        for event in reversed(tracker.events):
            if event.get("event") == "bot":
                said = (event.get("data") or {}).get("custom") or {}
                if reply := said.get("reply"):
                    say(dispatcher, tracker, Reply.model_validate(reply))
                    return []
        say(dispatcher, tracker, self.tools.wording.reply("repeat_nothing"))
        return []


class Cancel(HotlineAction):
    """Stops the flow; what was proved in it is forgotten."""

    def name(self) -> str:
        return "action_cancel"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        key = "goodbye" if intent_of(tracker) == "goodbye" else "cancel"
        say(dispatcher, tracker, self.tools.wording.reply(key))
        forgotten = ("case_reference", "identity_outcome", "verification_id", "form_notice", "candidates")
        return [*(SlotSet(slot, None) for slot in forgotten), SlotSet("form_retries", 0)]


class Handoff(HotlineAction):
    """A person is asked for. The gateway owns the queue; this only says so and signals it."""

    def name(self) -> str:
        return "action_handoff"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        say(dispatcher, tracker, self.tools.wording.reply("handoff"), handoff=True)
        return [SlotSet("misunderstandings", 0)]


class CancelHandoff(HotlineAction):
    def name(self) -> str:
        return "action_cancel_handoff"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        waiting = (tracker.latest_message.get("metadata") or {}).get("state") == "queued"
        key = "handoff_cancelled" if waiting else "handoff_not_waiting"
        say(dispatcher, tracker, self.tools.wording.reply(key), handoff_cancelled=waiting)
        return []


class Safety(HotlineAction):
    """Danger, despair, abuse, attempts to misuse the line. The gateway's own list comes first
    (gateway/emergencies.py); this catches what was said in other words."""

    def name(self) -> str:
        return "action_safety"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        intent = intent_of(tracker)
        kind = intent if intent in _SAFETY else "emergency_report"
        urgent = kind in _BRINGS_A_PERSON
        say(dispatcher, tracker, self.tools.wording.reply(f"safety_{kind}"), handoff=urgent, urgent=urgent)
        return []
