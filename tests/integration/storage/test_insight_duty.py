"""Agents' time at the desk is counted once, whenever and however often it is counted: on a database and in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from postgres_server import STORES, url_of

from hotline.desk import AgentProfile, AgentTrigger
from hotline.insight_ports import DutyBook
from hotline.insights import DutyEvent, Grain, Span
from insights.duty import duty_seconds
from storage.desk import StoredDesk
from storage.engine import make_engine
from storage.insight_duty import MemoryDutyBook, SqlDutyBook
from storage.runner import make_runner
from storage.sql import SqlStore
from tests.unit.insights.trails import T0

Move = Callable[[str, AgentTrigger | None, float], Awaitable[None]]
MARCH = Span(first=date(2026, 3, 1), last=date(2026, 3, 31))
STATES = {AgentTrigger.READY: "ready", AgentTrigger.PAUSE: "paused", AgentTrigger.SIGNED_OUT: "offline"}


@pytest.fixture(params=STORES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[DutyBook, Move]]:
    """The book, and a way to move an agent at a minute (no trigger: signs in)."""
    if request.param == "memory":
        memory = MemoryDutyBook(duty_seconds)

        async def tell(agent: str, trigger: AgentTrigger | None, minute: float) -> None:
            state = STATES[trigger] if trigger else "paused"
            memory.events.append(DutyEvent(agent, state, T0 + timedelta(minutes=minute)))

        yield memory, tell
        return
    url = await url_of(request, tmp_path)
    store = SqlStore(make_engine(url))
    runner, books = make_runner(make_engine(url)), StoredDesk(store)

    async def move(agent: str, trigger: AgentTrigger | None, minute: float) -> None:
        at = T0 + timedelta(minutes=minute)
        if trigger is None:
            await books.sign_in(AgentProfile(username="u", display_name=agent), at)
        else:
            await books.move_agent("u", trigger, at)

    yield SqlDutyBook(runner, duty_seconds), move
    await runner.close()
    await store.close()


async def test_time_is_counted_up_to_now_and_not_twice(desk: tuple[DutyBook, Move]) -> None:
    book, move = desk
    await move("梅", None, 0)
    await move("梅", AgentTrigger.READY, 10)
    assert await book.count_duty(T0 + timedelta(minutes=15)) == 2
    assert await book.count_duty(T0 + timedelta(minutes=15)) == 0
    await book.count_duty(T0 + timedelta(minutes=30))
    await move("梅", AgentTrigger.PAUSE, 40)
    await move("梅", AgentTrigger.SIGNED_OUT, 50)
    await book.count_duty(T0 + timedelta(hours=9))
    [row] = await book.duty(MARCH)
    assert (row["agent"], row["ready_s"], row["paused_s"], row["busy_s"]) == ("梅", 1800, 1200, 0)
    assert [(r["bucket"], r["ready_s"]) for r in await book.duty(MARCH, Grain.DAY)] == [(20260302, 1800)]
    assert [(r["bucket"], r["ready_s"]) for r in await book.duty(MARCH, Grain.MONTH)] == [(202603, 1800)]
    assert await book.duty(Span(first=date(2026, 4, 1), last=date(2026, 4, 2))) == []
