"""预约: a place at a hall, for a half day of the next fourteen days."""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.appointment_talk import DRAFT, FORM, OUTCOME, AppointmentTalk, Period, any_period
from actions.base import Events, heard, intent_of
from actions.contact import known_contact, remember_contact
from actions.flow import asks_something, came_back, confidence_of, starts, steps_aside
from actions.request_talk import is_correction
from actions.said import (
    Contact,
    could_be_a_name,
    find_contact,
    means_no,
    means_stop,
    means_yes,
    tries_again,
    wants_person,
)
from actions.service import ServiceAction, option_place
from hotline.errors import BadInputError, HubDownError, NotFoundError, SlotTakenError
from hotline.work_orders import AppointmentDraft
from knowledge_base.decide import Outcome
from knowledge_base.places import is_unknown, simplified
from knowledge_base.times import without_times

_BARE = re.compile(
    r"(?:我|要|想|来|预约|预订|约|订|个|一个|一下|下|号|取号|排号|办事|办理|办|业务|时间|大厅|去|到|帮我|帮|可以|能|吗|请|唔该|麻烦|的|嘅|明天|听日|窗口|服务|中心|行政|镇|街道|在|喺|上午|下午|"
    r"[，,。！!\s啊呀吧啦])*"
)
UNDOES = re.compile(
    r"(?:取消|撤销|撤回|退掉?|唔要|不要|不去|去不了|唔去)[^，,。]{0,8}(?:预约|工单|投诉|举报|诉求|登记|那个号|嗰个号)"
    r"|(?:预约|工单|投诉|举报|诉求|登记)[^，,。]{0,8}(?:取消|撤销|撤回|退掉|作废)"
)  # of what was filed or booked before
_PROPOSES = re.compile(
    r"(?:可以|得|行|好|有位|有号|有冇位|有没有位|约到|约得到?|可唔可以|得唔得|行不行|好不好|可不可以|方便)(?:吗|嘛|呢|呀|未)?[？?]*$"
)


class ValidateAppointmentForm(ServiceAction):
    def name(self) -> str:
        return "validate_appointment_form"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        talk = self.tools.seal.open(tracker.get_slot(DRAFT), AppointmentTalk)
        if starts(tracker, OUTCOME):
            if UNDOES.search(simplified(heard(tracker))):
                return [SlotSet(OUTCOME, "undo")]
            if talk is None or talk.number:
                talk = AppointmentTalk(item_key=tracker.get_slot("service_item"))
                contact = known_contact(self.tools.seal, tracker)
                talk.mobile, talk.name = contact.mobile, contact.name
            await self._absorb(talk, heard(tracker), opening=True)
            await self._check_free(talk)
            talk.ask_next()
            # What it is for is in talk from now on: 「我要带什么材料去」 asks about it.
            in_talk = [SlotSet("service_item", talk.item_key)] if talk.item_key else []
            return [*self._kept(talk), *in_talk]
        if came_back(tracker, FORM):
            return []
        talk = talk or AppointmentTalk()
        text, intent = heard(tracker), intent_of(tracker)
        if intent not in ("cancel", "goodbye", "handoff"):
            if means_stop(text):
                return [SlotSet(DRAFT, None), SlotSet(OUTCOME, "cancelled")]
            if wants_person(text) and len(text) <= 16:
                return self._kept(talk, "person")
        if self._aside(tracker, talk):
            return []
        talk.notice, talk.fresh = "", False
        if await self._answer(tracker, talk):
            talk.misread = 0
        elif not talk.notice:
            talk.notice, talk.misread = "request_misread", talk.misread + 1
        if talk.number:
            return [*self._kept(talk, "booked"), *remember_contact(self.tools.seal, talk.mobile, talk.name)]
        if talk.notice == "refused":
            return self._kept(talk, "refused")
        return self._kept(talk)

    def _kept(self, talk: AppointmentTalk, outcome: str | None = None) -> Events:
        return [SlotSet(DRAFT, self.tools.seal.seal(talk)), SlotSet(OUTCOME, outcome)]

    def _aside(self, tracker: Tracker, talk: AppointmentTalk) -> bool:
        text, intent = heard(tracker), intent_of(tracker)
        probe = talk.model_copy(deep=True)
        place = option_place(text, len(talk.halls)) if talk.asked == "hall" and talk.halls else None
        told = probe.take_hall(text, self.tools.catalogue, place) if talk.asked == "hall" else False
        told = told or probe.take_day(text, self.tools.today()) or probe.take_period(text)
        contact = find_contact(text, asked=talk.asked == "contact")
        told = told or bool(contact.mobile or contact.digits or (talk.asked == "contact" and contact.name))
        told = told or (talk.asked in ("hall", "period") and any_period(text))
        if talk.asked in ("confirm", "change", "retry"):
            told = told or means_yes(text) or means_no(text) or is_correction(text) or tries_again(text)
        if intent == "book_appointment":
            return False
        # 「狮山几时开门」 names a hall and is a question all the same.
        # 「下午得唔得」 answers 「上午还是下午」, though it is put as a question.
        answers = talk.asked != "item" and self._proposes(talk, text)
        asks = asks_something(tracker) and not (contact.mobile or talk.asked == "item" or any_period(text) or answers)
        return steps_aside(tracker, free_text=talk.asked == "item", wanted=told and not asks)

    def _proposes(self, talk: AppointmentTalk, text: str) -> bool:
        """Whether a day or a half of it is proposed: 「下午得唔得」."""
        return self._names_a_time(talk, text) and bool(_PROPOSES.search(text))

    def _names_a_time(self, talk: AppointmentTalk, text: str) -> bool:
        fresh = talk.model_copy(deep=True)
        took_day, took_period = fresh.take_day(text, self.tools.today()), fresh.take_period(text)
        return took_day or took_period

    # ------------------------------------------------------------------ answers

    async def _absorb(self, talk: AppointmentTalk, text: str, *, opening: bool = False) -> bool:
        """Takes all that ``text`` tells and is still open."""
        before = talk.model_dump()
        if not talk.hall:
            talk.take_hall(text, self.tools.catalogue)
        if not talk.day:
            talk.take_day(text, self.tools.today())
        if not talk.period:
            talk.take_period(text)
        contact = find_contact(text, asked=talk.asked == "contact")
        self._take_contact(talk, contact)
        if opening or talk.asked == "item":
            await self._find_item(talk, text)
        return before != talk.model_dump()

    @staticmethod
    def _take_contact(talk: AppointmentTalk, contact: Contact) -> None:
        talk.mobile = contact.mobile or talk.mobile
        if contact.name and (contact.mobile or talk.asked == "contact"):
            talk.name = contact.name

    async def _find_item(self, talk: AppointmentTalk, text: str) -> None:
        matter = self._without_towns(without_times(simplified(text)))
        if _BARE.fullmatch(matter):
            return
        decision = await self.find(matter, None)
        if decision.outcome is Outcome.FOUND:
            talk.item_key = decision.item_key
        elif decision.outcome is Outcome.ASK_WHICH and talk.asked == "item":
            talk.item_key = decision.candidates[0] if len(decision.candidates) == 1 else None

    async def _answer(self, tracker: Tracker, talk: AppointmentTalk) -> bool:
        text, intent, asked = heard(tracker), intent_of(tracker), talk.asked
        if asked in ("confirm", "change", "retry"):
            return await self._decide(tracker, talk)
        moved = self._proposes(talk, text) or (is_correction(text) and self._names_a_time(talk, text))
        if asked in ("hall", "contact") and (talk.day or talk.period) and moved:
            talk.take_day(text, self.tools.today())
            talk.take_period(text)
            await self._check_free(talk)
            talk.ask_next()
            return True
        understood = True
        match asked:
            case "item":
                await self._absorb(talk, text)
            case "hall":
                place = option_place(text, len(talk.halls)) if talk.halls else None
                understood = talk.take_hall(text, self.tools.catalogue, place)
                understood = await self._absorb(talk, text) or understood
                if not understood and (is_unknown(text) or any_period(text)):
                    talk.notice, understood = "appointment_which_town", True
            case "day":
                understood = talk.take_day(text, self.tools.today())
                understood = await self._absorb(talk, text) or understood
            case "period":
                understood = talk.take_period(text)
                if not understood and (any_period(text) or intent == "affirm"):
                    talk.period, understood = "上午", True
                understood = await self._absorb(talk, text) or understood
                if means_no(text) and not talk.period:
                    talk.day, understood = None, True
            case _:
                understood = self._contact(talk, text)
        await self._check_free(talk)
        talk.ask_next()
        return understood

    def _contact(self, talk: AppointmentTalk, text: str) -> bool:
        contact = find_contact(text)
        said = simplified(text).strip("，,。 ")
        self._take_contact(talk, contact)
        if not talk.name and talk.mobile and not contact.mobile and could_be_a_name(said):
            talk.name = said  # only the name was open: rare family names are no reason to ask again
        if contact.refused:
            talk.notice = "appointment_needs_contact"
        elif contact.digits and not talk.mobile:
            joined = contact.digits if len(talk.digits + contact.digits) > 11 else talk.digits + contact.digits
            if len(joined) == 11 and joined.startswith("1"):
                talk.mobile, talk.digits = joined, ""
            else:
                talk.digits = joined if len(joined) < 11 else ""
                talk.notice = "request_more_digits" if talk.digits else "request_not_a_mobile"
        elif not (contact.mobile or contact.name or talk.name):
            return False
        return True

    async def _check_free(self, talk: AppointmentTalk) -> None:
        """A half day that is full is not asked names for: the other one, or another day."""
        if not (talk.hall and talk.day and talk.period):
            return
        try:
            slots = await self.tools.requests.free_slots(talk.hall, talk.day)
        except (HubDownError, NotFoundError):
            return  # booking will say so
        left = {slot.period: slot.left for slot in slots}
        if left.get(talk.period, 1) > 0:
            return
        other: Period = "下午" if talk.period == "上午" else "上午"
        talk.period = None
        if left.get(other, 0) > 0:
            talk.notice = "appointment_full_other"
        else:
            talk.day, talk.notice = None, "appointment_full_day"

    async def _decide(self, tracker: Tracker, talk: AppointmentTalk) -> bool:
        text, intent = heard(tracker), intent_of(tracker)
        agreed = means_yes(text) or (
            intent == "affirm" and confidence_of(tracker) >= 0.6 and len(text) <= 10 and not is_correction(text)
        )
        if (agreed and talk.asked != "change") or (talk.asked == "retry" and tries_again(text)):
            return await self._book(talk)
        if self._change(talk, text):
            await self._check_free(talk)
            talk.key = AppointmentTalk().key
            talk.ask_next()
            return True
        if agreed or means_no(text) or intent == "deny":
            talk.asked = "confirm" if agreed else "change"
            return True
        return False

    def _change(self, talk: AppointmentTalk, text: str) -> bool:
        said = simplified(text)
        new = re.split(r"改成|改为|改到|换成|换到|应该是|(?<!不)是|系", said)[-1]
        probe = talk.model_copy(update={"hall": None, "halls": talk.halls})
        if talk.take_day(new, self.tools.today()):
            talk.take_period(new)
            return True
        if talk.take_period(new):
            return True
        contact = find_contact(text, asked=bool(re.search(r"名|姓|电话|手机|号码", said)))
        if contact.mobile or contact.name:
            talk.mobile, talk.name = contact.mobile or talk.mobile, contact.name or talk.name
            return True
        if probe.take_hall(new, self.tools.catalogue):
            talk.hall, talk.halls, talk.town = probe.hall, probe.halls, probe.town
            return True
        for words, field in (
            ("日期|哪天|时间|日子", "day"),
            ("时段|上午|下午", "period"),
            ("大厅|地点|地方|镇", "hall"),
        ):
            if re.search(words, said):
                setattr(talk, field, None)
                return True
        if re.search("电话|手机|号码|名字|姓名", said):
            talk.mobile = None if re.search("电话|手机|号码", said) else talk.mobile
            talk.name = None if re.search("名字|姓名", said) else talk.name
            return True
        return False

    async def _book(self, talk: AppointmentTalk) -> bool:
        item = self.tools.catalogue.items.get(talk.item_key or "")
        if not (talk.hall and talk.day and talk.period and talk.name and talk.mobile):
            return False  # never read back, so never agreed to
        draft = AppointmentDraft(
            hall_code=talk.hall,
            item_code=item.code if item else None,
            day=talk.day,
            period=talk.period,
            name=talk.name,
            mobile=talk.mobile,
        )
        try:
            booked = await self.tools.requests.book(draft, talk.key)
        except SlotTakenError:
            talk.period, talk.notice = None, "appointment_taken"
            talk.key = AppointmentTalk().key
            talk.ask_next()
        except HubDownError:
            talk.asked, talk.notice = "retry", "hub_down"
        except BadInputError:
            talk.notice = "refused"
        else:
            talk.number = booked.number
        return True
