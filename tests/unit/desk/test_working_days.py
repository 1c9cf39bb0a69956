"""Working days in China, and the clock that runs on them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from desk.work_orders import clock as clocks
from desk.work_orders.calendar import CalendarFileError, Day, WorkingDays
from desk.work_orders.clock import Limits, Standing
from hotline.settings import Settings
from hotline.work_orders import RequestType

DAYS = WorkingDays()
LIMITS = Limits.of(Settings(_env_file=None))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 1, 2), False),  # 元旦放到一月三日
        (date(2026, 1, 4), True),  # 星期日，补班
        (date(2026, 2, 14), True),  # 星期六，补班
        (date(2026, 2, 16), False),  # 除夕
        (date(2026, 2, 23), False),  # 春节调休
        (date(2026, 2, 28), True),  # 星期六，补班
        (date(2026, 9, 20), True),  # 星期日，补班
        (date(2026, 10, 7), False),  # 国庆调休
        (date(2026, 10, 10), True),  # 星期六，补班
        (date(2026, 11, 25), True),
        (date(2026, 11, 28), False),
    ],
)
def test_holidays_and_make_up_days_of_2026_are_known(day: date, works: bool) -> None:
    assert DAYS.is_working_day(day) is works


def test_the_day_itself_is_not_counted_and_make_up_days_are() -> None:
    assert DAYS.add(date(2026, 11, 25), 2).day == date(2026, 11, 27)
    assert DAYS.add(date(2026, 11, 27), 1).day == date(2026, 11, 30)
    # 13 February is a Friday: the 14th is a make-up day, the next working day after it the 24th
    assert DAYS.add(date(2026, 2, 13), 2).day == date(2026, 2, 24)
    assert DAYS.between(date(2026, 2, 13), date(2026, 2, 24)) == 2
    assert DAYS.between(date(2026, 2, 24), date(2026, 2, 13)) == -2


def test_a_year_without_a_published_arrangement_is_reckoned_and_said_to_be_provisional() -> None:
    within, beyond = DAYS.add(date(2026, 11, 25), 15), DAYS.add(date(2026, 12, 28), 15)
    assert (within.day, within.published) == (date(2026, 12, 16), True)
    assert beyond.day.year == 2027
    assert not beyond.published
    assert not DAYS.is_working_day(date(2027, 1, 1))  # the statutory day is law; the make-up days are not yet known


def test_an_arrangement_of_ones_own_makes_the_year_certain(tmp_path: Path) -> None:
    file = tmp_path / "holidays.yml"
    file.write_text("2027:\n  holidays: [2027-01-01]\n  working: [2027-01-03]\n", encoding="utf-8")
    own = WorkingDays.with_file(str(file))
    assert own.is_working_day(date(2027, 1, 3))
    assert not own.is_working_day(date(2027, 1, 1))
    assert own.add(date(2026, 12, 31), 1) == Day(date(2027, 1, 3), published=True)


@pytest.mark.parametrize(
    "text",
    [
        "2027: {holidays: [2026-01-01]}",
        "2027: 5",
        "2027: {holidays: [soon]}",
        "- [",
        "2027: {holidays: 1}",
        "2027: {off: []}",
    ],
)
def test_a_wrong_file_of_holidays_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "holidays.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CalendarFileError, match=r"holidays\.yml"):
        WorkingDays.with_file(str(file))


@pytest.mark.parametrize(
    ("kind", "days"),
    [("consult", 2), ("help", 10), ("suggestion", 10), ("complaint", 15), ("report", 15), ("praise", None)],
)
def test_each_type_has_the_limit_of_guangdong(kind: str, days: int | None) -> None:
    clock = clocks.start(RequestType(kind), date(2026, 11, 25), LIMITS, DAYS)
    assert clock.days == days
    assert clock.due_on == (DAYS.add(date(2026, 11, 25), days).day if days else None)


def test_what_is_waited_for_the_citizen_is_not_counted() -> None:
    clock = clocks.start(RequestType.HELP, date(2026, 11, 25), LIMITS, DAYS)
    waiting = clocks.paused(clock, date(2026, 11, 30))
    assert clocks.standing(waiting, date(2027, 3, 1), 2, DAYS) is Standing.PAUSED
    again = clocks.resumed(waiting, date(2026, 12, 4), DAYS)
    assert again.paused_days == 4
    assert again.due_on == DAYS.add(clock.due_on, 4).day
    assert clocks.resumed(again, date(2026, 12, 9), DAYS) == again


def test_the_clock_warns_before_the_day_and_is_overdue_only_after_it() -> None:
    clock = clocks.start(RequestType.COMPLAINT, date(2026, 11, 25), LIMITS, DAYS)
    due = clock.due_on
    assert due == date(2026, 12, 16)
    stands = [clocks.standing(clock, due + timedelta(days=n), 2, DAYS) for n in (-3, -2, 0, 1)]
    assert stands == [Standing.ON_TIME, Standing.DUE_SOON, Standing.DUE_SOON, Standing.OVERDUE]
    assert clocks.standing(clocks.stopped(clock, due), date(2027, 2, 1), 2, DAYS) is Standing.STOPPED
