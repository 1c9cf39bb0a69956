"""Reports, and everything as files (docs/interfaces.md, «统计»). Files are made in threads: no turn waits for one."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from gateway.auth.guard import require_role
from gateway.insight_parts import InsightParts
from gateway.routes.insight_alerts import moments
from gateway.routes.insights import Looked, Parts
from hotline.errors import NotFoundError
from hotline.insights import LOCAL, Span
from insights import papers
from insights.figures import FIGURES
from insights.open_data import open_table
from insights.reports import alerts_of, make_report, period

router = APIRouter(prefix="/api/v1/insights", tags=["统计"], dependencies=[Depends(require_role("manager"))])

Kind = Literal["day", "week", "month"]
_CSV, _PDF = "text/csv; charset=utf-8", "application/pdf"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/report")
async def report(
    parts: Parts, kind: Kind = "day", day: date | None = None, town: Annotated[str | None, Query()] = None
) -> dict[str, Any]:
    """日报、周报、月报 of the day, week or month that ``day`` (yesterday) lies in."""
    return await _report(parts, kind, day, town)


@router.get("/report.pdf", response_class=Response)
async def report_pdf(parts: Parts, kind: Kind = "day", day: date | None = None, town: str | None = None) -> Response:
    made = await _report(parts, kind, day, town)
    return _file(await asyncio.to_thread(papers.pdf, made), _PDF, f"report-{kind}-{made['from']}.pdf")


@router.get("/report.xlsx", response_class=Response)
async def report_xlsx(parts: Parts, kind: Kind = "day", day: date | None = None, town: str | None = None) -> Response:
    made = await _report(parts, kind, day, town)
    return _file(
        await asyncio.to_thread(papers.xlsx, papers.report_sheets(made)), _XLSX, f"report-{kind}-{made['from']}.xlsx"
    )


@router.get("/export.csv", response_class=Response)
async def open_csv(parts: Parts, span: Looked) -> Response:
    """Open data: counts by month, town and area; nobody in it can be told."""
    rows = await open_table(parts.facts, span, parts.dashboard.k, parts.area_names)
    return _file(papers.csv_text(rows), _CSV, f"open-data-{span.first}.csv")


@router.get("/export.xlsx", response_class=Response)
async def open_xlsx(parts: Parts, span: Looked) -> Response:
    rows = await open_table(parts.facts, span, parts.dashboard.k, parts.area_names)
    return _file(await asyncio.to_thread(papers.xlsx, {"开放数据": rows}), _XLSX, f"open-data-{span.first}.xlsx")


@router.get("/{what}/export.csv", response_class=Response)
async def table_csv(parts: Parts, span: Looked, what: str) -> Response:
    """What a page shows, as a table: summary, trends, topics, alerts."""
    return _file(papers.csv_text(await _rows(parts, span, what)), _CSV, f"{what}-{span.first}.csv")


@router.get("/{what}/export.xlsx", response_class=Response)
async def table_xlsx(parts: Parts, span: Looked, what: str) -> Response:
    rows = await _rows(parts, span, what)
    return _file(await asyncio.to_thread(papers.xlsx, {what: rows}), _XLSX, f"{what}-{span.first}.xlsx")


async def _report(parts: InsightParts, kind: Kind, day: date | None, town: str | None) -> dict[str, Any]:
    span = period(kind, day or datetime.now(LOCAL).date() - timedelta(days=1)).model_copy(update={"town": town})
    found = await alerts_of(parts.alerts, *moments(span), town)
    return await make_report(parts.dashboard, found, kind, span, await parts.is_demo())


async def _rows(parts: InsightParts, span: Span, what: str) -> list[list[Any]]:
    dashboard = parts.dashboard
    match what:
        case "summary":
            told = await dashboard.summary(span)
            head: list[list[Any]] = [["指标", "名称", "值", "前一段", "单位"]]
            return head + [[k, f["title"], f["value"], f["before"], f["unit"]] for k, f in told["figures"].items()]
        case "trends":
            keys = [k for k, f in FIGURES.items() if not f.orders]
            trend = await dashboard.trends(span, keys)
            return [["时间", *keys], *zip(trend["buckets"], *trend["series"].values(), strict=True)]  # type: ignore[list-item]
        case "topics":
            topics = (await dashboard.topics(span))["topics"]
            return [["编号", "话题", "句", "前一段", "词"], *[[t["id"], t["name"], t["turns"], t["before"], "、".join(t["words"])] for t in topics]]  # fmt: skip
        case "alerts":
            found = await alerts_of(parts.alerts, *moments(span), span.town)
            return [["编号", "预警", "时间", "人", "平常", "状态"], *[[a.alert_id, a.title, a.at.isoformat(), a.people, a.expected, a.state] for a in found]]  # fmt: skip
    raise NotFoundError("能导出的有 summary、trends、topics、alerts。")


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
