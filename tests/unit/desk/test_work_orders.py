"""A work order from filing to rating, and what must not happen on the way."""

from __future__ import annotations

from datetime import date

import pytest
from order_parts import (
    ADMIN,
    AGENT,
    DALI,
    GUICHENG,
    MANAGER,
    MOBILE,
    NOISE,
    OFFICE,
    SUPERVISOR,
    TO_THE_END,
    TO_WORK,
    Clock,
    filed,
    make_desk,
    walk,
)

from desk.work_orders.actors import CITIZEN
from desk.work_orders.effects import Act
from desk.work_orders.sweep import sweep
from desk.work_orders.views import for_citizen, for_staff, owner
from hotline.errors import BadInputError, IllegalTransitionError, NotFoundError
from hotline.work_order_flow import Move, NotAllowedError
from hotline.work_order_record import RepeatedKeyError, RequestReading, VersionConflictError, WorkOrderFilter
from hotline.work_orders import RequestType, Urgency, WorkOrderState

S, M = WorkOrderState, Move


async def test_the_usual_way_leads_from_filing_to_a_rating_and_every_step_is_kept() -> None:
    desk = make_desk()
    record = await walk(desk, await filed(desk), *TO_THE_END, "follow_up", "rate")
    assert (record.state, record.score, record.department) == (S.RATED, 5, OFFICE)
    history = await desk.house.store.history(record.number)
    assert [line.what for line in history] == ["filed", *TO_THE_END, "follow_up", "rate"]
    assert [line.seq for line in history] == list(range(1, 9))
    assert [line.after for line in history[:-1]] == [line.before for line in history[1:]]
    assert record.version == 8


async def test_the_receipt_is_made_here_and_the_same_key_files_once() -> None:
    desk = make_desk()
    first, new = await desk.file(NOISE, "key-00000001")
    again, new_again = await desk.file(NOISE, "key-00000001")
    assert (new, new_again) == (True, False)
    assert again.number == first.number
    assert first.number.startswith("GD20261125")
    assert first.public_id not in first.number
    with pytest.raises(RepeatedKeyError):
        await desk.file(NOISE.model_copy(update={"happened": "另一件事"}), "key-00000001")


@pytest.mark.parametrize(
    "more",
    [
        {"happened": " "},
        {"anonymous": True},
        {"contact_name": "何"},
        {"happened": "吵" * 2001},
        {"place": "路" * 201},
    ],
)
async def test_what_the_hub_would_refuse_is_refused_at_once(more: dict[str, object]) -> None:
    with pytest.raises(BadInputError):
        await filed(make_desk(), **more)


async def test_an_illegal_move_changes_nothing() -> None:
    desk = make_desk()
    before = await filed(desk)
    for act, actor, error in [
        (Act(M.ANSWER, note="好了"), AGENT, IllegalTransitionError),
        (Act(M.ACCEPT), MANAGER, NotAllowedError),
        (Act(M.ACCEPT), CITIZEN, NotAllowedError),
        (Act(M.ACCEPT), ADMIN, NotFoundError),
        (Act(M.ACCEPT), GUICHENG, NotFoundError),
        (Act(M.REFUSE), AGENT, BadInputError),
        (Act(M.MERGE, main="GD202600000000000000"), AGENT, BadInputError),
    ]:
        with pytest.raises(error):
            await desk.act(before.number, act, actor)
    assert await desk.house.store.get(before.number) == before
    assert len(await desk.house.store.history(before.number)) == 1


async def test_two_people_cannot_move_it_at_once() -> None:
    desk = make_desk()
    record = await filed(desk)
    await desk.act(record.number, Act(M.ACCEPT), AGENT, version=1)
    with pytest.raises(VersionConflictError):
        await desk.act(record.number, Act(M.REFUSE, note="不归我们管"), SUPERVISOR, version=1)
    assert (await desk.house.store.get(record.number)).state is S.ACCEPTED


async def test_a_department_acts_on_its_own_orders_alone() -> None:
    desk = make_desk()
    record = await walk(desk, await filed(desk), "accept", "dispatch")
    with pytest.raises(NotFoundError):
        await desk.act(record.number, Act(M.TAKE_UP), DALI)
    with pytest.raises(NotAllowedError):
        await desk.act(record.number, Act(M.TAKE_UP), AGENT)
    assert (await desk.act(record.number, Act(M.TAKE_UP), GUICHENG)).state is S.IN_PROGRESS
    assert [r.number for r in (await desk.listed(WorkOrderFilter(), GUICHENG)).orders] == [record.number]
    assert (await desk.listed(WorkOrderFilter(), DALI)).total == 0


async def test_there_is_an_owner_at_every_step() -> None:
    desk = make_desk()
    record = await filed(desk)
    owners = [owner(record)]
    for move in TO_THE_END:
        record = await walk(desk, record, move)
        owners.append(owner(record))
    assert owners == ["热线", "热线", OFFICE, OFFICE, "热线", "热线"]


async def test_the_proposal_names_the_towns_office_with_its_reason_and_a_dispatch_takes_it() -> None:
    desk = make_desk()
    record = await filed(desk)
    assert record.proposal
    assert (record.proposal.department, record.proposal.sure) == (OFFICE, True)
    assert record.proposal.assisting == ["佛山市生态环境局南海分局"]
    for word in ("噪声扰民", "桂城街道", OFFICE):
        assert word in record.proposal.reason
    await desk.act(record.number, Act(M.ACCEPT), AGENT)
    assert (await desk.act(record.number, Act(M.DISPATCH), AGENT)).department == OFFICE


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"town": None}, "镇街"),
        ({"category": "public_transport"}, "没有指明"),
        ({"category": "other"}, "没有写明"),
        ({"category": None}, "没有读出"),
    ],
)
async def test_where_the_table_of_duties_is_not_sure_a_person_decides(more: dict[str, object], said: str) -> None:
    desk = make_desk(auto_dispatch=True)
    record = await filed(desk, **more)
    assert record.proposal
    assert not record.proposal.sure
    assert said in record.proposal.reason
    assert (await desk.take_reading(record.number, RequestReading())).state is S.RECEIVED
    if record.proposal.department is None:
        await desk.act(record.number, Act(M.ACCEPT), AGENT)
        with pytest.raises(BadInputError, match="承办部门"):
            await desk.act(record.number, Act(M.DISPATCH), AGENT)


async def test_a_reading_fills_in_what_nobody_said_and_changes_nothing_that_was() -> None:
    desk = make_desk()
    record = await filed(desk, category=None, town=None)
    read = RequestReading(town="桂城街道", category="noise", urgency=Urgency.URGENT, words=["打桩"])
    record = await desk.take_reading(record.number, read)
    assert (record.category, record.town, record.urgency) == ("noise", "桂城街道", Urgency.URGENT)
    assert record.proposal
    assert "「打桩」" in record.proposal.reason
    other = await filed(desk, "key-00000002", urgency=Urgency.EMERGENCY)
    other = await desk.take_reading(other.number, RequestReading(town="大沥镇", category="other"))
    assert (other.category, other.town, other.urgency) == ("noise", "桂城街道", Urgency.EMERGENCY)


async def test_a_wish_to_be_called_back_is_the_hotlines_own() -> None:
    desk = make_desk(auto_dispatch=True)
    record = await filed(desk, category="call_back", type=RequestType.HELP)
    record = await desk.take_reading(record.number, RequestReading(category="noise", words=["打桩"]))
    assert record.state is S.RECEIVED
    assert record.proposal
    assert "回电" in record.proposal.reason
    await desk.act(record.number, Act(M.ACCEPT), AGENT)
    assert (await desk.act(record.number, Act(M.ANSWER, note="已回电说明"), AGENT)).state is S.ANSWERED


async def test_a_sure_proposal_goes_by_itself_only_where_the_setting_says_so() -> None:
    for auto, state in ((False, S.RECEIVED), (True, S.DISPATCHED)):
        desk = make_desk(auto_dispatch=auto)
        record = await desk.take_reading((await filed(desk)).number, RequestReading())
        assert record.state is state
    urgent = await filed(desk, "key-00000002", urgency=Urgency.EMERGENCY)
    assert (await desk.take_reading(urgent.number, RequestReading())).state is S.RECEIVED


async def test_a_disputed_dispatch_goes_back_or_elsewhere_as_the_supervisor_says() -> None:
    desk = make_desk()
    record = await walk(desk, await filed(desk), "accept", "dispatch")
    record = await desk.act(record.number, Act(M.RETURN, note="工地在禅城"), GUICHENG)
    assert owner(record) == "班长"
    record = await desk.act(record.number, Act(M.UPHOLD, note="地点在桂城"), SUPERVISOR)
    assert (record.state, record.department) == (S.DISPATCHED, OFFICE)
    record = await desk.act(record.number, Act(M.RETURN, note="不是我们的"), GUICHENG)
    act = Act(M.REDISPATCH, department=DALI.department, note="实际在大沥")
    record = await desk.act(record.number, act, SUPERVISOR)
    assert (record.state, record.department) == (S.DISPATCHED, DALI.department)
    with pytest.raises(NotFoundError):
        await desk.seen(record.number, GUICHENG)


async def test_waiting_for_the_citizen_stops_the_clock_and_their_word_starts_it() -> None:
    clock = Clock()
    desk = make_desk(clock)
    record = await walk(desk, await filed(desk), *TO_WORK)
    due = record.clock.due_on
    await desk.act(record.number, Act(M.ASK_CITIZEN, note="请说是哪个工地"), GUICHENG)
    clock.pass_days(7)
    record = await desk.act(record.number, Act(M.ADD, note="海五路地铁口那个"), CITIZEN)
    assert record.state is S.IN_PROGRESS
    assert record.clock.paused_days == 5
    assert record.clock.due_on == desk.house.calendar.add(due, 5).day


async def test_an_extension_is_asked_with_a_reason_and_granted_or_not() -> None:
    desk = make_desk()
    record = await walk(desk, await filed(desk), *TO_WORK)
    due = record.clock.due_on
    for days in (0, 16, None):
        with pytest.raises(BadInputError):
            await desk.act(record.number, Act(M.ASK_EXTENSION, note="要检测噪声", days=days), GUICHENG)
    record = await desk.act(record.number, Act(M.ASK_EXTENSION, note="要检测噪声", days=5), GUICHENG)
    assert record.state is S.EXTENSION_REVIEW
    with pytest.raises(NotAllowedError):
        await desk.act(record.number, Act(M.GRANT_EXTENSION), GUICHENG)
    refused = await desk.act(record.number, Act(M.REFUSE_EXTENSION, note="时间够用"), SUPERVISOR)
    assert refused.clock.due_on == due
    await desk.act(record.number, Act(M.ASK_EXTENSION, note="仪器送检", days=5), GUICHENG)
    granted = await desk.act(record.number, Act(M.GRANT_EXTENSION), SUPERVISOR)
    assert granted.clock.due_on == desk.house.calendar.add(due, 5).day
    assert granted.extension_asked is None


async def test_before_the_day_it_is_reminded_once_and_after_it_escalated_once() -> None:
    clock = Clock()
    desk = make_desk(clock)
    record = await walk(desk, await filed(desk), *TO_WORK)
    assert await sweep(desk) == 0
    clock.at = clock.at.replace(month=12, day=15)
    assert (await sweep(desk), await sweep(desk)) == (1, 0)
    clock.at = clock.at.replace(day=17)
    assert (await sweep(desk), await sweep(desk)) == (1, 0)
    record = await desk.house.store.get(record.number)
    assert (record.state, owner(record)) == (S.ESCALATED, "班长")
    what = [line.what for line in await desk.house.store.history(record.number)]
    assert what[-2:] == ["due_soon", "escalate"]
    answered = await desk.act(record.number, Act(M.ANSWER, note="已停工"), GUICHENG)
    assert answered.state is S.ANSWERED


@pytest.mark.parametrize("moves", [(), ("accept",), ("accept", "dispatch")])
async def test_an_order_that_nobody_took_up_is_escalated_too(moves: tuple[str, ...]) -> None:
    clock = Clock()
    desk = make_desk(clock)
    record = await walk(desk, await filed(desk), *moves)
    clock.pass_days(60)
    await sweep(desk)
    assert (await desk.house.store.get(record.number)).state is S.ESCALATED
    moved = await desk.act(record.number, Act(M.REDISPATCH, department=OFFICE, note="督办改派"), SUPERVISOR)
    assert moved.state is S.DISPATCHED


async def test_a_waiting_order_is_never_overdue() -> None:
    clock = Clock()
    desk = make_desk(clock)
    record = await walk(desk, await filed(desk), *TO_WORK)
    await desk.act(record.number, Act(M.ASK_CITIZEN, note="请补充"), GUICHENG)
    clock.pass_days(90)
    assert await sweep(desk) == 0


async def test_a_provisional_day_is_reckoned_again_once_the_year_is_published() -> None:
    clock = Clock(Clock().at.replace(month=12, day=28))
    desk = make_desk(clock)
    record = await filed(desk)
    assert record.clock.provisional
    assert "未公布" in for_staff(record, AGENT, desk.standing(record))["due_note"]
    desk.house.calendar.own[2027] = type(
        "Year", (), {"off": frozenset({date(2027, 1, 1)}), "work": frozenset({date(2027, 1, 3)})}
    )()
    clock.at = clock.at.replace(year=2027, month=1, day=13)
    await sweep(desk)
    after = await desk.house.store.get(record.number)
    assert not after.clock.provisional
    assert after.clock.due_on < record.clock.due_on


@pytest.mark.parametrize(("score", "state"), [(1, S.RECTIFYING), (2, S.RECTIFYING), (3, S.RATED), (5, S.RATED)])
async def test_the_two_lowest_scores_open_a_rectification(score: int, state: WorkOrderState) -> None:
    desk = make_desk()
    record = await walk(desk, await filed(desk), *TO_THE_END)
    rated = await desk.act(record.number, Act(M.RATE, score=score), CITIZEN)
    assert rated.state is state
    assert (rated.revisit_due == date(2026, 12, 16)) is (state is S.RECTIFYING)


async def test_a_bad_rating_is_rectified_and_the_citizen_revisited_in_time() -> None:
    clock = Clock()
    desk = make_desk(clock)
    record = await walk(desk, await filed(desk), *TO_THE_END)
    record = await desk.act(record.number, Act(M.RATE, score=1), CITIZEN)
    clock.pass_days(40)
    assert (await sweep(desk), await sweep(desk)) == (1, 0)
    assert (await desk.house.store.get(record.number)).state is S.RECTIFY_ESCALATED
    record = await desk.act(record.number, Act(M.RECTIFY, note="重新处理了"), GUICHENG)
    assert record.state is S.RECTIFIED
    record = await desk.act(record.number, Act(M.FOLLOW_UP, note="市民满意"), AGENT)
    assert (record.state, record.revisit_due) == (S.FOLLOWED_UP, None)
    assert (await desk.act(record.number, Act(M.RATE, score=4), CITIZEN)).state is S.RATED


async def test_a_revisit_that_is_late_is_told_once() -> None:
    clock = Clock()
    desk = make_desk(clock)
    record = await walk(desk, await filed(desk), *TO_THE_END)
    await desk.act(record.number, Act(M.RATE, score=2), CITIZEN)
    await desk.act(record.number, Act(M.RECTIFY, note="重做了"), GUICHENG)
    clock.pass_days(40)
    assert (await sweep(desk), await sweep(desk)) == (1, 0)
    assert (await desk.house.store.history(record.number))[-1].what == "revisit_overdue"


@pytest.mark.parametrize("score", [0, 6, None])
async def test_a_score_is_one_to_five(score: int | None) -> None:
    desk = make_desk()
    record = await walk(desk, await filed(desk), *TO_THE_END)
    with pytest.raises(BadInputError):
        await desk.act(record.number, Act(M.RATE, score=score), CITIZEN)


async def test_a_merged_order_stands_where_its_main_order_stands_and_can_be_taken_out() -> None:
    desk = make_desk()
    main, repeat = await filed(desk), await filed(desk, "key-00000002")
    repeat = await desk.act(repeat.number, Act(M.MERGE, main=main.number), AGENT)
    await walk(desk, main, *TO_THE_END)
    told = await desk.told_to_citizen(await desk.followed(repeat.number, MOBILE))
    assert (told.number, told.state, told.department) == (repeat.number, S.COMPLETED, OFFICE)
    assert told.last_note == "已责令停工，夜间不再施工"
    apart = await desk.act(repeat.number, Act(M.UNMERGE, note="不是同一个工地"), AGENT)
    assert (apart.state, apart.merged_into) == (S.ACCEPTED, None)
    assert apart.clock.stopped_on is None


async def test_an_order_is_merged_into_a_living_one_of_its_kind_alone() -> None:
    desk = make_desk()
    main, repeat, third = [await filed(desk, f"key-0000000{n}") for n in range(3)]
    report = await filed(desk, "key-00000009", type=RequestType.REPORT)
    await desk.act(repeat.number, Act(M.MERGE, main=main.number), AGENT)
    for number, into in [(main, main), (third, repeat), (main, third), (third, report)]:
        with pytest.raises(BadInputError):
            await desk.act(number.number, Act(M.MERGE, main=into.number), SUPERVISOR)


async def test_who_filed_it_follows_it_and_nobody_else_does() -> None:
    desk = make_desk()
    record = await filed(desk)
    anonymous = await filed(desk, "key-00000002", anonymous=True, contact_name=None, contact_mobile=None)
    assert await desk.followed(record.number, MOBILE) == record
    for number, mobile in [
        (record.number, "13800000022"),
        (record.number, ""),
        (anonymous.number, ""),
        ("GD1", MOBILE),
    ]:
        with pytest.raises(NotFoundError):
            await desk.followed(number, mobile)


async def test_the_citizen_is_not_told_what_passes_between_offices() -> None:
    desk = make_desk()
    record = await walk(desk, await filed(desk), "accept", "dispatch")
    record = await desk.act(record.number, Act(M.RETURN, note="这家老板是熟人"), GUICHENG)
    shown = for_citizen(record, await desk.told_to_citizen(record), desk.standing(record))
    assert "熟人" not in str(shown)
    assert "guicheng" not in str(shown)


async def test_a_report_is_seen_by_the_named_roles_alone_and_its_teller_by_no_department() -> None:
    desk = make_desk()
    record = await filed(desk, type=RequestType.REPORT)
    assert record.confidential
    for actor in (AGENT, MANAGER, ADMIN, DALI, GUICHENG):
        with pytest.raises(NotFoundError):
            await desk.seen(record.number, actor)
    assert (await desk.listed(WorkOrderFilter(), AGENT)).total == 0
    assert (await desk.listed(WorkOrderFilter(visible_confidential=True), MANAGER)).total == 0
    assert (await desk.listed(WorkOrderFilter(), SUPERVISOR)).total == 1
    await desk.act(record.number, Act(M.ACCEPT), SUPERVISOR)
    record = await desk.act(record.number, Act(M.DISPATCH), SUPERVISOR)
    shown = for_staff(await desk.seen(record.number, GUICHENG), GUICHENG, desk.standing(record))
    assert "打桩" in shown["description"]
    assert MOBILE not in str(shown)
    assert "何" not in str(shown)
    assert shown["contact_hidden"]
    assert for_staff(record, SUPERVISOR, desk.standing(record))["contact_mobile"] == MOBILE


async def test_a_list_shows_no_contact_and_the_summary_is_masked() -> None:
    record = await filed(make_desk())
    assert MOBILE not in record.summary
    assert "138****0021" in record.summary


async def test_a_closed_order_is_reopened_by_a_supervisor_with_a_new_clock() -> None:
    clock = Clock()
    desk = make_desk(clock)
    record = await walk(desk, await filed(desk), *TO_THE_END)
    clock.pass_days(5)
    record = await desk.act(record.number, Act(M.REOPEN, note="市民说又开工了"), SUPERVISOR)
    assert record.state is S.ACCEPTED
    assert record.clock.started_on == date(2026, 11, 30)
    assert record.clock.stopped_on is None
