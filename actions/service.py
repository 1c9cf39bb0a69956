"""Answers about services: an aspect, a choice among candidates, another service, a bare name."""

from __future__ import annotations

import asyncio
import re

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answers import answer
from actions.base import Events, HotlineAction, entity, heard, intent_of
from actions.case_reference import find_case_reference, find_proof, find_work_order_number, strange_code
from actions.corrections import Correction, aspect_said, correction_of, names_a_matter
from actions.incidents import incident_reply
from actions.payload import say
from hotline.catalogue import ServiceHall, ServiceItem
from hotline.errors import HubDownError, NotFoundError
from hotline.insights import Incident
from hotline.messages import Aspect, Button, Reply
from hotline.privacy import mask_text
from knowledge_base.decide import CLEAR, POSSIBLE, Decision, Outcome, about_oneself, decide
from knowledge_base.places import find_place
from knowledge_base.strangers import strangers_of
from knowledge_base.subject import matter, plain, simplified, subject_of
from knowledge_base.times import without_times
from knowledge_base.triage import tells_a_nuisance
from knowledge_base.turning import LONGEST, turned_to

SURE = 0.97  # how clearly a service must be named where the words seem out of scope,
FOREIGN = 0.4  # and how likely that has to be for the whole of it
LIKELY_ASPECT = 0.15  # what was not understood goes on with the service in talk where an aspect is this likely
DOUBTED = 0.1  # out of scope is this likely: words that the service found does not know then count against it
CERTAIN = 0.95  # the words seem out of scope, yet a service this likely is answered,
NEAR = 0.8  # and one this likely is offered,
NEVER = 1.1
FOREIGN_AT_MOST = 0.9  # but where out of scope is likelier than this, none is answered,
NEAR_AT_MOST = 0.95  # and beyond this none offered

_NUMBERS = {name: n for n, names in enumerate("一 二两 三 四 五 六 七 八 九".split(), 1) for name in names}
_LONGEST_CHOICE = 14
_SHORT_ENOUGH_TO_SAY_BACK = 16
_A_NAME_ALONE = 3  # fewer characters that several services are called by (「医保」) name none of them
_PLACE = re.compile(
    r"(?P<from_end>倒数)?第(?P<number>[一二两三四五六七八九十百\d]+)(?!天|日|周|季|次|步|小学|中学|医院|人民|期|胎|年|批|代)"
)
_NUMBER = re.compile(
    r"(?:嗯|呃|那|就|我|要|选|拣|揀|是|系|係|应该|好像)*(?P<number>[一二两三四五六七八九十\d]{1,3})"
    r"(?:号|號|个|個|项|項|嗰个|那个|呢个)?(?:吧|啦|喇|呀|啊|咯|的|嘅|就行|就可以|就得|，?谢谢|，?唔该)*"
)
_DEATH = re.compile(r"去世|过世|過世|过身|過身|离世|離世|病故|死亡|走咗|走了|不在了|冇咗|身故")
_LAST = re.compile(r"最后|尾|后面")
_FIRST = re.compile(r"前|上|头(?:先|个|一)|首")
_QUESTION = re.compile(
    r"[吗嗎呢么？?]|怎|点样|点(?:办|搞|申|续|换|补|交|查|领|算)|什么|咩|乜|哪|边|几|多少|多久|如何|能不能|可以|材料|步骤|条件|流程|补贴|办理"
)
_MIDDLE = re.compile(r"中间|当中")
_A_NAME = re.compile(
    r"(?:[证證]|许可|許可|执照|執照|资质|資質)[书書]?$"
)  # 「危险化学品经营许可证」 complains of nothing
_FREE = re.compile(r"不收|免收|免费|不用交|无需缴|不需要交")
_PAYS = re.compile(r"收|交|缴|繳|付|费|費|花|使钱|罚|罰|要钱|要錢")


class ServiceAction(HotlineAction):
    """What the answering actions share: finding the service, and telling of it."""

    async def find(
        self, text: str, context_key: str | None, foreign: float = 0.0, *, switching: bool = False
    ) -> Decision:
        """Which service ``text`` is about. Where it is asked from is not what it is about.

        ``foreign``: how likely the classifier holds the words to be out of scope. The likelier, the
        clearer a service must be named to be answered. ``switching``: they turn to another service
        than the one in talk.
        """
        asked = self._without_towns(text)
        hits = await asyncio.to_thread(self.tools.search.search, asked)
        clear = CLEAR + (SURE - CLEAR) * min(1.0, foreign / FOREIGN)
        if foreign >= DOUBTED and hits and self._strange(asked, hits[0].item_key):
            clear = NEVER
        decision = decide(hits, matter(asked), context_key, clear, switching=switching, said=asked)
        if context_key and not switching and decision.outcome is Outcome.FOUND and decision.item_key != context_key:
            # 「不备案会罚款吗」 of a lease: fines are another service's, filing is this one's and not that one's.
            strange, left = self._strange(asked, str(decision.item_key)), self._strange(asked, context_key)
            if strange and len(left) < len(strange):
                return Decision(outcome=Outcome.CONTEXT, item_key=context_key)
            if set(strange) - set(left):
                return Decision(outcome=Outcome.ASK_WHICH, candidates=[context_key, str(decision.item_key)])
        return decision

    async def find_other(self, text: str, context_key: str | None, *, corrects: bool = True) -> Decision:
        """Another service than the one in talk, by what ``text`` names, or by that beside the name of
        the one in talk (「不是租房，是离职」 of a withdrawal). ``corrects``: the one in talk is not meant."""
        item = self.tools.catalogue.items.get(context_key or "")
        asked = self._without_towns(text)
        about = matter(asked)
        if item is None:
            return await self.find(text, context_key, switching=True)
        if not corrects and about_oneself(asked, about, switching=True):
            return Decision(outcome=Outcome.CONTEXT, item_key=item.key)
        if len(about) == 1 and not corrects and any(about in matter(n) for n in (item.summary, *item.aliases)):
            return Decision(outcome=Outcome.CONTEXT, item_key=item.key)  # 「丢了」 of a card it replaces
        if len(about) <= LONGEST:
            search = self.tools.search.search
            alone, beside = await asyncio.to_thread(lambda: (search(asked), search(f"{asked}{item.name}")))
            names = sum(about in plain(other.name) for other in self.tools.catalogue.items.values())
            shared = len(about) < _A_NAME_ALONE and names > 1
            if turned := turned_to(alone, beside, about, item.key, corrects=corrects, shared=shared):
                return turned
        return await self.find(text, item.key, switching=True)

    def still_open(self, tracker: Tracker) -> Decision | None:
        """The question which service is meant, once more, where it was asked and only an aspect is said."""
        offered: list[str] = tracker.get_slot("candidates") or []
        if not offered or names_a_matter(self._without_towns(heard(tracker))):
            return None
        return Decision(outcome=Outcome.ASK_WHICH, candidates=offered)

    async def put_right(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, correction: Correction, aspect: Aspect | None
    ) -> Events:
        """Answers what a correction means: another service, another aspect, or both. ``aspect``: what the
        words ask for as far as it is known; else what was asked before."""
        in_talk = tracker.get_slot("service_item")
        before = Aspect(tracker.get_slot("last_aspect") or Aspect.GENERAL)
        meant = aspect_said(correction.right) or aspect or before
        alone = aspect_said(correction.right) or not matter(correction.right)
        if (not names_a_matter(correction.right) and alone) or about_oneself(
            correction.right, matter(correction.right)
        ):
            return await self.respond(dispatcher, tracker, await self.find(correction.right, in_talk), meant)
        if aspect_said(correction.right) and not self._is_called(str(in_talk), correction.wrong):
            # What was asked is put right, so the service in talk stays unless another one is plainly named.
            decision = await self.find(correction.right, in_talk)
            if decision.outcome is Outcome.CONTEXT:
                return await self.respond(dispatcher, tracker, decision, meant)
        return await self.respond(dispatcher, tracker, await self.find_other(correction.right, in_talk), meant)

    async def respond(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, decision: Decision, aspect: Aspect
    ) -> Events:
        wording, items = self.tools.wording, self.tools.catalogue.items
        remembered: Events = [SlotSet("last_aspect", aspect.value)]
        if decision.outcome is not Outcome.FOUND and (incident := await self.incident_in(tracker)):
            self.tell_incident(dispatcher, tracker, incident, alone=True)
            return [SlotSet("misunderstandings", 0)]
        match decision.outcome:
            case Outcome.FOUND | Outcome.CONTEXT:
                return await self.tell(dispatcher, tracker, str(decision.item_key), aspect)
            case Outcome.ASK_WHICH:
                offered = [items[key] for key in decision.candidates]
                say(
                    dispatcher,
                    tracker,
                    self._ask_which(offered, aspect),
                    aspect=aspect,
                    candidates=decision.candidates,
                )
                return [
                    *remembered,
                    SlotSet("candidates", decision.candidates),
                    SlotSet("misunderstandings", 0),
                ]
            case Outcome.ASK_SUBJECT:
                say(dispatcher, tracker, wording.reply("ask_subject"), aspect=aspect)
                return remembered
            case Outcome.UNKNOWN:
                near = [items[key] for key in decision.candidates]
                reply = wording.reply(
                    "unknown_service", subject=_as_asked(heard(tracker)), nearest=[i.name for i in near]
                )
                reply.buttons = [_choice(i, aspect) for i in near] + [Button(title="转人工", payload="转人工")]
                say(dispatcher, tracker, reply, aspect=aspect)
                return [*remembered, SlotSet("candidates", decision.candidates)]

    async def tell(self, dispatcher: CollectingDispatcher, tracker: Tracker, key: str, aspect: Aspect) -> Events:
        """Says one aspect of one service, from the hub where it answers, else from the guide; a known
        incident about it first."""
        aspect = self._money_meant(key, aspect, heard(tracker))
        guide = self.tools.catalogue.items[key]
        new = key if tracker.get_slot("service_item") != key else None  # who goes on about it was told already
        if incident := await self.incident_in(tracker, new):
            self.tell_incident(dispatcher, tracker, incident)
        item, checked = guide, True
        halls: list[ServiceHall] = []
        town = self._town(tracker) if aspect is Aspect.WHERE else None
        try:
            item = await self.tools.hub.service_item(guide.code)
            if town:
                halls = await self.tools.hub.service_halls(town)
        except NotFoundError:
            checked = False
        except HubDownError:
            item, checked = guide, False
        reply = answer(
            self.tools.wording,
            item,
            aspect,
            self.tools.today(),
            halls=halls,
            hub_checked=checked,
            bereaved=item.tone == "grief" and bool(_DEATH.search(heard(tracker))),
        )
        say(dispatcher, tracker, reply, aspect=aspect, item=item)
        return [
            SlotSet("service_item", key),
            SlotSet("last_aspect", aspect.value),
            SlotSet("candidates", None),
            SlotSet("misunderstandings", 0),
        ]

    async def public_procedure(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        """What anybody may know of the service that is named; nothing where none is."""
        decision = await self.find(heard(tracker), None)
        if decision.outcome is not Outcome.FOUND:
            return []
        return await self.tell(dispatcher, tracker, str(decision.item_key), Aspect.STEPS)

    async def incident_in(self, tracker: Tracker, item_key: str | None = None) -> Incident | None:
        """The known incident that this turn asks about, by its words or by the service it is to be told with."""
        text = simplified(heard(tracker))
        town = find_place(text, self.tools.catalogue).town or self._town(tracker)
        return await self.tools.incidents.fitting(text, town, item_key)

    def tell_incident(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, incident: Incident, *, alone: bool = False
    ) -> None:
        """``alone``: nothing else is answered in this turn, so what can be done beside it is said."""
        say(
            dispatcher, tracker, incident_reply(self.tools.wording, incident, "incident_alone" if alone else "incident")
        )

    def _ask_which(self, offered: list[ServiceItem], aspect: Aspect) -> Reply:
        names = [item.name for item in offered]
        key = "ask_which" if len(names) > 1 else "ask_which_one"
        reply = self.tools.wording.reply(key, names=names)
        none = Button(title="都不是", payload="都不是")
        reply.buttons = [*(_choice(item, aspect) for item in offered), none]
        return reply

    def _money_meant(self, key: str, aspect: Aspect, text: str) -> Aspect:
        """「多少钱」 of a benefit, whose fee nobody knows, asks what one is given."""
        item = self.tools.catalogue.items[key]
        # 「申领不收费」 answers nobody who asks how much a benefit is.
        costs = any(f.known and not _FREE.search(f.text or "") for f in item.facts_of(Aspect.FEE))
        given = item.facts_of(Aspect.AMOUNT) and not costs
        return Aspect.AMOUNT if aspect is Aspect.FEE and given and not _PAYS.search(text) else aspect

    def _strange(self, text: str, key: str) -> list[str]:
        """The words of ``text`` that service ``key`` does not know."""
        return strangers_of(self.tools.catalogue).of(text, key)

    def _puts_right(self, key: str, correction: Correction) -> bool:
        """Whether ``correction`` is of the service in talk, or of what was asked about it."""
        if not names_a_matter(correction.right):
            return aspect_said(correction.wrong or correction.right) is not None
        return not correction.wrong or self._is_called(key, correction.wrong)

    def _is_called(self, key: str, words: str) -> bool:
        """Whether ``words`` belong to the name or an alias of the service."""
        item, said = self.tools.catalogue.items[key], matter(words)
        return len(said) > 1 and any(said in plain(name) for name in (item.name, *item.aliases))

    def _without_towns(self, text: str) -> str:
        names = sorted({n for town in self.tools.catalogue.towns.values() for n in town.names}, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, names)), " ", text) if names else text

    def _town(self, tracker: Tracker) -> str | None:
        """The town named in this turn, else the one that an agent filled in before handing back."""
        word = entity(tracker, "town") or tracker.get_slot("town")
        town = self.tools.catalogue.town_named(word) if word else None
        return town.name if town else None


class AnswerService(ServiceAction):
    """「居住证要带什么材料」「那要几天」: an aspect of the service named, or of the one in talk."""

    def name(self) -> str:
        return "action_answer_service"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        aspect = _aspect_of_intent(intent_of(tracker))
        in_talk = tracker.get_slot("service_item")
        correction = correction_of(heard(tracker)) if in_talk else None
        if correction and self._puts_right(str(in_talk), correction):
            # What is put right was asked before: only plain words ask something else of it now.
            asks_anew = names_a_matter(correction.right) and _QUESTION.search(correction.right)
            return await self.put_right(dispatcher, tracker, correction, aspect if asks_anew else None)
        if decision := self.still_open(tracker):
            return await self.respond(dispatcher, tracker, decision, aspect)
        foreign = _ranked(tracker).get("out_of_scope", 0.0)
        decision = await self.find(heard(tracker), in_talk, foreign)
        return await self.respond(dispatcher, tracker, decision, aspect)


class ChooseOption(ServiceAction):
    """A button, 「第二个」, or the name of one of those offered."""

    def name(self) -> str:
        return "action_choose_option"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        aspect = Aspect(entity(tracker, "aspect") or tracker.get_slot("last_aspect") or Aspect.GENERAL)
        key = entity(tracker, "item_key")
        if key in self.tools.catalogue.items:
            return await self.tell(dispatcher, tracker, str(key), aspect)
        offered: list[str] = tracker.get_slot("candidates") or []
        if not offered and option_place(heard(tracker), 9) is not None:
            say(dispatcher, tracker, self.tools.wording.reply("ask_subject"), aspect=aspect)
            return []
        if not offered:
            decision = await self.find(heard(tracker), None)
            return await self.respond(dispatcher, tracker, decision, aspect)
        place = option_place(heard(tracker), len(offered))
        if place is None:
            names = [self.tools.catalogue.items[k].name for k in offered]
            say(
                dispatcher,
                tracker,
                self.tools.wording.reply("option_out_of_range", names=names),
                candidates=offered,
            )
            return []
        return await self.tell(dispatcher, tracker, offered[place], aspect)


class NoneOfThem(ServiceAction):
    def name(self) -> str:
        return "action_none_of_them"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        say(dispatcher, tracker, self.tools.wording.reply("none_of_them"))
        return [SlotSet("candidates", None), SlotSet("service_item", None)]


class SwitchService(ServiceAction):
    """「那身份证呢」「不是社保，是医保」: the last aspect, of another service."""

    def name(self) -> str:
        return "action_switch_service"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        text = heard(tracker)
        in_talk = tracker.get_slot("service_item")
        if correction := correction_of(text):
            return await self.put_right(dispatcher, tracker, correction, None)
        aspect = aspect_said(text) or Aspect(tracker.get_slot("last_aspect") or Aspect.GENERAL)
        # While it is open which one is meant, none is the one turned away from.
        turned_from = None if tracker.get_slot("candidates") else in_talk
        if turned_from:
            decision = await self.find_other(text, turned_from, corrects=False)
        else:
            decision = await self.find(text, None)
            if in_talk and decision.outcome is not Outcome.FOUND:
                decision = await self.find_other(text, in_talk, corrects=False)
        return await self.respond(dispatcher, tracker, decision, aspect)


class Inform(ServiceAction):
    """A bare name (「居住证」), a town, or a number: what it answers depends on what was asked."""

    def name(self) -> str:
        return "action_inform"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        text = heard(tracker)
        if reference := find_case_reference(text):
            return [
                SlotSet("case_reference", reference),
                SlotSet("identity_outcome", None),
                FollowupAction("case_status_form"),
            ]
        if find_work_order_number(text):
            return [FollowupAction("work_order_form")]
        if code := strange_code(text):
            say(dispatcher, tracker, self.tools.wording.reply("strange_code", code=mask_text(code)))
            return []
        if sounds_like_a_complaint(text):
            return [FollowupAction("request_form")]
        proof = find_proof(text)
        if proof.id_last4 and proof.name:
            return [FollowupAction("case_status_form")]  # said too early or too late, and nothing to search for
        in_talk = tracker.get_slot("service_item")
        if in_talk and self._town(tracker) and tracker.get_slot("last_aspect") == Aspect.WHERE:
            return await self.tell(dispatcher, tracker, in_talk, Aspect.WHERE)
        offered: list[str] = tracker.get_slot("candidates") or []
        named = [k for k in offered if plain(text) in plain(self.tools.catalogue.items[k].name)]
        asked = tracker.get_slot("last_aspect")
        # An aspect asked without a service waits for its name; after an answer a name starts anew.
        aspect = Aspect(asked) if asked and (offered or not in_talk) else Aspect.GENERAL
        if len(named) == 1:
            return await self.tell(dispatcher, tracker, named[0], aspect)
        decision = await self.find(text, None, _ranked(tracker).get("out_of_scope", 0.0))
        return await self.respond(dispatcher, tracker, decision, aspect)


class Fallback(ServiceAction):
    """Not understood, or not ours: a service that is clearly named is still offered."""

    def name(self) -> str:
        return "action_fallback"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        out_of_scope = intent_of(tracker) == "out_of_scope"
        if sounds_like_a_complaint(heard(tracker)) and not (tracker.active_loop or {}).get("name"):
            return [FollowupAction("request_form")]
        if incident := await self.incident_in(tracker):
            self.tell_incident(dispatcher, tracker, incident, alone=True)
            return [SlotSet("misunderstandings", 0)]
        in_talk = tracker.get_slot("service_item")
        correction = correction_of(heard(tracker)) if in_talk else None
        if correction and self._puts_right(str(in_talk), correction):
            return await self.put_right(dispatcher, tracker, correction, None)
        if in_talk and about_oneself(self._without_towns(heard(tracker)), matter(heard(tracker))):
            return await self.tell(dispatcher, tracker, in_talk, aspect_said(heard(tracker)) or Aspect.CONDITIONS)
        if in_talk and out_of_scope and (said := aspect_said(heard(tracker))) and not names_a_matter(heard(tracker)):
            return await self.tell(dispatcher, tracker, in_talk, said)  # 「怎么领」 alone is of no other world
        ranked = _ranked(tracker)
        if out_of_scope:
            decision = await self._ours_after_all(heard(tracker), ranked.get("out_of_scope", 1.0))
            if decision:
                likeliest = max((n for n in ranked if n.startswith("ask_")), key=lambda n: ranked[n], default="")
                meant = aspect_said(heard(tracker)) or _aspect_of_intent(likeliest)
                return await self.respond(dispatcher, tracker, decision, meant)
        else:
            aspects = {name: sure for name, sure in ranked.items() if name.startswith("ask_")}
            likeliest = max(aspects, key=lambda name: aspects[name], default="")
            foreign = ranked.get("out_of_scope", 0.0)
            decision = await self.find(heard(tracker), tracker.get_slot("service_item"), foreign)
            going_on = decision.outcome is Outcome.CONTEXT and aspects.get(likeliest, 0.0) >= LIKELY_ASPECT
            if decision.outcome is Outcome.CONTEXT and (said := aspect_said(heard(tracker))):
                return await self.respond(dispatcher, tracker, decision, said)
            if going_on or decision.outcome in (Outcome.FOUND, Outcome.ASK_WHICH):
                return await self.respond(dispatcher, tracker, decision, _aspect_of_intent(likeliest))
        if (tracker.latest_message.get("metadata") or {}).get("state") == "queued":
            # Who waits for a person, perhaps in danger, is not told what this line does not do.
            say(dispatcher, tracker, self.tools.wording.reply("listening_while_queued"), small=True)
            return []
        misses = float(tracker.get_slot("misunderstandings") or 0) + 1
        key = "out_of_scope" if out_of_scope else "not_understood" if misses < 2 else "not_understood_again"
        say(dispatcher, tracker, self.tools.wording.reply(key))
        return [SlotSet("misunderstandings", min(misses, 10.0))]

    async def _ours_after_all(self, text: str, foreign: float) -> Decision | None:
        """The classifier sees what a question sounds like, the search what it names. A service that is
        named beyond doubt, in words that are all its own, is answered; else a near one may be offered."""
        asked = self._without_towns(text)
        hits = await asyncio.to_thread(self.tools.search.search, asked)
        if not hits or hits[0].score < NEAR or foreign > NEAR_AT_MOST:
            return None
        key = hits[0].item_key
        own = not self._strange(asked, key)
        if own and hits[0].score >= CERTAIN and foreign <= FOREIGN_AT_MOST:
            return Decision(outcome=Outcome.FOUND, item_key=key)
        near = [key, *(h.item_key for h in hits[1:2] if h.score >= POSSIBLE)]
        return Decision(outcome=Outcome.UNKNOWN, candidates=near)


def sounds_like_a_complaint(text: str) -> bool:
    """A whole sentence on what is wrong, and no question: taken down, whatever the classifier made of it."""
    return len(text) >= 8 and tells_a_nuisance(text) and not (_QUESTION.search(text) or _A_NAME.search(text))


def option_place(text: str, count: int) -> int | None:
    """Which of ``count`` offered things 「第二个」「最后那个」「2」 means (from 0); None where none is.

    A number counts only where it is all that is said: the three of 「下周三上午」 chooses nothing.
    """
    text = without_times(simplified(text))
    if found := _PLACE.search(text) or _NUMBER.fullmatch(text.strip("，,。！!？? ")):
        said = found["number"]
        number = int(said) if said.isdecimal() else _NUMBERS.get(said, 0)
        if not 1 <= number <= count:
            return None
        return count - number if found.groupdict().get("from_end") else number - 1
    if len(text) > _LONGEST_CHOICE:
        return None
    if _MIDDLE.search(text) and count % 2:
        return count // 2
    if _LAST.search(text):
        return count - 1
    return 0 if _FIRST.search(text) else None


def _as_asked(text: str) -> str:
    """The question as it may be read back: all of a short one, of a long one what it is about."""
    said = mask_text(text).strip("，,。！!？?；; \n")
    return said if len(said) <= _SHORT_ENOUGH_TO_SAY_BACK else subject_of(text)[:_SHORT_ENOUGH_TO_SAY_BACK]


def _ranked(tracker: Tracker) -> dict[str, float]:
    """The classifier's likeliest intents and how likely each is."""
    ranking = tracker.latest_message.get("intent_ranking") or []
    return {str(entry.get("name")): float(entry.get("confidence") or 0.0) for entry in ranking}


def _aspect_of_intent(intent: str) -> Aspect:
    name = intent.removeprefix("ask_")
    return Aspect(name) if name in set(Aspect) else Aspect.GENERAL


def _choice(item: ServiceItem, aspect: Aspect) -> Button:
    return Button(title=item.name, payload=f'/choose_item{{"item_key":"{item.key}","aspect":"{aspect.value}"}}')
