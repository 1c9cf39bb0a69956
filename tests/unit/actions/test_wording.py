"""The sentences of the line: all can be said, and none leaves a gap."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from jinja2 import UndefinedError
from line_parts import CATALOGUE, WORDING, case_record

from actions.wording import Wording
from hotline.cases import CaseState, DataCheck
from hotline.messages import Aspect
from hotline.work_orders import RequestType, WorkOrder, WorkOrderState

_FILE = Path(__file__).parents[3] / "actions" / "wording.yml"
ENTRIES = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
_TABLES = {"aspect_names", "case_states", "request_types", "work_order_states", "rating_levels"}
_READ_AS_WRITTEN = {"language_mandarin", "answer_as_of", "ask_request_which_place"}
SENTENCES = sorted(set(ENTRIES) - _TABLES)
FACTS = {
    "name": "申领居住证",
    "told": "狮山镇：停水抢修（供水公司，有效至03月02日17:00）",
    "aspect": "办理材料",
    "unknowns": ["收费"],
    "contact_number": "12345",
    "contact_name": "热线",
    "as_of": date(2026, 11, 22).isoformat(),
    "town": "狮山镇",
    "halls": CATALOGUE.halls_of("狮山镇"),
    "names": ["甲", "乙", "丙"],
    "subject": "飞碟",
    "code": "NH123456",
    "nearest": ["甲"],
    "guide": "申领居住证",
    "lead": "一句话。",
    "attempts_left": 2,
    "case": case_record().case,
    "state": "已受理",
    "open": True,
    "remedy": False,
    "checks": [],
    "failed": [DataCheck(department="社保局", subject="参保", matched=False, advice="请到社保局更正")],
    "waiting": [],
    "lines": ["一句话"],
    "who": "住建局",
    "what": "房产",
    "basis": "一句话",
    "steps": ["一步"],
    "type": "投诉",
    "where": "佛山市顺德区",
    "line": "12345",
    "question": "您说的是甲，还是乙？",
    "place": "桂城",
    "heard": 7,
    "left": 4,
    "happened": "路灯不亮",
    "short": "路灯不亮",
    "when": "昨晚",
    "mobile": "138****0000",
    "last_four": "0000",
    "number": "GD202611220000000000",
    "number_spoken": "G D，二零二六",
    "days": 15,
    "department": "某部门",
    "urgent": True,
    "anonymous": False,
    "confidential": True,
    "order": WorkOrder(number="GD2026", type=RequestType.COMPLAINT, state=WorkOrderState.RECEIVED, last_note="已联系"),
    "item": "申领居住证",
    "first_day": "11月23日（星期一）",
    "last_day": "12月6日（星期日）",
    "other": "下午",
    "hall": "大沥镇行政服务中心",
    "day": "11月24日（星期二）",
    "period": "上午",
    "synthetic": True,
    "level": "满意",
}


@pytest.mark.parametrize("key", SENTENCES)
def test_every_sentence_can_be_said(key: str) -> None:
    reply = WORDING.reply(key, **FACTS)
    for text in (reply.text, reply.speech_text):
        assert re.search(r"[\u4e00-\u9fff]", text)
        assert not re.search(r"[{}]|None|Undefined", text)


@pytest.mark.parametrize("key", sorted(set(SENTENCES) - _READ_AS_WRITTEN))
def test_every_sentence_is_written_for_the_ear_in_cantonese_too(key: str) -> None:
    spoken = WORDING.reply(key, dialect="cantonese", **FACTS).speech_text
    assert re.search(r"[\u4e00-\u9fff]", spoken)
    assert spoken != WORDING.reply(key, **FACTS).text or not re.search(r"[的是这那没吗]", spoken)


def test_what_is_on_the_screen_stays_written_chinese() -> None:
    assert WORDING.reply("thank", dialect="cantonese").text == WORDING.reply("thank").text
    assert "唔使客气" in WORDING.reply("thank", dialect="cantonese").speech_text


@pytest.mark.parametrize("key", [k for k in SENTENCES if "{{" in str(ENTRIES[k]).replace("{{ number }}", "")])
def test_a_missing_variable_raises_and_is_never_left_out(key: str) -> None:
    with pytest.raises(UndefinedError):
        WORDING.reply(key)


def test_the_number_of_the_line_is_a_setting() -> None:
    assert "0757-00000000" in Wording(number="0757-00000000").text("handoff")


def test_every_aspect_and_every_case_state_has_its_words() -> None:
    assert set(WORDING.table("case_states")) == {s.value for s in CaseState}
    assert set(WORDING.table("request_types")) == {t.value for t in RequestType}
    assert set(WORDING.table("work_order_states")) == {s.value for s in WorkOrderState}
    assert set(WORDING.table("rating_levels")) == {"1", "2", "3", "4", "5"}
    assert {a.value for a in Aspect} == set(WORDING.table("aspect_names"))


def test_citizens_words_are_not_escaped_nor_run_as_a_template() -> None:
    text = WORDING.text("unknown_service", subject="{{ 7*7 }}<b>", nearest=[])
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
