"""Makes the engine. SQLite by default, PostgreSQL by URL; nothing connects at import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

READONLY = "storage_readonly"
"""Execution option: the transaction only reads, so on SQLite it takes no write lock."""

_BUSY_TIMEOUT = "storage_busy_timeout_ms"
_COMMON: dict[str, Any] = {
    "json_serializer": json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode,
    "hide_parameters": True,  # what citizens said stays out of error messages, and so out of logs
}
_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


def async_url(database_url: str) -> URL:
    """``database_url`` with an asynchronous driver (``postgresql://`` → asyncpg).

    Raises:
        ValueError: SQLite in memory, of which every connection has its own: use MemoryStore.
    """
    url = make_url(database_url)
    url = url.set(drivername=_ASYNC_DRIVERS.get(url.drivername, url.drivername))
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("SQLite in memory is not supported; use storage.memory.MemoryStore")
    return url


def make_engine(database_url: str, busy_timeout_ms: int = 5000) -> AsyncEngine:
    """An engine with a few connections. ``busy_timeout_ms``: how long SQLite waits for a lock
    that another process holds (in this process writers queue before they ask)."""
    url = async_url(database_url)
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=5, pool_pre_ping=True, **_COMMON)
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, pool_size=4, max_overflow=0, **_COMMON)
    engine.sync_engine.update_execution_options(**{_BUSY_TIMEOUT: busy_timeout_ms})
    _prepare_sqlite(engine.sync_engine, busy_timeout_ms)
    return engine


def blocking_twin(engine: AsyncEngine) -> sa.Engine:
    """A blocking engine on the same SQLite file, for worker threads (storage.runner says why)."""
    twin = sa.create_engine(
        engine.url.set(drivername="sqlite"),
        pool_size=3,
        max_overflow=0,
        connect_args={"check_same_thread": False},
        **_COMMON,
    )
    _prepare_sqlite(twin, engine.get_execution_options()[_BUSY_TIMEOUT])
    return twin


def _prepare_sqlite(engine: sa.Engine, busy_timeout_ms: int) -> None:
    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(busy_timeout_ms)}")
        cursor.execute("PRAGMA journal_mode=WAL")
        # NORMAL: a commit is in the operating system's hands, in the WAL, before it returns, so
        # kill -9 of this process loses nothing. Only a power cut may lose the last commits
        # (the file stays sound); FULL would pay an fsync a commit for that.
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        # A reader that turns writer mid-way cannot wait for the lock and fails: writers ask first.
        readonly = connection.get_execution_options().get(READONLY, False)
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")
