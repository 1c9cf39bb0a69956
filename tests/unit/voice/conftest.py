"""A scripted call on virtual time (tests/voice_script.py), and nothing left behind after it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.voice_script import ScriptedCall


@pytest.fixture
async def make_call():
    """``make_call(["第一句", …])`` → a ScriptedCall; after the test nothing may be left running."""
    calls: list[ScriptedCall] = []

    def make(script: list[Any] | None = None, **options: Any) -> ScriptedCall:
        calls.append(ScriptedCall(script or [], **options))
        return calls[-1]

    yield make
    await _leave(calls)


@pytest.fixture
async def timeline():
    """``timeline(partials=True)`` → a ScriptedCall that hears what the caller of the script says."""
    calls: list[ScriptedCall] = []

    def make(**options: Any) -> ScriptedCall:
        calls.append(ScriptedCall(None, **options))
        return calls[-1]

    yield make
    await _leave(calls)


async def _leave(calls: list[ScriptedCall]) -> None:
    for call in calls:
        await call.session.abandon()
        await call.clock.settle()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert left == set(), "a call left tasks running"
