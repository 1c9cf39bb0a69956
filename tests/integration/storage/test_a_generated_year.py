"""A generated year: the same each time, apart from real data, and counted as the line itself would."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from hotline.insights import DIMENSIONS, MEASURES
from hotline.messages import Channel
from hotline.privacy import mask_text
from hotline.settings import Settings
from insights.quality import RULES, check
from insights.topics.vectors import unpacked
from knowledge_base.catalogue import load_catalogue
from ops.demo.load import RealDataError, load
from ops.demo.traffic import Year
from ops.insights import Behind
from storage.engine import make_engine
from storage.insight_tables import agent_cells, cells, line_facts, order_cells, orders, texts, topic_cells, turn_facts
from storage.migrations import upgrade
from storage.ports import NewConversation
from storage.rules import hash_token
from storage.sql import SqlStore
from storage.tables import conversations, turns

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "insights"))
from fake_vectors import HashEncoder, principal_plane

LAST = date(2026, 10, 31)
# Who a caller is comes from other fields in a trail: REST's from the sender's name.
OF_CALLERS = {"people", "identified", "identified_contained", "repeated", "contained_repeated"}


def made(folder: Path, name: str = "year", seed: int = 5, turns: int = 700) -> tuple[str, dict[str, Any]]:
    url = f"sqlite:///{folder / name}.db"
    told = load(url, turns, seed, LAST, folder / f"{name}.json", progress=lambda _: None, encode=False)
    return url, told


def rows(url: str, table: sa.Table) -> list[dict[str, Any]]:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return [
                dict(r) for r in connection.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings()
            ]
    finally:
        engine.dispose()


def test_the_same_seed_makes_the_same_year_and_another_another(tmp_path: Path) -> None:
    a, told = made(tmp_path, "a")
    b, again = made(tmp_path, "b")
    c, _ = made(tmp_path, "c", seed=6)
    assert rows(a, turns) == rows(b, turns) != rows(c, turns)
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    assert {k: v for k, v in told.items() if k != "seconds"} == {k: v for k, v in again.items() if k != "seconds"}
    truth = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert len(truth["bursts"]) == 40
    assert len(truth["storms"]) == 9


def test_a_year_has_its_rhythm_and_nobodys_data(tmp_path: Path) -> None:
    url, _ = made(tmp_path, turns=2500)
    days = [row["created_at"].astimezone().date() for row in rows(url, conversations)]
    weekend = sum(day.weekday() >= 5 for day in days) / len(days)
    assert weekend < 0.25
    education = [r for r in rows(url, line_facts) if r["area"] == "education"]
    usual = 2 / 12 * len(education)
    assert sum(r["day"] // 100 in (202604, 202605) for r in education) > 1.5 * usual
    assert all(mask_text(row["text"]) == row["text"] for row in rows(url, turns))


def test_every_rule_of_the_quality_review_is_kept_by_most_and_broken_by_some() -> None:
    year = Year.of(load_catalogue(), LAST, 30_000, 5)
    broken: Counter[str] = Counter()
    judged = perfect = 0
    for talk in year.talks_in_order():
        score, findings = check(talk.trail)
        judged, perfect = judged + 1, perfect + (score == 100)
        broken.update({finding.rule for finding in findings})
    assert set(broken) == set(RULES)
    assert 0.95 < perfect / judged < 0.99


def test_a_flaw_moves_nothing_else_of_the_year(monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> list[list[str]]:
        talks = Year.of(load_catalogue(), LAST, 2500, 5).talks_in_order()
        return [[e.data["text"] for e in talk.trail.events if e.type == "citizen_message"] for talk in talks]

    flawed = said()
    monkeypatch.setattr("ops.demo.traffic.flaw_of", lambda seed, conversation: None)
    plain = said()
    assert len(flawed) == len(plain)
    assert [b for a, b in zip(flawed, plain, strict=True) if not set(b) <= set(a)] == []
    assert 0 < sum(a != b for a, b in zip(flawed, plain, strict=True)) < 0.03 * len(plain)


async def test_what_the_loader_counts_is_what_the_line_would_count_from_the_trail(tmp_path: Path) -> None:
    url, _ = await asyncio.to_thread(made, tmp_path)
    loaded = [rows(url, table) for table in (cells, agent_cells, turn_facts, texts)]

    def empty(connection: sa.Connection) -> None:
        for table in (cells, agent_cells, line_facts, turn_facts, texts):
            connection.execute(sa.delete(table))

    async with httpx.AsyncClient() as client:
        settings = Settings(_env_file=None, database_url=url)
        behind = await asyncio.to_thread(Behind.make, settings, client, HashEncoder())
        behind.keeper.layout = principal_plane
        try:
            await behind.parts.runner.run(empty, readonly=False)
            assert await behind.catch_up() == len(await asyncio.to_thread(rows, url, conversations))
            assert await behind.catch_up() == 0
            counted = [rows(url, table) for table in (cells, agent_cells, turn_facts, texts)]
            assert await behind.encode() == len(counted[3])
            await behind.keeper.whole_run(topics=8)
            assert (await behind.round())["counted"] == 0
        finally:
            await behind.close()

    assert [row[key] for row in counted[0] for key in ("grain", "bucket", *DIMENSIONS)] == [
        row[key] for row in loaded[0] for key in ("grain", "bucket", *DIMENSIONS)
    ]
    for name in sorted(set(MEASURES) - OF_CALLERS):
        # Sums of seconds are added in another order.
        assert [row[name] for row in counted[0]] == pytest.approx([row[name] for row in loaded[0]], abs=1e-4), name
    assert [[r["agent"], r["taken"]] for r in counted[1]] == [[r["agent"], r["taken"]] for r in loaded[1]]
    assert counted[2:] == loaded[2:]
    # Every turn about something has its topic, once at each grain.
    about = sum(row["text_key"] is not None for row in counted[2])
    by_grain = {g: sum(r["turns"] for r in rows(url, topic_cells) if r["grain"] == g) for g in ("hour", "day", "month")}
    assert by_grain == {"hour": about, "day": about, "month": about}
    assert unpacked([row["vector"] for row in rows(url, texts)][:3]).shape == (3, 896)


def test_work_orders_of_the_year_add_up(tmp_path: Path) -> None:
    url, _ = made(tmp_path)
    daily = [row for row in rows(url, order_cells) if row["grain"] == "day"]
    assert sum(row["filed"] for row in daily) == len(rows(url, orders))
    assert sum(row["completed"] for row in daily) == sum(row["completed_at"] is not None for row in rows(url, orders))


async def test_real_conversations_are_never_mixed_with_generated_ones(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'year.db'}"
    await upgrade(url)
    store = SqlStore(make_engine(url))
    try:
        at = datetime(2026, 3, 2, tzinfo=UTC)
        await store.create_conversation(
            NewConversation(conversation_id="real", channel=Channel.WEB, token_hash=hash_token("t"), at=at)
        )
    finally:
        await store.close()
    with pytest.raises(RealDataError):
        await asyncio.to_thread(made, tmp_path)
    assert [row["conversation_id"] for row in await asyncio.to_thread(rows, url, conversations)] == ["real"]
