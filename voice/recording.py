"""Recordings of calls: begun, finished, refused, found again, and deleted when their time is over.

The register (hotline.ports) is the truth: a file that is not in it goes at the next sweep, so
whoever erases a conversation from the store erases its recordings too.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hotline.errors import HotlineError, RecordingDamagedError
from hotline.ports import RecordedTurn, Recording, RecordingRegister
from hotline.settings import Settings
from voice.audio import Samples
from voice.recording_file import RecordingContent, RecordingWriter, read_recording, recording_key
from voice.tape import Tape

log = logging.getLogger(__name__)

FOLDER = "recordings"
_SUFFIX = ".nhrec"
_LEAST_FREE_BYTES = 300 << 20
_MOST_WAITING = 30  # pieces: a disk that is half a minute behind will not catch up
_LONGEST_S = 4 * 3600.0
_DAY_S = 24 * 3600.0


class CallRecording:
    """One call's recording while it is made. ``tape`` is what the session writes to."""

    def __init__(
        self,
        recording: Recording,
        writer: RecordingWriter,
        register: RecordingRegister,
        thread: ThreadPoolExecutor,
        now: Callable[[], datetime],
    ) -> None:
        self.recording = recording
        self._writer = writer
        self._register = register
        self._thread = thread
        self._now = now
        self._turns: list[RecordedTurn] = []
        self._waiting: set[Future[None]] = set()
        self._stopped = False  # nothing more is kept
        self._closed = False  # finished or erased
        self.tape = Tape(recording.sample_rate, self._piece, self._turn)

    @property
    def active(self) -> bool:
        """Sound is being kept."""
        return not self._stopped

    def _piece(self, caller: Samples, line: Samples) -> None:
        self._write(lambda: self._writer.sound(caller, line))

    def _turn(self, turn: RecordedTurn) -> None:
        if not self._stopped:
            self._turns.append(turn)
            self._write(lambda: self._writer.turn(turn))

    def _write(self, work: Callable[[], None]) -> None:
        if self._stopped:
            return
        if len(self._waiting) >= _MOST_WAITING or self._writer.seconds > _LONGEST_S:
            log.error("录音停止：%s", "磁盘跟不上" if self._writer.seconds <= _LONGEST_S else "通话太长")
            self._stopped = True
            return
        future = self._thread.submit(work)
        self._waiting.add(future)
        future.add_done_callback(self._written)

    def _written(self, future: Future[None]) -> None:
        self._waiting.discard(future)
        if not future.cancelled() and (problem := future.exception()) is not None:
            log.error("录音写不进磁盘，停止录音：%s", type(problem).__name__)
            self._stopped = True

    async def finish(self) -> None:
        """The call has ended: the rest is written and the register told. Harmless after ``erase``.

        Raises:
            StorageDownError: the register could not be told; the next start will.
        """
        if self._closed:
            return
        self._closed = True
        self.tape.finish()
        self._stopped = True
        try:
            size = await asyncio.wrap_future(self._thread.submit(self._writer.end))
        except OSError as problem:
            log.error("录音没有写完：%s", type(problem).__name__)
            size = 0
        update = {
            "ended_at": self._now(),
            "seconds": round(self._writer.seconds, 2),
            "size_bytes": size,
            "turns": tuple(self._turns),
        }
        await self._register.keep(self.recording.model_copy(update=update))

    async def erase(self) -> None:
        """The caller refuses: what was recorded is deleted, and nothing more is.

        Raises:
            OSError, StorageDownError: it could not be deleted (and nothing more is recorded).
        """
        self._stopped = True
        if self._closed:
            return
        self._closed = True
        # The register first: a file that is not in it is gone by the next sweep at the latest.
        await self._register.remove(self.recording.recording_id)
        await asyncio.wrap_future(self._thread.submit(self._writer.discard))


class Recordings:
    """All recordings of this line.

    Args:
        register: the list of them.
        settings: DATA_DIR, RECORDING, RECORDING_DAYS, RECORDING_MAX_MB.
    """

    def __init__(
        self,
        register: RecordingRegister,
        settings: Settings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._register = register
        self._on = settings.recording
        self._kept_for = timedelta(days=settings.recording_days)
        self._max_bytes = settings.recording_max_mb << 20
        self._data_dir = settings.data_dir
        self._folder = settings.data_dir / FOLDER
        self._now = now
        self._open: dict[str, CallRecording] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self._key: bytes | None = None

    def _file(self, recording_id: str) -> Path:
        return self._folder / f"{recording_id}{_SUFFIX}"

    def _opened_key(self) -> bytes:
        if self._key is None:
            self._key = recording_key(self._data_dir)
        return self._key

    async def begin(self, conversation_id: str, call_id: str, sample_rate: int) -> CallRecording | None:
        """A recording of a call; None where recording is off or cannot be done (the call goes on,
        and its greeting does not say that it is recorded)."""
        if not self._on:
            return None
        recording = Recording(
            recording_id=uuid.uuid4().hex,
            conversation_id=conversation_id,
            call_id=call_id,
            sample_rate=sample_rate,
            started_at=self._now(),
        )
        try:
            await self._register.keep(recording)
            writer = await asyncio.wrap_future(self._thread.submit(self._create, recording))
        except (OSError, ValueError, HotlineError) as problem:
            log.error("这通电话不能录音：%s", problem if isinstance(problem, _NoRoomError) else type(problem).__name__)
            return None
        made = CallRecording(recording, writer, self._register, self._thread, self._now)
        self._open[recording.recording_id] = made
        return made

    def _create(self, recording: Recording) -> RecordingWriter:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(self._folder).free < _LEAST_FREE_BYTES:
            raise _NoRoomError("磁盘快满了")
        path = self._file(recording.recording_id)
        return RecordingWriter(path, self._opened_key(), recording.recording_id, recording.sample_rate)

    async def end(self, recording: CallRecording) -> None:
        """After the call, however it ended. Never raises: what is missing in the register is made
        good at the next sweep."""
        try:
            await recording.finish()
        except HotlineError as problem:
            log.error("录音没有登记：%s", problem.code)
        finally:
            self._open.pop(recording.recording.recording_id, None)

    async def of_conversation(self, conversation_id: str) -> list[Recording]:
        """Oldest first."""
        return await self._register.of_conversation(conversation_id)

    async def read(self, recording_id: str) -> RecordingContent:
        """Raises NotFoundError, RecordingDamagedError."""
        await self._register.find(recording_id)
        try:
            return await asyncio.to_thread(read_recording, self._file(recording_id), self._opened_key())
        except (OSError, ValueError) as problem:
            raise RecordingDamagedError from problem

    async def forget(self, conversation_id: str) -> int:
        """Deletes the recordings of a conversation; returns how many."""
        found = await self._register.of_conversation(conversation_id)
        for recording in found:
            await self._delete(recording.recording_id)
        return len(found)

    async def sweep(self) -> int:
        """Deletes what is too old, too much or unknown, and puts right what a crash left open.
        Returns how many recordings were deleted."""
        gone = await self._register.listed(started_before=self._now() - self._kept_for)
        for recording in gone:
            await self._delete(recording.recording_id)
        kept, sizes = await self._register.listed(), await asyncio.to_thread(self._sizes)
        known = {recording.recording_id for recording in kept}
        for recording_id in sizes.keys() - known:
            await asyncio.to_thread(self._file(recording_id).unlink, missing_ok=True)
        total = sum(size for recording_id, size in sizes.items() if recording_id in known)
        for recording in kept:
            if recording.recording_id in self._open:
                continue
            if recording.recording_id not in sizes:
                await self._register.remove(recording.recording_id)
            elif total > self._max_bytes:
                log.warning("录音超过 %d MB，删去最早的一段", self._max_bytes >> 20)
                total -= sizes[recording.recording_id]
                await self._delete(recording.recording_id)
                gone.append(recording)
            elif recording.ended_at is None:
                await self._put_right(recording, sizes[recording.recording_id])
        return len(gone)

    def _sizes(self) -> dict[str, int]:
        if not self._folder.is_dir():
            return {}
        return {file.name.removesuffix(_SUFFIX): file.stat().st_size for file in self._folder.glob(f"*{_SUFFIX}")}

    async def _put_right(self, recording: Recording, size: int) -> None:
        """The process died during the call: the register learns what there is."""
        try:
            content = await self.read(recording.recording_id)
        except RecordingDamagedError:
            log.warning("一段录音读不出，到期再删")
            content = RecordingContent(recording.sample_rate)
        ended = recording.started_at + timedelta(seconds=content.seconds)
        update = {
            "ended_at": ended,
            "seconds": round(content.seconds, 2),
            "size_bytes": size,
            "turns": tuple(content.turns),
        }
        await self._register.keep(recording.model_copy(update=update))

    async def _delete(self, recording_id: str) -> None:
        await asyncio.to_thread(self._file(recording_id).unlink, missing_ok=True)
        await self._register.remove(recording_id)

    async def sweep_daily(self) -> None:
        """At once, and every day; until cancelled."""
        while True:
            try:
                await self.sweep()
            except (OSError, HotlineError) as problem:
                log.error("录音没有清理：%s；明天再试", type(problem).__name__)
            await asyncio.sleep(_DAY_S)

    async def close(self) -> None:
        for recording in list(self._open.values()):
            await self.end(recording)
        self._thread.shutdown(wait=True)


class _NoRoomError(OSError):
    pass
