"""The FastAPI app: routes, errors, pages. What it works with comes from bootstrap.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles

from gateway import problems
from gateway.routes import asr, auth, calls, chat, health, rasa_rest
from gateway.services import Services

PAGES = Path(__file__).resolve().parent.parent / "web" / "dist"
_MAX_BODY = 256 * 1024
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
        if not length.isdecimal() or int(length) > _MAX_BODY:
            return problems.problem(413, "body_too_large", "这条内容太大了，一次最多 500 个字，请分几句来说。")
        response: Response = await call_next(request)  # type: ignore[misc]
        if not request.url.path.startswith("/docs"):  # FastAPI's own page loads its parts from elsewhere
            response.headers.update(_SECURITY)
        return response

    staff = (auth.router, auth.accounts, auth.audit)
    for router in (chat.router, calls.router, asr.router, rasa_rest.router, health.router, *staff):
        app.include_router(router)

    @app.get("/", include_in_schema=False)
    async def citizen_page() -> Response:
        page = pages / "index.html"
        return FileResponse(page) if page.is_file() else HTMLResponse(_NO_PAGES, 503)

    if (pages / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=pages / "assets"), name="assets")
    return app
