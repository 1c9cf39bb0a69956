"""无纸化入学: what the departments' comparisons found travels with the case."""

from __future__ import annotations

from datetime import date

from data_hub import fields
from data_hub.reference.seed import ENROLMENT_CHECKS, synthetic_cases
from hotline.cases import Case
from knowledge_base.catalogue import load_catalogue

ITEMS = list(load_catalogue().items.values())


def enrolment() -> Case:
    return next(r.case for r in synthetic_cases(ITEMS, date(2026, 4, 8)) if r.case.query_code == "613518")


def test_the_demo_enrolment_says_of_all_eight_departments_which_matched() -> None:
    checks = enrolment().checks
    assert [c.department for c in checks] == [department for department, _, _ in ENROLMENT_CHECKS]
    assert {c.subject for c in checks if c.matched is False} == {"参保年限", "居住证"}


def test_what_did_not_match_comes_with_what_to_do_and_the_rest_without() -> None:
    for check in enrolment().checks:
        assert bool(check.advice) == (check.matched is False)


def test_checks_survive_the_wire() -> None:
    case = enrolment()
    assert fields.parse_case(fields.case_to_hub(case)) == case


def test_a_case_of_another_service_has_no_checks() -> None:
    others = [r.case for r in synthetic_cases(ITEMS, date(2026, 4, 8)) if r.case.item_key == "JZ02"]
    assert others
    assert not any(case.checks for case in others)
