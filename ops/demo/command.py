"""``make demo-data``: a generated year in a database of its own, told of as it is made."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from hotline.insights import LOCAL
from hotline.settings import Settings
from ops.demo.load import load
from ops.insights import Behind
from ops.progress import say


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
        say("整理话题 …")
        run = asyncio.run(_topics(settings.model_copy(update={"database_url": url})))
        say(f"  {run} 个话题")
    say(f"库：{url}（已标明是演示数据）")
    say(f"埋下的突发：{truth}")
    say(f"看它：DATABASE_URL={url} make run")


async def _topics(settings: Settings) -> int:
    async with httpx.AsyncClient() as client:
        behind = Behind.make(settings, client)
        try:
            return (await behind.keeper.whole_run()).topics
        finally:
            await behind.close()
