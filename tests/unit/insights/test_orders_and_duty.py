"""What a work order's history and an agent's day at the desk come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from trails import look

from hotline.insights import DESK_SECONDS, DutyEvent, Stand
from hotline.work_order_flow import Party
from hotline.work_order_record import Clock, HistoryEntry, WorkOrderRecord
from hotline.work_orders import RequestType, WorkOrderDraft, WorkOrderState
from insights.duty import duty_seconds, load
from insights.orders import order_facts, order_text

T0 = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)  # half past nine there


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def record(**more: object) -> WorkOrderRecord:
    clock = Clock(started_on=date(2026, 3, 2), days=10, due_on=date(2026, 3, 16), stopped_on=date(2026, 3, 10))
    values = {
        "number": "GD1", "public_id": "p", "idempotency_key": "k", "draft": WorkOrderDraft(), "summary": "…", "version": 6,
        "state": WorkOrderState.RATED, "type": RequestType.HELP, "town": "狮山镇", "department": "城管", "created_at": T0,
        "updated_at": at(9), "clock": clock, "score": 4,
    }  # fmt: skip
    return WorkOrderRecord.model_validate({**values, **more})


def lines(*moves: str) -> list[HistoryEntry]:
    return [
        HistoryEntry(number="GD1", at=at(n), actor="a", party=Party.HOTLINE, what=what, after=WorkOrderState.RATED)
        for n, what in enumerate(moves)
    ]


def test_an_order_is_counted_by_its_last_completion_and_all_that_was_done_to_it() -> None:
    facts = order_facts(record(), lines("filed", "return", "escalate", "complete", "reopen", "answer", "complete"))
    assert (facts.completed_at, facts.due_on, facts.stopped_on) == (at(6), date(2026, 3, 16), date(2026, 3, 10))
    assert (facts.returned, facts.escalated, facts.reopened, facts.score) == (True, True, True, 4)
    assert order_facts(record(), lines("filed", "complete", "reopen")).completed_at is None


def test_an_order_without_town_or_office_is_of_an_unknown_one() -> None:
    facts = order_facts(record(town=None, department=None, category=None), lines("filed"))
    assert (facts.town, facts.department, facts.category) == ("", "", "")


def test_what_a_work_order_tells_is_mined_masked_unless_a_conversation_told_it_or_it_is_confidential() -> None:
    draft = WorkOrderDraft(happened="我叫陈小明，办公楼停水，打 13800000001", channel="agent")
    told = order_text(record(draft=draft), look)
    assert told is not None
    assert "13800000001" not in told.text
    assert "陈小明" not in told.text
    assert (told.town, told.channel, told.turn_id.startswith("order:")) == ("狮山镇", "order", True)
    assert "GD1" not in told.turn_id
    assert order_text(record(draft=draft.model_copy(update={"channel": "voice"})), look) is None
    assert order_text(record(draft=draft, confidential=True), look) is None


def test_time_at_the_desk_is_split_by_day_and_state_and_goes_on_where_it_stopped() -> None:
    events = [DutyEvent("mei", "paused", at(0)), DutyEvent("mei", "ready", at(10)), DutyEvent("mei", "busy", at(20))]
    cells, stands = duty_seconds({}, events, at(40))
    nothing = dict.fromkeys(DESK_SECONDS, 0.0)
    assert cells == {(20260302, "mei"): {**nothing, "paused_s": 600, "ready_s": 600, "busy_s": 1200}}
    assert stands == {"mei": Stand("busy", at(40))}
    later = [DutyEvent("mei", "after_call", at(50)), DutyEvent("mei", "offline", at(51))]
    more, stands = duty_seconds(stands, later, at(90))
    assert more == {(20260302, "mei"): {**nothing, "busy_s": 600, "after_call_s": 60}}
    assert stands == {}


def test_a_night_shift_counts_on_both_days() -> None:
    late = datetime(2026, 3, 2, 15, 50, tzinfo=UTC)  # ten to midnight there
    cells, _ = duty_seconds({}, [DutyEvent("mei", "ready", late)], late + timedelta(minutes=30))
    assert {day: cell["ready_s"] for (day, _), cell in cells.items()} == {20260302: 600, 20260303: 1200}


def test_counting_in_pieces_gives_what_counting_once_gives() -> None:
    states = ["paused", "ready", "ringing", "busy", "after_call", "ready", "offline", "paused", "ready"]
    events = [DutyEvent("mei", state, at(13 * n)) for n, state in enumerate(states)]
    whole, _ = duty_seconds({}, events, at(200))
    pieces: dict[tuple[int, str], dict[str, float]] = {}
    stands: dict[str, Stand] = {}
    for minute in range(0, 201, 5):
        now = [e for e in events if at(minute - 5) < e.at <= at(minute)]
        some, stands = duty_seconds(stands, now, at(minute))
        for key, cell in some.items():
            known = pieces.setdefault(key, dict.fromkeys(cell, 0.0))
            for name, value in cell.items():
                known[name] += value
    assert pieces == whole


def test_what_a_desk_that_was_down_did_not_see_is_no_agents_time() -> None:
    cells, _ = duty_seconds({"mei": Stand("busy", at(0))}, [], at(60 * 30))
    assert cells == {}


def test_the_load_is_talk_and_after_call_work_over_the_time_without_pauses() -> None:
    told = load({"busy_s": 3600, "after_call_s": 600, "ready_s": 2900, "ringing_s": 100, "paused_s": 800}, 12)
    assert told["occupancy"] == round(4200 / 7200, 4)
    assert told["hours"] == round(8000 / 3600, 2)
    assert told["taken_per_hour"] == round(12 / (8000 / 3600), 2)
    nothing = load(dict.fromkeys(("busy_s", "after_call_s", "ready_s", "ringing_s", "paused_s"), 0.0), 0)
    assert (nothing["occupancy"], nothing["taken_per_hour"]) == (None, None)
