from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_hub.reference.app import create_app
from data_hub.reference.catalogue import write_catalogue
from tests.integration.data_hub.running_hub import RunningHub
from tests.unit.data_hub.hub_samples import HALLS, ITEMS, TOKEN, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start_hub(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], RunningHub]]:
    """Starts the hub over the same folder each time: the second start is a restart."""
    write_catalogue(ITEMS, HALLS, tmp_path / "catalogue.json")
    running: list[RunningHub] = []

    def start() -> RunningHub:
        app = create_app(tmp_path / "hub.db", tmp_path / "catalogue.json", TOKEN, now=clock)
        running.append(RunningHub(app, clock))
        return running[-1]

    yield start
    for hub in running:
        hub.stop()
