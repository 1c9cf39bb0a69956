"""The audit log in a database or in memory, its key, and the file that remembers how far it came."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hotline.audit import AuditEntry, AuditFault, AuditFindings, ChainCheck, Head, new_entry
from hotline.secret_file import secret_of
from storage.errors import StorageDownError
from storage.runner import Runner
from storage.tables import audit_entries as T

_PAGE = 1000
_HEAD_MISSING = "audit.head 没有了或读不出来，不能证明末尾的记录没有被删。请从备份取回，或用 --head 给出另存的校验值"


def audit_key(file: Path) -> bytes:
    """The key of the chain; made at first use, readable by its owner alone."""
    return secret_of(file)


class HeadFile:
    """The last entry known, outside the database: what is cut off the log's end shows against it.

    Written after the entry is stored, so it may lag behind the log (a process killed in between)
    and never runs ahead of it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Head | None:
        """Raises ValueError where the file was made unreadable."""
        try:
            return Head.read(self._file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def advance(self, head: Head) -> None:
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with suppress(ValueError):
                known = self.read()
                if known is not None and known.seq >= head.seq:
                    return
            draft = self._file.with_suffix(".new")
            draft.write_text(f"{head}\n", encoding="ascii")
            draft.replace(self._file)


class SqlAuditLog:
    """Implements :class:`hotline.ports.AuditLog`. Entries of several processes queue for the table."""

    def __init__(self, runner: Runner, key: bytes, head_file: Path) -> None:
        self._runner = runner
        self._key = key
        self._heads = HeadFile(head_file)

    async def record(self, actor: str, action: str, subject: str, data: Mapping[str, Any] | None = None) -> AuditEntry:
        def work(connection: sa.Connection) -> AuditEntry:
            if connection.dialect.name == "postgresql":  # SQLite's writers are alone anyway (BEGIN IMMEDIATE)
                connection.execute(sa.text("LOCK TABLE audit_entries IN EXCLUSIVE MODE"))
            row = connection.execute(sa.select(T).order_by(T.c.seq.desc()).limit(1)).one_or_none()
            previous = None if row is None else _entry(row)
            entry = new_entry(previous, self._key, datetime.now(UTC), actor, action, subject, data)
            connection.execute(sa.insert(T), entry.model_dump())
            return entry

        entry = await self._runner.run(work, readonly=False)
        try:
            await asyncio.to_thread(self._heads.advance, Head(seq=entry.seq, hash=entry.hash))
        except OSError as error:
            raise StorageDownError(f"审计记录的校验值写不进数据目录：{type(error).__name__}") from error
        return entry

    async def entries(self, after: int = 0, limit: int = 200) -> list[AuditEntry]:
        query = sa.select(T).where(T.c.seq > after).order_by(T.c.seq).limit(limit)
        rows = await self._runner.run(lambda c: c.execute(query).all(), readonly=True)
        return [_entry(row) for row in rows]

    async def head(self) -> Head | None:
        query = sa.select(T.c.seq, T.c.hash).order_by(T.c.seq.desc()).limit(1)
        row = await self._runner.run(lambda c: c.execute(query).one_or_none(), readonly=True)
        return None if row is None else Head(seq=row.seq, hash=row.hash)

    async def verify(self, known: Head | None = None) -> AuditFindings:
        # Read before the walk: what is appended meanwhile can only be behind it.
        try:
            kept, lost = await asyncio.to_thread(self._heads.read), False
        except ValueError:
            kept, lost = None, True
        findings = await _verified(self, self._key, [h for h in (kept, known) if h])
        if lost or (kept is None and known is None and findings.head is not None):
            fault = AuditFault(seq=findings.entries, kind="head_missing", detail=_HEAD_MISSING)
            return findings.model_copy(update={"faults": [*findings.faults, fault]})
        return findings


class MemoryAuditLog:
    """Implements :class:`hotline.ports.AuditLog`. Gone with the process."""

    def __init__(self, key: bytes = b"memory") -> None:
        self._key = key
        self._entries: list[AuditEntry] = []

    async def record(self, actor: str, action: str, subject: str, data: Mapping[str, Any] | None = None) -> AuditEntry:
        previous = self._entries[-1] if self._entries else None
        entry = new_entry(previous, self._key, datetime.now(UTC), actor, action, subject, data)
        self._entries.append(entry)
        return entry.model_copy(deep=True)

    async def entries(self, after: int = 0, limit: int = 200) -> list[AuditEntry]:
        return [e.model_copy(deep=True) for e in self._entries if e.seq > after][:limit]

    async def head(self) -> Head | None:
        return Head(seq=self._entries[-1].seq, hash=self._entries[-1].hash) if self._entries else None

    async def verify(self, known: Head | None = None) -> AuditFindings:
        return await _verified(self, self._key, [known] if known else [])


async def _verified(log: SqlAuditLog | MemoryAuditLog, key: bytes, heads: list[Head]) -> AuditFindings:
    check, after = ChainCheck(key, heads), 0
    while page := await log.entries(after, _PAGE):
        for entry in page:
            check.look(entry)
        after = page[-1].seq
    return check.findings()


def _entry(row: sa.Row[Any]) -> AuditEntry:
    return AuditEntry.model_validate(dict(row._mapping))
