"""Puts an answer together from the facts of a service; every fact brings its source along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from actions.wording import Wording
from hotline.catalogue import (
    Confidence,
    Element,
    Fact,
    RegionScope,
    RequiredDocument,
    ServiceHall,
    ServiceItem,
)
from hotline.messages import Aspect, Button, Reply, Source

Part = Aspect | Element

# 「怎么办」 wants to know how to begin: who may, what to bring, where to go, in this order.
_HOW_TO: tuple[Part, ...] = (
    Aspect.STEPS,
    Aspect.CONDITIONS,
    Aspect.MATERIALS,
    Aspect.ONLINE,
    Aspect.WHERE,
    Element.RESULT,
    Element.LEGAL_BASIS,
)
_GENERAL: tuple[Part, ...] = (
    Aspect.GENERAL,
    Element.RESULT,
    Aspect.CONDITIONS,
    Aspect.ONLINE,
    Aspect.WHERE,
    Element.LEGAL_BASIS,
)
_PARTS: dict[Aspect, tuple[Part, ...]] = {Aspect.STEPS: _HOW_TO, Aspect.GENERAL: _GENERAL}
_ONLY_SHOWN = (Element.LEGAL_BASIS,)  # document numbers are read, not listened to
_MONEY = (Aspect.FEE, Aspect.AMOUNT)
_FOLLOW_UPS = (Aspect.MATERIALS, Aspect.CONDITIONS, Aspect.TIME_LIMIT, Aspect.FEE, Aspect.WHERE)
_SPOKEN_ORDINALS = "一二三四五六七八九十"

OVERVIEW_SPEECH = 120
"""Characters that an overview takes at most by ear; what is left out stands on the screen."""
_FOR_WHAT_FOLLOWS = 25  # kept free for the sentence that says what else may be asked

_T = TypeVar("_T")


@dataclass
class _Draft:
    """An answer in the making: its lines for the screen and for the ear, and its sources.

    ``spare`` maps a line of speech to the name of the part it tells of: it may be left unsaid.
    """

    text: list[str] = field(default_factory=list)
    speech: list[str] = field(default_factory=list)
    spare: dict[int, str] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)

    def add(self, text: str, speech: str | None = None) -> None:
        self.text.append(text)
        self.speech.append(text if speech is None else speech)

    def say(self, wording: Wording, key: str, **facts: Any) -> None:
        self.add(wording.text(key, **facts), wording.speech(key, **facts))

    def spoken(self, wording: Wording) -> str:
        """The speech: all of it, or of an overview what :data:`OVERVIEW_SPEECH` holds."""
        said = [_sentence(line) for line in self.speech]
        room = OVERVIEW_SPEECH - _FOR_WHAT_FOLLOWS - sum(len(s) for n, s in enumerate(said) if n not in self.spare)
        unsaid: list[str] = []
        for place, name in self.spare.items():
            first = place == min(self.spare)
            if name not in unsaid and (len(said[place]) <= room or first):
                room -= len(said[place])
            else:  # the rest of a part is not told without its beginning
                said[place] = ""
                unsaid.append(name)
        if more := _distinct(unsaid)[:3]:
            said.insert(max(self.spare) + 1, wording.speech("answer_more", names=more))
        return "".join(said)


def answer(
    wording: Wording,
    item: ServiceItem,
    aspect: Aspect,
    today: date,
    *,
    halls: Sequence[ServiceHall] = (),
    hub_checked: bool = True,
    bereaved: bool = False,
) -> Reply:
    """The reply to 「``item`` 的 ``aspect``」 from its facts alone.

    What is unsure or missing is named as unknown, with the number to ask. Facts known from
    another city only are said as such, and only where nothing of our own is known. ``bereaved``:
    the citizen spoke of a death, so the answer begins with condolences. An overview (how to go
    about it, what it is) names the result and the legal basis too; by ear it is kept short.
    """
    names = _names(wording)
    draft = _Draft()
    if bereaved:
        draft.say(wording, "answer_grief")
    draft.say(wording, "answer_lead", name=item.name, aspect=names.get(aspect, names[Aspect.GENERAL]))
    if aspect is Aspect.GENERAL:
        draft.add(item.summary)
        draft.sources.append(_source(item, "summary"))
    unknowns: list[str] = []
    stated: list[Fact] = []
    parts = _PARTS.get(aspect, (aspect,))
    for part in parts:
        facts = _facts_of(item, part, today)
        known = [f for f in facts if f.known]
        own = [f for f in known if f.region_scope is not RegionScope.OTHER_CITY]
        if own and len(parts) > 1:
            _outline(draft, item, part, own, names[part], headed=part is not aspect)
            stated += own
        elif own:
            _state(draft, item, part, own)
            stated += own
        elif known and part is aspect:
            draft.say(wording, "answer_other_city")
            _state(draft, item, part, known)
            stated += known
        if part is aspect or (part in (Aspect.STEPS, Aspect.MATERIALS) and not own):
            unknowns += [f.unknown for f in facts if not f.known]
            if not facts and part is aspect and part is not Aspect.GENERAL:  # the summary was told
                unknowns.append(names[part])
    if aspect in _PARTS and stated:
        unknowns = []  # the overview stands by itself; what is missing is said when it is asked
    if aspect is Aspect.WHERE and halls:
        draft.say(wording, "answer_halls", town=halls[0].town, halls=halls)
        draft.sources += [Source(item_code=h.code, field="name", version=h.source) for h in halls]
    contact = {"contact_number": item.contact.number, "contact_name": item.contact.name}
    if unknowns:
        money = aspect in _MONEY and not stated
        key = "answer_money_unknown" if money else "answer_unknown" if stated else "answer_nothing_known"
        missing = _distinct(unknowns)
        draft.say(wording, key, name=item.name, aspect=names[aspect], unknowns=missing, **contact)
        draft.sources.append(_source(item, "contact"))
    elif any(f.confidence is Confidence.GENERAL for f in stated) or not stated:
        draft.say(wording, "answer_general_confidence", **contact)
        draft.sources.append(_source(item, "contact"))
    if stated:
        draft.add(wording.text("answer_as_of", as_of=min(f.as_of for f in stated).isoformat()), "")
    if not hub_checked:
        draft.say(wording, "answer_hub_down")
    return Reply(
        text="\n".join(draft.text),
        speech_text=draft.spoken(wording),
        buttons=_follow_ups(item, aspect, names),
        sources=_distinct(draft.sources),
    )


def _names(wording: Wording) -> dict[str, str]:
    """What the parts of a service are called, the aspects and the elements."""
    return {
        **wording.table("aspect_names"),
        Element.RESULT: wording.text("answer_result"),
        Element.LEGAL_BASIS: wording.text("answer_legal_basis"),
    }


def _facts_of(item: ServiceItem, part: Part, today: date) -> list[Fact]:
    if isinstance(part, Aspect):
        return item.facts_of(part, today)
    return [fact for fact in item.elements.get(part, []) if not fact.expired(today)]


def _state(draft: _Draft, item: ServiceItem, part: Part, facts: list[Fact]) -> None:
    """The facts in full, for the screen and for the ear."""
    for fact in facts:
        listed = _listed(fact)
        counted = "；".join(f"{_ordinal(place)}，{entry}" for place, entry in enumerate(listed))
        draft.add(_shown(fact), _sentence(_text(fact)) + _sentence(counted))
        draft.sources.append(_source(item, part.value, fact))


def _outline(draft: _Draft, item: ServiceItem, part: Part, facts: list[Fact], name: str, *, headed: bool) -> None:
    """The facts, under a heading where ``headed``; by ear as short as may be, or not at all."""
    for number, fact in enumerate(facts):
        head = f"{name}：" if headed and number == 0 else ""
        # A list begins on a line of its own, or its first entry would hang on the heading.
        below = "\n" if head and not fact.text and len(_listed(fact)) > 1 else ""
        spoken = "：".join(filter(None, [_text(fact), "、".join(_listed(fact))]))
        if part not in _ONLY_SHOWN:
            draft.spare[len(draft.speech)] = name
        draft.add(head + below + _shown(fact), head + spoken if part not in _ONLY_SHOWN else "")
        draft.sources.append(_source(item, part.value, fact))


def _shown(fact: Fact) -> str:
    numbered = (f"{place}. {entry}" for place, entry in enumerate(_listed(fact), 1))
    return "\n".join([*filter(None, [_text(fact)]), *numbered])


def _listed(fact: Fact) -> list[str]:
    return [*fact.items, *map(_document, fact.documents)]


def _text(fact: Fact) -> str:
    """The sentence of a fact; a time limit that does not say which it is (法定, 承诺) is told so."""
    limit = fact.limit
    if limit is None or limit.kind.value in fact.text:
        return fact.text
    unit = "个工作日" if limit.unit == "工作日" else limit.unit
    figure = "" if f"{limit.number}{unit}" in fact.text else f"{limit.number}{unit}"
    return f"{fact.text}（{limit.kind.value}时限{figure}）" if fact.text else ""


def _source(item: ServiceItem, name: str, fact: Fact | None = None) -> Source:
    version = f"{fact.source} {fact.as_of.isoformat()}" if fact else item.version
    return Source(item_code=item.code, field=name, version=version)


def _document(document: RequiredDocument) -> str:
    """「户口簿（原件1份、复印件2份，非必要）」. What was not verified is left out."""
    notes = list(_notes(document))
    return document.name + (f"（{'，'.join(notes)}）" if notes else "")


def _notes(document: RequiredDocument) -> Iterator[str]:
    counts = (("原件", document.originals), ("复印件", document.copies))
    if said := "、".join(f"{kind}{count}份" for kind, count in counts if count):
        yield said
    if document.required is False:
        yield "非必要"
    if document.waived:
        yield "免提交"
    if document.note:
        yield document.note


def _follow_ups(item: ServiceItem, aspect: Aspect, names: dict[str, str]) -> list[Button]:
    """Up to three aspects that the guide knows and that were not just told."""
    told = set(_PARTS.get(aspect, (aspect,)))
    open_ones = [a for a in _FOLLOW_UPS if a not in told and any(f.known for f in item.facts_of(a))]
    return [
        Button(title=names[a], payload=f'/choose_item{{"item_key":"{item.key}","aspect":"{a.value}"}}')
        for a in open_ones[:3]
    ]


def _ordinal(place: int) -> str:
    return f"第{_SPOKEN_ORDINALS[place]}" if place < len(_SPOKEN_ORDINALS) else "还有"


def _sentence(text: str) -> str:
    text = text.replace("\n", "，").strip("，")
    return text if not text or text[-1] in "。！？；：" else f"{text}。"


def _distinct(values: Sequence[_T]) -> list[_T]:
    kept: list[_T] = []
    for value in values:
        if value not in kept:
            kept.append(value)
    return kept
