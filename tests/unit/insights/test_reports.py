"""Reports say what the figures say; what is hidden is neither said nor denied."""

from __future__ import annotations

from datetime import timedelta

import pytest
from trails import READER, T0, Trail

from hotline.insights import LOCAL
from insights.dashboard import Dashboard
from insights.duty import duty_seconds
from insights.reading import with_repeats
from insights.reports import make_report, period
from storage.insight_duty import MemoryDutyBook
from storage.insight_memory import InsightMemory, MemoryLineFacts, MemoryOrderBook, MemoryTopicShelf


async def said(web: int, voice: int) -> str:
    """All sentences of the report of a day with so many conversations."""
    memory = InsightMemory()
    facts = MemoryLineFacts(memory, with_repeats)
    channels = ["web"] * web + ["voice"] * voice
    for n, channel in enumerate(channels):
        trail = Trail(f"c{n}", channel, at=T0 + timedelta(minutes=n))
        if channel == "voice":
            trail.add("call_started", 0)
        await facts.count([READER.read(trail.answered("居住证怎么办", 1).made())])
    dashboard = Dashboard(
        facts, MemoryOrderBook(), MemoryTopicShelf(memory), MemoryDutyBook(duty_seconds), 5, lambda: T0
    )
    report = await make_report(dashboard, [], "day", period("day", T0.astimezone(LOCAL).date()), demo=False)
    return "".join(sentence for section in report["sections"] for sentence in section["sentences"])


@pytest.mark.parametrize(("web", "voice", "told"), [(6, 5, "其中电话5通"), (9, 0, "共有9次对话"), (0, 0, "没有对话")])
async def test_a_day_is_told_in_sentences(web: int, voice: int, told: str) -> None:
    assert told in await said(web, voice)


async def test_a_few_calls_are_not_told_and_the_rest_of_the_day_is() -> None:
    text = await said(6, 2)
    assert "共有8次对话" in text
    assert "电话" not in text


async def test_a_day_of_a_few_conversations_is_not_called_a_day_without_any() -> None:
    text = await said(3, 0)
    assert "没有对话" not in text
    assert "次对话" not in text
