"""One contract, both registers of recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres_server import STORES, url_of

from hotline.errors import NotFoundError
from hotline.messages import Channel
from hotline.ports import RecordedTurn, Recording, RecordingRegister
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.ports import NewConversation
from storage.recordings import MemoryRecordings, SqlRecordings
from storage.rules import hash_token
from storage.sql import SqlStore

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    url = f"sqlite:///{tmp_path / 'hotline.db'}"
    await upgrade(url)
    made = SqlStore(make_engine(url))
    yield made
    await made.close()


@pytest.fixture(params=STORES)
async def register(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RecordingRegister]:
    if request.param == "memory":
        yield MemoryRecordings()
        return
    made = SqlStore(make_engine(await url_of(request, tmp_path)))
    yield SqlRecordings(made.runner)
    await made.close()


def recording(name: str = "r1", conversation: str = "c1", days: int = 0) -> Recording:
    return Recording(
        recording_id=name,
        conversation_id=conversation,
        call_id="k",
        sample_rate=8000,
        started_at=T0 + timedelta(days=days),
    )


async def test_a_recording_comes_back_as_it_was_kept(register: RecordingRegister) -> None:
    await register.keep(recording())
    assert await register.find("r1") == recording()
    whole = recording().model_copy(
        update={
            "ended_at": T0 + timedelta(seconds=61.5),
            "seconds": 61.5,
            "size_bytes": 5_000_000_000,
            "turns": (RecordedTurn(turn_id="t1", who="caller", begun_s=1.5, ended_s=2.25),),
        }
    )
    await register.keep(whole)
    assert await register.find("r1") == whole
    assert await register.listed() == [whole]


async def test_times_come_back_in_utc(register: RecordingRegister) -> None:
    east = datetime.fromisoformat("2026-03-02T09:00:00+08:00")
    await register.keep(recording().model_copy(update={"started_at": east}))
    found = await register.find("r1")
    assert found.started_at == T0
    assert found.started_at.utcoffset() == timedelta(0)


async def test_they_are_listed_oldest_first_and_by_conversation(register: RecordingRegister) -> None:
    for name, conversation, days in (("r3", "c1", 3), ("r1", "c1", 1), ("r2", "c2", 2)):
        await register.keep(recording(name, conversation, days))
    assert [r.recording_id for r in await register.listed()] == ["r1", "r2", "r3"]
    assert [r.recording_id for r in await register.listed(T0 + timedelta(days=3))] == ["r1", "r2"]
    assert [r.recording_id for r in await register.of_conversation("c1")] == ["r1", "r3"]
    assert await register.of_conversation("nobody") == []


async def test_what_is_removed_is_not_found(register: RecordingRegister) -> None:
    await register.keep(recording())
    assert await register.remove("r1") is True
    assert await register.remove("r1") is False
    with pytest.raises(NotFoundError):
        await register.find("r1")


async def test_erasing_a_conversation_from_the_store_takes_its_recordings_off_the_register(store: SqlStore) -> None:
    register = SqlRecordings(store.runner)
    for name in ("c1", "c2"):
        await store.create_conversation(
            NewConversation(conversation_id=name, channel=Channel.VOICE, token_hash=hash_token("x"), at=T0)
        )
        await register.keep(recording(f"r-{name}", name))
    assert await store.forget("c1")
    assert [r.recording_id for r in await register.listed()] == ["r-c2"]
    assert await store.purge_before(T0 + timedelta(days=1)) == 1
    assert await register.listed() == []
