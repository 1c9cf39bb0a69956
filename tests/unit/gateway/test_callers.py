"""Who calls: sealed, masked, known again; and what they need."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.callers import CallerSeal
from gateway.needs import NeedsReader
from hotline.errors import BadInputError
from hotline.messages import Understanding
from knowledge_base.catalogue import load_catalogue

NUMBER = "13800000005"


def test_a_number_is_sealed_masked_and_opens_with_the_same_key(tmp_path: Path) -> None:
    seal = CallerSeal.in_folder(tmp_path)
    caller = seal.caller(NUMBER)
    assert NUMBER not in caller.contact.sealed + (caller.key or "")
    assert caller.contact.shown == "138****0005"
    again = CallerSeal.in_folder(tmp_path)
    assert again.open(caller.contact.sealed) == NUMBER
    assert again.caller(f"+86{NUMBER}").key == caller.key
    assert (tmp_path / "callers.key").stat().st_mode & 0o777 == 0o600


def test_another_key_neither_opens_nor_knows(tmp_path: Path) -> None:
    one, other = CallerSeal(), CallerSeal()
    caller = one.caller(NUMBER)
    assert other.open(caller.contact.sealed) is None
    assert other.caller(NUMBER).key != caller.key
    assert one.open("") is None


@pytest.mark.parametrize("announced", [None, "", 5, "sip:somebody@example.org", "1001", NUMBER * 3, "²" * 11])
def test_who_is_no_telephone_number_is_nobody_in_particular(announced: object) -> None:
    caller = CallerSeal().caller(announced)
    assert (caller.key, caller.contact.sealed) == (None, "")


@pytest.mark.parametrize("said", ["138 0000 0005", "138-0000-0005", "0757-86222222"])
def test_a_number_may_be_typed_in_groups(said: str) -> None:
    seal = CallerSeal()
    assert (seal.open(seal.contact(said).sealed) or "").replace("-", "").isdigit()


@pytest.mark.parametrize("said", ["", "12", "abc", "1380000000"])
def test_what_is_no_number_is_named(said: str) -> None:
    with pytest.raises(BadInputError):
        CallerSeal().contact(said)


def test_what_a_caller_needs_is_read_from_the_talk() -> None:
    reader = NeedsReader(load_catalogue())
    needs = reader.read([], "我喺西樵，想问下张居住证点办", Understanding(item_key="JZ02"))
    assert (needs.area, needs.town, needs.dialect) == ("residence", "西樵镇", "cantonese")
    nothing = reader.read([], "转人工", Understanding())
    assert (nothing.area, nothing.town, nothing.dialect) == ("", "", "")
