"""Texts, topics and marks: one contract, on a real database and in memory."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from postgres_server import STORES, url_of

from hotline.errors import NotFoundError
from hotline.insight_ports import Behind, KeptTopic
from hotline.insights import Grain, Span, Topic, TurnFacts
from insights.reading import with_repeats
from storage.engine import make_engine
from storage.insight_alerts import SqlAlertBook
from storage.insight_facts import SqlLineFacts, SqlOrderBook, text_key
from storage.insight_memory import (
    InsightMemory,
    MemoryAlertBook,
    MemoryLineFacts,
    MemoryMarks,
    MemoryOrderBook,
    MemoryOutbox,
    MemoryTextShelf,
    MemoryTopicShelf,
)
from storage.insight_texts import SqlMarks, SqlTextShelf, SqlTopicShelf
from storage.runner import make_runner

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "insights"))
from trails import READER, T0, Trail

MARCH = Span(first=date(2026, 3, 1), last=date(2026, 3, 31))
PERMIT, WATER = text_key("桂城居住证怎么办"), text_key("狮山停水怎么办")


@pytest.fixture(params=STORES)
async def shelves(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    """Two people of Guicheng and one of Shishan, two topics, texts with vectors."""
    runner = None
    if request.param != "memory":
        runner = make_runner(make_engine(await url_of(request, tmp_path)))
        made = SimpleNamespace(
            facts=SqlLineFacts(runner, with_repeats), texts=SqlTextShelf(runner), topics=SqlTopicShelf(runner),
            marks=SqlMarks(runner), alerts=SqlAlertBook(runner), orders=SqlOrderBook(runner),
        )  # fmt: skip
    else:
        memory = InsightMemory()
        made = SimpleNamespace(
            facts=MemoryLineFacts(memory, with_repeats), texts=MemoryTextShelf(memory), topics=MemoryTopicShelf(memory),
            marks=MemoryMarks(memory), alerts=MemoryAlertBook(memory, MemoryOutbox()), orders=MemoryOrderBook(None, memory),
        )  # fmt: skip
    talks = [
        Trail("a", caller="x").answered("桂城居住证怎么办", 1).answered("桂城居住证怎么办", 9),
        Trail("b", caller="y", at=T0 + timedelta(days=1)).answered("桂城居住证怎么办", 1),
        Trail("c", at=T0 + timedelta(hours=1)).ask("狮山停水怎么办", 1),
    ]
    talks[0].events[2].data["sources"] = [{"item_code": "x", "field": "facts.fee", "version": "2026-01"}]  # type: ignore[index]
    await made.facts.count([READER.read(talk.made()) for talk in talks])
    yield made
    if runner is not None:
        await runner.close()


async def placed(shelves: SimpleNamespace) -> None:
    waiting = await shelves.texts.unencoded(10)
    await shelves.texts.save_vectors("m", [(key, b"\0\0") for key, _ in waiting])
    await shelves.texts.assign([(PERMIT, 1, 0.1), (WATER, 2, 0.2)])
    kept = [KeptTopic(Topic(topic_id=n, name=f"话题{n}", first_seen=T0), b"\0\0\0\0") for n in (1, 2)]
    await shelves.topics.save_topics(kept)
    await shelves.topics.recount()


async def test_a_text_is_kept_once_and_waits_for_its_vector_and_topic(shelves: SimpleNamespace) -> None:
    assert {key for key, _ in await shelves.texts.unencoded(10)} == {PERMIT, WATER}
    assert len(await shelves.texts.unencoded(1)) == 1
    assert await shelves.texts.texts("m") == []
    await placed(shelves)
    assert await shelves.texts.unencoded(10) == []
    rows = {row.key: row for row in await shelves.texts.texts("m")}
    assert (rows[PERMIT].said, rows[WATER].said, rows[PERMIT].topic_id) == (3, 1, 1)
    assert await shelves.texts.texts("m", unassigned=True) == []
    assert await shelves.texts.texts("another model") == []


async def test_topics_are_counted_by_turns_and_people(shelves: SimpleNamespace) -> None:
    await placed(shelves)
    rows = await shelves.topics.topic_cells(MARCH, ("topic_id",))
    assert [(r["topic_id"], r["turns"], r["people"]) for r in rows] == [(1, 3, 2), (2, 1, 1)]
    by_town = await shelves.topics.topic_cells(MARCH, ("topic_id", "town"))
    assert {(r["topic_id"], r["town"]): r["turns"] for r in by_town} == {(1, "桂城街道"): 3, (2, "狮山镇"): 1}
    by_day = await shelves.topics.topic_cells(MARCH, ("topic_id",), Grain.DAY)
    assert {(r["topic_id"], r["bucket"]): r["turns"] for r in by_day} == {
        (1, 20260302): 2,
        (1, 20260303): 1,
        (2, 20260302): 1,
    }
    one_day = Span(first=date(2026, 3, 3), last=date(2026, 3, 3), town="桂城街道")
    assert [r["turns"] for r in await shelves.topics.topic_cells(one_day, ("topic_id",))] == [1]
    assert sorted(await shelves.alerts.hourly(2026030200, 2026030223)) == [
        (2026030209, 1, "桂城街道", 2, 1),
        (2026030210, 2, "狮山镇", 1, 1),
    ]


async def test_what_a_work_order_tells_counts_among_the_topics_and_as_nobodys_conversation(
    shelves: SimpleNamespace,
) -> None:
    told = TurnFacts("order:1", "order:1", T0, "order", "狮山镇", "", None, None, 0.0, "flow", None, "狮山停水怎么办")
    await shelves.orders.count_orders([], [told])
    await shelves.orders.count_orders([], [told])
    await placed(shelves)
    rows = await shelves.topics.topic_cells(MARCH, ("topic_id",))
    assert [(r["topic_id"], r["turns"], r["people"]) for r in rows] == [(1, 3, 2), (2, 2, 2)]
    turns = await shelves.topics.topic_turns(2, "狮山镇", T0 - timedelta(days=1), T0 + timedelta(days=1))
    assert [t["conversation_id"] for t in turns] == ["order:1", "c"]
    assert (await shelves.facts.cells(MARCH))[0]["conversations"] == 3


async def test_a_merged_topic_counts_under_the_one_that_stands_and_alone_again_when_taken_apart(
    shelves: SimpleNamespace,
) -> None:
    await placed(shelves)
    assert (await shelves.topics.edit(2, {"merged_into": 1, "given_name": "都是"})).title == "都是"
    rows = await shelves.topics.topic_cells(MARCH, ("topic_id",))
    assert [(r["topic_id"], r["turns"]) for r in rows] == [(1, 4)]
    whole = (T0 - timedelta(days=1), T0 + timedelta(days=3))
    assert len(await shelves.topics.topic_turns(1, None, *whole)) == 4
    assert {r[1] for r in await shelves.alerts.hourly(2026030200, 2026030223)} == {1}
    behind = await shelves.facts.conversations(MARCH, None, 10, about=Behind(topic_id=1))
    assert [row["conversation_id"] for row in behind] == ["b", "c", "a"]
    await shelves.topics.edit(2, {"merged_into": None})
    behind = await shelves.facts.conversations(MARCH, None, 10, about=Behind(topic_id=2))
    assert [row["conversation_id"] for row in behind] == ["c"]
    assert len(await shelves.topics.topic_cells(MARCH, ("topic_id",))) == 2
    assert [r["text"] for r in await shelves.topics.topic_turns(2, "狮山镇", *whole)] == ["狮山停水怎么办"]
    assert await shelves.topics.topic_turns(2, "桂城街道", *whole) == []
    with pytest.raises(NotFoundError):
        await shelves.topics.edit(99, {"pinned": True})
    assert [k.topic.topic_id for k in await shelves.topics.topics()] == [1, 2]


async def test_what_was_cited_is_found_by_day(shelves: SimpleNamespace) -> None:
    cited = await shelves.texts.cited("JZ02", 20260301, 10)
    assert [(c["conversation_id"], c["cited"], c["agreed_callback"]) for c in cited] == [
        ("a", "facts.fee@2026-01", False)
    ]
    assert await shelves.texts.cited("JZ02", 20260401, 10) == []


async def test_marks_are_remembered_and_replaced(shelves: SimpleNamespace) -> None:
    assert await shelves.marks.get("x") is None
    for value in ({"a": [1]}, {"b": datetime(2026, 3, 2, tzinfo=UTC).isoformat()}):
        await shelves.marks.put("x", value)
        assert await shelves.marks.get("x") == value
