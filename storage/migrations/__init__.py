"""The schema's history, and the one call that brings a database up to date."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError

from storage.engine import READONLY, make_engine
from storage.errors import StorageDownError

HEAD = "0011"
"""The newest revision. A test holds it equal to versions/."""


_WAIT_MS = 120_000
"""For another process that upgrades: adding up a year of what was counted takes a while."""


async def upgrade(database_url: str) -> bool:
    """Brings the database to :data:`HEAD`; True where something was to do.

    Safe to call at every start: where nothing is to do, Alembic is not even loaded.

    Raises:
        StorageDownError: the database cannot be reached or changed.
    """
    engine = make_engine(database_url, _WAIT_MS)
    try:
        async with engine.execution_options(**{READONLY: True}).connect() as connection:
            if await connection.run_sync(_revision) == HEAD:
                return False
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
        return True
    except (OperationalError, InterfaceError, OSError) as error:
        raise StorageDownError(f"数据库升级失败：{type(error).__name__}") from error
    finally:
        await engine.dispose()


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # slow to import, and seldom needed
    from alembic.config import Config

    config = Config()
    # Alembic reads the path as a format string.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
