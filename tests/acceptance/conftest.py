"""One running line for all acceptance tests, and a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_agent import Agent, sign_in
from running_line import Line, Talk, start_line

SPEECH = Path(__file__).resolve().parents[1] / "data" / "speech"


@pytest.fixture(scope="session")
def line(tmp_path_factory) -> Iterator[Line]:
    """Started once by ``bin/hotline run``; training, where it is due, is part of the deadline."""
    running = start_line(tmp_path_factory.mktemp("line"))
    try:
        running.until_ready(within_s=420)
        yield running
    finally:
        running.stop()


@pytest.fixture
def talk(line: Line) -> Talk:
    return line.talk()


@pytest.fixture(scope="session")
def agent(line: Line) -> Agent:
    return sign_in(line)


@pytest.fixture(scope="session")
def question() -> Path:
    """A person's voice: 「社保卡丢了怎么补办」."""
    return SPEECH / "q_02.wav"


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "Chromium is missing; make test installs it"
    return found
