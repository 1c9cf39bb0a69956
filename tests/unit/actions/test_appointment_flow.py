"""预约: hall, day, half day, name and mobile, in any order; booked at a yes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from line_parts import TODAY, Clock, Line, make_hub, make_tools, words

from actions.appointment_talk import AppointmentTalk
from hotline.work_orders import AppointmentDraft

AGREED = ("对", "affirm")


def talk_with(hub: Any = None) -> tuple[Line, Any]:
    hub = hub or make_hub(now=Clock())
    return Line(make_tools(hub)), hub


async def play(line: Line, *turns: str | tuple[str, str]) -> list[list[dict[str, Any]]]:
    return [await line.turn(*((turn, "inform") if isinstance(turn, str) else turn)) for turn in turns]


async def test_everything_in_the_first_sentence_leaves_name_and_mobile_to_ask() -> None:
    line, _ = talk_with()
    first, _, back, booked = await play(
        line, ("我想预约明天上午去桂城办居住证", "book_appointment"), "陈小明", "13800001234", AGREED
    )
    assert first[0]["expects"] == "contact"
    assert "桂城街道行政服务中心" in words(back)
    assert "11月23日（星期一）上午" in words(back)
    assert "预约号：YY" in words(booked)
    assert "演示数据" in words(booked)
    assert line.loop is None


async def test_a_town_with_several_halls_is_asked_about_and_an_old_place_name_is_not() -> None:
    line, _ = talk_with()
    asked = (await play(line, ("预约居住证", "book_appointment"), "狮山"))[-1]
    assert "狮山镇行政服务中心（罗村）" in words(asked)
    chosen = (await play(line, "第五个"))[-1]
    assert "哪一天" in words(chosen)
    other, _ = talk_with()
    assert "哪一天" in words((await play(other, ("预约居住证", "book_appointment"), "罗村那个大厅"))[-1])


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("听日", date(2026, 11, 23)),
        ("明天", date(2026, 11, 23)),
        ("后天", date(2026, 11, 24)),
        ("下星期三", date(2026, 11, 25)),
        ("11月25号", date(2026, 11, 25)),
    ],
)
def test_a_day_is_read_as_it_is_said(said: str, day: date) -> None:
    talk = AppointmentTalk(asked="day")
    assert talk.take_day(said, TODAY)
    assert talk.day in (day, date(2026, 12, 2)) if said == "下星期三" else talk.day == day


@pytest.mark.parametrize("said", ["今天", "昨天", "明年一月三号", "12月31号"])
async def test_a_day_that_cannot_be_booked_is_said_to_be_none(said: str) -> None:
    line, _ = talk_with()
    sent = (await play(line, ("预约居住证", "book_appointment"), "桂城", said))[-1]
    assert "只能约 11月23日" in words(sent)
    assert sent[0]["expects"] == "appointment"


async def test_a_full_half_day_offers_the_other_one() -> None:
    hub = make_hub(now=Clock())
    hall = next(h.code for h in make_tools().catalogue.halls.values() if h.town == "桂城街道")
    for n in range(10):
        draft = AppointmentDraft(
            hall_code=hall, day=date(2026, 11, 24), period="上午", name="陈小明", mobile=f"1380000{n:04d}"
        )
        await hub.book(draft, f"key{n}")
    line, _ = talk_with(hub)
    sent = (await play(line, ("预约后天上午去桂城办居住证", "book_appointment")))[-1]
    assert "下午还有位" in words(sent)
    sent = (await play(line, "下午"))[-1]
    assert sent[0]["expects"] == "contact"


async def test_one_thing_is_changed_at_the_end_and_the_rest_stays() -> None:
    line, _ = talk_with()
    sent = await play(
        line,
        ("预约明天上午去桂城办居住证", "book_appointment"),
        "陈小明 13800001234",
        "改到下午",
        "改到后天",
        "改成大沥盐步",
        AGREED,
    )
    assert "11月24日（星期二）下午" in words(sent[-1])
    assert "盐步" in words(sent[-1])


async def test_a_hub_that_is_down_books_nothing_and_is_tried_again() -> None:
    hub = make_hub(now=Clock())
    line, _ = talk_with(hub)
    await play(line, ("预约明天上午去桂城办居住证", "book_appointment"), "陈小明 13800001234")
    hub.available = False
    assert "还没有约上" in words((await play(line, AGREED))[-1])
    hub.available = True
    assert "预约号" in words((await play(line, ("再提交", "affirm")))[-1])


async def test_the_service_in_talk_is_not_asked_for_again() -> None:
    line, _ = talk_with()
    line.slots["service_item"] = "JZ02"
    sent = (await play(line, ("帮我预约", "book_appointment")))[-1]
    assert "申领居住证" in words(sent)
    assert "镇街的大厅" in words(sent)


async def test_a_day_said_where_the_hall_was_asked_chooses_no_hall_and_is_kept() -> None:
    line, _ = talk_with()
    asked, again = (await play(line, ("预约居住证", "book_appointment"), "狮山", "下周三上午"))[-2:]
    assert again[0]["expects"] == asked[0]["expects"]
    assert "狮山镇行政服务中心（小塘）" in words(again)
    assert "姓名" in words((await play(line, "第一个"))[-1])  # the day and the half day were kept


async def test_an_answer_put_as_a_question_is_an_answer() -> None:
    line, _ = talk_with()
    asked = (await play(line, ("预约居住证", "book_appointment"), "桂城", "后天", ("下午得唔得", "ask_when_open")))[-1]
    assert asked[0]["expects"] == "contact"


async def test_what_is_booked_for_is_in_talk_for_questions_beside() -> None:
    line, _ = talk_with()
    await play(line, ("预约居住证", "book_appointment"))
    assert line.slots["service_item"] == "JZ02"


async def test_a_wish_is_not_taken_for_the_name() -> None:
    line, _ = talk_with()
    asked = (await play(line, ("我想预约明天上午去桂城办居住证", "book_appointment"), "13800001234", "要补咩嘢"))[-1]
    assert "姓名" in words(asked)


async def test_another_half_of_the_day_may_be_proposed_while_the_name_is_asked() -> None:
    line, _ = talk_with()
    turns = (
        ("我想预约后天上午去桂城办居住证", "book_appointment"),
        ("下午得唔得", "ask_when_open"),
        "陈小明",
        "13800001234",
    )
    back = (await play(line, *turns))[-1]
    assert "下午" in words(back)
    assert "上午" not in words(back).split("预约人")[0]


async def test_the_half_of_the_day_is_put_right_while_the_name_is_asked_for() -> None:
    line, _ = talk_with()
    await play(line, ("我想预约明天上午去桂城办居住证", "book_appointment"))
    moved, back = await play(line, "不对，是下午", "陈小明13800001234")
    assert moved[-1]["expects"] == "contact"
    assert "11月23日（星期一）下午" in words(back)


async def test_a_wish_to_cancel_what_is_booked_begins_no_booking() -> None:
    line, _ = talk_with()
    (said,) = await play(line, ("我想取消刚才的预约", "book_appointment"))
    assert "不能替您取消" in words(said)
    assert line.loop is None
