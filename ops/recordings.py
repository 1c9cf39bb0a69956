"""``bin/hotline recordings``: what an operator does with recordings, beside a running line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from hotline.ports import Recording
from hotline.settings import Settings
from ops.staff import actor
from storage.audit import SqlAuditLog, audit_key
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.recordings import SqlRecordings
from storage.runner import make_runner
from voice.recording import Recordings
from voice.recording_file import RecordingContent

T = TypeVar("T")


def of_conversation(conversation_id: str) -> list[Recording]:
    """Oldest first. Raises StorageDownError."""
    return _with_recordings(lambda recordings, _: recordings.of_conversation(conversation_id))


def export_wav(recording_id: str, out: Path) -> RecordingContent:
    """Writes a WAV that its owner alone can read; the audit log knows it first.

    Raises:
        NotFoundError, RecordingDamagedError, StorageDownError, FileExistsError, OSError.
    """

    async def read(recordings: Recordings, audit: SqlAuditLog) -> RecordingContent:
        content = await recordings.read(recording_id)
        await audit.record(actor(), "recording_export", f"recording:{recording_id}")
        return content

    content = _with_recordings(read)
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content.wav())
    return content


def _with_recordings(work: Callable[[Recordings, SqlAuditLog], Awaitable[T]]) -> T:
    async def run() -> T:
        settings = Settings()
        await upgrade(settings.effective_database_url)
        runner = make_runner(make_engine(settings.effective_database_url))
        audit = SqlAuditLog(runner, audit_key(settings.effective_audit_key_file), settings.data_dir / "audit.head")
        recordings = Recordings(SqlRecordings(runner), settings)
        try:
            return await work(recordings, audit)
        finally:
            await recordings.close()
            await runner.close()

    return asyncio.run(run())
