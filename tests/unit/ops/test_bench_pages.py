"""The bench's claim that it asks everything the pages ask."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi.routing import APIRoute

from hotline.settings import ROOT as PROJECT
from ops.bench_insights import table
from ops.bench_pages import NOT_LOOKED_AT, ROOT, ROUTERS, Known, looks

LOOKS = looks(Known(3, 7, "坐席01", "JZ02", "demo00000001", "公安局"))
PATHS = [look.partition("?")[0] for look in LOOKS.values()]


def fits(path: str, template: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) is not None


def test_every_route_that_is_read_is_asked() -> None:
    read = {r.path for router in ROUTERS for r in router.routes if isinstance(r, APIRoute) and r.methods == {"GET"}}
    assert len(read) > 25
    assert {t for t in read if not any(fits(path, t) for path in PATHS)} == NOT_LOOKED_AT


def test_every_path_that_the_pages_load_is_asked() -> None:
    loaded: set[str] = set()
    for file in [
        *Path(PROJECT / "web/src/insights").glob("*.vue"),
        *Path(PROJECT / "web/src/lib/insights").glob("*.ts"),
    ]:
        text = file.read_text(encoding="utf-8")
        loaded |= {f"{ROOT}/{name}" for name in re.findall(r'pathOf\("([a-z/.]+)"', text)}
        loaded |= set(re.findall(rf'["`]({ROOT}/[a-z/]+[a-z])["`?]', text))
    assert len(loaded) > 12
    assert loaded - set(PATHS) <= {f"{ROOT}/alerts/stream", f"{ROOT}/recall/callbacks", f"{ROOT}/report.pdf", f"{ROOT}/reviews"}  # fmt: skip


def test_the_table_tells_the_slowest_look_of_each_page_in_each_database() -> None:
    topics = {"whole_s": 9.0, "night_s": 0.1, "night_share": 0.01}
    quick, slow = {"p50_ms": 1.0, "p95_ms": 2.0}, {"p50_ms": 30.0, "p95_ms": 40.0}
    told = {
        "turns": 100,
        "sqlite": {"topics": topics, "pages": {"质检：一年": quick, "质检：一月": slow, "话题：一年": quick}},
        "postgresql": {"topics": topics, "pages": {"质检：一年": slow, "质检：一月": quick, "话题：一年": quick}},
    }
    lines = table(told).splitlines()
    assert "| 质检（2 问） | 30.0 / 40.0（一月） | 30.0 / 40.0（一年） |" in lines
    assert "| 话题（1 问） | 1.0 / 2.0（一年） | 1.0 / 2.0（一年） |" in lines
