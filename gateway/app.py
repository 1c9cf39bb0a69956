"""The FastAPI app: routes, errors, pages. What it works with comes from bootstrap.py."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles

from gateway import problems
from gateway.routes import (
    asr,
    auth,
    calls,
    chat,
    desk,
    desk_assist,
    desk_sockets,
    health,
    insight_alerts,
    insight_conversations,
    insight_gaps,
    insight_looks,
    insight_orders,
    insight_papers,
    insight_wall,
    insights,
    internal,
    open311,
    rasa_rest,
    work_orders,
)
from gateway.services import Services

PAGES = Path(__file__).resolve().parent.parent / "web" / "dist"
_MAX_BODY = 256 * 1024
# What may be read into memory at all; how large an attachment may be is a setting, below this.
_MAX_FILE = 32 * 1024 * 1024
_IS_FILE = re.compile(r"/api/v1/work-orders/[^/]+/attachments")
_NO_PAGES = "<!doctype html><meta charset=utf-8><p>网页还没有构建，请运行 make run。</p>"
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self' 'unsafe-inline';"
        " worker-src 'self' blob:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}

Bootstrap = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(bootstrap: Bootstrap, pages: Path = PAGES) -> FastAPI:
    """``bootstrap`` makes the services when the app starts and closes them when it ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with bootstrap() as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="南海智能语音政务服务热线",
        version="0.1.0",
        summary="打字和说话都能问的政务热线：办事指南、办件进度、转人工。",
        lifespan=lifespan,
    )
    problems.install(app)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], object]) -> Response:
        length = request.headers.get("content-length", "0")
        if "transfer-encoding" in request.headers:
            return problems.problem(411, "length_required", "请求要带 Content-Length，不收分块发送的内容。")
        limit = _MAX_FILE if _IS_FILE.fullmatch(request.url.path) else _MAX_BODY
        if limit == _MAX_FILE and length.isdecimal() and int(length) > limit:
            return problems.problem(413, "attachment_too_large", "这个附件太大了，请压缩后再传。")
        if not length.isdecimal() or int(length) > limit:
            return problems.problem(413, "body_too_large", "这条内容太大了，一次最多 500 个字，请分几句来说。")
        response: Response = await call_next(request)  # type: ignore[misc]
        if not request.url.path.startswith("/docs"):  # FastAPI's own page loads its parts from elsewhere
            response.headers.update(_SECURITY)
        return response

    staff = (auth.router, auth.accounts, auth.audit)
    requests = (work_orders.router, internal.router, internal.known, open311.router)
    at_desk = (desk_assist.router, desk.router, desk_sockets.router)
    doors = (chat.router, calls.router, asr.router, rasa_rest.router, health.router)
    figures = (
        insight_papers.router, insight_alerts.router, insight_alerts.centre, insight_gaps.router, insight_gaps.reviewing, insight_conversations.router, insights.router,
        insight_looks.router, insight_orders.router, insight_wall.router, insight_wall.managing,
    )  # fmt: skip
    for router in (*doors, *staff, *requests, *at_desk, *figures):
        app.include_router(router)

    def page(name: str) -> Response:
        file = pages / f"{name}.html"
        # Asked for anew each time: the page names the files that belong together.
        return (
            FileResponse(file, headers={"Cache-Control": "no-cache"})
            if file.is_file()
            else HTMLResponse(_NO_PAGES, 503)
        )

    @app.get("/", include_in_schema=False)
    async def citizen_page() -> Response:
        return page("index")

    @app.get("/desk", include_in_schema=False)
    async def desk_page() -> Response:
        return page("desk")

    @app.get("/desk/orders", include_in_schema=False)
    async def orders_page() -> Response:
        return page("orders")

    @app.get("/insights", include_in_schema=False)
    @app.get("/insights/wall", include_in_schema=False)
    async def insights_page() -> Response:
        return page("insights")

    if (pages / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=pages / "assets"), name="assets")
    return app
