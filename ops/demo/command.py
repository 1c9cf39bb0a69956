"""``make demo-data``: a generated year in a database of its own, told of as it is made."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from gateway.insight_parts import mean_of
from hotline.insights import LOCAL
from hotline.settings import Settings
from ops.demo.load import load
from ops.insights import Behind
from ops.progress import say

_ALERT_DAYS, _LOOK_EVERY_H = 30, 3


def make_year(turns: int, seed: int, last: date | None, database: str, topics: bool) -> None:
    """Raises RealDataError where ``database`` holds real conversations."""
    settings = Settings()
    url = database or f"sqlite:///{settings.data_dir / 'demo.db'}"
    last = last or datetime.now(LOCAL).date() - timedelta(days=1)
    file = make_url(url).database
    truth = (
        Path(file).with_suffix(".truth.json")
        if url.startswith("sqlite") and file
        else settings.data_dir / "demo.truth.json"
    )
    truth.parent.mkdir(parents=True, exist_ok=True)
    say(f"生成到 {last.isoformat()} 为止的一年，约 {turns} 轮，种子 {seed} …")
    told = load(url, turns, seed, last, truth)
    say(f"  {told['conversations']} 次对话，{told['turns']} 轮，{told['orders']} 张工单，{told['seconds']} 秒")
    if topics:
        say("整理话题，补看最近一个月的预警 …")
        found, alerts = asyncio.run(_mined(settings.model_copy(update={"database_url": url}), last))
        say(f"  {found} 个话题，{alerts} 条预警")
    say(f"库：{url}（已标明是演示数据）")
    say(f"埋下的突发：{truth}")
    say(f"看它：DATABASE_URL={url} make run")


async def _mined(settings: Settings, last: date) -> tuple[int, int]:
    async with httpx.AsyncClient() as client:
        behind = Behind.make(settings, client)
        try:
            found = (await behind.keeper.whole_run()).topics
            await behind.gaps.regroup()
            return found, await _alerts(behind, last)
        finally:
            await behind.close()


async def _alerts(behind: Behind, last: date) -> int:
    """The last month as the watch would have seen it. Nothing of it is ever sent to another system."""
    mean = await mean_of(behind.parts.marks)()
    end = datetime.combine(last, time(23, 59), LOCAL)
    raised = 0
    for hours in range(_ALERT_DAYS * 24 - _LOOK_EVERY_H, -1, -_LOOK_EVERY_H):
        raised += len(await behind.watch.look(end - timedelta(hours=hours), mean))
    outbox = behind.parts.outbox
    while messages := await outbox.due(datetime(2200, 1, 1, tzinfo=LOCAL)):
        for message in messages:
            await outbox.failed(message["message_id"], "演示数据，不外送", None)
    return raised
