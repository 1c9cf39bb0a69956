"""The reference hub's tables in one SQLite file.

Every change is one transaction that takes the write lock at its start, so two attempts at the
same case cannot both be the second one, and a killed process leaves nothing half done.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, ForeignKey, create_engine, delete, event, insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from data_hub.signing import WINDOW_S


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON}  # noqa: RUF012 (SQLAlchemy reads it from the class)


class MetaRow(Base):
    __tablename__ = "meta"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class ItemRow(Base):
    """``body`` is the service as hub JSON, ``words`` what ``query`` looks in."""

    __tablename__ = "service_items"
    code: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    area: Mapped[str] = mapped_column(index=True)
    words: Mapped[str]
    body: Mapped[dict[str, Any]]


class HallRow(Base):
    __tablename__ = "service_halls"
    code: Mapped[str] = mapped_column(primary_key=True)
    town: Mapped[str] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]


class CaseRow(Base):
    """``body`` is the case as hub JSON with the name masked; proofs are digests. Times in epoch seconds."""

    __tablename__ = "cases"
    number: Mapped[str] = mapped_column(primary_key=True)
    query_code: Mapped[str] = mapped_column(unique=True)
    body: Mapped[dict[str, Any]]
    salt: Mapped[str]
    proofs: Mapped[dict[str, Any]]
    version: Mapped[int]
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[float | None]


class VerificationRow(Base):
    """``id_hash``: SHA-256 of the verification's number, which opens the case while it is valid."""

    __tablename__ = "verifications"
    id_hash: Mapped[str] = mapped_column(primary_key=True)
    case_number: Mapped[str] = mapped_column(ForeignKey("cases.number"), index=True)
    proofs: Mapped[dict[str, Any]]
    touched_at: Mapped[float] = mapped_column(index=True)
    verified_until: Mapped[float | None]


class NonceRow(Base):
    __tablename__ = "nonces"
    nonce: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(index=True)


class RecordRow(Base):
    """A work order or an appointment. ``slot`` counts appointments of one hall, day and period."""

    __tablename__ = "records"
    number: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    request_hash: Mapped[str]
    slot: Mapped[str] = mapped_column(default="", index=True)
    state: Mapped[str]
    created_at: Mapped[float] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]


class KeyMismatchError(Exception):
    """The key file does not belong to this database: nobody could prove who they are."""


class Store:
    """The database file, and beside it ``<name>.key`` with the key of the proof digests."""

    def __init__(self, database_path: Path) -> None:
        database_path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(
            f"sqlite:///{database_path}", connect_args={"check_same_thread": False, "timeout": 5}
        )

        @event.listens_for(self._engine, "connect")
        def _prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # BEGIN is ours, see below
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA foreign_keys=ON")

        @event.listens_for(self._engine, "begin")
        def _begin(connection: Any) -> None:
            writing = connection.get_execution_options().get("writing", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

        self._writing = self._engine.execution_options(writing=True)
        with self.write() as session:
            Base.metadata.create_all(session.connection())
        self.key = self._load_key(database_path.with_suffix(".key"))

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self._engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back by any error."""
        with Session(self._writing) as session, session.begin():
            session.connection()  # take the write lock before anything is read
            yield session

    def ping(self) -> None:
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def remember(self, nonce: str, now: datetime) -> bool:
        """``data_hub.signing.NonceMemory``, kept over a restart."""
        at = now.timestamp()
        try:
            with self.write() as session:
                session.execute(delete(NonceRow).where(NonceRow.at < at - 2 * WINDOW_S))
                session.execute(insert(NonceRow).values(nonce=nonce, at=at))
        except IntegrityError:
            return False
        return True

    def close(self) -> None:
        self._engine.dispose()

    def _load_key(self, path: Path) -> bytes:
        with self.write() as session:
            marker = session.get(MetaRow, "key_marker")
            if marker is None:
                key = secrets.token_bytes(32)
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(key)
                session.add(MetaRow(name="key_marker", value=_marker(key)))
                return key
            key = path.read_bytes() if path.exists() else b""
            if marker.value != _marker(key):
                raise KeyMismatchError(f"{path.name} 与数据库不配套，请从备份恢复，或删除数据库重新建立。")
            return key


def _marker(key: bytes) -> str:

    return hashlib.sha256(b"marker" + key).hexdigest()


def epoch(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
