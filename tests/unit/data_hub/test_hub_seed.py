from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from data_hub.fields import STATUS_NAMES
from data_hub.reference.catalogue import CatalogueError, read_catalogue, refresh, write_catalogue
from data_hub.reference.seed import CASE_COUNT, DEMO_CASES, seed_cases, synthetic_cases
from data_hub.reference.store import CaseRow, KeyMismatchError, Store
from hotline.cases import CaseState
from hotline.settings import ROOT
from tests.unit.data_hub.hub_samples import HALLS, ITEMS, START

DAY = START.date()
RECORDS = synthetic_cases(ITEMS, DAY)


def test_there_are_forty_one_cases_in_every_state_over_every_service() -> None:
    assert len(RECORDS) == CASE_COUNT == 41
    assert set(Counter(r.case.state for r in RECORDS)) == set(CaseState)
    assert {r.case.item_key for r in RECORDS} == {item.key for item in ITEMS}


def test_numbers_are_unique_and_shaped_as_they_are_read_out() -> None:
    assert len({r.case.case_number for r in RECORDS}) == len({r.case.query_code for r in RECORDS}) == 41
    for record in RECORDS:
        assert re.fullmatch(r"TEST[A-Z0-9]{27}\d{12}", record.case.case_number)
        assert re.fullmatch(r"\d{6}", record.case.query_code)
        assert re.fullmatch(r"\d{3}[\dX]", record.id_last4)
        assert re.fullmatch(r"1380000\d{4}", record.phone)


def test_cases_are_marked_synthetic_and_show_no_full_name() -> None:
    for record in RECORDS:
        assert record.case.synthetic
        assert record.case.applicant_masked == record.name[0] + "*"
        assert record.name not in record.case.model_dump_json()


def test_dates_are_in_order_and_what_is_done_lies_not_in_the_future() -> None:
    for case in (r.case for r in RECORDS):
        known = [d for d in (case.applied_on, case.accepted_on, case.promised_on) if d]
        assert known == sorted(known)
        assert case.completed_on is None or (case.applied_on or DAY) <= case.completed_on <= DAY
        assert all(step.at is not None and step.at <= DAY for step in case.steps)


def test_the_same_day_and_catalogue_give_the_same_cases() -> None:
    assert synthetic_cases(ITEMS, DAY) == RECORDS
    assert synthetic_cases([], DAY) == []


def test_the_demo_cases_are_the_ones_the_documentation_shows() -> None:
    first = RECORDS[0]
    assert (first.case.query_code, first.name, first.id_last4) == ("613482", "陈小明", "1234")
    assert (first.case.state, first.case.todo) == (CaseState.CORRECTION_REQUIRED, "补交租赁合同首页")
    assert first.case.item_key == "JZ02"
    shown = [(r.case.query_code, r.name, r.id_last4, r.case.state) for r in RECORDS[: len(DEMO_CASES)]]
    assert shown == [(d.query_code, d.applicant, d.id_last4, d.state) for d in DEMO_CASES]


def test_seeding_happens_once_and_keeps_no_name_and_no_digits_of_a_proof(tmp_path: Path) -> None:
    store = Store(tmp_path / "hub.db")
    assert seed_cases(store, ITEMS, DAY)
    assert not seed_cases(store, ITEMS, DAY + timedelta(days=1))
    with store.read() as session:
        assert session.query(CaseRow).count() == 41
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("hub.db*"))
    for record in RECORDS:
        assert record.name.encode() not in kept
        assert record.name.encode("unicode_escape") not in kept
        assert record.phone.encode() not in kept
    assert b"567X" not in kept


def test_a_changed_catalogue_refreshes_services_and_keeps_cases(tmp_path: Path) -> None:
    store = Store(tmp_path / "hub.db")
    assert refresh(store, ITEMS, HALLS)
    seed_cases(store, ITEMS, DAY)
    assert not refresh(store, ITEMS, HALLS)
    assert refresh(store, ITEMS[:1], HALLS)
    with store.read() as session:
        assert session.query(CaseRow).count() == 41
    store.close()


def test_the_catalogue_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    write_catalogue(ITEMS, HALLS, path)
    assert read_catalogue(path) == (ITEMS, HALLS)
    assert [p.name for p in tmp_path.iterdir()] == ["catalogue.json"]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"items": [{}], "halls": []}', '{"items": 3}'])
def test_an_unreadable_catalogue_is_a_named_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "catalogue.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CatalogueError, match=r"catalogue\.json"):
        read_catalogue(path)


def test_a_code_given_twice_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="JZ02"):
        write_catalogue([ITEMS[0], ITEMS[0].model_copy(update={"code": "TESTX"})], [], tmp_path / "c.json")


def test_a_key_file_of_another_database_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "hub.db").close()
    (tmp_path / "hub.key").write_bytes(b"another")
    with pytest.raises(KeyMismatchError):
        Store(tmp_path / "hub.db")


def test_the_documentation_shows_the_demo_cases_and_every_state() -> None:
    words = (ROOT / "docs" / "data-hub.md").read_text(encoding="utf-8")
    for demo in DEMO_CASES:
        row = next(row for row in words.splitlines() if row.startswith(f"| {demo.query_code} "))
        assert demo.applicant in row
        assert demo.id_last4 in row
        assert STATUS_NAMES[demo.state] in row
    assert all(name in words for name in STATUS_NAMES.values())
