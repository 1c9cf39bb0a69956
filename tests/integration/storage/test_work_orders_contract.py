"""One contract for what keeps work orders: in memory, and SQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from postgres_server import STORES, url_of

from hotline.errors import NotFoundError
from hotline.work_order_flow import Party
from hotline.work_order_record import (
    Clock,
    HandOver,
    HistoryEntry,
    RepeatedKeyError,
    RequestReading,
    VersionConflictError,
    WorkOrderFilter,
    WorkOrderRecord,
)
from hotline.work_orders import RequestType, Urgency, WorkOrderDraft, WorkOrderState
from storage.engine import async_url, make_engine
from storage.migrations import upgrade
from storage.seal import RowSeal, WrongKeyError
from storage.sql import SqlStore
from storage.tables import work_orders
from storage.work_orders_memory import MemoryWorkOrders
from storage.work_orders_sql import SqlWorkOrders

T0 = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
MOBILE = "13800000021"
S = WorkOrderState
Store = MemoryWorkOrders | SqlWorkOrders


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hotline.db'}"


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryWorkOrders()
        return
    conversations = SqlStore(make_engine(await url_of(request, tmp_path)))
    yield SqlWorkOrders(conversations.runner, RowSeal())
    await conversations.close()


def order(n: int = 1, **more: Any) -> WorkOrderRecord:
    draft = WorkOrderDraft(happened=f"第{n}件，路灯坏了", contact_name="何先生", contact_mobile=MOBILE)
    values: dict[str, Any] = {
        "number": f"GD20261125{n:010d}",
        "public_id": f"{n:012d}",
        "idempotency_key": f"key-{n}",
        "draft": draft,
        "summary": f"第{n}件，路灯坏了",
        "type": RequestType.HELP,
        "created_at": T0 + timedelta(minutes=n),
        "updated_at": T0 + timedelta(minutes=n),
        "clock": Clock(started_on=date(2026, 11, 25), days=10, due_on=date(2026, 12, n)),
    }
    return WorkOrderRecord(**values | more)


def line(record: WorkOrderRecord, what: str = "filed") -> HistoryEntry:
    return HistoryEntry(
        number=record.number, at=record.updated_at, actor="agent", party=Party.HOTLINE, what=what, after=record.state,
        note=f"请打{MOBILE}",
    )  # fmt: skip


async def add(store: Store, record: WorkOrderRecord) -> WorkOrderRecord:
    added, new = await store.add(record, line(record), HandOver(number=record.number, next_at=record.created_at))
    assert new
    return added


async def test_an_order_comes_back_as_it_was_stored(store: Store) -> None:
    record = await add(store, order())
    assert await store.get(record.number) == record
    assert [(each.seq, each.what, each.note) for each in await store.history(record.number)] == [
        (1, "filed", f"请打{MOBILE}")
    ]
    for missing in (store.get("GD1"), store.put_reading("GD1", RequestReading())):
        with pytest.raises(NotFoundError):
            await missing
    assert await store.history("GD1") == []


async def test_the_same_key_stores_once_also_at_the_same_moment(store: Store) -> None:
    first = order(1)
    twins = [order(n, idempotency_key="key-1", draft=first.draft) for n in range(1, 6)]
    made = await asyncio.gather(
        *(store.add(each, line(each), HandOver(number=each.number, next_at=T0)) for each in twins)
    )
    assert sum(new for _, new in made) == 1
    assert len({record.number for record, _ in made}) == 1
    assert len(await store.waiting()) == 1
    with pytest.raises(RepeatedKeyError):
        await store.add(order(9, idempotency_key="key-1"), line(order(9)), HandOver(number=order(9).number, next_at=T0))


async def test_a_change_raises_the_version_and_a_stale_one_changes_nothing(store: Store) -> None:
    before = await add(store, order())
    accepted = before.model_copy(update={"state": S.ACCEPTED, "last_note": "受理"})
    after = await store.change(before, accepted, line(accepted, "accept"))
    assert (after.version, after.state) == (2, S.ACCEPTED)
    with pytest.raises(VersionConflictError):
        await store.change(before, before, line(before, "refuse"))
    assert await store.get(before.number) == after
    assert [each.what for each in await store.history(before.number)] == ["filed", "accept"]
    with pytest.raises(NotFoundError):
        await store.change(order(7), order(7), line(order(7)))


async def test_of_changes_at_the_same_moment_one_wins(store: Store) -> None:
    before = await add(store, order())
    tries = [
        store.change(before, before.model_copy(update={"last_note": str(n)}), line(before, "add")) for n in range(8)
    ]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, WorkOrderRecord) for each in done) == 1
    assert sum(isinstance(each, VersionConflictError) for each in done) == 7
    assert len(await store.history(before.number)) == 2


async def test_lists_are_narrowed_sorted_and_paged(store: Store) -> None:
    await add(store, order(1, state=S.IN_PROGRESS, department="甲", town="桂城街道", category="noise"))
    await add(store, order(2, state=S.DISPATCHED, department="乙", town="大沥镇", type=RequestType.COMPLAINT))
    await add(store, order(3, state=S.COMPLETED, department="甲", confidential=True))
    paused = Clock(started_on=date(2026, 11, 25), days=10, due_on=date(2026, 12, 1), paused_on=date(2026, 11, 26))
    await add(store, order(4, state=S.WAITING, clock=paused, merged_into="GD9", revisit_due=date(2026, 12, 1)))

    async def found(**wanted: Any) -> list[int]:
        page = await store.find(WorkOrderFilter(**{"visible_confidential": True} | wanted))
        assert page.total == len(page.orders)
        return [int(record.number[-2:]) for record in page.orders]

    assert await found() == [4, 3, 2, 1]
    assert await found(visible_confidential=False) == [4, 2, 1]
    assert await found(department="甲") == [3, 1]
    assert await found(states=frozenset({S.DISPATCHED, S.WAITING})) == [4, 2]
    assert await found(town="大沥镇") == [2]
    assert await found(category="noise") == [1]
    assert await found(type=RequestType.COMPLAINT) == [2]
    assert await found(text="第2件") == [2]
    assert await found(text="100%") == []
    assert await found(text=order(3).number) == [3]
    assert await found(due_before=date(2026, 12, 3)) == [1, 2]
    assert await found(revisit_before=date(2026, 12, 2)) == [4]
    assert await found(merged_into="GD9") == [4]
    assert await found(public_ids=frozenset({order(2).public_id, "nobody"})) == [2]
    assert await found(created_from=T0 + timedelta(minutes=3)) == [4, 3]
    assert await found(created_to=T0 + timedelta(minutes=1)) == [1]
    second = await store.find(WorkOrderFilter(visible_confidential=True), page=2, page_size=3)
    assert ([int(r.number[-2:]) for r in second.orders], second.total) == ([1], 4)


async def test_the_outbox_keeps_what_the_hub_has_not_got(store: Store) -> None:
    for n in (1, 2):
        await add(store, order(n))
    assert await store.due(T0) == []
    first, second = await store.due(T0 + timedelta(minutes=2))
    assert (first.number, second.number) == (order(1).number, order(2).number)
    later = first.model_copy(update={"attempts": 1, "next_at": T0 + timedelta(hours=1), "last_error": "hub_down"})
    await store.put_off(later)
    await store.put_off(second.model_copy(update={"refused": True}))
    assert await store.due(T0 + timedelta(minutes=30)) == []
    assert await store.due(T0 + timedelta(hours=2)) == [later]
    for _ in range(2):  # after a crash it may be done twice
        await store.filed(later.number, "GD-hub-1", line(order(1), "handed_over"))
        assert await store.done(later.number)
    assert (await store.get(later.number)).hub_number == "GD-hub-1"
    assert [each.what for each in await store.history(later.number)] == ["filed", "handed_over"]
    assert [each.number for each in await store.waiting()] == [second.number]


async def test_a_change_keeps_the_hubs_number(store: Store) -> None:
    before = await add(store, order())
    await store.filed(before.number, "GD-hub-1", line(before, "handed_over"))
    await store.change(before, before.model_copy(update={"state": S.ACCEPTED}), line(before, "accept"))
    assert (await store.get(before.number)).hub_number == "GD-hub-1"


async def test_a_move_waits_for_the_hub_until_it_was_told_in_order_and_a_note_of_the_lines_own_does_not(
    store: Store,
) -> None:
    record = await add(store, order())
    await store.filed(record.number, "GD-hub-1", line(record, "handed_over"))
    assert await store.done(record.number)
    record = await store.change(record, record, line(record, "due_soon"))
    assert await store.waiting() == []
    record = await store.change(record, record, line(record, "accept"))
    record = await store.change(record, record, line(record, "dispatch"))
    (waiting,) = await store.waiting()
    assert (waiting.number, waiting.attempts, waiting.refused) == (record.number, 0, False)
    first, second = await store.untold(record.number)
    assert (first.what, second.what) == ("accept", "dispatch")
    for _ in range(2):  # after a crash it may be told twice
        await store.told(record.number, first.seq)
    assert [each.what for each in await store.untold(record.number)] == ["dispatch"]
    assert not await store.done(record.number)
    await store.told(record.number, second.seq)
    await store.told(record.number, first.seq)  # late: nothing goes back
    assert await store.untold(record.number) == []
    assert await store.done(record.number)
    assert await store.waiting() == []


async def test_a_hub_that_takes_no_moves_leaves_none_waiting(store: Store) -> None:
    record = await add(store, order())
    await store.change(record, record, line(record, "accept"))
    assert not await store.done(record.number)
    assert await store.done(record.number, all_told=False)
    assert await store.waiting() == []


async def test_urgency_narrows_also_what_was_kept_before_it_was_a_column(store: Store) -> None:
    for n, urgency in ((1, Urgency.EMERGENCY), (2, Urgency.NORMAL)):
        await add(store, order(n, urgency=urgency))
    if isinstance(store, SqlWorkOrders):
        old = sa.update(work_orders).values(urgency=None)
        await store._runner.run(lambda connection: connection.execute(old), readonly=False)
    for _ in range(2):
        found = await store.find(WorkOrderFilter(urgency=Urgency.EMERGENCY))
        assert [each.number for each in found.orders] == [order(1).number]


async def test_what_is_not_read_yet_is_known(store: Store) -> None:
    for n in (1, 2):
        await add(store, order(n))
    await add(store, order(3, state=S.WITHDRAWN))
    assert await store.unread() == [order(1).number, order(2).number]
    read = RequestReading(town="桂城街道", place="海五路", vector=[0.6, 0.8])
    await store.put_reading(order(1).number, RequestReading(town="桂城街道"))
    await store.put_reading(order(2).number, read)
    assert await store.unread() == [order(1).number]  # read, but without a vector to compare
    found = await store.readings_since(T0)
    assert [each.number for each in found] == [order(2).number, order(1).number]
    assert found[0].reading == read
    assert await store.readings_since(T0 + timedelta(hours=1)) == []


async def test_no_line_of_the_history_is_rewritten_even_in_the_file(url: str) -> None:
    await upgrade(url)
    conversations = SqlStore(make_engine(url))
    await add(SqlWorkOrders(conversations.runner, RowSeal()), order())
    await conversations.close()
    path = async_url(url).database
    assert path is not None
    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("UPDATE work_order_history SET what = 'nothing'")


async def test_what_a_citizen_told_is_ciphertext_in_the_file_and_needs_its_key(url: str, tmp_path: Path) -> None:
    await upgrade(url)
    conversations = SqlStore(make_engine(url))
    record = order(
        1, draft=WorkOrderDraft(happened="黄姨家的灯", contact_name="何先生", contact_mobile=MOBILE), summary="路灯"
    )
    await add(SqlWorkOrders(conversations.runner, RowSeal.in_folder(tmp_path)), record)
    with pytest.raises(WrongKeyError, match=r"orders\.key"):
        await SqlWorkOrders(conversations.runner, RowSeal()).get(record.number)
    again = SqlWorkOrders(conversations.runner, RowSeal.in_folder(tmp_path))
    assert await again.get(record.number) == record
    await conversations.close()
    path = async_url(url).database
    assert path is not None
    stored = b"".join(file.read_bytes() for file in Path(path).parent.glob("hotline.db*"))
    for told in ("黄姨", "何先生", MOBILE):
        assert told.encode() not in stored
    assert (tmp_path / "orders.key").stat().st_mode & 0o777 == 0o600
