"""The service catalogue (实施清单) as the line speaks of it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hotline.messages import Aspect


class Confidence(StrEnum):
    """How sure a fact is (docs/knowledge.md).

    ``S`` has a named public source; ``G`` is general knowledge of the law without a page to
    cite; ``U`` is unsure and never spoken as a fact.
    """

    SOURCED = "S"
    GENERAL = "G"
    UNSURE = "U"


class RegionScope(StrEnum):
    NATION = "国"
    PROVINCE = "省"
    CITY = "市"
    DISTRICT = "区"
    TOWN = "镇"
    OTHER_CITY = "他市"  # known from another city only: said as such, never as Nanhai's own


class RequiredDocument(BaseModel):
    """材料: one document to bring. ``originals`` and ``copies`` are counts, None where not verified.

    ``required`` is 必要性: False is 非必要, None is not verified. ``waived`` is 免提交: the office
    fetches it itself (None: not verified).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    originals: int | None = Field(default=None, ge=0)
    copies: int | None = Field(default=None, ge=0)
    required: bool | None = True
    waived: bool | None = None
    note: str = ""


class LimitKind(StrEnum):
    """Which time limit it is: 法定 (by law), 承诺 (committed by the office)."""

    LEGAL = "法定"
    COMMITTED = "承诺"


class TimeLimit(BaseModel):
    """时限 as data: ``number`` of ``unit`` (工作日, 日, 个月, 年), beside the sentence that states it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: LimitKind
    number: int = Field(gt=0)
    unit: Literal["工作日", "日", "个月", "年"]


class Element(StrEnum):
    """Elements of the official checklist that no question is asked about by itself.

    ``result`` 办理结果, ``legal_basis`` 设定依据, ``handling`` 办件类型 and 办理形式.
    """

    RESULT = "result"
    LEGAL_BASIS = "legal_basis"
    HANDLING = "handling"


class Fact(BaseModel):
    """One thing the line knows, or knows that it doesn't know, about one aspect of a service.

    A known fact has ``text`` (a plain sentence or phrase, standard written Chinese) and, where
    it is a list, ``items`` or ``documents`` in order. An unsure one (``confidence`` U) has no
    text: ``unknown`` names what isn't known (「补卡工本费」), so that the line can say so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = ""
    items: list[str] = Field(default_factory=list)
    documents: list[RequiredDocument] = Field(default_factory=list)
    limit: TimeLimit | None = None
    unknown: str = ""
    source: str = Field(min_length=1)
    as_of: date
    confidence: Confidence
    region_scope: RegionScope
    valid_to: date | None = None
    synthetic: bool = False

    @model_validator(mode="after")
    def _unsure_facts_hold_no_statement(self) -> Fact:
        stated = bool(self.text or self.items or self.documents)
        if self.confidence is Confidence.UNSURE:
            if stated or self.limit or not self.unknown:
                raise ValueError("confidence U: give `unknown` and no text, items or documents")
        elif self.unknown or not stated:
            raise ValueError("a known fact needs text, items or documents, and no `unknown`")
        return self

    @property
    def known(self) -> bool:
        return self.confidence is not Confidence.UNSURE

    def expired(self, today: date) -> bool:
        return self.valid_to is not None and self.valid_to < today


class Contact(BaseModel):
    """Who to ask where the line doesn't know: a number and whose it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str = Field(min_length=3)
    name: str = Field(min_length=1)


class ServiceItem(BaseModel):
    """事项: one service. ``key`` is the short key (JZ02); ``code`` the implementation code.

    ``catalog_code`` is the 12-digit base code where a public source gives it. Codes made for
    the reference hub set ``synthetic_code`` (their organisation part begins with TEST).
    ``aliases`` are what people call the service; ``questions`` are whole sentences people ask.
    ``tone`` tells the wording to slow down: ``grief``, ``crisis`` or ``neutral`` (sensitive).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[A-Z]{2}\d{2}$")
    code: str = Field(min_length=1)
    catalog_code: str | None = Field(default=None, pattern=r"^\d{12}$")
    synthetic_code: bool = True
    name: str = Field(min_length=2)
    area: str = Field(min_length=1)
    department: str = Field(min_length=1)
    aliases: list[str] = Field(default_factory=list)
    questions: list[str] = Field(default_factory=list)
    contact: Contact
    summary: str = Field(min_length=4)
    tone: str = "plain"
    version: str = Field(min_length=1)
    valid_to: date | None = None
    related: list[str] = Field(default_factory=list)
    facts: dict[Aspect, list[Fact]] = Field(default_factory=dict)
    elements: dict[Element, list[Fact]] = Field(default_factory=dict)

    def facts_of(self, aspect: Aspect, today: date | None = None) -> list[Fact]:
        """The facts of one aspect, expired ones left out where ``today`` is given."""
        found = self.facts.get(aspect, [])
        return [f for f in found if today is None or not f.expired(today)]


class ServiceHall(BaseModel):
    """大厅: where services are handled. ``synthetic`` addresses are for trying things only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    town: str
    name: str
    address: str
    phone: str
    opening_hours: str
    synthetic: bool
    source: str
