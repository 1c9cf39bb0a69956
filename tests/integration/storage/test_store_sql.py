"""What the SQL store alone can show: the file outlives the process, the schema its history."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from hotline.messages import Channel, CitizenMessage
from storage import migrations
from storage.engine import async_url, make_engine
from storage.errors import StorageDownError
from storage.migrations import HEAD, upgrade
from storage.ports import NewConversation
from storage.rules import hash_token
from storage.sql import SqlStore
from storage.tables import UtcDateTime, metadata

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NEW = NewConversation(conversation_id="c1", channel=Channel.WEB, token_hash=hash_token("s"), at=NOW)


def message(turn_id: str) -> CitizenMessage:
    return CitizenMessage(conversation_id="c1", turn_id=turn_id, channel=Channel.WEB, text="你好")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / '百分 100%' / 'hotline.db'}"


async def test_kill_9_loses_no_turn_that_was_reported_stored(url: str) -> None:
    await upgrade(url)
    writer = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs in this loop
        [sys.executable, str(Path(__file__).with_name("turn_writer.py")), url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    try:
        lines = [writer.stdout.readline() for _ in range(61)]
    finally:
        writer.send_signal(signal.SIGKILL)
    lines += writer.stdout.read().splitlines(keepends=True)  # what it still reported before it died
    assert writer.wait() == -signal.SIGKILL
    reported = [line.split() for line in lines if line.endswith("\n")]
    assert len(reported) >= 61
    store = SqlStore(make_engine(url))
    try:
        stored = {turn.turn_id: turn for turn in await store.history("c1")}
        trail = await store.events_after("c1", 0, limit=100_000)
        for step, turn_id in reported:
            assert turn_id in stored
            if step == "finished":
                assert stored[turn_id].replies[0].text == f"第{turn_id[1:]}答"
        assert [event.seq for event in trail] == list(range(1, len(trail) + 1))
        assert (await store.begin_turn(message("next"), "还在", NOW)).turn_seq == len(stored) + 1
    finally:
        await store.close()


async def test_two_processes_worth_of_stores_number_turns_together(url: str) -> None:
    await upgrade(url)
    stores = [SqlStore(make_engine(url)) for _ in range(2)]
    try:
        await stores[0].create_conversation(NEW)
        begun = await asyncio.gather(*(stores[n % 2].begin_turn(message(f"t{n}"), "你好", NOW) for n in range(20)))
        assert sorted(b.turn_seq for b in begun) == list(range(1, 21))
        assert [e.seq for e in await stores[1].events_after("c1", 0)] == list(range(1, 22))
    finally:
        for store in stores:
            await store.close()


async def test_upgrading_an_empty_database_makes_the_tables_and_again_does_nothing(url: str) -> None:
    assert await upgrade(url) is True
    path = async_url(url).database
    assert path is not None
    with sqlite3.connect(path) as connection:
        before = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert await upgrade(url) is False
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == before
    assert {"conversations", "turns", "events", "alembic_version"} <= {name for name, _ in before}


async def test_an_upgrade_keeps_what_is_stored(url: str) -> None:
    await upgrade(url)
    store = SqlStore(make_engine(url))
    await store.create_conversation(NEW)
    await store.close()
    await upgrade(url)
    store = SqlStore(make_engine(url))
    try:
        assert (await store.get_conversation("c1")).created_at == NOW
    finally:
        await store.close()


async def test_two_processes_may_upgrade_at_once(url: str) -> None:
    assert sorted(await asyncio.gather(upgrade(url), upgrade(url))) in ([False, True], [True, True])
    assert await upgrade(url) is False


def test_the_newest_revision_is_the_one_upgrade_looks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def test_the_migrations_make_the_tables_the_code_uses(url: str) -> None:
    await upgrade(url)
    engine = make_engine(url)

    def differences(connection: sa.Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    def indexes(connection: sa.Connection) -> set[str]:
        found = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE type = 'index'"))
        return {" ".join(row.sql.replace('"', "").split()) for row in found if row.sql}

    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
            made = await connection.run_sync(indexes)
    finally:
        await engine.dispose()
    # compare_metadata does not look at the WHERE of partial indexes
    declared = {
        " ".join(str(CreateIndex(index).compile(dialect=engine.dialect)).split())
        for table in metadata.tables.values()
        for index in table.indexes
    }
    assert made == declared


def test_the_tables_can_be_made_on_postgresql() -> None:
    dialect = postgresql.dialect()
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    made += [str(CreateIndex(i).compile(dialect=dialect)) for t in metadata.sorted_tables for i in t.indexes]
    text = "\n".join(made)
    moments = sum(isinstance(column.type, UtcDateTime) for table in metadata.tables.values() for column in table.c)
    assert text.count("TIMESTAMP WITH TIME ZONE") == moments
    assert "WHERE state <> 'closed'" in text
    assert "WHERE answered_at IS NULL" in text


async def test_a_database_locked_by_another_is_a_named_error(url: str) -> None:
    await upgrade(url)
    store = SqlStore(make_engine(url, busy_timeout_ms=20))
    path = async_url(url).database
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    try:
        await store.create_conversation(NEW)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageDownError) as down:
            await store.begin_turn(message("t1"), "你好", NOW)
        assert "12345" in down.value.citizen_sentence
        await store.ping()  # readers go on
        other.execute("ROLLBACK")
        assert (await store.begin_turn(message("t1"), "你好", NOW)).turn_seq == 1
    finally:
        other.close()
        await store.close()


async def test_a_database_without_tables_is_not_ready(url: str) -> None:
    store = SqlStore(make_engine(url))
    try:
        with pytest.raises(StorageDownError):
            await store.ping()
    finally:
        await store.close()


async def test_no_raw_token_is_in_the_file(url: str) -> None:
    await upgrade(url)
    store = SqlStore(make_engine(url))
    token = "synthetic-token-for-this-test"
    await store.create_conversation(NEW.model_copy(update={"token_hash": hash_token(token)}))
    await store.close()
    path = async_url(url).database
    assert path is not None
    stored = b"".join(file.read_bytes() for file in Path(path).parent.iterdir())
    assert hash_token(token).encode() in stored
    assert token.encode() not in stored
