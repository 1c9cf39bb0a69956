"""Counting is the same whole or in pieces, once or twice; sums over any days equal a plain count."""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from postgres_server import STORES, url_of

from hotline.conversation import Trigger
from hotline.insight_ports import Behind, LineFacts, OrderBook, OrdersWanted
from hotline.insights import Counted, Grain, OrderFacts, Span, bucket_of
from hotline.messages import Channel, CitizenMessage, Reply, Understanding
from insights.reading import with_repeats
from storage.engine import make_engine
from storage.insight_facts import SqlLineFacts, SqlOrderBook
from storage.insight_memory import InsightMemory, MemoryLineFacts, MemoryOrderBook
from storage.insight_tables import agent_cells, cells, line_facts, rule_cells, texts, turn_facts
from storage.migrations import upgrade
from storage.ports import NewConversation, TurnOutcome
from storage.rules import hash_token
from storage.runner import Runner, make_runner
from storage.sql import SqlStore

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "insights"))
from trails import READER, T0, Trail


@pytest.fixture(params=[name for name in STORES if name != "memory"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return await url_of(request, tmp_path)


@pytest.fixture
async def runner(url: str) -> AsyncIterator[Runner]:
    made = make_runner(make_engine(url))
    yield made
    await made.close()


@pytest.fixture(params=STORES)
async def facts(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LineFacts]:
    if request.param == "memory":
        yield MemoryLineFacts(InsightMemory(), with_repeats)
        return
    runner = make_runner(make_engine(await url_of(request, tmp_path)))
    yield SqlLineFacts(runner, with_repeats)
    await runner.close()


SPRING = Span(first=date(2026, 3, 1), last=date(2026, 5, 31))


def some_talks(number: int, seed: int = 3) -> list[Counted]:
    chance = random.Random(seed)
    made = []
    for n in range(number):
        at = T0 + timedelta(hours=chance.randrange(24 * 75), seconds=n)
        caller = chance.choice([None, "a", "b", "c"])
        trail = Trail(f"c{n}", chance.choice(["web", "voice"]), caller, at)
        trail.answered(chance.choice(["桂城办证", "狮山办证", "办证"]), 2, chance.choice(["JZ02", "SB09"]))
        if chance.random() < 0.1:
            trail.ask("转人工", 8, 0.5, intent="handoff", confidence=1.0)  # and nobody queues
        if chance.random() < 0.4:
            trail.handed_over(9).add("state", 9 + chance.randrange(40), state="agent")
            trail.add("handling", 60, agent=f"坐席{n % 3}", what="took").add("agent_message", 70, text="好")
        made.append(READER.read(trail.made()))
    return made


async def contents(runner: Runner) -> list[list[tuple[Any, ...]]]:
    def work(connection: sa.Connection) -> list[list[tuple[Any, ...]]]:
        found = []
        for table in (line_facts, cells, agent_cells, turn_facts, texts, rule_cells):
            rows = connection.execute(sa.select(table).order_by(*table.primary_key.columns)).all()
            plain = [tuple(round(v, 6) + 0.0 if isinstance(v, float) else v for v in row) for row in rows]
            # A cell that was emptied again stays as a row of zeros.
            keys = len(table.primary_key.columns)
            found.append([row for row in plain if table not in (cells, rule_cells) or any(row[keys:])])
        return found

    return await runner.run(work, readonly=True)


async def test_counting_in_pieces_in_any_order_and_twice_gives_what_counting_once_gives(
    runner: Runner, tmp_path: Path
) -> None:
    talks = some_talks(120)
    shuffled = random.Random(1).sample(talks, len(talks))
    facts = SqlLineFacts(runner, with_repeats)
    for start in range(0, len(shuffled), 7):
        await facts.count(shuffled[start : start + 7])
        await facts.count(shuffled[start : start + 3])
    pieces = await contents(runner)
    at_once = f"sqlite:///{tmp_path / 'whole.db'}"
    await upgrade(at_once)
    other = make_runner(make_engine(at_once))
    try:
        await SqlLineFacts(other, with_repeats).count(talks)
        whole = await contents(other)
    finally:
        await other.close()
    assert pieces == whole
    assert any(row[6] == "person_on_demand" for row in whole[5])


async def test_a_conversation_that_goes_on_replaces_what_was_counted_of_it(facts: LineFacts) -> None:
    span = Span(first=date(2026, 3, 1), last=date(2026, 3, 31))
    trail = Trail().answered("桂城办证", 2)
    await facts.count([READER.read(trail.made())])
    assert (await facts.cells(span))[0]["contained"] == 1
    await facts.count([READER.read(trail.handed_over(9).made())])
    row = (await facts.cells(span))[0]
    assert (row["conversations"], row["contained"], row["handoffs"]) == (1, 0, 1)


SPANS = [
    (date(2026, 3, 2), date(2026, 3, 2)),
    (date(2026, 3, 1), date(2026, 3, 31)),
    (date(2026, 3, 15), date(2026, 4, 14)),
    (date(2026, 3, 15), date(2026, 5, 3)),
    (date(2026, 3, 1), date(2026, 5, 31)),
]


async def test_sums_over_any_days_equal_a_plain_count(facts: LineFacts) -> None:
    talks = some_talks(80)
    await facts.count(talks)
    groupings = itertools.product(SPANS, [(), ("town",), ("channel",)], [None, Grain.DAY, Grain.MONTH])
    for (first, last), by, grain in groupings:
        wanted: dict[tuple[Any, ...], int] = {}
        for counted in talks:
            local = (counted.facts.started_at + timedelta(hours=8)).date()
            if first <= local <= last:
                bucket = () if grain is None else (int(local.strftime("%Y%m%d" if grain is Grain.DAY else "%Y%m")),)
                key = (*(getattr(counted.facts, name) for name in by), *bucket)
                wanted[key] = wanted.get(key, 0) + 1
        rows = await facts.cells(Span(first=first, last=last), by, grain)
        labels = [*by, *(["bucket"] if grain else [])]
        found = {tuple(r[x] for x in labels): r["conversations"] for r in rows if r["conversations"]}
        assert found == wanted, (first, last, by, grain)


async def test_hours_of_the_week_over_any_days_equal_a_plain_count(facts: LineFacts) -> None:
    talks = some_talks(80)
    await facts.count(talks)
    for (first, last), channel in itertools.product(SPANS, [None, "voice"]):
        wanted: dict[int, int] = {}
        for counted in talks:
            local = counted.facts.started_at + timedelta(hours=8)
            if first <= local.date() <= last and channel in (None, counted.facts.channel):
                hour = local.weekday() * 24 + local.hour
                wanted[hour] = wanted.get(hour, 0) + 1
        rows = await facts.cells(Span(first=first, last=last, channel=channel), (), Grain.HOUR_OF_WEEK)
        assert {r["bucket"]: r["conversations"] for r in rows if r["conversations"]} == wanted


async def test_filters_hold_and_the_conversations_behind_a_figure_are_found(facts: LineFacts) -> None:
    talks = some_talks(60)
    await facts.count(talks)
    span = Span(first=date(2026, 3, 1), last=date(2026, 5, 31), town="狮山镇", channel="voice")
    wanted = {
        c.facts.conversation_id
        for c in talks
        if c.facts.town == "狮山镇" and c.facts.channel == "voice" and c.facts.measures.get("handoffs")
    }
    assert {r["conversation_id"] for r in await facts.conversations(span, "handoffs", 100)} == wanted
    either = await facts.conversations(span, "handoffs,contained", 100)
    assert wanted < {r["conversation_id"] for r in either}
    for about in (Behind(agent="坐席1"), Behind(hour_of_week=9 + 24)):
        found = {r["conversation_id"] for r in await facts.conversations(SPRING, None, 100, about=about)}
        assert found == {
            c.facts.conversation_id
            for c in talks
            if about.agent in (None, c.facts.agent)
            and about.hour_of_week in (None, bucket_of(c.facts.started_at, Grain.HOUR_OF_WEEK) % 1000)
        }
    assert (await facts.cells(span))[0]["handoffs"] == len(wanted) > 0


async def test_pages_of_conversations_behind_a_figure_follow_one_another_and_miss_none(facts: LineFacts) -> None:
    talks = some_talks(90)
    rare = Trail("rare", "voice", None, T0 + timedelta(days=3)).answered("桂城办证", 2).add("part_down", 3, part="hub")
    talks.append(READER.read(rare.made()))
    await facts.count(talks)
    town = SPRING.model_copy(update={"town": "桂城街道"})
    for span, measure, about in (
        (SPRING, None, Behind()),
        (SPRING, "parts_down", Behind()),
        (town, "parts_down,handoffs", Behind()),
        (SPRING, "bot_s", Behind(agent="坐席1")),
        (town, None, Behind(hour_of_week=9)),
        (SPRING, "emergencies", Behind()),
        (SPRING, None, Behind(agent="没有这个人")),
    ):
        wanted = sorted(
            (
                c.facts
                for c in talks
                if span.town in (None, c.facts.town)
                and (measure is None or any(c.facts.measures.get(name, 0) > 0 for name in measure.split(",")))
                and about.agent in (None, c.facts.agent)
                and about.hour_of_week in (None, bucket_of(c.facts.started_at, Grain.HOUR_OF_WEEK) % 1000)
            ),
            key=lambda f: f.started_at,
            reverse=True,
        )
        pages: list[str] = []
        while page := await facts.conversations(span, measure, 7, len(pages), about):
            pages += [row["conversation_id"] for row in page]
        assert pages == [f.conversation_id for f in wanted], (measure, about)


async def test_agents_are_told_busiest_first_or_by_day(facts: LineFacts) -> None:
    talks = some_talks(60)
    await facts.count(talks)
    span = Span(first=date(2026, 3, 1), last=date(2026, 5, 31))
    taken = [c.facts.agent for c in talks if c.facts.agent]
    rows = await facts.agents(span)
    assert {r["agent"]: r["taken"] for r in rows} == {name: taken.count(name) for name in set(taken)}
    assert [r["taken"] for r in rows] == sorted((r["taken"] for r in rows), reverse=True)
    days = await facts.agents(span, Grain.DAY)
    assert [r["bucket"] for r in days] == sorted(r["bucket"] for r in days)
    assert sum(r["taken"] for r in days) == len(taken)
    months = await facts.agents(span, Grain.MONTH)
    assert {r["bucket"] for r in months} == {r["bucket"] // 100 for r in days}
    assert sum(r["taken"] for r in months) == len(taken)
    assert sum(r["agent_s"] for r in days) == pytest.approx(sum(r["agent_s"] for r in rows))


async def test_the_trail_in_the_store_is_what_is_counted(runner: Runner, url: str) -> None:
    store = SqlStore(make_engine(url))
    facts = SqlLineFacts(runner, with_repeats)
    try:
        new = NewConversation(
            conversation_id="x", channel=Channel.REST, token_hash=hash_token("t"), external_id="s", at=T0
        )
        await store.create_conversation(new)
        message = CitizenMessage(conversation_id="x", turn_id="t1", channel=Channel.REST, text="狮山办证")
        await store.begin_turn(message, "狮山办证", T0)
        known = Understanding(intent="ask_fee", item_key="JZ02", confidence=0.8)
        outcome = TurnOutcome(replies=[Reply(text="…")], understanding=known, trigger=Trigger.HANDOFF_REQUESTED)
        await store.finish_turn("t1", outcome, T0 + timedelta(seconds=2))
        waiting = await facts.uncounted(10)
        assert [(t.conversation_id, len(t.events)) for t in waiting] == [("x", 5)]
        assert waiting[0].caller_key not in (None, "s")
        await facts.count([READER.read(t) for t in waiting])
        assert await facts.uncounted(10) == []
        await store.set_state("x", Trigger.CLOSED, datetime(2026, 3, 2, 2, tzinfo=UTC))
        assert [t.conversation_id for t in await facts.uncounted(10)] == ["x"]
        await facts.count([READER.read(t) for t in await facts.uncounted(10)])
        row = (await facts.cells(Span(first=date(2026, 3, 2), last=date(2026, 3, 2))))[0]
        assert (row["abandoned"], row["handoffs"], row["identified"]) == (1, 1, 1)
    finally:
        await store.close()


@pytest.fixture(params=STORES)
async def orders(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OrderBook]:
    if request.param == "memory":
        yield MemoryOrderBook()
        return
    runner = make_runner(make_engine(await url_of(request, tmp_path)))
    yield SqlOrderBook(runner)
    await runner.close()


async def test_work_orders_count_where_they_were_filed_and_completed(orders: OrderBook) -> None:
    book = orders
    filed = datetime(2026, 3, 2, 2, tzinfo=UTC)
    order = OrderFacts("N1", 1, "help", "桂城街道", "城管", "noise", "dispatched", filed, date(2026, 3, 16), None, None)
    late = order._replace(number="N2", due_on=date(2026, 3, 5))
    await book.count_orders([order, late])
    at = datetime(2026, 3, 10, tzinfo=UTC)
    assert await book.open_orders(at) == [{"open": 2, "overdue": 1, "due_soon": 0}]
    waits = late._replace(number="N3", state="waiting")  # for the citizen: its time stands still
    merged = late._replace(number="N4", state="merged")
    await book.count_orders([waits, merged])
    assert await book.open_orders(at) == [{"open": 3, "overdue": 1, "due_soon": 0}]
    answered = late._replace(number="N5", state="completed", stopped_on=date(2026, 3, 5), completed_at=datetime(2026, 4, 1, tzinfo=UTC))  # fmt: skip
    await book.count_orders([answered])
    april = (await book.order_cells(Span(first=date(2026, 4, 1), last=date(2026, 4, 1))))[0]
    assert (april["completed"], april["completed_in_time"]) == (1, 1)  # the answer came in time
    done = late._replace(version=2, state="completed", completed_at=datetime(2026, 4, 9, 2, tzinfo=UTC), score=1)
    await book.count_orders([done])
    await book.count_orders([done])
    march = (await book.order_cells(Span(first=date(2026, 3, 1), last=date(2026, 3, 31))))[0]
    april = (await book.order_cells(Span(first=date(2026, 4, 2), last=date(2026, 4, 30))))[0]
    assert (march["filed"], march["completed"]) == (5, 0)
    assert (april["filed"], april["completed"], april["completed_in_time"], april["order_rated_badly"]) == (0, 1, 0, 1)
    assert await book.open_orders(at) == [{"open": 2, "overdue": 0, "due_soon": 0}]


async def test_the_work_orders_behind_a_figure_are_those_it_was_counted_from(orders: OrderBook) -> None:
    at = datetime(2026, 3, 10, tzinfo=UTC)
    n1 = OrderFacts("N1", 1, "help", "桂城街道", "城管", "noise", "dispatched", datetime(2026, 3, 2, 2, tzinfo=UTC), date(2026, 3, 11), None, None)  # fmt: skip
    n2 = n1._replace(number="N2", due_on=date(2026, 3, 5), returned=True)
    done = {"state": "completed", "completed_at": datetime(2026, 3, 7, 17, tzinfo=UTC)}  # the 8th on the local clock
    n3 = n1._replace(number="N3", town="大沥镇", due_on=date(2026, 3, 7), score=2, **done)
    n4 = n1._replace(number="N4", type="complaint", due_on=date(2026, 3, 8), score=5, **done)
    n5 = n1._replace(number="N5", due_on=date(2026, 3, 7), stopped_on=date(2026, 3, 6), **done)
    n6 = n1._replace(number="N6", filed_at=datetime(2026, 3, 1, 15, 59, tzinfo=UTC), due_on=None, state="waiting")
    await orders.count_orders([n1, n2, n3, n4, n5, n6])
    march = Span(first=date(2026, 3, 2), last=date(2026, 3, 31))

    async def behind(measure: str, span: Span = march, **more: str) -> list[str]:
        return [row["number"] for row in await orders.behind(OrdersWanted(span, measure, at, **more), 50)]

    assert await behind("filed") == ["N1", "N2", "N3", "N4", "N5"]
    assert await behind("returned") == ["N2"]
    assert await behind("completed") == await behind("handling_days") == ["N3", "N4", "N5"]
    assert await behind("completed_in_time") == ["N4", "N5"]
    assert await behind("completed_late") == ["N3"]
    assert (await behind("order_ratings"), await behind("order_rated_badly")) == (["N3", "N4"], ["N3"])
    assert await behind("orders_open") == ["N2", "N1", "N6"]  # due first, first; no limit, last
    assert (await behind("orders_overdue"), await behind("orders_due_soon")) == (["N2"], ["N1"])
    assert await behind("completed", march.model_copy(update={"town": "大沥镇"})) == ["N3"]
    assert await behind("completed", type="complaint") == ["N4"]
    assert await behind("completed", Span(first=date(2026, 3, 7), last=date(2026, 3, 7))) == []
    totals = (await orders.order_cells(march))[0]
    for measure in ("filed", "returned", "completed", "completed_in_time", "order_ratings", "order_rated_badly"):
        assert totals[measure] == len(await behind(measure)), measure
    assert [row["number"] for row in await orders.behind(OrdersWanted(march, "completed_in_time", at), 1, 1)] == ["N5"]
    one = await orders.behind(OrdersWanted(number="N3"), 1)
    assert [(row["number"], row["score"], row["confidential"]) for row in one] == [("N3", 2, False)]
    with pytest.raises(ValueError, match="nothing"):
        await behind("nothing")


async def test_forgetting_a_conversation_erases_its_rows_and_words_nobody_else_said(runner: Runner, url: str) -> None:
    facts = SqlLineFacts(runner, with_repeats)
    both = [Trail("a").answered("桂城办证", 2).answered("只有我说过的办事", 9), Trail("b").answered("桂城办证", 2)]
    await facts.count([READER.read(trail.made()) for trail in both])
    store = SqlStore(make_engine(url))
    try:
        new = NewConversation(conversation_id="a", channel=Channel.WEB, token_hash=hash_token("t"), at=T0)
        await store.create_conversation(new)
        assert await store.forget("a")
    finally:
        await store.close()
    left = await contents(runner)
    assert [row[0] for row in left[0]] == ["b"]
    assert [row[1] for row in left[4]] == ["桂城办证"]
    assert (await facts.cells(Span(first=date(2026, 3, 2), last=date(2026, 3, 2))))[0]["conversations"] == 2
