"""What the appointment form says: its questions, the read-back, the number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.appointment_talk import BOOKABLE_DAYS, DRAFT, FORM, OUTCOME, AppointmentTalk, day_words
from actions.base import Events, HotlineAction
from actions.flow import compose, spoken_number
from actions.payload import say
from actions.said import shown_name
from hotline.errors import HubDownError
from hotline.messages import Button, Reply, Source
from hotline.privacy import mask_phone

_MISREAD_TWICE = 2


class AskAppointment(HotlineAction):
    def name(self) -> str:
        return "action_ask_appointment_form_appointment_outcome"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        talk = self.tools.seal.open(tracker.get_slot(DRAFT), AppointmentTalk) or AppointmentTalk(asked="item")
        item = self.tools.catalogue.items.get(talk.item_key or "")
        say(
            dispatcher,
            tracker,
            self._reply(talk),
            item=item if talk.fresh else None,
            expects={"contact": "contact", "confirm": "confirm", "retry": "confirm", "change": "correction"}.get(
                talk.asked, "appointment"
            ),
            flow=FORM,
            private=talk.asked in ("confirm", "retry"),
            part_down=HubDownError.code if talk.notice == "hub_down" else None,
        )
        talk.fresh, talk.notice = False, ""
        return [SlotSet(DRAFT, self.tools.seal.seal(talk))]

    def _reply(self, talk: AppointmentTalk) -> Reply:
        wording, today = self.tools.wording, self.tools.today()
        if talk.notice == "hub_down":
            return compose(wording, ("appointment_not_booked", {}))
        parts: list[tuple[str, dict[str, Any]]] = []
        if talk.fresh and talk.asked != "item":
            item = self.tools.catalogue.items.get(talk.item_key or "")
            parts.append(("appointment_begin", {"item": item.name if item else ""}))
        if talk.notice:
            last = today + timedelta(days=BOOKABLE_DAYS)
            facts: dict[str, Any] = {
                "other": "下午" if talk.notice == "appointment_full_other" else "",
                "first_day": day_words(today + timedelta(days=1)),
                "last_day": day_words(last),
                "left": 11 - len(talk.digits),
                "heard": len(talk.digits),
            }
            parts.append((talk.notice, facts))
        parts.append(self._question(talk))
        reply = compose(wording, *parts)
        reply.buttons = [*self._buttons(talk), *reply.buttons]
        if talk.misread >= _MISREAD_TWICE:
            reply.buttons = [*reply.buttons, *wording.reply("not_understood_again").buttons]
        return reply

    def _buttons(self, talk: AppointmentTalk) -> list[Button]:
        catalogue = self.tools.catalogue
        if talk.asked == "hall":
            if talk.halls:
                names = [catalogue.halls[code].name for code in talk.halls]
                return [Button(title=n, payload=f"第{i}个") for i, n in zip("一二三四五六七八九", names, strict=False)]
            return [Button(title=t.short, payload=t.name) for t in catalogue.towns.values()]
        return [Button(title=p, payload=p) for p in ("上午", "下午")] if talk.asked == "period" else []

    def _question(self, talk: AppointmentTalk) -> tuple[str, dict[str, Any]]:
        catalogue = self.tools.catalogue
        match talk.asked:
            case "hall":
                names = [catalogue.halls[code].name for code in talk.halls]
                return ("ask_appointment_which_hall", {"names": names}) if names else ("ask_appointment_hall", {})
            case "contact" if talk.mobile:
                return "ask_appointment_name", {}
            case "contact" if talk.name:
                return "ask_appointment_mobile", {}
            case "confirm" if talk.hall and talk.day and talk.mobile:
                item = catalogue.items.get(talk.item_key or "")
                return "ask_appointment_confirm", {
                    "item": item.name if item else "",
                    "hall": catalogue.halls[talk.hall].name,
                    "day": day_words(talk.day),
                    "period": talk.period,
                    "name": shown_name(talk.name),
                    "mobile": mask_phone(talk.mobile),
                    "last_four": talk.mobile[-4:],
                }
            case _:
                return f"ask_appointment_{talk.asked}", {}


class BookAppointment(HotlineAction):
    """The form has ended: the number of the appointment, or why there is none."""

    def name(self) -> str:
        return "action_book_appointment"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        wording, outcome = self.tools.wording, tracker.get_slot(OUTCOME)
        talk = self.tools.seal.open(tracker.get_slot(DRAFT), AppointmentTalk)
        done: Events = [SlotSet(OUTCOME, None)]
        if outcome == "person":
            say(dispatcher, tracker, wording.reply("handoff"), handoff=True)
            return done
        if outcome == "undo":
            say(dispatcher, tracker, wording.reply("cannot_undo"))
            return done
        if outcome == "booked" and talk and talk.hall and talk.day:
            hall = self.tools.catalogue.halls[talk.hall]
            item = self.tools.catalogue.items.get(talk.item_key or "")
            reply = wording.reply(
                "appointment_booked",
                number=talk.number,
                number_spoken=spoken_number(talk.number),
                hall=hall.name,
                day=day_words(talk.day),
                period=talk.period,
                synthetic=hall.synthetic,
                item=item.name if item else "",
            )
            reply.sources = [Source(item_code=talk.number, field="number", version="appointment")]
            say(dispatcher, tracker, reply, item=item)
        else:
            say(dispatcher, tracker, wording.reply("appointment_refused" if outcome == "refused" else "cancel"))
        return [*done, SlotSet(DRAFT, None)]
