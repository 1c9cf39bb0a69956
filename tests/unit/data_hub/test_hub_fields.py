from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_hub import fields
from data_hub.reference.seed import synthetic_cases
from hotline.cases import CaseState, Verification, VerificationStatus
from hotline.catalogue import Confidence, Fact, RegionScope, ServiceItem
from hotline.errors import HubDownError
from hotline.messages import Aspect
from tests.unit.data_hub.hub_samples import HALLS, ITEMS, RESIDENCE_PERMIT, START

TEXT = st.text(min_size=1, max_size=20)
KNOWN = st.builds(
    Fact,
    text=TEXT,
    items=st.lists(TEXT, max_size=3),
    documents=st.just([]),
    unknown=st.just(""),
    source=TEXT,
    as_of=st.dates(),
    confidence=st.sampled_from([Confidence.SOURCED, Confidence.GENERAL]),
    region_scope=st.sampled_from(RegionScope),
    valid_to=st.none() | st.dates(),
    synthetic=st.booleans(),
)
UNSURE = st.builds(
    Fact,
    text=st.just(""),
    items=st.just([]),
    documents=st.just([]),
    unknown=TEXT,
    source=TEXT,
    as_of=st.dates(),
    confidence=st.just(Confidence.UNSURE),
    region_scope=st.sampled_from(RegionScope),
)


def over_the_wire(data: object) -> object:
    return json.loads(json.dumps(data, ensure_ascii=False))


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.key)
def test_a_service_comes_back_from_hub_json_as_it_went(item: ServiceItem) -> None:
    assert fields.parse_item(over_the_wire(fields.item_to_hub(item))) == item


@given(facts=st.dictionaries(st.sampled_from(Aspect), st.lists(KNOWN | UNSURE, max_size=3)), tone=TEXT)
def test_any_facts_come_back_from_hub_json_as_they_went(facts: dict[Aspect, list[Fact]], tone: str) -> None:
    item = RESIDENCE_PERMIT.model_copy(update={"facts": facts, "tone": tone})
    assert fields.parse_item(over_the_wire(fields.item_to_hub(item))) == item


def test_a_service_travels_under_the_national_names() -> None:
    data = fields.item_to_hub(RESIDENCE_PERMIT)
    assert {"taskName", "taskCode", "catalogCode", "deptName", "taskVersion", "facts"} <= set(data)


def test_cases_halls_and_verifications_come_back_as_they_went() -> None:
    for record in synthetic_cases(ITEMS, START.date()):
        data = fields.case_to_hub(record.case)
        assert data["status"] == fields.STATUS_NAMES[record.case.state]
        assert fields.parse_case(over_the_wire(data)) == record.case
    for hall in HALLS:
        assert fields.parse_hall(over_the_wire(fields.hall_to_hub(hall))) == hall
    word = Verification(verification_id="v1", status=VerificationStatus.NEEDS_MORE, missing=["name"], attempts_left=2)
    assert fields.parse_verification(over_the_wire(fields.verification_to_hub(word))) == word


def test_every_case_state_has_a_chinese_name_of_its_own() -> None:
    assert set(fields.STATUS_NAMES) == set(CaseState)
    assert len(set(fields.STATUS_NAMES.values())) == len(CaseState)


NATIONAL = {
    "taskName": "申领居住证",
    "taskCode": "TEST1",
    "deptName": "公安部门",
    "taskVersion": "3",
    "key": "JZ02",
    "synthetic": False,
    "area": "户政",
    "summary": "申领居住证的说明",
    "linkWay": "电话：12345",
    "acceptCondition": "居住登记满半年",
    "promiseDay": 5,
    "promiseType": "工作日",
    "useLevel": 5,
    "cdTime": "2026-11-01 08:00:00",
}


def test_a_hub_without_facts_is_read_from_its_national_fields() -> None:
    item = fields.parse_item(NATIONAL)
    condition = item.facts[Aspect.CONDITIONS][0]
    assert (condition.text, condition.as_of) == ("居住登记满半年", date(2026, 11, 1))
    assert condition.region_scope is RegionScope.TOWN
    assert item.facts[Aspect.TIME_LIMIT][0].text == "承诺时限为 5 个工作日"
    assert item.contact.number == "12345"


@pytest.mark.parametrize(
    ("change", "silent"),
    [
        ({"cdTime": None}, set(Aspect)),
        ({"useLevel": None}, set(Aspect)),
        ({"promiseType": "1"}, {Aspect.TIME_LIMIT}),
    ],
)
def test_a_national_field_without_day_reach_or_unit_is_not_stated(
    change: dict[str, object], silent: set[Aspect]
) -> None:
    assert not silent & set(fields.parse_item({**NATIONAL, **change}).facts)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
READERS = [fields.parse_item, fields.parse_case, fields.parse_hall, fields.parse_verification]


@given(junk=JUNK)
def test_garbage_is_a_named_error(junk: object) -> None:
    for reader in READERS:
        with pytest.raises(HubDownError):
            reader(junk)


def test_half_an_answer_is_a_named_error() -> None:
    case = fields.case_to_hub(synthetic_cases(ITEMS, START.date())[0].case)
    for name in ("projectNo", "queryCode", "taskName", "applyerName", "status"):
        with pytest.raises(HubDownError):
            fields.parse_case({k: v for k, v in case.items() if k != name})
    for name in ("taskName", "taskCode", "deptName", "taskVersion", "key", "area", "contact", "summary"):
        item = fields.item_to_hub(RESIDENCE_PERMIT)
        del item[name]
        with pytest.raises(HubDownError):
            fields.parse_item(item)
    with pytest.raises(HubDownError):
        fields.parse_case({**case, "status": "办着呢"})
