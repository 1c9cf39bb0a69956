"""The list of recordings, in SQL and in memory: both implement hotline.ports.RecordingRegister."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hotline.errors import NotFoundError
from hotline.ports import Recording
from storage.rules import as_utc
from storage.runner import Runner
from storage.tables import recordings as T


class SqlRecordings:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def keep(self, recording: Recording) -> None:
        values = recording.model_dump() | {"turns": [turn.model_dump() for turn in recording.turns]}

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(T).where(T.c.recording_id == recording.recording_id))
            connection.execute(sa.insert(T), values)

        await self._runner.run(work, readonly=False)

    async def find(self, recording_id: str) -> Recording:
        found = await self._some(T.c.recording_id == recording_id)
        if not found:
            raise NotFoundError
        return found[0]

    async def of_conversation(self, conversation_id: str) -> list[Recording]:
        return await self._some(T.c.conversation_id == conversation_id)

    async def listed(self, started_before: datetime | None = None) -> list[Recording]:
        if started_before is None:
            return await self._some(sa.true())
        return await self._some(T.c.started_at < as_utc(started_before))

    async def remove(self, recording_id: str) -> bool:
        query = sa.delete(T).where(T.c.recording_id == recording_id)
        return await self._runner.run(lambda c: c.execute(query).rowcount > 0, readonly=False)

    async def _some(self, which: sa.ColumnElement[bool]) -> list[Recording]:
        query = sa.select(T).where(which).order_by(T.c.started_at, T.c.recording_id)
        rows = await self._runner.run(lambda c: c.execute(query).all(), readonly=True)
        return [_recording(row) for row in rows]


def _recording(row: sa.Row[Any]) -> Recording:
    return Recording.model_validate(dict(row._mapping))


class MemoryRecordings:
    def __init__(self) -> None:
        self._kept: dict[str, Recording] = {}

    async def keep(self, recording: Recording) -> None:
        self._kept[recording.recording_id] = recording.model_copy(
            update={
                "started_at": as_utc(recording.started_at),
                "ended_at": recording.ended_at and as_utc(recording.ended_at),
            }
        )

    async def find(self, recording_id: str) -> Recording:
        if recording_id not in self._kept:
            raise NotFoundError
        return self._kept[recording_id]

    async def of_conversation(self, conversation_id: str) -> list[Recording]:
        return [r for r in await self.listed() if r.conversation_id == conversation_id]

    async def listed(self, started_before: datetime | None = None) -> list[Recording]:
        limit = None if started_before is None else as_utc(started_before)
        kept = [r for r in self._kept.values() if limit is None or r.started_at < limit]
        return sorted(kept, key=lambda r: (r.started_at, r.recording_id))

    async def remove(self, recording_id: str) -> bool:
        return self._kept.pop(recording_id, None) is not None
