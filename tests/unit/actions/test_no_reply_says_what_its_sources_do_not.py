"""Every figure and every sentence of every answer stands in a source that the reply names.

The sources are looked up in the catalogue here, by themselves: nothing of actions/answers.py is used
to check what it said. Walks all services, all aspects, with and without halls, with the hub silent,
and with condolences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product

import pytest
from line_parts import CATALOGUE, TODAY, WORDING

from actions.answers import answer
from hotline.catalogue import Element, Fact, RequiredDocument, ServiceHall, ServiceItem
from hotline.messages import Aspect, Reply, Source

HALLS = CATALOGUE.halls_of("狮山镇")
PART_NAMES = WORDING.table("aspect_names") | {Element.RESULT.value: "办理结果", Element.LEGAL_BASIS.value: "设定依据"}

# Arabic numbers with what belongs to them (27.5%, 2026-11-22, 0757-12393), and Chinese ones that count.
_FIGURE = re.compile(
    r"\d+(?:[.,:：\-]\d+)*[%％]?"
    r"|(?<!哪)[一二两三四五六七八九十百千万半]+(?=个?(?:工作日|月|年|季|日|天|周|岁|元|块|角|次|份|人|成|小时|分钟|倍|级|本|张|平方米))"
)
_ORDINALS = "一二三四五六七八九十"


@dataclass(frozen=True)
class Named:
    """What one source of a reply holds: texts to say, facts, and the day it was looked at."""

    source: Source
    texts: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


def look_up(source: Source) -> Named:
    """The source as it stands in the catalogue; fails where there is none of that version."""
    if source.item_code in CATALOGUE.halls:
        hall = CATALOGUE.halls[source.item_code]
        assert (source.field, source.version) == ("name", hall.source)
        return Named(source, (hall.name, hall.town))
    item = CATALOGUE.by_code[source.item_code]
    if source.field in ("summary", "contact"):
        assert source.version == item.version
        held = (item.summary,) if source.field == "summary" else (item.contact.number, item.contact.name)
        return Named(source, held)
    facts = dict[str, list[Fact]]({**item.facts, **item.elements})[source.field]
    found = tuple(
        f for f in facts if f.known and not f.expired(TODAY) and source.version == f"{f.source} {f.as_of.isoformat()}"
    )
    assert found, f"no such fact: {source}"
    return Named(source, facts=found)


def entries(fact: Fact) -> list[str]:
    return [*fact.items, *(written(document) for document in fact.documents)]


def written(document: RequiredDocument) -> str:
    """A document as it may be said: its counts, whether it is needed, its note; nothing else."""
    counts = [("原件", document.originals), ("复印件", document.copies)]
    notes = ["、".join(f"{kind}{n}份" for kind, n in counts if n)]
    notes += ["非必要"] if document.required is False else []
    notes += ["免提交"] if document.waived else []
    notes = [note for note in [*notes, document.note] if note]
    return document.name + (f"（{'，'.join(notes)}）" if notes else "")


def sentences(fact: Fact) -> list[str]:
    """The text of a fact as it may be said: a limit may say 法定 or 承诺, and its figure."""
    if not fact.text or fact.limit is None:
        return [fact.text] if fact.text else []
    unit = fact.limit.unit.replace("工作日", "个工作日")
    kind = fact.limit.kind.value
    return [fact.text, f"{fact.text}（{kind}时限）", f"{fact.text}（{kind}时限{fact.limit.number}{unit}）"]


def check(reply: Reply, item: ServiceItem, aspect: Aspect) -> None:
    """Fails where the reply holds anything that its sources and the fixed wording do not."""
    assert reply.sources
    named = [look_up(source) for source in reply.sources]
    assert {n.source.item_code for n in named} <= {item.code, *CATALOGUE.halls}
    fixed = list(wording_of(item, aspect, named))
    _every_line_is_named(reply.text, item, aspect, named, fixed)
    _nothing_is_left(reply.speech_text, item, aspect, named, fixed)
    held = " ".join(
        [item.name, *(text for n in named for text in n.texts)]
        + [text for n in named for f in n.facts for text in [*sentences(f), *entries(f)]]
    )
    days = {n.source.version.split()[-1] for n in named if n.facts}
    allowed = set(_FIGURE.findall(held)) | ({min(days)} if days else set())
    for text in (without_numbering(reply.text), without_ordinals(reply.speech_text)):
        assert set(_FIGURE.findall(text)) <= allowed, sorted(set(_FIGURE.findall(text)) - allowed)


def wording_of(item: ServiceItem, aspect: Aspect, named: list[Named]) -> Iterator[str]:
    """The sentences of the line itself that may stand in such an answer."""
    lead = {"name": item.name, "aspect": PART_NAMES[aspect.value]}
    contact = {"contact_number": item.contact.number, "contact_name": item.contact.name}
    days = [n.source.version.split()[-1] for n in named if n.facts]
    halls = [CATALOGUE.halls[n.source.item_code] for n in named if n.source.item_code in CATALOGUE.halls]
    said: list[tuple[str, dict[str, object]]] = [
        ("answer_grief", {}),
        ("answer_lead", dict(lead)),
        ("answer_other_city", {}),
        ("answer_hub_down", {}),
    ]
    if any(n.source.field == "contact" for n in named):
        said.append(("answer_general_confidence", dict(contact)))
    if halls:
        said.append(("answer_halls", {"town": halls[0].town, "halls": halls}))
    for key, facts in said:
        yield WORDING.text(key, **facts)
        yield WORDING.speech(key, **facts)
    if days:
        yield WORDING.text("answer_as_of", as_of=min(days))


def _every_line_is_named(text: str, item: ServiceItem, aspect: Aspect, named: list[Named], fixed: list[str]) -> None:
    own_lines = {line for sentence in fixed for line in sentence.splitlines()}
    number = 0
    for line in text.splitlines():
        if line in own_lines or (line == item.summary and any(n.source.field == "summary" for n in named)):
            number = 0
            continue
        if _says_what_is_unknown(line, item, aspect, named, "text"):
            continue
        heading, rest = _heading(line)
        part = heading or None
        facts = [f for n in named if part is None or n.source.field == part for f in n.facts]
        if not rest:
            number = 0
            continue
        if listed := re.match(r"(\d+)\. ", rest):
            number = 1 if heading or int(listed[1]) == 1 else number + 1
            assert int(listed[1]) == number, f"counted wrongly: {line}"
            assert rest[listed.end() :] in [e for f in facts for e in entries(f)], f"no source says: {line}"
            continue
        number = 0
        assert rest in [s for f in facts for s in sentences(f)], f"no source says: {line}"


def _heading(line: str) -> tuple[str, str]:
    """The field that a line's heading names (「办理材料：」), and the rest of the line."""
    for field, name in PART_NAMES.items():
        if line.startswith(f"{name}："):
            return field, line.removeprefix(f"{name}：")
    return "", line


def _says_what_is_unknown(line: str, item: ServiceItem, aspect: Aspect, named: list[Named], form: str) -> bool:
    """Whether ``line`` is one of the sentences that name what isn't known, and names nothing else."""
    contact = {"contact_number": item.contact.number, "contact_name": item.contact.name}
    say = WORDING.text if form == "text" else WORDING.speech
    for key in ("answer_unknown", "answer_nothing_known", "answer_money_unknown"):
        before, _, after = say(
            key, name=item.name, aspect=PART_NAMES[aspect.value], unknowns=["<U>"], **contact
        ).partition("<U>")
        if line.startswith(before) and line.endswith(after):
            assert any(n.source.field == "contact" for n in named)
            left = line[len(before) : len(line) - len(after)] if after else ""
            for unknown in _unknowns(item, aspect):
                left = left.replace(unknown, "")
            assert not left.strip("；"), f"not known to be unknown: {left}"
            return True
    return False


def _unknowns(item: ServiceItem, aspect: Aspect) -> list[str]:
    facts = [f for part in {aspect, Aspect.STEPS, Aspect.MATERIALS} for f in item.facts_of(part, TODAY)]
    return sorted({*(f.unknown for f in facts if not f.known), *PART_NAMES.values()}, key=len, reverse=True)


def _nothing_is_left(speech: str, item: ServiceItem, aspect: Aspect, named: list[Named], fixed: list[str]) -> None:
    """Takes out of the speech all that is allowed; only marks may be left."""
    assert "\n" not in speech
    contact = {"contact_number": item.contact.number, "contact_name": item.contact.name}
    unknown = _unknowns(item, aspect)
    for key in ("answer_unknown", "answer_nothing_known", "answer_money_unknown"):
        facts = {"name": item.name, "aspect": PART_NAMES[aspect.value], "unknowns": ["<U>"], **contact}
        before, _, after = WORDING.speech(key, **facts).partition("<U>")
        if before in speech and after in speech:
            assert any(n.source.field == "contact" for n in named)
            speech = speech.replace(before, "｜")
            speech = speech.replace(after, "｜") if after else speech
    allowed = [s for n in named for f in n.facts for s in [*sentences(f), *entries(f)]]
    allowed += [text for n in named if n.source.field == "summary" for text in n.texts]
    if aspect in (Aspect.STEPS, Aspect.GENERAL):
        allowed += PART_NAMES.values()
        speech = re.sub(r"(?<=[。！？])(?:[^。！？]{2,5}、){0,2}[^。！？]{2,5}，可以接着问我。", _only_parts, speech)
    speech = without_ordinals(speech)
    for text in sorted({*fixed, *allowed, *unknown}, key=len, reverse=True):
        speech = speech.replace(text.replace("\n", "，").rstrip("。，"), "｜")
    assert re.fullmatch(r"[｜，。；：、！？]*", speech), f"no source says: {speech}"


def _only_parts(found: re.Match[str]) -> str:
    names = found[0].removesuffix("，可以接着问我。").split("、")
    assert set(names) <= set(PART_NAMES.values()), names
    return "｜"


def without_numbering(text: str) -> str:
    """``text`` without the numbers of its lists; that these count up is checked line by line."""
    lines = (re.sub(r"^((?:[^\n：]{2,4}：)?)\d+\. ", r"\1", line) for line in text.splitlines())
    return "\n".join(lines)


def without_ordinals(speech: str) -> str:
    """``speech`` without 「第一，」「第二，」, which must count up from one."""
    place = 0

    def counted(found: re.Match[str]) -> str:
        nonlocal place
        if found[0] == "还有，":
            assert place == len(_ORDINALS)
            return ""
        expected = 0 if found[1] == "一" else place
        assert found[1] == _ORDINALS[expected], f"counted wrongly: {speech}"
        place = expected + 1
        return ""

    return re.sub(r"(?:(?<=[。；：])|^)(?:第([一二三四五六七八九十])，|还有，)", counted, speech)


def replies(item: ServiceItem) -> Iterator[tuple[Aspect, Reply]]:
    for aspect, hub_checked, bereaved in product(Aspect, (True, False), (True, False)):
        for halls in ((), HALLS) if aspect is Aspect.WHERE else ((),):
            yield aspect, tell(item, aspect, halls=halls, hub_checked=hub_checked, bereaved=bereaved)


def tell(item: ServiceItem, aspect: Aspect, halls: list[ServiceHall] | tuple[()] = (), **how: bool) -> Reply:
    return answer(WORDING, item, aspect, TODAY, halls=halls, **how)


@pytest.mark.parametrize("key", list(CATALOGUE.items))
def test_every_figure_and_sentence_is_in_a_source_that_the_reply_names(key: str) -> None:
    item = CATALOGUE.items[key]
    for aspect, reply in replies(item):
        try:
            check(reply, item, aspect)
        except (AssertionError, KeyError) as error:
            raise AssertionError(f"{key} {aspect.value}: {error}\n{reply.text}\n{reply.speech_text}") from error


@pytest.mark.parametrize("key", list(CATALOGUE.items))
def test_what_is_unsure_is_never_told_with_a_figure(key: str) -> None:
    item = CATALOGUE.items[key]
    unsure = [f for group in [*item.facts.values(), *item.elements.values()] for f in group if not f.known]
    for _, reply in replies(item):
        for text in (reply.text.splitlines(), re.split(r"(?<=[。！？])", reply.speech_text)):
            for line in text:
                if any(f.unknown in line for f in unsure) and re.search(r"核实|不能乱说", line):
                    bare = line.replace(item.contact.number, "").replace(item.name, "")
                    for fact in unsure:
                        bare = bare.replace(fact.unknown, "")
                    assert not _FIGURE.findall(bare), line


# ------------------------------------------------------------------ planted faults: the check can fail


def changed(item: ServiceItem, aspect: Aspect, **fact: object) -> ServiceItem:
    """``item`` as somebody else might hold it: its first fact of ``aspect`` altered."""
    first, *others = item.facts[aspect]
    return item.model_copy(update={"facts": {**item.facts, aspect: [first.model_copy(update=fact), *others]}})


def _other_figure(item: ServiceItem) -> Reply:
    return tell(changed(item, Aspect.FEE, text="住宅登记费90元一件"), Aspect.FEE)


def _other_sentence(item: ServiceItem) -> Reply:
    return tell(changed(item, Aspect.FEE, text="登记费一律免收"), Aspect.FEE)


def _other_day(item: ServiceItem) -> Reply:
    return tell(changed(item, Aspect.FEE, as_of=date(2026, 11, 1)), Aspect.FEE)


def _no_sources(item: ServiceItem) -> Reply:
    reply = tell(item, Aspect.FEE)
    return reply.model_copy(update={"sources": [s for s in reply.sources if s.field != "fee"]})


def _sources_of_another(item: ServiceItem) -> Reply:
    other = tell(CATALOGUE.items["HZ06"], Aspect.FEE)
    return tell(item, Aspect.FEE).model_copy(update={"sources": other.sources})


def _fact_of_another_part(item: ServiceItem) -> Reply:
    reply = tell(item, Aspect.FEE)
    return reply.model_copy(update={"text": reply.text + "\n" + item.facts[Aspect.TIME_LIMIT][0].text})


def _added_in_speech(item: ServiceItem) -> Reply:
    reply = tell(item, Aspect.FEE)
    return reply.model_copy(update={"speech_text": reply.speech_text + "一般三天就办好。"})


def _figure_in_speech(item: ServiceItem) -> Reply:
    reply = tell(item, Aspect.FEE)
    return reply.model_copy(update={"speech_text": reply.speech_text.replace("80", "85")})


def _other_phone(item: ServiceItem) -> Reply:
    contact = item.contact.model_copy(update={"number": "0757-86000000"})
    return tell(item.model_copy(update={"contact": contact}), Aspect.WHEN_OPEN)


@pytest.mark.parametrize(
    "fault",
    [
        _other_figure,
        _other_sentence,
        _other_day,
        _no_sources,
        _sources_of_another,
        _fact_of_another_part,
        _added_in_speech,
        _figure_in_speech,
        _other_phone,
    ],
)
def test_a_planted_fault_is_found(fault: Callable[[ServiceItem], Reply]) -> None:
    item = CATALOGUE.items["BD01"]
    aspect = Aspect.WHEN_OPEN if fault is _other_phone else Aspect.FEE
    check(tell(item, aspect), item, aspect)
    with pytest.raises((AssertionError, KeyError)):
        check(fault(item), item, aspect)


def test_a_list_that_counts_wrongly_is_found() -> None:
    item = CATALOGUE.items["BD01"]
    reply = tell(item, Aspect.MATERIALS)
    assert "2. " in reply.text
    for spoiled in (
        {"text": reply.text.replace("2. ", "7. ")},
        {"speech_text": reply.speech_text.replace("第二，", "第七，")},
    ):
        with pytest.raises(AssertionError):
            check(reply.model_copy(update=spoiled), item, Aspect.MATERIALS)


def test_something_added_to_what_is_unknown_is_found() -> None:
    item = CATALOGUE.items["MZ04"]
    reply = tell(item, Aspect.AMOUNT)
    with pytest.raises(AssertionError):
        check(
            reply.model_copy(update={"text": reply.text.replace("津贴的标准", "津贴的标准是一百元")}),
            item,
            Aspect.AMOUNT,
        )
