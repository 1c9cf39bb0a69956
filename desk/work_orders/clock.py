"""办理时限: pure steps over :class:`hotline.work_order_record.Clock`. Days are China's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from desk.work_orders.calendar import WorkingDays
from hotline.settings import Settings
from hotline.work_order_record import Clock
from hotline.work_orders import RequestType


class Standing(StrEnum):
    """How a clock stands on a day."""

    ON_TIME = "on_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    PAUSED = "paused"
    STOPPED = "stopped"
    NO_LIMIT = "no_limit"


@dataclass(frozen=True)
class Limits:
    """Working days by type, from the settings. 表扬 has none: no rule sets one."""

    by_type: dict[RequestType, int]
    revisit_days: int
    extension_days_max: int
    warning_days: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        complaint, help_ = settings.complaint_days, settings.help_days
        return cls(
            {
                RequestType.CONSULT: settings.consult_days,
                RequestType.HELP: help_,
                RequestType.SUGGESTION: help_,
                RequestType.COMPLAINT: complaint,
                RequestType.REPORT: complaint,
            },
            settings.revisit_days,
            settings.extension_days_max,
            settings.due_warning_days,
        )


def start(kind: RequestType, on: date, limits: Limits, calendar: WorkingDays) -> Clock:
    return reckoned(Clock(started_on=on, days=limits.by_type.get(kind)), calendar)


def reckoned(clock: Clock, calendar: WorkingDays) -> Clock:
    """``clock`` with its due day worked out again."""
    if clock.days is None:
        return clock
    due = calendar.add(clock.started_on, clock.days + clock.extended_days + clock.paused_days)
    return clock.model_copy(update={"due_on": due.day, "provisional": not due.published})


def paused(clock: Clock, on: date) -> Clock:
    return clock if clock.paused_on else clock.model_copy(update={"paused_on": on})


def resumed(clock: Clock, on: date, calendar: WorkingDays) -> Clock:
    """The working days waited are added to the time allowed."""
    if clock.paused_on is None:
        return clock
    waited = clock.paused_days + calendar.between(clock.paused_on, on)
    return reckoned(clock.model_copy(update={"paused_on": None, "paused_days": waited}), calendar)


def extended(clock: Clock, days: int, calendar: WorkingDays) -> Clock:
    more = {"extended_days": clock.extended_days + days, "warned": False}
    return reckoned(clock.model_copy(update=more), calendar)


def stopped(clock: Clock, on: date) -> Clock:
    return clock.model_copy(update={"stopped_on": on, "paused_on": None})


def going_again(clock: Clock) -> Clock:
    return clock.model_copy(update={"stopped_on": None})


def standing(clock: Clock, today: date, warning_days: int, calendar: WorkingDays) -> Standing:
    if clock.stopped_on:
        return Standing.STOPPED
    if clock.due_on is None:
        return Standing.NO_LIMIT
    if clock.paused_on:
        return Standing.PAUSED
    if today > clock.due_on:
        return Standing.OVERDUE
    if calendar.between(today, clock.due_on) <= warning_days:
        return Standing.DUE_SOON
    return Standing.ON_TIME
