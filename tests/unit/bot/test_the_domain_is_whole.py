"""The Rasa project holds together: declared once, acted on, trained and ruled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions.registry import ACTIONS

ROOT = Path(__file__).parents[3]
DOMAIN = sorted((ROOT / "bot" / "domain").glob("*.yml"))
BUTTONS_ONLY = {"choose_item"}
MADE_BY_THE_ENGINE = {"nlu_fallback"}


@cache
def _read(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")) or {})


def _names(section: object) -> list[str]:
    """Names declared in a section: a list of strings or one-key maps, or a map."""
    if isinstance(section, dict):
        return list(section)
    return [next(iter(e)) if isinstance(e, dict) else str(e) for e in section or []]  # type: ignore[attr-defined]


def declared(section: str) -> list[str]:
    return [name for file in DOMAIN for name in _names(_read(file).get(section))]


def _keys_twice(node: yaml.Node, path: str = "") -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        counts = Counter(key.value for key, _ in node.value)
        yield from (f"{path}.{key}" for key, count in counts.items() if count > 1)
        for key, value in node.value:
            yield from _keys_twice(value, f"{path}.{key.value}")
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _keys_twice(value, path)


def _rule_steps() -> Iterator[dict[str, Any]]:
    def steps(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for step in nodes:
            if "or" in step:
                yield from steps(step["or"])
            else:
                yield step

    for folder in ("rules", "stories"):
        for file in sorted((ROOT / "bot" / folder).glob("*.yml")):
            content = _read(file)
            for entry in content.get("rules", []) + content.get("stories", []):
                yield from steps(entry["steps"])


def _ruled_intents() -> set[str]:
    content = [_read(f) for f in sorted((ROOT / "bot" / "rules").glob("*.yml"))]
    found: set[str] = set()
    for rule in (r for c in content for r in c["rules"]):
        for step in rule["steps"]:
            found |= {s["intent"] for s in step.get("or", [step]) if "intent" in s}
    return found


def _trained_intents() -> list[str]:
    return [
        entry["intent"]
        for file in sorted((ROOT / "nlu_data").rglob("*.yml"))
        for entry in _read(file).get("nlu") or []
        if "intent" in entry
    ]


@pytest.mark.parametrize("section", ["intents", "entities", "slots", "actions", "responses", "forms"])
def test_everything_is_declared_once_over_all_domain_files(section: str) -> None:
    twice = [name for name, count in Counter(declared(section)).items() if count > 1]
    assert twice == []


def test_the_sections_that_make_the_domain_are_there() -> None:
    for section in ("intents", "entities", "slots", "actions", "forms"):
        assert declared(section), section
    assert sum("session_config" in _read(file) for file in DOMAIN) == 1


@pytest.mark.parametrize("file", sorted((ROOT / "bot").rglob("*.yml")), ids=lambda f: f.name)
def test_no_key_stands_twice_in_a_file(file: Path) -> None:
    assert list(_keys_twice(yaml.compose(file.read_text(encoding="utf-8")))) == []


def test_every_action_of_the_domain_is_written_and_every_written_one_is_in_the_domain() -> None:
    written = [kind.name(kind.__new__(kind)) for kind in ACTIONS]
    assert len(written) == len(set(written))
    assert set(declared("actions")) == set(written)


def test_every_intent_that_is_trained_is_in_the_domain_and_the_other_way_round() -> None:
    trained = set(_trained_intents())
    assert trained <= set(declared("intents"))
    assert set(declared("intents")) - trained == BUTTONS_ONLY | MADE_BY_THE_ENGINE


def test_every_intent_has_a_rule() -> None:
    assert set(declared("intents")) - _ruled_intents() == set()


def test_rules_and_stories_name_only_what_the_domain_has() -> None:
    known = set(declared("actions")) | set(declared("forms")) | {"action_listen", "action_deactivate_loop"}
    for step in _rule_steps():
        if "intent" in step:
            assert step["intent"] in declared("intents")
        if "action" in step:
            assert step["action"] in known


def test_rules_and_stories_have_names_of_their_own() -> None:
    names = [
        entry.get("rule") or entry["story"]
        for folder in ("rules", "stories")
        for file in (ROOT / "bot" / folder).glob("*.yml")
        for entry in _read(file).get("rules", []) + _read(file).get("stories", [])
    ]
    assert len(names) == len(set(names))


def test_every_slot_is_set_by_actions_alone() -> None:
    for file in DOMAIN:
        for name, slot in (_read(file).get("slots") or {}).items():
            assert slot["mappings"] == [{"type": "custom"}], name
            assert slot["influence_conversation"] is False, name


def test_a_form_asks_for_every_slot_it_needs() -> None:
    forms = {name: form for file in DOMAIN for name, form in (_read(file).get("forms") or {}).items()}
    for name, form in forms.items():
        assert f"validate_{name}" in declared("actions")
        for slot in form["required_slots"]:
            assert slot in declared("slots")
            assert f"action_ask_{name}_{slot}" in declared("actions")


def _taken_in(form: str) -> set[str]:
    """The intents that a rule takes while ``form`` is under way."""
    found: set[str] = set()
    for file in sorted((ROOT / "bot" / "rules").glob("*.yml")):
        for rule in _read(file)["rules"]:
            if {"active_loop": form} in rule.get("condition", []):
                for step in rule["steps"]:
                    found |= {s["intent"] for s in step.get("or", [step]) if "intent" in s}
    return found


def _starts_of(form: str) -> set[str]:
    """The intents that begin ``form``: inside it they are answers, and no rule may take them."""
    found: set[str] = set()
    for file in sorted((ROOT / "bot" / "rules").glob("*.yml")):
        for rule in _read(file)["rules"]:
            actions = [s.get("action") for s in rule["steps"]]
            if "condition" not in rule and actions[1:2] == [form]:
                found |= {s["intent"] for step in rule["steps"] for s in step.get("or", [step]) if "intent" in s}
    return found


@pytest.mark.parametrize("form", ["case_status_form", "request_form", "work_order_form", "appointment_form"])
def test_what_steps_out_of_a_form_has_a_rule_that_takes_it_there(form: str) -> None:
    from actions.flow import ASIDE, LEAVES

    assert _starts_of(form)
    assert _taken_in(form) == (ASIDE | LEAVES) - _starts_of(form)


@pytest.mark.parametrize("form", ["case_status_form", "request_form", "work_order_form", "appointment_form"])
def test_every_form_has_a_rule_for_its_end(form: str) -> None:
    ends = [
        rule
        for file in (ROOT / "bot" / "rules").glob("*.yml")
        for rule in _read(file)["rules"]
        if rule["steps"][0].get("action") == form
    ]
    assert len(ends) == 1
    assert {"active_loop": None} in ends[0]["steps"]
