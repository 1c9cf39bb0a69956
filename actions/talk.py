"""Everything around the answers: greetings, repeating, cancelling, a person, words that call for care."""

from __future__ import annotations

import json
import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.appointment_form import UNDOES
from actions.base import LAST_SAID, OFFER, Events, HotlineAction, heard, intent_of
from actions.payload import say
from actions.said import means_stop
from actions.service import ServiceAction
from actions.wording import CANTONESE
from hotline.messages import Aspect, Reply
from knowledge_base.subject import simplified

_SPOKEN_BY_INTENT = frozenset({"greet", "goodbye", "thank", "bot_challenge", "affirm", "deny", "slower", "louder"})
_SAFETY = frozenset(
    {"emergency_report", "crisis", "abuse_words", "prompt_injection", "third_person_data", "political_provocation"}
)
_HOW_TO_SPEAK = {"slower": "slower", "louder": "louder"}
_MANDARIN = re.compile(
    r"普通话|普通話|国语|國語|国话|mandarin|唔好(?:讲|講)(?:粤语|白话|广东话)|别(?:说|讲)(?:粤语|白话|广东话)",
    re.IGNORECASE,
)
_FORGOTTEN = (
    "case_reference",
    "case_reference_heard",
    "identity_outcome",
    "verification_id",
    "form_notice",
    "candidates",
    "request_draft",
    "request_outcome",
    "appointment_draft",
    "appointment_outcome",
    "work_order_outcome",
    "work_order_found",
)
_WANTS_TO_FILE = re.compile(r"(?<![不唔])(?:想|要)(?:投诉|举报|反映|报料)(?![了过]|的?(?:撤|取消))")
_BRINGS_A_PERSON = frozenset({"emergency_report", "crisis"})


class SmallTalk(ServiceAction):
    """Courtesies; and a yes or no to what was offered last."""

    def name(self) -> str:
        return "action_small_talk"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        intent = intent_of(tracker)
        offered: list[str] = tracker.get_slot("candidates") or []
        if intent == "affirm" and tracker.get_slot(OFFER) == "person":
            say(dispatcher, tracker, self.tools.wording.reply("handoff"), handoff=True)
            return [SlotSet("misunderstandings", 0)]
        if intent in ("affirm", "deny") and tracker.get_slot(OFFER) == "recall":
            return self._recall(dispatcher, tracker, agreed=intent == "affirm")
        if intent == "affirm" and len(offered) == 1:
            aspect = Aspect(tracker.get_slot("last_aspect") or Aspect.GENERAL)
            return await self.tell(dispatcher, tracker, offered[0], aspect)
        if intent == "deny" and offered:
            say(dispatcher, tracker, self.tools.wording.reply("none_of_them"), small=True)
            return [SlotSet("candidates", None)]
        key = intent if intent in _SPOKEN_BY_INTENT else "affirm"
        # ``speech_speed`` tells the voice how to go on; ``small`` that this is nothing to repeat.
        manner: dict[str, Any] = {"speech_speed": _HOW_TO_SPEAK[intent]} if intent in _HOW_TO_SPEAK else {}
        say(dispatcher, tracker, self.tools.wording.reply(key), small=True, **manner)
        return [SlotSet("misunderstandings", 0)]

    def _recall(self, dispatcher: CollectingDispatcher, tracker: Tracker, *, agreed: bool) -> Events:
        """A yes or no to being told where an answer turns out wrong: the gateway keeps it."""
        by_call = (tracker.latest_message.get("metadata") or {}).get("channel") == "voice"
        key = "recall_declined" if not agreed else "recall_agreed_call" if by_call else "recall_agreed"
        say(dispatcher, tracker, self.tools.wording.reply(key), small=True, recall=agreed)
        return []


class ChooseLanguage(HotlineAction):
    """Cantonese or Mandarin from now on, for the ear; what is written stays standard Chinese."""

    def name(self) -> str:
        return "action_choose_language"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        dialect = "mandarin" if _MANDARIN.search(heard(tracker)) else CANTONESE
        reply = self.tools.wording.reply(f"language_{dialect}", dialect=dialect)
        say(dispatcher, tracker, reply, small=True, dialect=dialect)
        return [SlotSet("dialect", dialect)]


class Repeat(HotlineAction):
    """The last answer again, word for word; what was said out of courtesy since does not count.

    Inside a form the form asks its question again by itself: only an answer given beside it is repeated.
    """

    def name(self) -> str:
        return "action_repeat"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        in_form = bool((tracker.active_loop or {}).get("name"))
        again = self._beside_the_form(tracker) if in_form else json.loads(tracker.get_slot(LAST_SAID) or "[]")
        for reply in again:
            say(dispatcher, tracker, Reply.model_validate(reply), small=True)
        if not again and not in_form:
            say(dispatcher, tracker, self.tools.wording.reply("repeat_nothing"), small=True)
        return []

    @staticmethod
    def _beside_the_form(tracker: Tracker) -> list[dict[str, Any]]:
        """The replies of the turn before this one that were no question of the form."""
        found: list[dict[str, Any]] = []
        turns = 0
        for event in reversed(tracker.events):
            turns += event.get("event") == "user"
            if turns > 1:
                break
            said = (event.get("data") or {}).get("custom") or {} if event.get("event") == "bot" else {}
            if turns == 1 and said.get("reply") and not said.get("expects") and not said.get("small"):
                found.insert(0, said["reply"])
        return found


class Cancel(HotlineAction):
    """Stops the flow; what was told and proved in it is forgotten."""

    def name(self) -> str:
        return "action_cancel"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        loop = (tracker.active_loop or {}).get("name")
        if not loop and _WANTS_TO_FILE.search(simplified(heard(tracker))) and not means_stop(heard(tracker)):
            return [FollowupAction("request_form")]
        if not loop and UNDOES.search(simplified(heard(tracker))):
            say(dispatcher, tracker, self.tools.wording.reply("cannot_undo"))
            return []
        in_request = loop == "request_form"
        key = "goodbye" if intent_of(tracker) == "goodbye" else "request_cancelled" if in_request else "cancel"
        say(dispatcher, tracker, self.tools.wording.reply(key), small=True)
        return [*(SlotSet(slot, None) for slot in _FORGOTTEN), SlotSet("form_retries", 0)]


class LeaveFlow(HotlineAction):
    """Another matter in the middle of a form: it is put aside with a word, its draft is kept."""

    def name(self) -> str:
        return "action_leave_flow"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        left = (tracker.active_loop or {}).get("name")
        keys = {
            "request_form": "leave_request_form",
            "appointment_form": "leave_appointment_form",
            "case_status_form": "leave_case_status_form",
            "work_order_form": "leave_work_order_form",
        }
        if left in keys:
            say(dispatcher, tracker, self.tools.wording.reply(keys[left]), small=True)
        return [SlotSet("form_notice", None), SlotSet("form_retries", 0)]


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


class Safety(ServiceAction):
    """Danger, despair, abuse, attempts to misuse the line, somebody else's case. The gateway's own
    list comes first (gateway/emergencies.py); this catches what was said in other words."""

    def name(self) -> str:
        return "action_safety"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        intent = intent_of(tracker)
        kind = intent if intent in _SAFETY else "emergency_report"
        urgent = kind in _BRINGS_A_PERSON
        say(dispatcher, tracker, self.tools.wording.reply(f"safety_{kind}"), handoff=urgent, urgent=urgent)
        if kind == "third_person_data":
            return await self.public_procedure(dispatcher, tracker)
        return []
