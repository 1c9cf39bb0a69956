"""What a guide must not do, beyond its schema: each rule finds its faults and says them in Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hotline.catalogue import Confidence, Fact, RegionScope, ServiceItem
from hotline.messages import Aspect
from knowledge_base.catalogue import Catalogue

MIN_QUESTIONS = 5
AHEAD = timedelta(days=1)  # editors' clocks and time zones differ by this much at most

_CODE = re.compile(r"^[0-9A-Z]{18}[1-6]\d{12}$")
_FIGURE = re.compile(
    r"[0-9０-９％%]|[一二两三四五六七八九十百千万]+(?:元|块|角|折|天|日|岁|周岁|个月|个工作日|年(?!级)|小时|成)"
)
_ADVERTISEMENT = re.compile(
    r"包过|包办|包成功|秒批|加微信|加QQ|扫码领|优惠价|限时优惠|特价|低价|最便宜|热销|抢购|点击购买|"
    r"保证通过|百分百|代办公司|办证公司|第一品牌|咨询客服领取"
)
_ELSEWHERE = ("广州", "深圳", "中山", "河源", "禅城", "顺德", "三水", "高明", "汕尾", "龙岗")


@dataclass(frozen=True)
class Finding:
    """One fault: in which file, which field, which rule (stable, for machines), what is wrong."""

    file: str
    field: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}：{self.field}：{self.message}"


def lint(catalogue: Catalogue, today: date | None = None) -> list[Finding]:
    """Every fault in the catalogue, in the order of files. ``today`` decides what has expired."""
    day = today or date.today()
    found: list[Finding] = []
    for item in catalogue.items.values():
        file = catalogue.files.get(item.key, item.key)
        found += [Finding(file, *fault) for fault in _service(item, catalogue, day)]
    found += _duplicates(catalogue)
    found += [Finding("halls.yml", *fault) for fault in _halls(catalogue)]
    found += _tables(catalogue)
    return found


Fault = tuple[str, str, str]


def _service(item: ServiceItem, catalogue: Catalogue, day: date) -> Iterator[Fault]:
    if not _CODE.match(item.code):
        yield "code", "code_form", "实施编码应为 31 位：18 位实施主体＋1 位层级（1 到 6）＋12 位基本编码"
    elif item.synthetic_code != item.code.startswith("TEST"):
        yield "code", "code_form", "仿真编码要以 TEST 开头并标 synthetic_code: true，真实编码不能"
    elif item.catalog_code is not None and not item.code.endswith(item.catalog_code):
        yield "catalog_code", "code_form", "实施编码的后 12 位与基本编码不一致"
    if item.valid_to is not None and item.valid_to < day:
        yield "valid_to", "expired", f"整篇指南已于 {item.valid_to} 过期"
    if len(item.questions) < MIN_QUESTIONS:
        yield "questions", "few_questions", f"常见问法只有 {len(item.questions)} 句，至少要 {MIN_QUESTIONS} 句"
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
    for aspect, facts in item.facts.items():
        for n, fact in enumerate(facts):
            for rule, message in _fact(fact, catalogue, day):
                yield f"facts.{aspect}.{n}", rule, message


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
    if fact.known and fact.region_scope is RegionScope.OTHER_CITY and not said.startswith(_ELSEWHERE):
        yield "other_city_unnamed", "别市的做法要以那个市（区）的名称开头，不能听成南海的"
    if fact.known and fact.region_scope is RegionScope.TOWN:
        words = [word for town in catalogue.towns.values() for word in (town.name, town.short)]
        if not any(word in said for word in words):
            yield "unknown_town", "只适用于某个镇街的事实，要写明是七个镇街中的哪一个"
    if said.rstrip().endswith(("。", "；", "，")):
        yield "punctuation", "句末不用标点，热线会自己加"


def _duplicates(catalogue: Catalogue) -> Iterator[Finding]:
    """Names, aliases and questions that two services share, or that one service repeats."""
    first: dict[str, str] = {}
    for item in catalogue.items.values():
        file = catalogue.files.get(item.key, item.key)
        said = [("name", item.name), *(("aliases", a) for a in item.aliases)]
        said += [("questions", q) for q in item.questions]
        for field, phrase in said:
            plain = _plain(phrase)
            if plain in first:
                yield Finding(file, field, "duplicate", f"「{phrase}」与 {first[plain]} 重复")
            first.setdefault(plain, item.key)


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


def _tables(catalogue: Catalogue) -> Iterator[Finding]:
    for line in catalogue.phones.values():
        for key in line.source.split():
            if key not in catalogue.sources:
                yield Finding("phones.yml", line.number, "unknown_source", f"来源 {key} 没有登记")
    owner: dict[str, str] = {}
    for town in catalogue.towns.values():
        for word in town.words:
            if word in owner:
                message = f"「{word}」已归到{owner[word]}，不能再归到{town.name}"
                yield Finding("towns.yml", town.name, "duplicate", message)
            owner.setdefault(word, town.name)


def _texts(item: ServiceItem) -> Iterator[tuple[str, str]]:
    yield "name", item.name
    yield "summary", item.summary
    yield from (("aliases", alias) for alias in item.aliases)
    yield from (("questions", question) for question in item.questions)
    for aspect, facts in item.facts.items():
        for n, fact in enumerate(facts):
            yield from ((f"facts.{aspect}.{n}", text) for text in [*_fact_texts(fact), fact.unknown])


def _fact_texts(fact: Fact) -> list[str]:
    documents = [text for document in fact.documents for text in (document.name, document.note)]
    return [text for text in (fact.text, *fact.items, *documents) if text]


def _plain(phrase: str) -> str:
    folded = unicodedata.normalize("NFKC", phrase).lower()
    return "".join(c for c in folded if c.isalnum())


def report(findings: list[Finding], catalogue: Catalogue, folder: Path) -> str:
    """The findings as people read them."""
    if not findings:
        areas = len({item.area for item in catalogue.items.values()})
        return f"没有发现问题：{len(catalogue)} 个事项，{areas} 个领域（{folder.name}）。"
    return "\n".join([*(str(finding) for finding in findings), f"共 {len(findings)} 处要改。"])
