"""What a guide must not do, beyond its schema: each rule finds its faults and says them in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from hotline.catalogue import (
    Confidence,
    Element,
    Fact,
    LimitKind,
    RegionScope,
    ServiceItem,
    TimeLimit,
)
from hotline.messages import Aspect
from knowledge_base.catalogue import Catalogue
from knowledge_base.findings import Fault, Finding
from knowledge_base.lint_phrases import better_elsewhere, duplicates
from knowledge_base.lint_tables import tables

AHEAD = timedelta(days=1)  # editors' clocks and time zones differ by this much at most

_CODE = re.compile(r"^[0-9A-Z]{18}[1-6]\d{12}$")
_FIGURE = re.compile(
    r"[0-9０-９％%]|[一二两三四五六七八九十百千万]+(?:元|块|角|折|天|日|岁|周岁|个月|个工作日|年(?!级)|小时|成)"
)
_ADVERTISEMENT = re.compile(
    r"包过|包办|包成功|秒批|加微信|加QQ|扫码领|优惠价|限时优惠|特价|低价|最便宜|热销|抢购|点击购买|"
    r"保证通过|百分百|代办公司|办证公司|第一品牌|咨询客服领取"
)
ELSEWHERE = ("广州", "深圳", "中山", "河源", "禅城", "顺德", "三水", "高明", "汕尾", "龙岗")


@dataclass(frozen=True)
class Least:
    """How many phrases a guide must have. ``SHIPPED`` is what the committed guides are held to; a
    district that has just begun a guide may ask for fewer (``--min-questions``)."""

    aliases: int = 8
    questions: int = 30


SHIPPED = Least()


def lint(catalogue: Catalogue, today: date | None = None, least: Least = SHIPPED) -> list[Finding]:
    """Every fault in the catalogue, in the order of files. ``today`` decides what has expired."""
    day = today or date.today()
    found: list[Finding] = []
    for item in catalogue.items.values():
        file = catalogue.files.get(item.key, item.key)
        found += [Finding(file, *fault) for fault in _service(item, catalogue, day, least)]
    found += duplicates(catalogue)
    found += better_elsewhere(catalogue)
    found += tables(catalogue)
    return found


def _service(item: ServiceItem, catalogue: Catalogue, day: date, least: Least) -> Iterator[Fault]:
    if not _CODE.match(item.code):
        yield "code", "code_form", "实施编码应为 31 位：18 位实施主体＋1 位层级（1 到 6）＋12 位基本编码"
    elif item.synthetic_code != item.code.startswith("TEST"):
        yield "code", "code_form", "仿真编码要以 TEST 开头并标 synthetic_code: true，真实编码不能"
    elif item.catalog_code is not None and not item.code.endswith(item.catalog_code):
        yield "catalog_code", "code_form", "实施编码的后 12 位与基本编码不一致"
    if item.valid_to is not None and item.valid_to < day:
        yield "valid_to", "expired", f"整篇指南已于 {item.valid_to} 过期"
    if len(item.aliases) < least.aliases:
        yield "aliases", "few_aliases", f"叫法（别名）只有 {len(item.aliases)} 个，至少要 {least.aliases} 个"
    if len(item.questions) < least.questions:
        yield "questions", "few_questions", f"常见问法只有 {len(item.questions)} 句，至少要 {least.questions} 句"
    for key in item.related:
        if key not in catalogue.items or key == item.key:
            yield "related", "unknown_related", f"相关事项 {key} 不存在，或就是它自己"
    if item.contact.number not in catalogue.phones:
        yield "contact.number", "unknown_phone", f"电话 {item.contact.number} 没有登记在 phones.yml 里"
    if _FIGURE.search(item.summary):
        yield "summary", "figure_in_summary", "一句话简介里不能有数字，数字要写成带来源的事实"
    for aspect in (Aspect.PHONE, Aspect.WHERE):
        if not item.facts_of(aspect):
            yield f"facts.{aspect}", "missing_aspect", "每个事项都要写咨询电话和办理地点"
    for name, text in _texts(item):
        if advertisement := _ADVERTISEMENT.search(text):
            yield name, "advertisement", f"像广告的字样「{advertisement.group()}」"
    for name, fact in _facts(item):
        for rule, message in _fact(fact, catalogue, day):
            yield name, rule, message
    for element in Element:
        if not item.elements.get(element):
            yield f"elements.{element}", "missing_element", "官方要素都要写：知道的写 text，不知道的写 unknown"


def _fact(fact: Fact, catalogue: Catalogue, day: date) -> Iterator[tuple[str, str]]:
    cited = fact.source.split()
    for key in cited:
        if key not in catalogue.sources:
            yield "unknown_source", f"来源 {key} 没有登记在 sources.yml 里"
    if fact.confidence is Confidence.SOURCED and not all(re.fullmatch(r"S\d+", key) for key in cited):
        yield "unsourced", "标为 S 的事实要写 S 开头的来源"
    if fact.confidence is not Confidence.SOURCED and cited != [fact.confidence.value]:
        yield "unsourced", f"标为 {fact.confidence.value} 的，来源也写 {fact.confidence.value}"
    if fact.confidence is Confidence.UNSURE and _FIGURE.search(fact.unknown):
        yield "figure_in_unsure", f"不确定的内容里不能有数字：「{fact.unknown}」"
    if fact.expired(day):
        yield "expired", f"这条事实已于 {fact.valid_to} 过期"
    if fact.as_of > day + AHEAD:
        yield "future", f"核对日期 {fact.as_of} 在今天之后"
    said = " ".join(_fact_texts(fact))
    if fact.known and fact.region_scope is RegionScope.OTHER_CITY and not said.startswith(ELSEWHERE):
        yield "other_city_unnamed", "别市的做法要以那个市（区）的名称开头，不能听成南海的"
    if fact.known and fact.region_scope is RegionScope.TOWN:
        words = [word for town in catalogue.towns.values() for word in (town.name, town.short)]
        if not any(word in said for word in words):
            yield "unknown_town", "只适用于某个镇街的事实，要写明是七个镇街中的哪一个"
    if fact.limit:
        yield from _limit(fact.limit, said)
    if said.rstrip().endswith(("。", "；", "，")):
        yield "punctuation", "句末不用标点，热线会自己加"


def _limit(limit: TimeLimit, said: str) -> Iterator[tuple[str, str]]:
    """The data must say what the sentence beside it says."""
    if not re.search(rf"(?<!\d){limit.number}个?{limit.unit}", said):
        yield "limit_mismatch", f"limit 写的 {limit.number}{limit.unit}，text 里没有"
    other = {LimitKind.LEGAL: "承诺", LimitKind.COMMITTED: "法定"}[limit.kind]
    if other in said and limit.kind.value not in said:
        yield "limit_mismatch", f"limit 写的是{limit.kind.value}时限，text 说的是{other}时限"


def _facts(item: ServiceItem) -> Iterator[tuple[str, Fact]]:
    """Every fact of ``item`` with the place it stands at."""
    for aspect, facts in item.facts.items():
        yield from ((f"facts.{aspect}.{n}", fact) for n, fact in enumerate(facts))
    for element, facts in item.elements.items():
        yield from ((f"elements.{element}.{n}", fact) for n, fact in enumerate(facts))


def _texts(item: ServiceItem) -> Iterator[tuple[str, str]]:
    yield "name", item.name
    yield "summary", item.summary
    yield from (("aliases", alias) for alias in item.aliases)
    yield from (("questions", question) for question in item.questions)
    for name, fact in _facts(item):
        yield from ((name, text) for text in [*_fact_texts(fact), fact.unknown])


def _fact_texts(fact: Fact) -> list[str]:
    documents = [text for document in fact.documents for text in (document.name, document.note)]
    return [text for text in (fact.text, *fact.items, *documents) if text]
