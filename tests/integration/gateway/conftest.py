from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from running_gateway import Gateway, running_gateway

from storage.migrations import upgrade


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("gateway") / "empty.db"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(migrated_database, tmp_path_factory.mktemp("house")) as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway) -> Iterator[Gateway]:
    """The gateway of the module, its scripts blank; every test opens conversations of its own."""
    running.reset()
    yield running
    running.reset()


@pytest_asyncio.fixture(loop_scope="module")
async def new_gateway(migrated_database: Path, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway that has counted nothing yet."""
    async with running_gateway(migrated_database, tmp_path) as gateway:
        yield gateway


@pytest.fixture
def many_files() -> Iterator[None]:
    """As the gateway's own process allows itself: a thousand sockets have two ends here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
