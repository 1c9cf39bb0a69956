"""Everything the managers' pages ask, over the routes that answer them, on a database of a generated year.

No socket and no sign-in, which cost the same whatever is asked: a request goes in at the application and
its answer comes out as the bytes a browser gets. A test holds the list to the routes there are.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import numpy as np
import sqlalchemy as sa
from fastapi import FastAPI

from gateway.insight_parts import InsightParts
from gateway.routes import (
    insight_alerts,
    insight_conversations,
    insight_gaps,
    insight_looks,
    insight_orders,
    insight_papers,
    insight_wall,
    insights,
)
from gateway.steady import set_aside
from hotline.errors import NotFoundError
from hotline.insights import ORDER_LISTS, Alert, Incident, Proposal
from hotline.settings import Settings
from hotline.staff import Principal, Role
from insights.figures import FIGURES
from insights.quality import RULES
from knowledge_base.catalogue import load_catalogue
from storage.audit import MemoryAuditLog
from storage.engine import make_engine
from storage.insight_tables import line_facts, orders, turn_facts
from storage.sql import SqlStore

ROOT = "/api/v1/insights"
ROUTERS = (
    insight_papers.router, insight_alerts.router, insight_gaps.router, insight_gaps.reviewing, insight_conversations.router,
    insights.router, insight_looks.router, insight_orders.router, insight_wall.router, insight_wall.managing,
)  # fmt: skip
_ALERTS, _REVIEWED, _PROPOSED = 400, 200, 30
_FILTERS = {"town": "狮山镇", "channel": "voice", "area": "education"}


class Known(NamedTuple):
    """What is asked about by its number: the largest topic, the busiest agent, and so on."""

    topic_id: int
    alert_id: int
    agent: str
    item_key: str
    conversation_id: str
    department: str
    order_number: str = "NH20260610000001"


def looks(known: Known) -> dict[str, str]:
    """Path and query by name; the part before the colon is the page."""

    def days(first: str, last: str, **more: str) -> str:
        return "&".join((f"from={first}&to={last}", *(f"{k}={quote(v)}" for k, v in more.items())))

    def year(**more: str) -> str:
        return days("2025-11-01", "2026-10-31", **more)

    def odd(**more: str) -> str:
        return days("2025-11-05", "2026-10-28", **more)

    weeks, day = days("2026-05-10", "2026-06-20"), days("2026-06-10", "2026-06-10")
    narrow = {name: year(**{name: value}) for name, value in (*_FILTERS.items(), ("department", known.department))}
    course = [key for key, figure in FIGURES.items() if not figure.orders]
    ratings = "ratings,satisfaction,satisfied,dissatisfied"
    asked = {
        "总览：可选的": f"choices?{year()}",
        "总览：汇总，一年": f"summary?{year()}",
        "总览：汇总，六周": f"summary?{weeks}",
        "总览：汇总，一个镇街，零头的日子": f"summary?{odd(town='狮山镇')}",
        **{f"总览：汇总，筛 {name}": f"summary?{span}" for name, span in narrow.items()},
        "总览：走势，一年按月": f"trends?{year()}",
        "总览：走势，一年按天": f"trends?{year()}&grain=day",
        "总览：走势，一天按小时": f"trends?{day}&grain=hour",
        "总览：走势，全部指标，一年按天": f"trends?{year()}&grain=day&figures={','.join(course)}",
        **{f"总览：走势，按天，筛 {name}": f"trends?{span}&grain=day" for name, span in narrow.items()},
        **{f"总览：分布，按 {by}": f"breakdown?{year()}&by={by}" for by in ("town", "area", "department", "channel", "hour_of_week")},
        "总览：分布，按部门，零头的日子": f"breakdown?{odd()}&by=department",
        "总览：分布，按镇街，只看一个领域": f"breakdown?{narrow['area']}&by=town",
        "总览：一周各小时，零头的日子，只看电话": f"breakdown?{odd(channel='voice')}&by=hour_of_week",
        **{
            f"对话：{name}": f"conversations?{query}&limit=21"
            for name, query in {
                "全部": year(), "一年里常有的（离开）": year(measure="abandoned"), "一年里少有的（紧急）": year(measure="emergencies"),
                "一年里没有的（部件停用）": year(measure="parts_down"), "几项之一": year(measure="rated_1,rated_2"),
                "没有的几项，一个镇街": year(measure="handoff_part_down,parts_down", town="狮山镇"),
                "少有的，一个部门": year(measure="handoff_emergency", department=known.department),
                **{f"筛 {name}": f"{span}&measure=abandoned" for name, span in narrow.items()},
                "一天": f"{day}&measure=handoffs", "一位坐席": year(agent=known.agent), "没有的坐席": year(agent="没有这个人"),
                "一周某小时": year(hour_of_week="34"), "一周某小时，少有的": year(hour_of_week="34", measure="parts_down"),
                "一个话题": year(topic_id=str(known.topic_id)), "一个话题，一个镇街": year(topic_id=str(known.topic_id), town="狮山镇"),
                "一个话题，六周": f"{weeks}&topic_id={known.topic_id}", "第五十页": year(measure="contained", offset="1000"),
            }.items()
        },
        "对话：打开一次": f"conversations/{known.conversation_id}",
        "对话：一条预警的": f"alerts/{known.alert_id}/conversations?limit=21",
        "话题：一年": f"topics?{year()}",
        "话题：一年按天": f"topics?{year()}&grain=day",
        "话题：六周": f"topics?{weeks}",
        "话题：零头的日子": f"topics?{odd()}",
        **{f"话题：筛 {name}": f"topics?{narrow[name]}" for name in _FILTERS},
        **{f"话题：一个，按 {by}": f"topics/{known.topic_id}?{odd()}&by={by}" for by in ("town", "channel", "area")},
        "预警：一年，头一页": f"alerts?{year()}&limit=20",
        "预警：一个镇街，往后一页": f"alerts?{year(town='狮山镇', before=str(known.alert_id))}&limit=20",
        "预警：一条和草稿": f"alerts/{known.alert_id}",
        "预警：已知事件": "incidents",
        "预警：全部事件": "incidents?all=true",
        "人工和工单：坐席": f"agents?{year()}",
        "人工和工单：一位坐席": f"agents?{year(agent=known.agent)}",
        "人工和工单：坐席，六周": f"agents?{weeks}",
        **{f"人工和工单：工单，按 {by}": f"orders?{odd()}&by={by}" for by in ("town", "department", "type")},
        **{f"人工和工单：背后的工单，{name}": f"work-orders?{year(measure=name)}&limit=21" for name in ORDER_LISTS},
        "人工和工单：背后的工单，晚的，一个镇街": f"work-orders?{odd(measure='completed_late', town='狮山镇')}&limit=21",
        "人工和工单：打开一张工单": f"work-orders/{known.order_number}",
        "人工和工单：好差评，按镇街": f"breakdown?{odd()}&by=town&figures={ratings}",
        "人工和工单：好差评，按部门": f"breakdown?{odd()}&by=department&figures={ratings}",
        "知识缺口：一年": f"gaps?{year()}",
        "知识缺口：六周": f"gaps?{weeks}",
        "知识缺口：零头的日子，一个镇街的电话": f"gaps?{odd(town='狮山镇', channel='voice')}",
        **{f"知识缺口：筛 {name}": f"gaps?{span}" for name, span in narrow.items()},
        "知识缺口：事项": "items",
        "知识缺口：建议": "proposals",
        "知识缺口：召回": f"recall?item_key={known.item_key}&since=2025-11-01",
        "知识缺口：召回，一项事实": f"recall?item_key={known.item_key}&field=facts.fee&since=2025-11-01",
        "质检：一年": f"quality?{year()}",
        "质检：零头的日子，一个镇街": f"quality?{odd(town='狮山镇')}",
        **{f"质检：筛 {name}": f"quality?{span}" for name, span in narrow.items()},
        **{f"质检：一年，{rule}": f"quality?{year()}&rule={rule}" for rule in RULES},
        "质检：能请的人": "reviews/reviewers",
        "质检：结果": "reviews/results",
        "质检：请我看的": "reviews/mine",
        **{f"报告：{kind}": f"report?kind={kind}&day=2026-06-10" for kind in ("day", "week", "month")},
        "报告：月报，一个镇街": f"report?kind=month&day=2026-06-10&town={quote('狮山镇')}",
        "报告：月报 XLSX": "report.xlsx?kind=month&day=2026-06-10",
        **{f"报告：{what} CSV": f"{what}/export.csv?{year()}" for what in ("summary", "trends", "topics", "alerts")},
        "报告：走势 XLSX": f"trends/export.xlsx?{year()}",
        "开放数据：一年 CSV": f"export.csv?{year()}",
        "开放数据：一年 XLSX": f"export.xlsx?{year()}",
        "开放数据：零头的日子 CSV": f"export.csv?{odd()}",
        "大屏：今天": f"wall?{day}",
        "大屏：一个镇街": f"wall?{day}&town={quote('狮山镇')}",
        "大屏：墙上的屏幕": "displays",
    }  # fmt: skip
    return {name: f"{ROOT}/{path}" for name, path in asked.items()}


NOT_LOOKED_AT = frozenset({f"{ROOT}/alerts/stream", f"{ROOT}/report.pdf"})
"""An event stream, and the report set as pages, which takes the CPU and not the database."""


class _SignIn:
    """A manager, whoever asks."""

    async def principal(self, _token: str | None) -> Principal:
        return Principal(username="bench", display_name="bench", roles=(Role.MANAGER,))

    async def accounts(self) -> list[Any]:
        return []


class _Desk:
    """Work orders of which nothing is kept but what was counted."""

    categories: dict[str, Any] = {}  # noqa: RUF012

    async def seen(self, _number: str, _actor: Any) -> Any:
        raise NotFoundError


@asynccontextmanager
async def pages(url: str) -> AsyncIterator[tuple[httpx.AsyncClient, InsightParts]]:
    """A client of the insights' routes over a database, and what is behind them."""
    settings = Settings(_env_file=None, database_url=url)
    parts, store = InsightParts.make(settings, load_catalogue()), SqlStore(make_engine(url))
    app = FastAPI()
    app.state.services = SimpleNamespace(
        settings=settings,
        insights=parts,
        store=store,
        audit=MemoryAuditLog(),
        sign_in=_SignIn(),
        orders=SimpleNamespace(desk=_Desk()),
    )
    for router in ROUTERS:
        app.include_router(router)
    set_aside()  # as the gateway does when all is made
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as client:
            yield client, parts
    finally:
        await parts.close()
        await store.close()


async def furnish(parts: InsightParts) -> Known:
    """Adds what a year of managers would have left, where it isn't there yet: alerts, incidents, proposals, reviews."""

    def most(connection: sa.Connection) -> tuple[Any, ...]:
        def first(column: sa.ColumnElement[Any]) -> Any:
            counted = sa.select(column).where(column.is_not(None), column != "").group_by(column)
            return connection.execute(counted.order_by(sa.func.count().desc()).limit(1)).scalar_one()

        ids = list(connection.execute(sa.select(line_facts.c.conversation_id).limit(_REVIEWED)).scalars())
        number = connection.execute(sa.select(orders.c.number).limit(1)).scalar_one()
        return first(line_facts.c.agent), first(turn_facts.c.item_key), first(line_facts.c.department), ids, number

    agent, item_key, department, ids, number = await parts.runner.run(most, readonly=True)
    topics = [kept.topic for kept in await parts.topics.topics()]
    largest = max(topics, key=lambda topic: topic.size).topic_id
    if await parts.marks.get("bench_furnished") is None:
        await _fill(parts, largest, ids)
        await parts.marks.put("bench_furnished", True)
    newest = await parts.alerts.newest(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), limit=1)
    return Known(largest, newest[0].alert_id, agent, item_key, ids[0], department, number)


async def _fill(parts: InsightParts, topic_id: int, ids: list[str]) -> None:
    begin = datetime(2025, 11, 1, 4, tzinfo=UTC)
    course = [(2026010100 + hour, 5, 0.4) for hour in range(24)]
    for n in range(_ALERTS):
        at = begin + timedelta(hours=20 * n)
        await parts.alerts.raise_alert(
            Alert(
                topic_id=topic_id, title="狮山镇：停水", town="狮山镇" if n % 3 else "大沥镇", at=at, first_at=at - timedelta(hours=3), window_h=3,
                count=9, people=8, expected=0.4, surprise=1e-9, evidence=["停水了几时来水"] * 6, series=course,
            ),
            {"type": "alert"},
        )  # fmt: skip
        if n % 10 == 0:
            await parts.incidents.add(
                Incident(words=["停水"], text="停水抢修", source="供水公司", valid_from=at, valid_until=at + timedelta(days=2))
            )  # fmt: skip
    for n in range(_PROPOSED):
        await parts.proposals.propose(
            Proposal(kind="alias", title=f"建议 {n}", path="a.yml", before_hash="", content="…" * 2000, diff="+…" * 400, by="m", at=begin)
        )  # fmt: skip
    for n, conversation_id in enumerate(ids):
        for place, reviewer in ((1, "bench"), (2, f"r{n % 3}")):
            await parts.reviews.ask(conversation_id, reviewer, place, begin)
            review = (await parts.reviews.reviews(conversation_id, reviewer))[0]
            given = {"passed": n % 4 != 0, "score": 80, "done_at": begin}
            if n % 2:
                await parts.reviews.give(review.model_copy(update=given))


async def measure(url: str, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds by look, p50 and p95 of the rounds; the first of each is not counted."""
    found = {}
    async with pages(url) as (client, parts):
        for name, path in looks(await furnish(parts)).items():
            times = []
            for _ in range(rounds + 1):
                begun = time.perf_counter()
                answer = await client.get(path)
                times.append(1000 * (time.perf_counter() - begun))
                if answer.status_code != 200:
                    raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}")
            p50, p95 = np.percentile(times[1:], [50, 95])
            found[name] = {"p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1)}
    return found
