"""The sentences of the line: all can be said, and none leaves a gap."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from jinja2 import UndefinedError
from line_parts import CATALOGUE, case_record

from actions.wording import Wording
from hotline.cases import CaseState
from hotline.messages import Aspect

_FILE = Path(__file__).parents[3] / "actions" / "wording.yml"
ENTRIES = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
_TABLES = {"aspect_names", "case_states"}
SENTENCES = sorted(set(ENTRIES) - _TABLES)
FACTS = {
    "name": "申领居住证",
    "aspect": "办理材料",
    "unknowns": ["收费"],
    "contact_number": "12345",
    "contact_name": "热线",
    "as_of": date(2026, 11, 22).isoformat(),
    "town": "狮山镇",
    "halls": CATALOGUE.halls_of("狮山镇"),
    "names": ["甲", "乙", "丙"],
    "subject": "飞碟",
    "nearest": ["甲"],
    "guide": "申领居住证",
    "lead": "一句话。",
    "attempts_left": 2,
    "case": case_record().case,
    "state": "已受理",
    "open": True,
    "remedy": False,
}


@pytest.mark.parametrize("key", SENTENCES)
def test_every_sentence_can_be_said(key: str) -> None:
    reply = Wording().reply(key, **FACTS)
    for text in (reply.text, reply.speech_text):
        assert re.search(r"[\u4e00-\u9fff]", text)
        assert not re.search(r"[{}]|None|Undefined", text)


@pytest.mark.parametrize("key", [k for k in SENTENCES if "{{" in str(ENTRIES[k]).replace("{{ number }}", "")])
def test_a_missing_variable_raises_and_is_never_left_out(key: str) -> None:
    wording = Wording()
    with pytest.raises(UndefinedError):
        wording.reply(key)


def test_the_number_of_the_line_is_a_setting() -> None:
    assert "0757-00000000" in Wording(number="0757-00000000").text("handoff")


def test_every_aspect_and_every_case_state_has_its_words() -> None:
    wording = Wording()
    assert set(wording.table("case_states")) == {s.value for s in CaseState}
    assert {a.value for a in Aspect} == set(wording.table("aspect_names"))


def test_citizens_words_are_not_escaped_nor_run_as_a_template() -> None:
    text = Wording().text("unknown_service", subject="{{ 7*7 }}<b>", nearest=[])
    assert "{{ 7*7 }}<b>" in text


def test_every_key_used_in_the_code_exists() -> None:
    used: set[str] = set()
    for file in _FILE.parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                argument = node.args[0]
                if node.func.attr in {"reply", "text", "speech", "table"} and isinstance(argument, ast.Constant):
                    used.add(str(argument.value))
    assert used
    assert used <= set(ENTRIES)
