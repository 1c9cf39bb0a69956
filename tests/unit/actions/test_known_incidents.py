"""A known incident is told to whoever asks about it, with its source, and to nobody once it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from actions.incidents import IncidentBoard
from hotline.insights import Incident
from storage.insight_alerts import MemoryIncidents

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


async def test_an_incident_is_told_while_it_lasts() -> None:
    known, clock = MemoryIncidents(), [NOW]
    board = IncidentBoard(known, lambda: clock[0])
    await known.add(
        Incident(
            words=["停水"], town="狮山镇", text="部分片区停水抢修", source="供水公司", valid_from=NOW,
            valid_until=NOW + timedelta(hours=5),
        )
    )  # fmt: skip
    reply = await board.told("家里停水了", "狮山镇")
    assert reply is not None
    assert reply.text == "狮山镇：部分片区停水抢修（供水公司，有效至03月02日17:00）"
    assert reply.sources[0].item_code == "incident:1"
    assert await board.told("居住证怎么办", "狮山镇") is None
    assert await board.told("家里停水了", "桂城街道") is None
    clock[0] = NOW + timedelta(hours=5)
    assert await board.told("家里停水了", "狮山镇") is None
