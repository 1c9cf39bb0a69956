"""Working days in China, with public holidays and make-up working days.

The State Council publishes each year's arrangement late in the year before. For years not yet
published the statutory holidays are known and the make-up days are not: a day counted there is
marked, never passed off as certain. A file of one's own (YAML: year → ``holidays`` and
``working``, lists of dates; only days that differ from a plain week) brings a year in before the library has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import yaml
from holidays.countries.china import China, ChinaStaticHolidays

from hotline.errors import HotlineError


class CalendarFileError(HotlineError):
    """The file of one's own arrangements is wrong; ``detail`` says where."""

    code = "bad_calendar"


@dataclass(frozen=True)
class Day:
    """``published``: the arrangements of every year counted through are known."""

    day: date
    published: bool


@dataclass(frozen=True)
class _Year:
    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()


@dataclass
class WorkingDays:
    own: dict[int, _Year] = field(default_factory=dict)
    _holidays: China = field(default_factory=China)

    @classmethod
    def with_file(cls, extra_file: str) -> WorkingDays:
        """Raises CalendarFileError."""
        return cls(_read(Path(extra_file)) if extra_file else {})

    def published(self, year: int) -> bool:
        return year in self.own or year in ChinaStaticHolidays.special_public_holidays

    def is_working_day(self, day: date) -> bool:
        if own := self.own.get(day.year):
            return day in own.work or (day.weekday() < 5 and day not in own.off)
        return bool(self._holidays.is_working_day(day))

    def add(self, start: date, days: int) -> Day:
        """The ``days``-th working day after ``start``, which itself is not counted."""
        day, left = start, days
        while left > 0:
            day += timedelta(days=1)
            left -= self.is_working_day(day)
        return Day(day, all(self.published(year) for year in range(start.year, day.year + 1)))

    def between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and with ``end``; negative where ``end`` is earlier."""
        if end < start:
            return -self.between(end, start)
        span = (end - start).days
        return sum(self.is_working_day(start + timedelta(days=n)) for n in range(1, span + 1))


def _read(file: Path) -> dict[int, _Year]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        years = {}
        for year, days in data.items():
            if unknown := set(days) - {"holidays", "working"}:
                raise ValueError(f"{year} 年下面只能写 holidays 和 working，不能写 {unknown}")
            off, work = (frozenset(map(_date, days.get(name) or [])) for name in ("holidays", "working"))
            if any(day.year != year for day in off | work):
                raise ValueError(f"{year} 年下面有别的年份的日子")
            years[int(year)] = _Year(off, work)
        return years
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise CalendarFileError(f"节假日文件 {file.name} 读不了：{error}") from error


def _date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
