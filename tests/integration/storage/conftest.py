from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from postgres_server import make_database, running_server, wipe

_NAME = f"hotline_contract_tests_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"  # several run at once


@pytest.fixture(scope="session")
def postgres() -> Iterator[tuple[str, str]]:
    """A server, started by the first test that asks, and the URL of an empty database of today's schema."""
    with running_server() as server:
        yield server, make_database(server, _NAME)


@pytest.fixture
def postgres_url(postgres: tuple[str, str]) -> Iterator[str]:
    """The database, emptied for one test."""
    server, url = postgres
    yield url
    wipe(server, _NAME)
