"""What the request form says: its questions, the read-back, the receipt."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, HotlineAction
from actions.flow import compose, spoken_number
from actions.payload import say
from actions.request_talk import CALL_BACK, DRAFT, FORM, NOT_TOLD, OUTCOME, RequestTalk
from actions.said import shown_name
from hotline.catalogue import ServiceItem
from hotline.errors import HubDownError
from hotline.messages import Button, Reply, Source
from hotline.privacy import mask_phone
from hotline.work_orders import RequestType, Urgency
from knowledge_base.places import neighbour_named

# Working days within which a request is answered (广东省12345热线管理办法, in force 2022-09-01).
WORKING_DAYS = {
    RequestType.CONSULT: 2,
    RequestType.HELP: 10,
    RequestType.SUGGESTION: 10,
    RequestType.COMPLAINT: 15,
    RequestType.REPORT: 15,
}
_FIRM = frozenset({"consumer", "unpaid_wages", "work_injury_and_labour", "school_charges", "bullying", "medical_care"})
_MISREAD_TWICE = 2


class AskRequest(HotlineAction):
    """Says the next question of the form, with what has to be said before it."""

    def name(self) -> str:
        return "action_ask_request_form_request_outcome"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        talk = self.tools.seal.open(tracker.get_slot(DRAFT), RequestTalk) or RequestTalk(asked="happened")
        reply = self._reply(talk)
        items = self.tools.catalogue.items
        item: ServiceItem | None = items.get(talk.service_key or "") if talk.fresh else None
        down = talk.notice == "hub_down"
        say(
            dispatcher,
            tracker,
            reply,
            item=item,
            candidates=talk.candidates if talk.fresh and item is None else None,
            expects=_EXPECTS.get(talk.asked, "request"),
            flow=FORM,
            private=talk.asked in ("confirm", "retry", "town", "place_detail"),
            part_down=HubDownError.code if down else None,
        )
        remembered: Events = [SlotSet("service_item", item.key)] if item else []
        talk.fresh, talk.notice = False, ""
        return [SlotSet(DRAFT, self.tools.seal.seal(talk)), *remembered]

    def _reply(self, talk: RequestTalk) -> Reply:
        wording = self.tools.wording
        kind = wording.table("request_types")[talk.type.value]
        parts: list[tuple[str, dict[str, Any]]] = []
        if talk.fresh:
            parts.append(("call_back_begin" if talk.kind == CALL_BACK else "request_begin", {"type": kind}))
            if talk.urgency is not Urgency.NORMAL:
                parts.append(("request_urgent", {}))
        if talk.notice == "outside":
            parts.append(("request_outside", {"where": talk.detail, "line": self._line_of(talk.detail)}))
            return compose(wording, *parts)
        if talk.notice == "hub_down":
            return compose(wording, ("request_not_filed", {}))
        if talk.notice:
            facts: dict[str, Any] = {
                "left": 11 - len(talk.digits), "heard": len(talk.digits), "last_four": (talk.mobile or "")[-4:]
            }  # fmt: skip
            parts.append((talk.notice, facts))
            if talk.notice in _SAY_ALL:
                return compose(wording, *parts)
        parts.append(self._question(talk, kind))
        reply = compose(wording, *parts)
        if talk.asked == "town":
            reply.buttons = [Button(title=t.short, payload=t.name) for t in self.tools.catalogue.towns.values()]
        if talk.misread >= _MISREAD_TWICE:
            reply.buttons = [*reply.buttons, *wording.reply("not_understood_again").buttons]
        return reply

    def _question(self, talk: RequestTalk, kind: str) -> tuple[str, dict[str, Any]]:
        match talk.asked:
            case "happened":
                if talk.kind == CALL_BACK:
                    return "ask_call_back_matter", {}
                key = {"suggestion": "ask_request_suggestion", "praise": "ask_request_praise"}
                return key.get(talk.type.value, "ask_request_happened"), {}
            case "which_place":
                return "ask_request_which_place", {"question": talk.detail}
            case "place":
                return ("ask_request_firm" if talk.category in _FIRM else "ask_request_place"), {}
            case "town" | "place_detail":
                return f"ask_request_{talk.asked}", {"place": talk.place}
            case "when":
                return ("ask_call_back_when" if talk.kind == CALL_BACK else "ask_request_when"), {}
            case "contact":
                return ("ask_call_back_number" if talk.kind == CALL_BACK else "ask_request_contact"), {}
            case "change":
                return "ask_request_change", {}
            case "retry":
                return "request_not_filed", {}
            case _:
                return self._read_back(talk, kind)

    def _read_back(self, talk: RequestTalk, kind: str) -> tuple[str, dict[str, Any]]:
        place = "" if talk.place == NOT_TOLD else talk.place
        if talk.town and place and not any(name in place for name in self.tools.catalogue.towns[talk.town].names):
            place = f"{talk.town}{place}"
        mobile = "" if talk.anonymous or not talk.mobile else mask_phone(talk.mobile)
        short = talk.happened if len(talk.happened) <= 30 else f"{talk.happened[:28]}……"
        facts: dict[str, Any] = {
            "type": kind,
            "happened": talk.happened,
            "short": short,
            "place": place,
            "when": talk.when,
            "mobile": mobile,
            "last_four": talk.mobile[-4:] if talk.mobile else "",
            "name": "" if talk.anonymous else shown_name(talk.name),
        }
        return ("ask_call_back_confirm" if talk.kind == CALL_BACK else "ask_request_confirm"), facts

    def _line_of(self, where: str) -> str:
        neighbour = neighbour_named(where)
        return neighbour.line if neighbour else ""


_EXPECTS = {
    "place": "place",
    "place_detail": "place",
    "town": "place",
    "which_place": "place",
    "when": "time",
    "contact": "contact",
    "confirm": "confirm",
    "change": "correction",
    "retry": "confirm",
}
# These are questions already: nothing is asked behind them.
_SAY_ALL = frozenset(
    "request_more_digits request_not_a_mobile request_number_still request_contact_wanted "
    "request_no_caller_number call_back_needs_number".split()
)


class FileRequest(HotlineAction):
    """The form has ended: the receipt, or why there is none."""

    def name(self) -> str:
        return "action_file_request"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        wording = self.tools.wording
        outcome = tracker.get_slot(OUTCOME)
        talk = self.tools.seal.open(tracker.get_slot(DRAFT), RequestTalk)
        done: Events = [SlotSet(OUTCOME, None)]
        if outcome == "filed" and talk:
            item = self.tools.catalogue.items.get(talk.service_key or "")
            called = talk.number if talk.kind == CALL_BACK else None
            say(dispatcher, tracker, self._receipt(talk), item=item, call_back=called)
            return [*done, SlotSet(DRAFT, None), SlotSet("work_order_number", talk.number)]
        if outcome == "person":
            say(dispatcher, tracker, wording.reply("handoff"), handoff=True)
            return done
        if outcome == "told":  # a known incident was the answer; the draft waits in case it is filed all the same
            return done
        keys = {"outside": "request_outside_end", "refused": "request_refused", "cancelled": "request_cancelled"}
        say(dispatcher, tracker, wording.reply(keys.get(str(outcome), "request_cancelled")))
        return [*done, SlotSet(DRAFT, None)]

    def _receipt(self, talk: RequestTalk) -> Reply:
        facts: dict[str, Any] = {
            "type": self.tools.wording.table("request_types")[talk.type.value],
            "number": talk.number,
            "number_spoken": spoken_number(talk.number),
            "days": WORKING_DAYS.get(talk.type),
            "department": talk.department,
            "urgent": talk.urgency is not Urgency.NORMAL,
            "anonymous": talk.anonymous,
            "confidential": talk.type is RequestType.REPORT,
        }
        reply = self.tools.wording.reply("call_back_filed" if talk.kind == CALL_BACK else "request_filed", **facts)
        reply.sources = [Source(item_code=talk.number, field="number", version="work_order")]
        if talk.department:
            reply.sources.append(Source(item_code=talk.number, field="department", version="work_order"))
        return reply
