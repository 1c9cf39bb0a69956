"""The summary, the mood, the fields, the warnings: all from what was said, nothing made up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from desk.assist.fields import merged
from desk.assist.read_back import read_back
from desk.assist.templates import templates
from desk.assist.translation import Into, translate
from desk.assist.warnings import Level, check
from desk.mood import mood_of
from desk.summary import Outcome, summarise
from desk.takeover import TAUGHT_SLOTS, checked_slots, line_of
from hotline.desk import HandoffReason
from hotline.desk_ports import FieldsSaid
from hotline.errors import BadInputError
from hotline.events import ConversationEvent, EventType
from hotline.numbers import Kind

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


def trail(*turns: tuple[str, dict[str, Any] | None]) -> list[ConversationEvent]:
    events = []
    for number, (text, understood) in enumerate(turns):
        turn = f"t{number}"
        events.append(_event(turn, EventType.CITIZEN_MESSAGE, {"text": text}))
        if understood is not None and understood.pop("down", False):
            events.append(_event(turn, EventType.PART_DOWN, {"code": "hub_down"}))
        if understood is not None:
            events.append(_event(turn, EventType.REPLY, {"text": "…", "understanding": understood}))
    return events


def _event(turn: str, kind: EventType, data: dict[str, Any]) -> ConversationEvent:
    return ConversationEvent(conversation_id="c", turn_id=turn, type=kind, at=NOW, data=data)


def test_the_summary_tells_what_was_asked_answered_and_not() -> None:
    summary = summarise(
        trail(
            ("你好", {"intent": "greet"}),
            (
                "居住证要什么",
                {"intent": "ask_materials", "item_key": "JZ02", "item_name": "居住证", "aspect": "materials"},
            ),
            (
                "那要多久",
                {"intent": "ask_time_limit", "item_key": "JZ02", "item_name": "居住证", "aspect": "time_limit"},
            ),
            ("呜啦", {"intent": "nlu_fallback"}),
            ("查一下", {"intent": "check_status", "down": True}),
            ("社保", {"intent": "inform", "candidates": ["SB01", "SB02"]}),
            ("放风筝", {"intent": "out_of_scope"}),
            ("着火了", {"intent": "emergency_fire"}),
            ("转人工", {"intent": "handoff"}),
            ("在吗", None),
        ),
        reason="misunderstood",
        flow="case_status_form",
        expects="identity_proof",
    )
    assert [a.outcome for a in summary.asked] == [
        Outcome.ANSWERED, Outcome.ANSWERED, Outcome.NOT_UNDERSTOOD, Outcome.PART_DOWN, Outcome.ASKED_WHICH,
        Outcome.UNKNOWN, Outcome.DANGER, Outcome.AGENT,
    ]  # fmt: skip
    lines = summary.text.splitlines()
    assert lines[0] == "转人工原因：连着两次没听懂"
    assert lines[1] == "问过：居住证·材料；居住证·时限"
    assert "「呜啦」（没听懂）" in lines[2]
    assert "「放风筝」（答不了）" in lines[2]
    assert lines[3] == "办到一半：查办件，正等对方说核对身份的信息"


def test_who_asked_for_a_person_at_once_is_told_as_such() -> None:
    assert "一开始就要人工" in summarise(trail(("转人工", {"intent": "handoff"}))).text


@pytest.mark.parametrize("reason", HandoffReason)
def test_every_reason_has_a_name(reason: HandoffReason) -> None:
    assert reason.value not in summarise([], reason=reason.value).text


@pytest.mark.parametrize(
    ("said", "mood"),
    [
        (["居住证怎么办"], "calm"),
        (["你们踢皮球，太差了"], "angry"),
        (["明天截止了，来不及怎么办啊"], "anxious"),
        (["我老公去世了，撑不住"], "distressed"),
        (["太差了", "好的，明白了，谢谢"], "pleased"),
    ],
)
def test_the_mood_is_that_of_the_latest_words(said: list[str], mood: str) -> None:
    found = mood_of(said)
    assert found.mood == mood
    assert bool(found.because) is (mood != "calm")


def test_fields_told_later_replace_places_and_keep_the_matter() -> None:
    form = merged(
        [
            FieldsSaid(happened="路灯坏了", category="street_light", type="complaint", town="桂城街道"),
            FieldsSaid(place="南海大道", when="昨晚"),
            FieldsSaid(when="前天晚上"),
            FieldsSaid(place="大道"),
            FieldsSaid(),
        ]
    )
    assert (form.happened, form.category, form.town) == ("路灯坏了", "street_light", "桂城街道")
    assert (form.place, form.when) == ("南海大道", "前天晚上")


def test_nothing_told_fills_nothing() -> None:
    assert merged([]) == FieldsSaid()


@pytest.mark.parametrize(
    ("text", "code", "level"),
    [
        ("您的身份证是99010119900101123X", "id_card", Level.STOP),
        ("号码13800000000对吗", "mobile", Level.STOP),
        ("身份证后四位是123X吧", "last_four", Level.STOP),
        ("请把验证码告诉我", "asks_secret", Level.STOP),
        ("您爱人的办件已经通过了", "somebody_else", Level.STOP),
        ("你自己不会看吗", "rude", Level.STOP),
        ("这个不归我们管", "shirking", Level.THINK),
        ("我保证明天办好", "promise", Level.THINK),
        ("应该是要带户口本", "guess", Level.THINK),
        ("等通知吧", "brush_off", Level.THINK),
        ("可以找中介帮您办，推荐一家店铺", "advertising", Level.THINK),
    ],
)
def test_what_should_not_be_sent_is_found(text: str, code: str, level: Level) -> None:
    assert (code, level) in [(w.code, w.level) for w in check(text)]


@pytest.mark.parametrize(
    "text",
    [
        "请带身份证原件到桂城行政服务中心办理。",
        "受理后10个工作日内发放，请留意短信。",
        "请告诉我申请人姓名和身份证后四位。",
        "请勿把密码告诉任何人。",
        "电话是0757-86222222，工作日上午九点到十二点。",
    ],
)
def test_plain_answers_raise_no_warning(text: str) -> None:
    assert check(text) == []


def test_no_template_would_be_stopped_or_warned_about() -> None:
    for template in templates("王芳", "12345"):
        assert "{" not in template.text
        assert check(template.text) == [], template.key


@pytest.mark.parametrize(
    ("text", "kind", "spoken"),
    [
        ("13800001234", Kind.PHONE, "幺三八，零零零零，幺二三四"),
        ("三千五百块", Kind.AMOUNT, "3500元"),
        ("2026年12月1日", Kind.DATE, "2026年12月1日"),
    ],
)
def test_numbers_are_read_back_in_groups(text: str, kind: Kind, spoken: str) -> None:
    (found,) = read_back(text)
    assert (found.kind, found.spoken, found.valid) == (kind, spoken, True)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("您的居住证还没有办好", "您嘅居住证仲未办好"),
        ("请告诉我您现在在哪里", "请话我知您而家喺边度"),
        ("目的地和存在的差别", "目的地同存在嘅差别"),
        ("不锈钢、了解、除了", "不锈钢、了解、除了"),
    ],
)
def test_an_agent_may_read_an_answer_in_cantonese(written: str, spoken: str) -> None:
    assert translate(written, Into.COLLOQUIAL) == spoken


def test_and_read_cantonese_as_it_is_written() -> None:
    assert translate("张居住证唔见咗点补", Into.WRITTEN) == "张居住证丢了怎么补"


@pytest.mark.parametrize(
    "slots",
    [
        {"verification_id": "v"},
        {"identity_outcome": "verified"},
        {"request_draft": "x"},
        {"town": ""},
        {"town": "x" * 65},
        {"dialect": "english"},
        {"last_aspect": "price"},
        {"town": "13800000000"},
    ],
)
def test_an_agent_cannot_teach_the_bot_what_is_not_theirs_to_say(slots: dict[str, str]) -> None:
    with pytest.raises(BadInputError):
        checked_slots(slots)


def test_an_agent_may_teach_and_take_back() -> None:
    slots = {"town": "桂城街道", "service_item": None, "last_aspect": "fee", "dialect": "cantonese"}
    assert checked_slots(slots) == slots
    assert set(slots) <= TAUGHT_SLOTS


@pytest.mark.parametrize("kind", EventType)
def test_every_kind_of_event_can_be_read_or_is_left_out_on_purpose(kind: EventType) -> None:
    line = line_of(_event("t", kind, {"text": "x", "buttons": [1]}))
    assert (line is None) is (kind in (EventType.SPEECH, EventType.QUEUE))
    assert line is None or "buttons" not in line.data
