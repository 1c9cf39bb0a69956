"""Runs one transaction, written once against ``sa.Connection``, on either kind of engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.engine import READONLY, blocking_twin
from storage.errors import StorageDownError

R = TypeVar("R")


class Runner(Protocol):
    async def run(self, work: Callable[[sa.Connection], R], readonly: bool) -> R:
        """``work`` in one transaction: committed when it returns, undone when it raises.

        Raises StorageDownError where the database does not answer.
        """
        ...

    async def close(self) -> None: ...


def make_runner(engine: AsyncEngine) -> Runner:
    return ThreadRunner(engine) if engine.dialect.name == "sqlite" else AsyncRunner(engine)


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
        raise StorageDownError(f"数据库没有响应：{type(error).__name__}") from error


class AsyncRunner:
    """For servers: the driver itself is asynchronous."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def run(self, work: Callable[[sa.Connection], R], readonly: bool) -> R:
        with _named_errors():
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


class ThreadRunner:
    """For SQLite: a whole transaction in one visit to a worker thread.

    aiosqlite visits its thread about four times a statement, which made up most of a turn's
    time. SQLite has one writer at a time, so one thread writes and writers queue for it here,
    fairly, in place of polling for the file's lock; other processes meet the busy timeout.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._async_engine = engine
        self._writer = blocking_twin(engine)
        self._reader = self._writer.execution_options(**{READONLY: True})
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="storage-write")
        self._read_threads = ThreadPoolExecutor(2, thread_name_prefix="storage-read")

    async def run(self, work: Callable[[sa.Connection], R], readonly: bool) -> R:
        engine = self._reader if readonly else self._writer
        threads = self._read_threads if readonly else self._write_thread

        def transaction() -> R:
            with engine.begin() as connection:
                return work(connection)

        with _named_errors():
            return await asyncio.get_running_loop().run_in_executor(threads, transaction)

    async def close(self) -> None:
        self._write_thread.shutdown()
        self._read_threads.shutdown()
        self._writer.dispose()
        await self._async_engine.dispose()
