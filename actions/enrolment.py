"""无纸化入学: why an application's check did not pass. Publicly from the guides, personally from the hub."""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, HotlineAction, heard
from actions.case_reference import find_case_reference
from actions.flow import compose
from actions.payload import say
from hotline.catalogue import Fact, ServiceItem
from hotline.messages import Aspect, Reply, Source

_GUIDES = ("JY01", "JY03", "JY04")
_ABOUT_CHECKS = re.compile(r"比对|没有通过|未通过|承诺|复核")
_TO_DO = re.compile(r"没有通过|未通过")
_SAID_OTHERWISE = {
    "户口": "户籍",
    "房子": "房产",
    "屋契": "房产",
    "房产证": "房产",
    "社保": "参保年限",
    "税": "纳税",
    "计生": "计划生育",
}
_SOME_GUIDE = {"JY04": re.compile(r"小升初|升初中|初一"), "JY03": re.compile(r"积分")}


def checks_of(item: ServiceItem) -> list[tuple[Aspect, Fact]]:
    """The guide's facts on how applications are compared, and what to do where they differ."""
    return [
        (aspect, fact)
        for aspect in (Aspect.MATERIALS, Aspect.STEPS)
        for fact in item.facts_of(aspect)
        if fact.known and _ABOUT_CHECKS.search(fact.text)
    ]


def check_named(item: ServiceItem, text: str) -> tuple[str, str, Fact] | None:
    """The check that ``text`` speaks of: who compares, what is compared, and the guide's fact of it."""
    said = text + "".join(meant for word, meant in _SAID_OTHERWISE.items() if word in text)
    for aspect, fact in checks_of(item):
        if aspect is not Aspect.MATERIALS:
            continue
        for line in fact.items:
            who, _, what = line.partition("：")
            known_as = [*re.split(r"[、和（]", what), *who.split("、")]
            if any(len(name) > 1 and name in said for name in known_as):
                return who, what, fact
    return None


class CheckEnrolment(HotlineAction):
    """Says how the checks work, before the form asks for the number; nothing where one was given."""

    def name(self) -> str:
        return "action_check_enrolment"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        text = heard(tracker)
        item = self._guide(text, tracker.get_slot("service_item"))
        remembered = [SlotSet("service_item", item.key)] if item else []
        if find_case_reference(text) or tracker.get_slot("case_reference") or item is None:
            return remembered
        reply = self._one_check(item, text) or self._explained(item)
        say(dispatcher, tracker, reply, aspect=Aspect.STATUS, item=item)
        return remembered

    def _guide(self, text: str, in_talk: str | None) -> ServiceItem | None:
        items = self.tools.catalogue.items
        named = next((key for key, words in _SOME_GUIDE.items() if words.search(text)), None)
        key = named or (in_talk if in_talk in _GUIDES else _GUIDES[0])
        return items.get(str(key)) or next((items[k] for k in _GUIDES if k in items), None)

    def _one_check(self, item: ServiceItem, text: str) -> Reply | None:
        """「房产那个没比中」: who holds that record, and what to do, instead of the whole list again."""
        named = check_named(item, text)
        to_do = next((f for a, f in checks_of(item) if a is Aspect.STEPS and f.items and _TO_DO.search(f.text)), None)
        if named is None or to_do is None:
            return None
        who, what, fact = named
        told = {"who": who, "what": what, "basis": fact.text, "steps": to_do.items}
        reply = compose(self.tools.wording, ("enrolment_check_named", told))
        reply.sources = _sources(item, [(Aspect.MATERIALS, fact), (Aspect.STEPS, to_do)])
        return reply

    def _explained(self, item: ServiceItem) -> Reply:
        facts = checks_of(item)
        lines = [fact.text + ("：" + "；".join(fact.items) if fact.items else "") for _, fact in facts]
        reply = compose(self.tools.wording, ("enrolment_checks", {"name": item.name, "lines": lines}))
        reply.sources = _sources(item, facts)
        return reply


def _sources(item: ServiceItem, facts: list[tuple[Aspect, Fact]]) -> list[Source]:
    return [
        Source(item_code=item.code, field=aspect.value, version=f"{fact.source} {fact.as_of.isoformat()}")
        for aspect, fact in facts
    ]
