"""Rows by the hundred thousand: past SQLAlchemy's statements, straight to the driver of either database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_CACHE_KB = 256 * 1024
Process = Callable[[Any], Any] | None


class Bulk:
    """Inserts within the transaction of ``connection``. ``tables``: those whose indexes are made once at the end."""

    def __init__(self, connection: AsyncConnection, tables: Sequence[sa.Table]) -> None:
        self._connection, self._tables = connection, tables
        self._sqlite = connection.dialect.name == "sqlite"
        self._processes: dict[tuple[str, bool], dict[str, Process]] = {}

    async def begin(self) -> None:
        if self._sqlite:
            await self._connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_KB}")  # this connection's alone
        await self._connection.execute(sa.select(1))  # only a statement makes SQLAlchemy begin at the server
        await self._connection.run_sync(self._drop)

    async def end(self) -> None:
        await self._connection.run_sync(self._create)

    def _drop(self, connection: sa.Connection) -> None:
        for index in self._indexes():
            index.drop(connection)

    def _create(self, connection: sa.Connection) -> None:
        for index in self._indexes():
            index.create(connection)

    def _indexes(self) -> list[sa.Index]:
        return sorted((index for table in self._tables for index in table.indexes), key=lambda index: str(index.name))

    async def insert(self, table: sa.Table, rows: Sequence[dict[str, Any]], json_made: bool = False) -> None:
        """Rows with the same keys. ``json_made``: what goes into JSON columns is JSON already."""
        if not rows:
            return
        names = list(rows[0])
        process = self._process(table, json_made)
        columns = [
            [row[name] for row in rows] if (made := process[name]) is None else [made(row[name]) for row in rows]
            for name in names
        ]
        records = list(zip(*columns, strict=True))
        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        if self._sqlite:
            listed, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
            await driver.executemany(f'INSERT INTO "{table.name}" ({listed}) VALUES ({places})', records)  # noqa: S608
        else:
            await driver.copy_records_to_table(table.name, records=records, columns=names)

    def _process(self, table: sa.Table, json_made: bool) -> dict[str, Process]:
        """How a column's values become the driver's."""
        key = (table.name, json_made)
        if key not in self._processes:
            dialect = self._connection.dialect
            self._processes[key] = {
                c.name: None if json_made and isinstance(c.type, sa.JSON) else c.type.dialect_impl(dialect).bind_processor(dialect)
                for c in table.c
            }  # fmt: skip
        return self._processes[key]
