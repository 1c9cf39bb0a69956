"""Sentences as they are told, read and compared: the rule of the desk and of ``bin/hotline tool triage``."""

from __future__ import annotations

import pytest

from desk.work_orders.duplicates import compare
from knowledge_base.catalogue import load_catalogue
from knowledge_base.memory import CharacterEncoder
from knowledge_base.request_reading import RequestReader
from knowledge_base.triage import load_categories


@pytest.fixture(scope="module")
def reader() -> RequestReader:
    return RequestReader(load_catalogue(), load_categories(), CharacterEncoder())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("桂城海五路路灯坏了半个月", "桂城海五路路灯坏了没人修", True),
        ("大沥雅居乐花园楼下麻将馆通宵", "大沥雅居乐花园楼下麻将馆好吵", True),
        ("桂城海五路路灯坏了", "大沥海北路路灯坏了", False),
        ("桂城海五路路灯坏了", "桂城海五路垃圾没人收", False),
        ("11月20日桂城桂澜路爆水管", "11月3日桂城桂澜路爆水管", False),
        ("桂城海五路路灯坏了", "桂城桂澜路路灯坏了", False),
    ],
)
def test_two_requests_are_one_where_matter_and_place_agree(
    reader: RequestReader, one: str, other: str, same: bool
) -> None:
    assert (compare(reader.reading(one), reader.reading(other)) is not None) is same
