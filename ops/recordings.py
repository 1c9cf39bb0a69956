"""``bin/hotline recordings``: what an operator does with recordings, beside a running line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from hotline.ports import Recording
from hotline.settings import Settings
from storage.engine import make_engine
from storage.recordings import SqlRecordings
from storage.runner import make_runner
from voice.recording import Recordings
from voice.recording_file import RecordingContent

T = TypeVar("T")


def of_conversation(conversation_id: str) -> list[Recording]:
    """Oldest first. Raises StorageDownError."""
    return _with_recordings(lambda recordings: recordings.of_conversation(conversation_id))


def export_wav(recording_id: str, out: Path) -> RecordingContent:
    """Writes a WAV that its owner alone can read.

    Raises:
        NotFoundError, RecordingDamagedError, StorageDownError, FileExistsError, OSError.
    """
    content = _with_recordings(lambda recordings: recordings.read(recording_id))
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content.wav())
    return content


def _with_recordings(work: Callable[[Recordings], Awaitable[T]]) -> T:
    async def run() -> T:
        settings = Settings()
        runner = make_runner(make_engine(settings.effective_database_url))
        recordings = Recordings(SqlRecordings(runner), settings)
        try:
            return await work(recordings)
        finally:
            await recordings.close()
            await runner.close()

    return asyncio.run(run())
