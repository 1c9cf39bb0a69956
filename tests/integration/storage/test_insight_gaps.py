"""Knowledge gaps in groups: one contract, on real databases and in memory; the keeper and the page on top of it."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from postgres_server import STORES, url_of

from hotline.insights import GapGroup, GapMonth, Span
from insights.gap_keeping import GapKeeper
from insights.gaps import GapFinder
from insights.reading import with_repeats
from insights.topics.vectors import Matrix, packed
from insights.topics.words import WordCutter
from storage.engine import make_engine
from storage.insight_facts import SqlLineFacts, forget_counted, text_key
from storage.insight_gaps import MemoryGapBook, SqlGapBook
from storage.insight_memory import InsightMemory, MemoryLineFacts, MemoryTextShelf
from storage.insight_texts import SqlTextShelf
from storage.runner import make_runner

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "insights"))
from fake_vectors import HashEncoder
from trails import READER, T0, Trail

CUTTER, ENCODER = WordCutter(), HashEncoder()
K = 3
SPRING = Span(first=date(2026, 3, 1), last=date(2026, 5, 31))
WATER = ["狮山停水怎么办", "狮山停水了怎么办", "停水怎么办呀"]
PETS = ["桂城宠物狗办证", "宠物狗办证呀"]
LONE = "只有一个人问的怪事怎么办"


class House:
    """The book with what fills it; ``now`` is the moment it is told."""

    def __init__(self, book: Any, facts: Any, texts: Any) -> None:
        self.book, self.facts, self.texts, self.now = book, facts, texts, datetime(2026, 3, 1, tzinfo=UTC)
        self.mean: Matrix | None = np.zeros(sum(ENCODER.blocks), dtype=np.float32)
        self.keeper = GapKeeper(book, CUTTER, ENCODER.blocks, K, self._mean, lambda: self.now)
        self.finder = GapFinder(book, K)
        self.said: list[tuple[datetime, str, str, str, str]] = []

    async def _mean(self) -> Matrix | None:
        return self.mean

    async def ask(
        self, text: str, caller: str | None, days: int = 0, channel: str = "web", encode: bool = True
    ) -> None:
        """Somebody asks what nobody understands."""
        at = T0 + timedelta(days=days, seconds=len(self.said))
        name = f"c{len(self.said)}"
        counted = READER.read(Trail(name, channel, caller, at).ask(text, 1).made())
        await self.facts.count([counted])
        self.said.append((at, counted.facts.town, channel, caller or name, text))
        if encode:
            await self.encode()

    async def encode(self) -> None:
        for key, text in await self.texts.unencoded(1000):
            await self.texts.save_vectors(ENCODER.name, [(key, packed(ENCODER.encode([text])[0]))])


@pytest.fixture(params=STORES)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    if request.param == "memory":
        memory = InsightMemory()
        yield House(MemoryGapBook(memory), MemoryLineFacts(memory, with_repeats), MemoryTextShelf(memory))
        return
    runner = make_runner(make_engine(await url_of(request, tmp_path)))
    yield House(SqlGapBook(runner), SqlLineFacts(runner, with_repeats), SqlTextShelf(runner))
    await runner.close()


async def test_a_month_is_behind_from_the_turn_that_changes_it_until_it_is_counted(house: House) -> None:
    book = house.book
    assert await book.months() == await book.stale() == []
    await house.ask(WATER[0], "a")
    [month] = await book.stale()
    assert (month.month, month.counted, month.packed, month.at) == (202603, 0, None, None)
    [turn] = await book.turns(202603)
    assert (turn.day, turn.gap, turn.town, turn.who, turn.text_key) == (20260302, "refused", "狮山镇", "a", text_key(WATER[0]))  # fmt: skip
    assert (turn.group_id, turn.encoded) == (None, True)
    counted = GapMonth(202603, month.changes, month.changes, {"gap": ["refused"]}, b"xyz", house.now)
    group = GapGroup(1, "g", "停水", ["停水"], [turn.text_key.hex()], ["JZ02"], 1, b"\0\0\0\0")
    assert await book.keep(0, [group], {turn.text_key: 1}, [counted])
    assert await book.stale() == []
    assert await book.months() == [counted]
    assert await book.months(202604) == await book.months(last=202602) == []
    assert await book.groups() == await book.groups([1, 5]) == [group]
    assert await book.groups([5]) == []
    assert (await book.turns(202603))[0].group_id == 1
    await house.ask(WATER[1], "b", encode=False)
    assert [m.month for m in await book.stale()] == [202603]
    assert (await book.months())[0].packed == b"xyz"
    assert [t.encoded for t in await book.turns(202603)] == [True, False]
    assert list(await book.vectors([turn.text_key, text_key(WATER[1])])) == [turn.text_key]
    assert await book.texts([turn.text_key, text_key("谁也没说过")]) == {turn.text_key: WATER[0]}


async def test_what_was_worked_out_from_groups_that_are_gone_is_not_kept(house: House) -> None:
    await house.ask(WATER[0], "a")
    one, two = (GapGroup(n, f"g{n}", "", [], [], [], 1, b"\0\0\0\0") for n in (1, 2))
    assert await house.book.keep(0, [one], {}, [])
    assert not await house.book.keep(0, [two], {text_key(WATER[0]): 2}, [])
    assert [g.group_id for g in await house.book.groups()] == [1]
    assert (await house.book.turns(202603))[0].group_id is None
    assert await house.book.keep(1, [two], {}, [], anew=True)
    assert [g.group_id for g in await house.book.groups()] == [2]


async def test_gaps_are_grouped_and_counted_by_people_with_every_filter(house: House) -> None:
    chance = random.Random(7)
    for text in WATER + PETS:
        for _ in range(7):
            await house.ask(text, chance.choice([None, "a", "b"]), chance.randrange(80), chance.choice(["web", "voice"]), encode=False)  # fmt: skip
    await house.encode()
    await house.ask(LONE, None)
    assert await house.keeper.refresh() == 3
    for first, last in ((date(2026, 3, 1), date(2026, 5, 31)), (date(2026, 3, 20), date(2026, 4, 19)), (date(2026, 4, 1), date(2026, 4, 30))):  # fmt: skip
        for more in ({}, {"town": "狮山镇"}, {"channel": "voice"}, {"area": ""}, {"department": "没有"}):
            span = Span.model_validate({"first": first, "last": last, **more})
            mine = [
                row
                for row in house.said
                if first <= (row[0] + timedelta(hours=8)).date() <= last
                and more.get("town") in (None, row[1])
                and more.get("channel") in (None, row[2])
                and more.get("department") is None
            ]
            told = await house.finder.gaps(span)
            assert told["turns"] == told["kinds"]["refused"]["turns"] == len(mine)
            assert (told["waiting"], told["recounting"]) == (0, 0)
            wanted = set()
            for texts in (WATER, PETS):
                of_it = [row for row in mine if row[4] in texts]
                people = len({row[3] for row in of_it})
                if people >= K:
                    wanted.add((len(of_it), people))
            assert {(gap["turns"], gap["people"]) for gap in told["gaps"]} == wanted, (first, last, more)
    told = await house.finder.gaps(SPRING)
    water, pets = sorted(told["gaps"], key=lambda gap: -gap["turns"])
    assert "停水" in water["name"]
    assert set(water["examples"]) == set(WATER)
    assert "宠物" in pets["name"]
    assert set(pets["examples"]) == set(PETS)
    assert LONE not in str(told["gaps"])


async def test_one_person_on_many_days_is_one_person_and_towns_of_few_are_not_told(house: House) -> None:
    for n in range(12):
        await house.ask(WATER[2], "a", n, encode=False)
    for caller in ("b", "c", "d"):
        await house.ask(WATER[0], caller, 1, encode=False)
    await house.encode()
    await house.keeper.refresh()
    [gap] = (await house.finder.gaps(SPRING))["gaps"]
    assert (gap["turns"], gap["people"]) == (15, 4)
    # One person in no town: what is told of Shishan would give that away.
    assert gap["towns"] == {"不明": None, "狮山镇": None}
    assert (await house.finder.gaps(SPRING.model_copy(update={"town": ""})))["gaps"] == []


async def test_new_words_join_the_group_they_are_nearest_to_or_make_their_own(house: House) -> None:
    for n in range(4):
        await house.ask(WATER[0], f"a{n}", encode=False)
    await house.encode()
    await house.keeper.refresh()
    [before] = (await house.finder.gaps(SPRING))["gaps"]
    house.now += timedelta(hours=1)
    await house.ask(WATER[1], "new", 1)
    for n in range(3):
        await house.ask(PETS[0], f"b{n}", 1)
    stale = await house.finder.gaps(SPRING)
    assert stale["as_of"] == "2026-03-01T00:00:00+00:00"
    assert [gap["turns"] for gap in stale["gaps"]] == [4]
    assert await house.keeper.refresh() == 1
    assert await house.keeper.refresh() == 0
    told = await house.finder.gaps(SPRING)
    assert told["as_of"] == "2026-03-01T01:00:00+00:00"
    assert [(gap["turns"], gap["people"]) for gap in told["gaps"]] == [(5, 5), (3, 3)]
    assert told["gaps"][0]["gap_id"] == before["gap_id"]
    # Nobody named the new one yet: it is called as it was said.
    assert told["gaps"][1]["name"] == PETS[0]
    assert await house.keeper.regroup() == 1
    again = await house.finder.gaps(SPRING)
    assert [(gap["turns"], gap["people"]) for gap in again["gaps"]] == [(5, 5), (3, 3)]
    assert again["gaps"][1]["words"] != []


async def test_what_has_no_vector_or_no_space_yet_waits_and_is_taken_up_later(house: House) -> None:
    house.mean = None
    for n in range(4):
        await house.ask(WATER[0], f"a{n}", encode=False)
    await house.keeper.refresh()
    told = await house.finder.gaps(SPRING)
    assert (told["turns"], told["waiting"], told["gaps"]) == (4, 4, [])
    house.mean = np.zeros(sum(ENCODER.blocks), dtype=np.float32)
    await house.keeper.refresh()
    assert (await house.finder.gaps(SPRING))["waiting"] == 4
    await house.encode()
    await house.keeper.refresh()
    told = await house.finder.gaps(SPRING)
    assert (told["waiting"], len(told["gaps"])) == (0, 1)
    assert await house.keeper.refresh() == 0


async def test_a_text_that_returns_after_its_group_is_gone_is_placed_anew(house: House) -> None:
    for n in range(3):
        await house.ask(WATER[0], f"a{n}", encode=False)
    await house.encode()
    await house.keeper.refresh()
    other = GapGroup(9, "g9", "", [], [], [], 1, np.zeros(384, dtype=np.float32).tobytes())
    assert await house.book.keep(max(g.group_id for g in await house.book.groups()), [other], {}, [], anew=True)
    await house.ask(WATER[0], "a3")
    await house.keeper.refresh()
    assert [gap["people"] for gap in (await house.finder.gaps(SPRING))["gaps"]] == [4]


@pytest.mark.parametrize("kind", [name for name in STORES if name != "memory"])
async def test_what_is_erased_is_at_once_in_no_month_and_no_example(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    runner = make_runner(make_engine(await url_of(SimpleNamespace(param=kind, getfixturevalue=request.getfixturevalue), tmp_path)))  # type: ignore[arg-type]  # fmt: skip
    house = House(SqlGapBook(runner), SqlLineFacts(runner, with_repeats), SqlTextShelf(runner))
    try:
        for n in range(4):
            await house.ask(WATER[n % 2], f"a{n}", encode=False)
        await house.encode()
        await house.keeper.refresh()
        assert Counter((await house.finder.gaps(SPRING))["gaps"][0]["examples"]) == Counter(WATER[:2])
        await runner.run(lambda connection: forget_counted(connection, ["c1", "c3"]), readonly=False)
        told = await house.finder.gaps(SPRING)
        assert (told["turns"], told["recounting"], told["gaps"]) == (0, 1, [])
        await house.ask(WATER[0], "more")
        await house.keeper.refresh()
        told = await house.finder.gaps(SPRING)
        assert (told["turns"], told["recounting"]) == (3, 0)
        assert told["gaps"][0]["examples"] == [WATER[0]]
    finally:
        await runner.close()
