"""「我投诉嗰单而家点」: a filed request, by its number and the mobile given with it."""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, HotlineAction, heard, intent_of
from actions.case_reference import find_work_order_number
from actions.contact import known_contact, remember_contact
from actions.flow import came_back, compose, starts, steps_aside
from actions.payload import say
from actions.said import find_mobile, means_no, means_stop, wants_person
from hotline.errors import HubDownError, NotFoundError
from hotline.messages import Reply, Source
from hotline.work_orders import WorkOrder

FORM = "work_order_form"
OUTCOME = "work_order_outcome"
NUMBER = "work_order_number"
FOUND = "work_order_found"
_MISREAD_TWICE = 2
_NONE = re.compile(r"(?:没有|冇|忘(?:记|了|咗)|不记得|唔记得|不知道|唔知|找不到|揾唔到|丢了|唔见咗|没存|没记)")


class ValidateWorkOrderForm(HotlineAction):
    """Reads the number and the mobile in any order; ``found``, ``no_number``, ``cancelled``, ``person``
    or ``unavailable`` end the form."""

    def name(self) -> str:
        return "validate_work_order_form"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        text, beginning = heard(tracker), starts(tracker, OUTCOME)
        if not beginning and came_back(tracker, FORM):
            return []
        said_number, said_mobile = find_work_order_number(text), find_mobile(text)
        if not beginning and not (said_number or said_mobile):
            return self._something_else(tracker, text)
        number = said_number or tracker.get_slot(NUMBER)
        contact = known_contact(self.tools.seal, tracker)
        mobile = said_mobile or contact.mobile
        kept = [SlotSet(NUMBER, number), *remember_contact(self.tools.seal, mobile, contact.name)]
        if not (number and mobile):
            return [*kept, SlotSet(OUTCOME, None), SlotSet("form_notice", None)]
        try:
            order = await self.tools.requests.work_order(number, mobile)
        except NotFoundError:
            return [
                SlotSet(NUMBER, None),
                SlotSet("contact_draft", None),
                SlotSet(OUTCOME, None),
                SlotSet("form_notice", "not_found"),
                SlotSet("form_retries", min(float(tracker.get_slot("form_retries") or 0) + 1, 10.0)),
            ]
        except HubDownError:
            return [*kept, SlotSet(OUTCOME, "unavailable")]
        return [*kept, SlotSet(FOUND, self.tools.seal.seal(order)), SlotSet(OUTCOME, "found")]

    def _something_else(self, tracker: Tracker, text: str) -> Events:
        intent = intent_of(tracker)
        if intent not in ("cancel", "goodbye", "handoff"):
            if means_stop(text):
                return [SlotSet(OUTCOME, "cancelled")]
            if wants_person(text) and len(text) <= 16:
                return [SlotSet(OUTCOME, "person")]
        if intent != "check_work_order" and steps_aside(tracker, free_text=False, wanted=False):
            return []
        if _NONE.search(text) or means_no(text):
            return [SlotSet(OUTCOME, "no_number")]
        retries = min(float(tracker.get_slot("form_retries") or 0) + 1, 10.0)
        return [SlotSet(OUTCOME, None), SlotSet("form_notice", "unreadable"), SlotSet("form_retries", retries)]


class AskWorkOrder(HotlineAction):
    def name(self) -> str:
        return "action_ask_work_order_form_work_order_outcome"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        has_number = bool(tracker.get_slot(NUMBER))
        question = "ask_work_order_mobile" if has_number else "ask_work_order_number"
        lead = {"not_found": "work_order_not_found", "unreadable": "request_misread"}.get(
            str(tracker.get_slot("form_notice"))
        )
        reply = compose(self.tools.wording, *([(lead, {})] if lead else []), (question, {}))
        if float(tracker.get_slot("form_retries") or 0) >= _MISREAD_TWICE:
            reply.buttons = self.tools.wording.reply("not_understood_again").buttons
        # A mobile may come with either answer: neither turn's words are kept.
        say(dispatcher, tracker, reply, expects="contact" if has_number else "work_order", flow=FORM)
        return [SlotSet("form_notice", None)]


class TellWorkOrder(HotlineAction):
    def name(self) -> str:
        return "action_work_order_status"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        wording, outcome = self.tools.wording, tracker.get_slot(OUTCOME)
        done: Events = [SlotSet(OUTCOME, None), SlotSet(FOUND, None), SlotSet("form_retries", 0)]
        order = self.tools.seal.open(tracker.get_slot(FOUND), WorkOrder)
        if outcome == "found" and order:
            say(dispatcher, tracker, self._reply(order))
        elif outcome == "unavailable":
            say(dispatcher, tracker, wording.reply("work_order_hub_down"), part_down=HubDownError.code)
        elif outcome == "person":
            say(dispatcher, tracker, wording.reply("handoff"), handoff=True)
        else:
            say(dispatcher, tracker, wording.reply("work_order_no_number" if outcome == "no_number" else "cancel"))
        return done

    def _reply(self, order: WorkOrder) -> Reply:
        wording = self.tools.wording
        reply = wording.reply(
            "work_order_status",
            type=wording.table("request_types")[order.type.value],
            state=wording.table("work_order_states")[order.state.value],
            order=order,
        )
        fields = ["state", *(["department"] if order.department else []), *(["note"] if order.last_note else [])]
        reply.sources = [Source(item_code=order.number, field=name, version="work_order") for name in fields]
        return reply
