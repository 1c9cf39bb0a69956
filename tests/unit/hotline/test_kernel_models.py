"""Catalogue, cases, messages and errors: what the types themselves hold to."""

from __future__ import annotations

import importlib
import pkgutil
import re
from datetime import date

import pytest
from pydantic import ValidationError

import data_hub
import hotline.errors
import storage.errors
from hotline.cases import Case, CaseState, IdentityProof
from hotline.catalogue import Confidence, Contact, Fact, RegionScope, RequiredDocument, ServiceItem
from hotline.errors import HotlineError, PartDownError
from hotline.messages import Aspect, Reply

_DAY = date(2026, 11, 22)
_FACT = {"source": "S1", "as_of": _DAY, "confidence": "S", "region_scope": "区"}


def _item(**more: object) -> ServiceItem:
    fields: dict[str, object] = {
        "key": "ZZ01",
        "code": "TEST1",
        "name": "试办事项",
        "area": "residence",
        "department": "试办部门",
        "contact": Contact(number="12345", name="热线"),
        "summary": "只为试验而设",
        "version": "1",
    }
    return ServiceItem.model_validate(fields | more)


@pytest.mark.parametrize(
    "more",
    [
        {"confidence": "U", "text": "十元"},
        {"confidence": "U", "unknown": "收费", "items": ["十元"]},
        {"confidence": "U", "unknown": "收费", "documents": [RequiredDocument(name="身份证")]},
        {"confidence": "U"},
        {"confidence": "S"},
        {"confidence": "G", "unknown": "收费"},
        {"confidence": "S", "text": "十元", "unknown": "收费"},
        {"confidence": "S", "text": "十元", "price": 10},
        {"confidence": "X", "text": "十元"},
    ],
)
def test_a_fact_states_something_or_names_what_is_unknown_never_both(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fact.model_validate(_FACT | more)


def test_an_unsure_fact_is_not_known() -> None:
    fact = Fact.model_validate(_FACT | {"confidence": "U", "unknown": "收费"})
    assert not fact.known
    assert fact.confidence is Confidence.UNSURE


def test_a_fact_ends_the_day_after_its_last() -> None:
    fact = Fact.model_validate(_FACT | {"text": "十元", "valid_to": _DAY})
    assert not fact.expired(_DAY)
    assert fact.expired(date(2026, 11, 23))


def test_expired_facts_are_left_out_where_a_day_is_given() -> None:
    old = Fact.model_validate(_FACT | {"text": "十元", "valid_to": date(2026, 1, 1)})
    new = Fact.model_validate(_FACT | {"text": "五元", "region_scope": RegionScope.CITY})
    item = _item(facts={Aspect.FEE: [old, new]})
    assert item.facts_of(Aspect.FEE) == [old, new]
    assert item.facts_of(Aspect.FEE, _DAY) == [new]
    assert item.facts_of(Aspect.AMOUNT, _DAY) == []


@pytest.mark.parametrize(
    "more", [{"key": "居住"}, {"key": "jz02"}, {"catalog_code": "12"}, {"name": "x"}, {"colour": "red"}]
)
def test_a_malformed_service_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _item(**more)


@pytest.mark.parametrize(("field", "value"), [("id_last4", "12X4"), ("id_last4", "123x"), ("phone", "23800000001")])
def test_a_proof_of_a_wrong_form_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        IdentityProof.model_validate({field: value})


def test_a_case_holds_no_proof_of_its_applicant() -> None:
    assert not {"name", "id_last4", "phone", "id_card"} & set(Case.model_fields)
    case = Case(
        case_number="n", query_code="1", item_key=None, item_name="x", applicant_masked="陈*", state=CaseState.RECEIVED
    )
    with pytest.raises(ValidationError):
        case.state = CaseState.COMPLETED  # type: ignore[misc]


def test_a_reply_without_a_form_for_the_ear_is_spoken_as_shown() -> None:
    assert Reply(text="好的。").speech_text == "好的。"
    assert Reply(text="1. 甲", speech_text="第一，甲。").speech_text == "第一，甲。"


def _errors(kind: type[HotlineError] = HotlineError) -> list[type[HotlineError]]:
    for module in pkgutil.iter_modules(data_hub.__path__, "data_hub."):
        if module.name.endswith("errors"):
            importlib.import_module(module.name)
    found = [kind]
    for child in kind.__subclasses__():
        found += _errors(child)
    return found


def test_error_codes_are_unique_and_plain() -> None:
    kinds = set(_errors())
    assert {storage.errors.StorageDownError, hotline.errors.HubDownError} <= kinds
    codes = [kind.code for kind in kinds]
    assert len(codes) == len(set(codes)), sorted(c for c in codes if codes.count(c) > 1)
    assert all(re.fullmatch(r"[a-z][a-z_]+", code) for code in codes)


@pytest.mark.parametrize("kind", _errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_sentence_in_chinese_and_a_status(kind: type[HotlineError]) -> None:
    assert re.search(r"[\u4e00-\u9fff]{4}", kind.citizen_sentence)
    assert kind.citizen_sentence[-1] in "。？！"
    assert 400 <= kind.status < 600
    if issubclass(kind, PartDownError):
        assert kind.status == 503


def test_an_error_tells_its_detail_or_else_its_sentence() -> None:
    assert hotline.errors.HubDownError().detail == hotline.errors.HubDownError.citizen_sentence
    assert str(hotline.errors.GuideError("JZ02.yml")) == "JZ02.yml"
