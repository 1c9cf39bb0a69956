"""What the tables beside the guides must not do: halls, phones, towns, requests, neighbours, triage."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hotline.catalogue import Confidence
from knowledge_base.catalogue import Catalogue
from knowledge_base.findings import Fault, Finding

# A YAML list in one line ends an entry at a comma, also at that of 「.{0,6}」: such halves are left.
_TORN = re.compile(r"\{\d*$|^\s*\d*\}")


def tables(catalogue: Catalogue) -> Iterator[Finding]:
    yield from (Finding("halls.yml", *fault) for fault in _halls(catalogue))
    yield from (Finding("phones.yml", *fault) for fault in _phones(catalogue))
    yield from (Finding("towns.yml", *fault) for fault in _towns(catalogue))
    yield from (Finding("requests.yml", *fault) for fault in _requests(catalogue))
    yield from (Finding("neighbours.yml", *fault) for fault in _neighbours(catalogue))
    yield from (Finding("triage.yml", *fault) for fault in _triage(catalogue))


def _halls(catalogue: Catalogue) -> Iterator[Fault]:
    for hall in catalogue.halls.values():
        if hall.town not in catalogue.towns and hall.town != "南海区":
            yield f"{hall.code}.town", "unknown_town", f"不认识的镇街「{hall.town}」"
        if hall.town in catalogue.towns and not hall.code.startswith(catalogue.towns[hall.town].code):
            yield f"{hall.code}.code", "code_form", f"大厅编码的前 9 位不是{hall.town}的区划代码"
        if hall.source not in catalogue.sources:
            yield f"{hall.code}.source", "unknown_source", f"来源 {hall.source} 没有登记在 sources.yml 里"
        placeholder = any("未核实" in text for text in (hall.address, hall.phone, hall.opening_hours))
        if placeholder and not hall.synthetic:
            yield f"{hall.code}.synthetic", "placeholder", "还有「未核实」的占位内容，synthetic 要保持 true"


def _phones(catalogue: Catalogue) -> Iterator[Fault]:
    for line in catalogue.phones.values():
        for key in line.source.split():
            if key not in catalogue.sources:
                yield line.number, "unknown_source", f"来源 {key} 没有登记"


def _towns(catalogue: Catalogue) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for town in catalogue.towns.values():
        for word in town.words:
            if word in owner:
                yield town.name, "duplicate", f"「{word}」已归到{owner[word]}，不能再归到{town.name}"
            owner.setdefault(word, town.name)


def _requests(catalogue: Catalogue) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for category in catalogue.requests.values():
        if category.service_key is not None and category.service_key not in catalogue:
            message = f"办事指南 {category.service_key} 不存在"
            yield f"{category.key}.service_key", "unknown_service", message
        cited = category.source.split()
        for key in cited:
            if key not in catalogue.sources:
                yield f"{category.key}.source", "unknown_source", f"来源 {key} 没有登记在 sources.yml 里"
        sure = all(re.fullmatch(r"S\d+", key) for key in cited)
        if not sure if category.confidence is Confidence.SOURCED else cited != [category.confidence.value]:
            yield f"{category.key}.source", "unsourced", f"来源与标记 {category.confidence.value} 不符"
        if (category.department is None) != (category.confidence is Confidence.UNSURE):
            yield f"{category.key}.department", "unsourced", "承办部门没有核实的写 null、标 U；写了部门的不能标 U"
        for word in category.words:
            if word in owner:
                yield f"{category.key}.words", "duplicate", f"「{word}」已归到{owner[word]}"
            owner.setdefault(word, category.name)


def _neighbours(catalogue: Catalogue) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for place in catalogue.neighbours:
        if place.line.split("-")[-1] not in catalogue.phones:
            yield f"{place.name}.line", "unknown_phone", f"电话 {place.line} 没有登记在 phones.yml 里"
        for word in place.words:
            if catalogue.town_named(word):
                yield f"{place.name}.words", "duplicate", f"「{word}」是南海的地名"
            if word in owner:
                yield f"{place.name}.words", "duplicate", f"「{word}」已归到{owner[word]}"
            owner.setdefault(word, place.name)


def _triage(catalogue: Catalogue) -> Iterator[Fault]:
    for field, words in catalogue.triage_words.items():
        for word in words:
            try:
                re.compile(word)
            except re.error:
                yield field, "pattern", f"不是正则表达式：「{word}」"
                continue
            if _TORN.search(word):
                yield field, "pattern", f"「{word}」被逗号断成两条了：整条都要放进同一对引号里"
