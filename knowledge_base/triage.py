"""How a request would be filed: its type, town, department, category and urgency. Which earlier one tells
of the same thing is told by desk/work_orders/duplicates.py, from what is read here.

The words are in ``triage.yml`` and, for categories with their departments, in ``requests.yml``.
Where neither the categories nor the search are sure, the department stays open: a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from hotline.ports import ServiceSearch
from hotline.work_orders import RequestType, Urgency
from knowledge_base.catalogue import Catalogue
from knowledge_base.decide import CLEAR
from knowledge_base.places import find_place, simplified
from knowledge_base.subject import plain
from knowledge_base.times import without_times

WORDS_FILE = Path(__file__).with_name("triage.yml")
CATEGORIES_FILE = Path(__file__).with_name("requests.yml")


class Category(BaseModel):
    """诉求类别. ``words`` name it, longest match wins; ``service_key`` the guide about it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    name: str
    department: str | None = None
    elements: list[str] = Field(default_factory=list)
    words: list[str] = Field(default_factory=list)
    service_key: str | None = None


@dataclass(frozen=True)
class Triage:
    """``town`` and ``department`` are None where nothing tells; ``service_key`` is the guide meant."""

    type: RequestType
    town: str | None
    department: str | None
    category: str | None
    urgency: Urgency
    service_key: str | None = None


def load_categories(file: Path = CATEGORIES_FILE) -> tuple[Category, ...]:
    """The categories of ``requests.yml``; none where there is no such file."""
    if not file.is_file():
        return ()
    data = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    rows = data.get("requests", []) if isinstance(data, dict) else data
    return tuple(Category.model_validate(row) for row in rows)


def triage(
    text: str,
    catalogue: Catalogue,
    categories: Sequence[Category] = (),
    search: ServiceSearch | None = None,
    is_danger: Callable[[str], bool] = lambda _: False,
) -> Triage:
    """``text`` as it would be filed. ``is_danger``: the gateway's list of emergencies."""
    said = simplified(text)
    category = category_of(said, categories)
    key, department = (category.service_key, category.department or "") if category else (None, "")
    if not department and search is not None:
        hits = search.search(without_place(said, catalogue))
        if hits and hits[0].score >= CLEAR and hits[0].item_key in catalogue.items:
            key = hits[0].item_key
            department = catalogue.items[key].department
    urgency = Urgency.EMERGENCY if is_danger(text) else urgency_of(said)
    kind = request_type(said)
    if urgency is Urgency.EMERGENCY and explicit_type(said) is None:
        kind = RequestType.HELP  # who is in danger wants help, whatever else it may be
    return Triage(
        type=kind,
        town=find_place(said, catalogue).town,
        department=department or None,
        category=category.key if category else None,
        urgency=urgency,
        service_key=key,
    )


def explicit_type(text: str) -> RequestType | None:
    """The type that is said by its name (「我要举报」); the one named last of those not denied."""
    said = re.sub(r"(?:不是|唔系|不想|唔想|不要|不用)(?:要|来|想)?(?:投诉|举报|建议|表扬)", "", simplified(text))
    strong = re.findall(r"举报|投诉|建议|表扬|求助", said)
    if strong and not re.search(r"(?:怎么|怎样|点样|哪里|边度|如何)(?:去|可以)?(?:投诉|举报)", said):
        named = {"举报": "report", "投诉": "complaint", "建议": "suggestion", "表扬": "praise", "求助": "help"}
        return RequestType(named[strong[0]])
    return next((RequestType(kind) for kind, words in _words("explicit").items() if words.search(said)), None)


def request_type(text: str) -> RequestType:
    """The type said, or the one that such matters are filed under."""
    said = simplified(text)
    grumbles = bool(_words("grumbles").search(said) or _words("nuisance").search(said))
    kind = explicit_type(said)
    if kind is RequestType.CONSULT and grumbles and not _words("asks").search(said):
        kind = None
    if kind is not None:
        return kind
    if _words("asks").search(said) and not grumbles:
        return RequestType.CONSULT
    return next(
        (RequestType(name) for name, words in _words("by_matter").items() if words.search(said)), RequestType.COMPLAINT
    )


def tells_a_nuisance(text: str) -> bool:
    """Whether ``text`` says what is wrong (吵, 臭, 坏了 …)."""
    said = simplified(text)
    return bool(_words("nuisance").search(said) or any(w.search(said) for w in _words("by_matter").values()))


def urgency_of(text: str) -> Urgency:
    said = simplified(text)
    kinds = _words("urgency")
    return next((Urgency(name) for name, words in kinds.items() if words.search(said)), Urgency.NORMAL)


def category_of(text: str, categories: Sequence[Category]) -> Category | None:
    """The category whose words ``text`` holds most of, by their length."""
    said = plain(text)
    # 「其他」 is where a request goes that nothing else takes: its words name no matter.
    named = [c for c in categories if c.key != "other"]
    scores = [(sum(len(w) for w in set(map(plain, c.words)) if w and w in said), c) for c in named]
    best = max(scores, key=lambda pair: pair[0], default=(0, None))
    return best[1] if best[0] else None


def without_place(text: str, catalogue: Catalogue) -> str:
    """The matter alone: ``text`` without when and where."""
    place = find_place(text, catalogue).place
    matter = without_times(simplified(text))
    matter = matter.replace(place, "，") if place else matter
    for town in catalogue.towns.values():
        for name in town.names:
            matter = matter.replace(name, "")
    return re.sub(r"我要|我想|投诉|举报|反映|一下|你好|您好|[，,。！!？?\s]+", "，", matter).strip("，")


def bare_place(place: str, catalogue: Catalogue) -> str:
    for town in catalogue.towns.values():
        for name in sorted(town.names, key=len, reverse=True):
            place = place.replace(name, "")
    return re.sub(r"佛山市?|南海区|附近|门口|旁边|对面|楼下|一带|[的嘅和与]", "", place)


def calendar_day(when: str) -> str:
    """A day of the calendar in ``when`` (「11月20日」); empty for any other time."""
    found = re.search(r"(\d{1,2})月(\d{1,2})[日号]", when)
    return f"{int(found[1])}-{int(found[2])}" if found else ""


@cache
def _words(part: str) -> Any:
    """A pattern of ``triage.yml``, or a mapping of name to pattern."""
    data = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))[part]
    if isinstance(data, dict):
        return {name: _any(words) for name, words in data.items()}
    return _any(data)


def _any(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{w})" for w in words))
