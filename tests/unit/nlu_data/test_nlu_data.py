"""The training examples: well-formed, without duplicates, and free of personal data."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import opencc
import pytest
import yaml

NLU_DATA = Path(__file__).parents[3] / "nlu_data"
FILES = ("aspects.yml", "flows.yml", "smalltalk.yml", "safety.yml", "out_of_scope.yml")

ASPECTS = frozenset(
    "ask_materials ask_conditions ask_steps ask_time_limit ask_fee ask_where ask_when_open "
    "ask_online ask_phone ask_amount ask_general".split()
)
OTHERS = frozenset(
    "check_status choose_option none_of_them switch_service inform affirm deny cancel correct_service "
    "handoff cancel_handoff complain call_back rate greet goodbye thank bot_challenge repeat slower "
    "emergency_report crisis abuse_words prompt_injection third_person_data political_provocation out_of_scope "
    "book_appointment check_work_order check_enrolment choose_language louder".split()
)

MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
IDENTITY_NUMBER = re.compile(r"(?<![\dA-Z])\d{17}[\dXx](?!\d)")
ENTITY_MARKUP = re.compile(r"\[[^\]]*\][({]")
TO_SIMPLIFIED = opencc.OpenCC("t2s")


def normalised(text: str) -> str:
    """Fold width, case, script, punctuation and blanks away, as the pipeline's input does."""
    folded = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).lower())
    simplified: str = TO_SIMPLIFIED.convert(folded)
    return simplified.replace("係", "系")


def load(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((NLU_DATA / name).read_text(encoding="utf-8"))
    return data


def examples_by_intent() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in FILES:
        for block in load(name)["nlu"]:
            for line in block["examples"].splitlines():
                found[block["intent"]].append(line.removeprefix("- "))
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_a_rasa_training_file(name: str) -> None:
    data = load(name)
    assert data["version"] == "3.1"
    assert data["nlu"]
    for block in data["nlu"]:
        assert set(block) == {"intent", "examples"}
        for line in block["examples"].splitlines():
            assert re.fullmatch(r"- \S(.*\S)?", line), (block["intent"], line)


def test_each_intent_is_declared_once() -> None:
    declared = Counter(block["intent"] for name in FILES for block in load(name)["nlu"])
    assert [intent for intent, times in declared.items() if times > 1] == []


def test_exactly_the_known_intents_have_examples() -> None:
    assert set(examples_by_intent()) == ASPECTS | OTHERS


def test_every_intent_has_enough_examples() -> None:
    too_few = {
        intent: len(examples)
        for intent, examples in examples_by_intent().items()
        if len(examples) < (90 if intent in ASPECTS else 25)
    }
    assert too_few == {}


def test_no_example_appears_twice_within_or_across_intents() -> None:
    owners: dict[str, list[str]] = defaultdict(list)
    for intent, examples in examples_by_intent().items():
        for example in examples:
            owners[normalised(example) or example].append(f"{intent}: {example}")
    assert [places for places in owners.values() if len(places) > 1] == []


def test_only_towns_are_marked_up() -> None:
    """Services are found by search, numbers by reading: an entity is only what a lookup finds."""
    marked = [e for examples in examples_by_intent().values() for e in examples if ENTITY_MARKUP.search(e)]
    assert marked  # without one marked example the engine ignores the lookup table
    assert [e for e in marked if "](town)" not in e] == []


def test_no_example_holds_a_usable_phone_or_identity_number() -> None:
    for intent, examples in examples_by_intent().items():
        for example in examples:
            for phone in MOBILE.findall(example):
                assert phone.startswith("138000"), (intent, example)
            for number in IDENTITY_NUMBER.findall(example):
                assert number.startswith("990"), (intent, example)
