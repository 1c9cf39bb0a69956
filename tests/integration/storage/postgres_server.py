"""A PostgreSQL for the contract tests: the one that ``STORAGE_TEST_POSTGRES`` names (a URL; its user makes
a database and is a superuser), or one of the tests' own where its programs are installed. Where there is neither,
the same tests run on SQLite and in memory alone."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from storage.migrations import upgrade

SETTING = "STORAGE_TEST_POSTGRES"
_WIPE = """DO $$ DECLARE name text; filled boolean; BEGIN
  FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
  LOOP
    EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || name || ')' INTO filled;
    IF filled THEN EXECUTE 'TRUNCATE ' || name || ' RESTART IDENTITY CASCADE'; END IF;
  END LOOP;
END $$"""
_QUICK = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def _program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda file: int(file.parts[4]))
    return shutil.which(name) or (str(found[-1]) if found else None)


def _account() -> str | None:
    """Whom the server runs as: it refuses root."""
    if os.geteuid():
        return pwd.getpwuid(os.geteuid()).pw_name
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


def available() -> bool:
    return bool(os.environ.get(SETTING) or (_program("initdb") and _program("pg_ctl") and _account()))


STORES = ["sql", *(["postgresql"] if available() else []), "memory"]
"""The stores a contract is tested on."""


@contextmanager
def running_server() -> Iterator[str]:
    """The URL of the server's own database."""
    if url := os.environ.get(SETTING):
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="hotline-pg-", dir="/tmp"))  # a socket's path is short
    account = _account()
    as_account = {"user": account, "extra_groups": []} if not os.geteuid() else {}
    if as_account:
        shutil.chown(folder, account)
    control = [str(_program("pg_ctl")), "-D", str(folder / "data"), "-w", "-s"]

    def run(*command: str) -> None:
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, **as_account)  # type: ignore[call-overload]

    try:
        run(str(_program("initdb")), "-D", str(folder / "data"), "-U", "hotline", "-A", "trust", "-E", "UTF8", "-N", "--locale=C")  # fmt: skip
        run(*control, "-l", str(folder / "log"), "-o", f"-k {folder} {_QUICK}", "start")
        try:
            yield f"postgresql://hotline@/postgres?host={folder}"
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def database_of(server: str, name: str) -> str:
    """The URL of another database of the same server."""
    head, _, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


def command(server: str, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(server)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    _apart(run())


def _apart(work: Coroutine[Any, Any, object]) -> None:
    """Runs it to its end also where a loop is running already: fixtures are asked for by others."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def make_database(server: str, name: str) -> str:
    """An empty database of today's schema."""
    command(server, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    url = database_of(server, name)
    _apart(upgrade(url))
    return url


def wipe(server: str, name: str) -> None:
    """Empties what a test has filled. The tables that only grow refuse that; a replica's session is not asked."""
    command(database_of(server, name), "SET session_replication_role = replica", _WIPE)


async def url_of(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated, empty database of the kind that the fixture's parameter names."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    url = f"sqlite:///{tmp_path / 'hotline.db'}"
    await upgrade(url)
    return url
