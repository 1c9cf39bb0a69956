"""Puts an answer together from the facts of a service; every fact brings its source along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from actions.wording import Wording
from hotline.catalogue import Confidence, Fact, RegionScope, RequiredDocument, ServiceHall, ServiceItem
from hotline.messages import Aspect, Button, Reply, Source

# 「怎么办」 wants to know how to begin: who may, what to bring, where to go, in this order.
_HOW_TO = (Aspect.STEPS, Aspect.CONDITIONS, Aspect.MATERIALS, Aspect.ONLINE, Aspect.WHERE)
_GENERAL = (Aspect.GENERAL, Aspect.CONDITIONS, Aspect.ONLINE, Aspect.WHERE)
_PARTS: dict[Aspect, tuple[Aspect, ...]] = {Aspect.STEPS: _HOW_TO, Aspect.GENERAL: _GENERAL}
_FOLLOW_UPS = (Aspect.MATERIALS, Aspect.CONDITIONS, Aspect.TIME_LIMIT, Aspect.FEE, Aspect.WHERE)
_SPOKEN_ORDINALS = "一二三四五六七八九十"
_T = TypeVar("_T")


@dataclass
class _Draft:
    """An answer in the making: its lines for the screen and for the ear, and its sources."""

    text: list[str] = field(default_factory=list)
    speech: list[str] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)

    def add(self, text: str, speech: str | None = None) -> None:
        self.text.append(text)
        self.speech.append(text if speech is None else speech)


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
    the citizen spoke of a death, so the answer begins with condolences.
    """
    names = wording.table("aspect_names")
    draft = _Draft()
    if bereaved:
        draft.add(wording.text("answer_grief"))
    lead: dict[str, Any] = {"name": item.name, "aspect": names.get(aspect, names["general"])}
    draft.add(wording.text("answer_lead", **lead), wording.speech("answer_lead", **lead))
    if aspect is Aspect.GENERAL:
        draft.add(item.summary)
        draft.sources.append(_source(item, "summary"))
    unknowns: list[str] = []
    stated: list[Fact] = []
    parts = _PARTS.get(aspect, (aspect,))
    for part in parts:
        facts = item.facts_of(part, today)
        known = [f for f in facts if f.known]
        own = [f for f in known if f.region_scope is not RegionScope.OTHER_CITY]
        if own:
            _state(draft, item, part, own, names[part] if len(parts) > 1 and part is not Aspect.GENERAL else "")
            stated += own
        elif known and part is aspect:
            draft.add(wording.text("answer_other_city"))
            _state(draft, item, part, known, "")
            stated += known
        if part is aspect or (part in (Aspect.STEPS, Aspect.MATERIALS) and not own):
            unknowns += [f.unknown for f in facts if not f.known]
            if not facts and part is aspect and part is not Aspect.GENERAL:  # the summary was told
                unknowns.append(names[part])
    if aspect in _PARTS and stated:
        unknowns = []  # the overview stands by itself; what is missing is said when it is asked
    if aspect is Aspect.WHERE and halls:
        facts_of_halls: dict[str, Any] = {"town": halls[0].town, "halls": halls}
        draft.add(wording.text("answer_halls", **facts_of_halls), wording.speech("answer_halls", **facts_of_halls))
        draft.sources += [Source(item_code=h.code, field="name", version=h.source) for h in halls]
    contact = {"contact_number": item.contact.number, "contact_name": item.contact.name}
    if unknowns:
        key = "answer_unknown" if stated else "answer_nothing_known"
        draft.add(wording.text(key, name=item.name, unknowns=_distinct(unknowns), **contact))
        draft.sources.append(_source(item, "contact"))
    elif any(f.confidence is Confidence.GENERAL for f in stated) or not stated:
        draft.add(wording.text("answer_general_confidence", **contact))
        draft.sources.append(_source(item, "contact"))
    if stated:
        draft.add(wording.text("answer_as_of", as_of=min(f.as_of for f in stated).isoformat()), "")
    if not hub_checked:
        draft.add(wording.text("answer_hub_down"))
    return Reply(
        text="\n".join(draft.text),
        speech_text="".join(_sentence(s) for s in draft.speech if s),
        buttons=_follow_ups(item, aspect, names),
        sources=_distinct(draft.sources),
    )


def _state(draft: _Draft, item: ServiceItem, aspect: Aspect, facts: list[Fact], heading: str) -> None:
    for number, fact in enumerate(facts):
        head = f"{heading}：" if heading and number == 0 else ""
        listed = [*fact.items, *(_document(d) for d in fact.documents)]
        shown, spoken = [], []
        if fact.text:
            shown.append(fact.text)
            spoken.append(fact.text)
        shown += [f"{place}. {entry}" for place, entry in enumerate(listed, 1)]
        spoken += [f"{_ordinal(place)}，{entry}；" for place, entry in enumerate(listed)]
        # A list begins on a line of its own, or its first entry would hang on the heading.
        below = "\n" if head and not fact.text and len(listed) > 1 else ""
        draft.add(head + below + "\n".join(shown), head + "".join(_sentence(s) for s in spoken))
        draft.sources.append(_source(item, aspect.value, fact))


def _source(item: ServiceItem, name: str, fact: Fact | None = None) -> Source:
    version = f"{fact.source} {fact.as_of.isoformat()}" if fact else item.version
    return Source(item_code=item.code, field=name, version=version)


def _document(document: RequiredDocument) -> str:
    counts = [f"复印件{document.copies}份"] if document.copies else []
    notes = [*counts, *([] if document.required else ["非必需"]), *([document.note] if document.note else [])]
    return document.name + (f"（{'，'.join(notes)}）" if notes else "")


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
