"""投诉、举报、建议、表扬、求助 and call-backs: told in any order, read back, filed at a yes.

One slot holds the sealed draft (:mod:`actions.sealed`), one tells how the form ended
(``request_outcome``): filed, cancelled, person, outside or refused.
"""

from __future__ import annotations

import asyncio
import re

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, heard, intent_of
from actions.contact import known_contact, remember_contact
from actions.flow import QUESTIONS, asks_something, came_back, confidence_of, starts, steps_aside
from actions.request_talk import CALL_BACK, DRAFT, FORM, OUTCOME, RequestTalk, is_correction, matter_of
from actions.said import find_contact, means_no, means_stop, means_yes, tries_again, wants_person
from actions.service import ServiceAction, option_place
from hotline.errors import BadInputError, HubDownError
from hotline.work_orders import RequestType
from knowledge_base.decide import Outcome
from knowledge_base.places import find_place, is_unknown, simplified
from knowledge_base.times import find_when, without_times
from knowledge_base.triage import Triage, explicit_type, triage, without_place

_FREE_TEXT = frozenset({"happened", "place", "place_detail", "town", "when"})
_WHY = re.compile(r"(?:为什么|点解|干什么|干嘛|做咩|做乜|有什么用|有咩用|会不会泄露|安全吗|保密吗|会唔会泄露).{0,14}$")
_THIS_NUMBER = re.compile(
    r"(?:就|用)?(?:这个|呢个|我这个|打(?:来|嚟)的?|现在打|本机|当前)(?:电话|号码|手机)?(?:就行|就可以|得|啦|吧)?$"
)
_CALL_ME = re.compile(r"回(?:个)?电|回拨|打(?:返|回|电话|过来|俾|畀|给)|覆(?:我|电)|联系我")
_STAYS_ANONYMOUS = re.compile(
    r"^(?:确定|确认|坚持|还是(?:不|匿名)|都系(?:唔|匿名)|就这样|就咁|不(?:用|要|了)|唔(?:使|要))"
)
_MATTER = re.compile(r"(?:关于|有关|想问|咨询|是说|讲下|问下|问一下)(?P<matter>[^，,。]{2,})")
_SHORT_WISH = 12
_WANTS_TO_KNOW = re.compile(r"为什么|为何|点解|怎么回事|咩事|几时|什么时候|多久|是不是|系咪|有没有|有冇|[吗么嘛呢？?]$")
_ANY_TIME = "随时"
_LITTLE = 4  # characters beside a number that tell no place and no time
_ANONYMOUS = re.compile(r"匿名|不留(?:电话|号码|联系)|唔留(?:电话|号码|联系)")
_GOES_ON = re.compile(r"继续|接着|刚才|头先|之前(?:那|嗰|的)|返(?:返)?去|回到")


class ValidateRequestForm(ServiceAction):
    """Takes what this turn tells and decides on the next question, or on how the form ends."""

    def name(self) -> str:
        return "validate_request_form"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        talk = self.tools.seal.open(tracker.get_slot(DRAFT), RequestTalk)
        if starts(tracker, OUTCOME):
            talk = await self._begin(tracker, talk)
            told = await self._tell_incident(dispatcher, tracker, talk)
            return self._kept(talk, "told" if told and only_asks(heard(tracker)) else None)
        if came_back(tracker, FORM):
            return []
        talk = talk or RequestTalk()
        if ended := self._leaves(tracker, talk):
            return ended
        if self._aside(tracker, talk):
            return []
        if await self._answer(tracker, talk):
            talk.misread = 0
        elif not talk.notice:
            talk.notice, talk.misread = "request_misread", talk.misread + 1
        if talk.number:
            return [*self._kept(talk, "filed"), *remember_contact(self.tools.seal, talk.mobile, talk.name)]
        if talk.notice == "refused":
            return self._kept(talk, "refused")
        await self._tell_incident(dispatcher, tracker, talk)
        return self._kept(talk)

    async def _tell_incident(self, dispatcher: CollectingDispatcher, tracker: Tracker, talk: RequestTalk) -> bool:
        """Tells, once, what is known of what is complained about; the request may still be filed."""
        if talk.kind == CALL_BACK or not talk.happened:
            return False
        incident = await self.tools.incidents.fitting(simplified(talk.happened), talk.town)
        if incident is None or incident.incident_id == talk.incident:
            return False
        talk.incident = incident.incident_id
        self.tell_incident(dispatcher, tracker, incident, alone=only_asks(heard(tracker)))
        return True

    def _kept(self, talk: RequestTalk, outcome: str | None = None) -> Events:
        return [SlotSet(DRAFT, self.tools.seal.seal(talk)), SlotSet(OUTCOME, outcome)]

    # ------------------------------------------------------------------ beginning

    async def _begin(self, tracker: Tracker, unfinished: RequestTalk | None) -> RequestTalk:
        text = heard(tracker)
        call_back = intent_of(tracker) == "call_back"
        if unfinished and not unfinished.number and not call_back:
            told = matter_of(text)
            if not told or (_GOES_ON.search(text) and len(told) < 14):
                unfinished.notice, unfinished.fresh = "request_goes_on", False
                unfinished.tried = []
                unfinished.ask_next()
                return unfinished
        talk = RequestTalk(kind=CALL_BACK if call_back else "request")
        contact = known_contact(self.tools.seal, tracker)
        talk.mobile, talk.name = contact.mobile, contact.name
        known_town = self.tools.catalogue.town_named(tracker.get_slot("town") or "")
        talk.town = known_town.name if known_town else None  # an agent asked already
        if call_back:
            self._begin_call_back(tracker, talk, text)
        else:
            self._name_type(talk, text)
            talk.tell(text, self.tools.catalogue)
            if talk.happened:
                await self._understand(talk)
        talk.ask_next()
        return talk

    def _begin_call_back(self, tracker: Tracker, talk: RequestTalk, text: str) -> None:
        talk.type, talk.category = RequestType.HELP, CALL_BACK
        talk.absorb(text, self.tools.catalogue, asked="contact")
        talk.digits = ""
        if found := _MATTER.search(simplified(text)):
            talk.happened = found["matter"]
        self._take_up_what_was_asked(tracker, talk)

    @staticmethod
    def _name_type(talk: RequestTalk, text: str) -> None:
        """The type, where it is said by its name: what is called a complaint is filed as one."""
        kind = explicit_type(text)
        if kind and kind is not RequestType.CONSULT:
            talk.type, talk.type_said = kind, True

    async def _understand(self, talk: RequestTalk) -> None:
        """Category, service, department and urgency of what happened."""
        read: Triage = await asyncio.to_thread(triage, talk.happened, self.tools.catalogue, self.tools.categories)
        talk.category, talk.department, talk.urgency = read.category, read.department, read.urgency
        if not talk.type_said and read.type is not RequestType.CONSULT:
            talk.type = read.type
        decision = await self.find(without_place(talk.happened, self.tools.catalogue), None)
        items = self.tools.catalogue.items
        about_requests = {c.service_key for c in self.tools.categories if c.service_key}
        if decision.outcome is Outcome.FOUND:
            talk.service_key = decision.item_key
        elif read.service_key in items:
            talk.service_key = read.service_key
        elif decision.outcome is Outcome.ASK_WHICH:
            talk.candidates = [key for key in decision.candidates if key in about_requests]
        if not talk.department and talk.service_key in items:
            talk.department = items[str(talk.service_key)].department

    # ------------------------------------------------------------------ leaving

    def _leaves(self, tracker: Tracker, talk: RequestTalk) -> Events:
        """The form's end where the citizen wants it; by rules where the intent says so too."""
        text, intent = heard(tracker), intent_of(tracker)
        if intent in ("cancel", "goodbye", "handoff"):
            return []
        refuses = talk.asked == "contact" and find_contact(text).refused
        if means_stop(text) and not refuses:
            return [SlotSet(DRAFT, None), SlotSet(OUTCOME, "cancelled")]
        if wants_person(text) and len(text) <= 16:
            return self._kept(talk, "person")
        if talk.notice == "" and talk.detail and talk.asked == "place" and "outside" in talk.tried:
            found = find_place(text, self.tools.catalogue)
            if not found.town and (means_yes(text) or means_no(text) or intent in ("thank", "affirm", "deny")):
                return [SlotSet(DRAFT, None), SlotSet(OUTCOME, "outside")]
        return []

    def _aside(self, tracker: Tracker, talk: RequestTalk) -> bool:
        text, intent = heard(tracker), intent_of(tracker)
        said = simplified(text)
        contact = find_contact(text, asked=talk.asked == "contact")
        wanted = bool(contact.mobile or contact.digits or contact.refused)
        wanted = wanted or _asks_why(said)
        if talk.asked == "contact":
            wanted = wanted or bool(_THIS_NUMBER.search(said))
        elif talk.asked in ("confirm", "change", "retry"):
            wanted = wanted or means_yes(text) or means_no(text) or is_correction(text) or tries_again(text)
        elif talk.asked in _FREE_TEXT and is_unknown(text):
            wanted = True
        elif talk.asked == "when":
            wanted = wanted or (bool(find_when(said)) and not asks_something(tracker))
        elif talk.asked in _FREE_TEXT:
            found = find_place(text, self.tools.catalogue)
            wanted = wanted or (
                talk.asked != "happened" and bool(found.place and len(text) < 30 and not asks_something(tracker))
            )
        if intent == "call_back" and talk.kind != CALL_BACK and _CALL_ME.search(said) and not wanted:
            return False  # taken as 「let somebody call me about this」
        if talk.kind == CALL_BACK and talk.asked == "happened" and intent in QUESTIONS:
            return False  # 「居住证点样」 is what the call is to be about
        if intent == "check_work_order" and _GOES_ON.search(said) and len(text) <= _SHORT_WISH:
            return False  # 「刚才投诉的继续」
        if intent == "complain" or (intent == "call_back" and talk.kind == CALL_BACK):
            return False
        return steps_aside(tracker, free_text=talk.asked in _FREE_TEXT, wanted=wanted)

    # ------------------------------------------------------------------ answers

    async def _answer(self, tracker: Tracker, talk: RequestTalk) -> bool:
        """Takes the answer to the question ``talk.asked``; False where it could not be read."""
        text, intent = heard(tracker), intent_of(tracker)
        catalogue = self.tools.catalogue
        talk.notice, talk.fresh = "", False
        asked = talk.asked
        if _GOES_ON.search(text) and len(text) <= _SHORT_WISH and not matter_of(_GOES_ON.sub("", text)):
            talk.notice = "request_goes_on"
            return True
        if _asks_why(simplified(text)) and asked != "happened":
            talk.notice = "request_why_contact"
            return True
        if asked in ("confirm", "retry", "change"):
            return await self._decide(tracker, talk)
        if is_correction(text) and (field := talk.change(text, catalogue, asked=False)):
            return self._changed(talk, field)
        contact = find_contact(text)
        called = contact.mobile or contact.refused  # 「不用联系我」 is no wish for a call
        if intent == "call_back" and talk.kind != CALL_BACK and _CALL_ME.search(text) and not called:
            talk.notice = "request_call_back_noted"
            return True
        if asked in ("place", "town", "place_detail", "when") and (early := find_contact(text, asked=False)).mobile:
            rest = re.sub(
                r"[\d\s，,。、]|我?(?:的|嘅)?(?:手机|电话|号码|姓名|名字)+(?:是|系|係)?", "", simplified(text)
            )
            if len(rest.replace(early.name or "", "")) < _LITTLE:
                talk.take_contact(early)  # said before it was asked for: kept, and the question is asked again
                return True
        match asked:
            case "happened":
                understood = await self._happened(talk, text)
            case "which_place":
                understood = talk.answer_which_place(text, catalogue, option_place(text, 2))
            case "place" | "town" | "place_detail":
                complains = intent == "complain" and confidence_of(tracker) >= 0.6
                understood = talk.answer_place(text, catalogue, complains=complains)
            case "when":
                understood = self._when(talk, text)
            case _:
                understood = self._contact(talk, text)
        if understood or not talk.notice:
            self._take_up_what_was_asked(tracker, talk)
            self._move_on(talk, asked)
        return understood

    def _take_up_what_was_asked(self, tracker: Tracker, talk: RequestTalk) -> None:
        """A service asked about while a call back was being arranged is what the call is about."""
        item = self.tools.catalogue.items.get(tracker.get_slot("service_item") or "")
        if talk.kind == CALL_BACK and item and not talk.happened:
            talk.happened, talk.service_key, talk.department = f"「{item.name}」", item.key, item.department

    def _move_on(self, talk: RequestTalk, asked: str) -> None:
        if talk.notice == "outside":
            talk.asked = "place"
            talk.tried.append("outside")
            return
        if talk.place and talk.town:
            talk.detail = ""
        talk.ask_next()
        if talk.asked == "confirm" and asked == "contact":
            talk.tried.append("contact")

    async def _happened(self, talk: RequestTalk, text: str) -> bool:
        said = simplified(text)
        rest = without_times(said).strip("，,。 ")
        if find_when(said) and len(rest) < 3:
            return talk.absorb(text, self.tools.catalogue, asked="happened")  # a time, and nothing else yet
        if talk.kind == CALL_BACK:
            talk.happened = "" if means_yes(text) or means_no(text) else matter_of(text)
            return bool(talk.happened)
        self._name_type(talk, text)
        told = talk.tell_matter(text)
        absorbed = talk.absorb(text, self.tools.catalogue, asked="happened")
        if told:
            await self._understand(talk)
        return told or absorbed or bool(talk.about)

    def _when(self, talk: RequestTalk, text: str) -> bool:
        said = simplified(text).strip("，,。 ")
        if when := find_when(said):
            talk.when = (
                said if len(said) <= len(when) + 8 and not find_place(said, self.tools.catalogue).place else when
            )
            talk.absorb(text, self.tools.catalogue, asked="when")
            return True
        found = find_place(text, self.tools.catalogue)
        if (found.place and found.place not in talk.place) or (found.town and talk.town is None):
            talk.take_place(found)
            return True
        if means_yes(text) and talk.kind == CALL_BACK:
            talk.when = _ANY_TIME
            return True
        if means_yes(text) or len(said) < 2 or (found.place and found.place in talk.place):
            return False
        talk.when = "不清楚" if is_unknown(text) else said[:40]
        return True

    def _contact(self, talk: RequestTalk, text: str) -> bool:
        contact = find_contact(text)
        said = simplified(text)
        if contact.mobile:
            talk.take_contact(contact)
            return True
        talk.name = contact.name or talk.name
        if contact.refused or ("anonymous" in talk.tried and _STAYS_ANONYMOUS.search(said)):
            return self._without_contact(talk)
        if contact.digits:
            return self._part_of_a_number(talk, contact.digits)
        if _THIS_NUMBER.search(said):
            talk.notice = "request_no_caller_number"
            return True
        if contact.name:
            talk.notice = "request_number_still"
            return True
        if talk.kind == CALL_BACK and not talk.happened and not find_when(said) and matter_of(text):
            talk.happened = matter_of(text)
            return True
        return talk.absorb(text, self.tools.catalogue, asked="contact")

    def _without_contact(self, talk: RequestTalk) -> bool:
        if talk.kind == CALL_BACK:
            talk.notice = "call_back_needs_number"
            return True
        if talk.type in (RequestType.COMPLAINT, RequestType.HELP) and "anonymous" not in talk.tried:
            talk.tried.append("anonymous")
            talk.notice = "request_contact_wanted"
            return True
        talk.anonymous, talk.name = True, None
        return True

    def _part_of_a_number(self, talk: RequestTalk, digits: str) -> bool:
        """Numbers come in pieces: 「138」 「0000」 「1234」."""
        joined = talk.digits + digits if len(talk.digits) + len(digits) <= 11 else digits
        if len(joined) == 11 and joined.startswith("1"):
            talk.mobile, talk.digits = joined, ""
            return True
        if len(joined) < 11 and joined.startswith("1"):
            talk.digits, talk.notice = joined, "request_more_digits"
            return True
        talk.digits, talk.notice = "", "request_not_a_mobile"
        return True

    async def _decide(self, tracker: Tracker, talk: RequestTalk) -> bool:
        """At the read-back: file it, correct it, or ask what is wrong."""
        text, intent = heard(tracker), intent_of(tracker)
        catalogue = self.tools.catalogue
        agreed = means_yes(text) or (
            intent == "affirm" and confidence_of(tracker) >= 0.6 and len(text) <= 10 and not is_correction(text)
        )
        if agreed and talk.asked == "change":
            talk.asked = "confirm"
            return True
        if agreed or (talk.asked == "retry" and (tries_again(text) or intent == "repeat")):
            return await self._file(tracker, talk)
        if _ANONYMOUS.search(simplified(text)) and len(text) <= _SHORT_WISH:
            talk.anonymous, talk.mobile, talk.name, talk.asked = True, None, None, "confirm"
            return True
        if talk.add(text):
            talk.asked = "confirm"
            return True
        field = talk.change(text, catalogue, asked=talk.asked == "change" or is_correction(text))
        if field:
            return self._changed(talk, field)
        if means_no(text) or intent == "deny":
            talk.asked = "change"
            return True
        if find_when(simplified(text)) or find_place(text, catalogue).place or find_contact(text, asked=False).mobile:
            field = talk.change(text, catalogue, asked=True)
            return self._changed(talk, field) if field else False
        return False

    def _changed(self, talk: RequestTalk, field: str) -> bool:
        if talk.notice == "outside":
            talk.asked = "place"
            talk.tried.append("outside")
            return True
        if field.startswith("?"):
            self._clear(talk, field[1:])
            talk.asked = {"type": "change"}.get(field[1:], field[1:])
            return True
        talk.notice = "request_changed_number" if field == "contact" and talk.mobile else "request_changed"
        talk.key = RequestTalk().key  # another content is another request
        talk.ask_next()
        return True

    @staticmethod
    def _clear(talk: RequestTalk, field: str) -> None:
        match field:
            case "place":
                talk.place, talk.town, talk.precise, talk.detail = "", None, False, ""
                talk.tried = [t for t in talk.tried if t not in ("town", "place_detail", "which_place")]
            case "when":
                talk.when = ""
            case "happened":
                talk.happened = ""
            case "contact":
                talk.mobile, talk.digits, talk.anonymous = None, "", False

    async def _file(self, tracker: Tracker, talk: RequestTalk) -> bool:
        channel = str((tracker.latest_message.get("metadata") or {}).get("channel") or "web")
        try:
            order = await self.tools.requests.file_request(talk.order(channel), talk.key)
        except HubDownError:
            talk.asked, talk.notice = "retry", "hub_down"
            return True
        except BadInputError:
            talk.notice = "refused"
            return True
        talk.number = order.number
        return True


def only_asks(text: str) -> bool:
    """「狮山为什么停水」: a question, which what is known answers; nothing to be taken down."""
    said = simplified(text)
    return bool(_WANTS_TO_KNOW.search(said)) and not re.search(r"投诉|举报|反映|登记", said)


def _asks_why(said: str) -> bool:
    """「要我电话干什么」 and nothing but that."""
    about = re.search(r"电话|号码|手机|名字|姓名|信息|资料|联系|保密|泄露", said)
    return bool(_WHY.search(said) and about) and len(said) <= 24
