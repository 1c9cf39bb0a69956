"""The re-ask rate over scripted talks, agents and forms among them: what a citizen has said is not asked again.

A question counts as asked again where it comes back after it was answered. One that the citizen left
open by asking something else may be put again.
"""

from __future__ import annotations

from typing import Any

import pytest
from desk_agent import Agent
from running_line import Line, Talk

LEFT_OPEN = "~"  # before a sentence that doesn't answer what the line has just asked
TALKS: dict[str, list[str]] = {
    "a complaint told at once": ["桂城海五路昨晚十一点还在打桩，我要投诉", "何先生，13800000031", "确认"],
    "a complaint told step by step": [
        "我要投诉",
        "路灯不亮",
        "大沥镇盐步大道",
        "前天晚上开始",
        "13800000032，姓何",
        "确认",
    ],
    "a question in the middle of a complaint": [
        "我要投诉小区半夜装修太吵",
        "~居住证要带什么材料",
        "里水镇和顺金溪小区",
        "姓陈，13800000033",
        "确认",
    ],
    "one thing put right at the end": [
        "西樵樵华路昨晚开始停水，我要投诉",
        "13800000034，姓黄",
        "~不对，地点是樵金路",
        "确认",
    ],
    "a case and what is asked about it": ["查进度", "613482", "陈小明，1234", "那我还要补什么", "在哪里补"],
    "an appointment": ["我想预约去桂城大厅办身份证", "后天上午", "何小明，13800000035", "确认"],
    "one service, many sides": ["居住证要带什么材料", "那要多久", "收费吗", "网上能不能办", "我在狮山，去哪里办"],
}


def asked_again(sentences: list[str], answers: list[dict[str, Any]]) -> list[str]:
    """The sentences after which a question came back that had been answered."""
    wrong, answered, open_question = [], set(), None
    for sentence, answer in zip(sentences, answers, strict=True):
        if open_question and not sentence.startswith(LEFT_OPEN):
            answered.add(open_question)
        open_question = answer["expects"]
        if open_question in answered:
            wrong.append(f"{sentence} → {open_question}")
    return wrong


def talked(talk: Talk, sentences: list[str]) -> list[dict[str, Any]]:
    return [talk.say(sentence.removeprefix(LEFT_OPEN)) for sentence in sentences]


@pytest.mark.parametrize("name", TALKS)
def test_what_was_said_is_not_asked_again(line: Line, name: str) -> None:
    answers = talked(line.talk(), TALKS[name])
    assert asked_again(TALKS[name], answers) == []
    assert answers[-1]["expects"] is None, "the talk came to its end"
    assert {answer["state"] for answer in answers} == {"bot"}


def test_what_was_said_before_and_to_an_agent_is_not_asked_again(agent: Agent, line: Line) -> None:
    talk = line.talk()
    before = ["社保卡怎么补办", "转人工"]
    answers = talked(talk, before)
    with agent.screen():
        agent.of(talk, "take")
        agent.of(talk, "return", note="住丹灶，接着问社保卡", slots={"town": "丹灶镇"})
    after = ["那去哪里办", "要多久", "我要投诉，今早在金宁路被乱停的车堵住", "姓李，13800000036", "确认"]
    answers += talked(talk, after)
    assert asked_again([*before, *after], answers) == []
    kept = [answer["understanding"]["item_key"] for answer in answers[2:4]]
    assert kept == ["SB01", "SB01"]
    assert "丹灶" in answers[2]["replies"][0]["text"]
    assert answers[-1]["expects"] is None
