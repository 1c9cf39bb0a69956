"""Errors as RFC 9457 problem details, with a Chinese detail a citizen could read."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hotline.errors import HotlineError, SignInLockedError

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"

_TITLES = {
    401: "凭证不对",
    403: "没有权限",
    404: "没有找到",
    405: "不支持这种请求",
    409: "现在不能这样做",
    411: "缺少内容长度",
    413: "内容太大",
    422: "内容不能受理",
    429: "太频繁",
    503: "暂时不可用",
}


def problem(status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    body = {"type": f"urn:nanhai-hotline:{code}", "title": _TITLES.get(status, "出错了"), "status": status}
    return JSONResponse({**body, "code": code, "detail": detail, **more}, status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Every error of the app leaves as a problem; none shows a stack trace."""

    @app.exception_handler(HotlineError)
    async def hotline_error(_: Request, error: HotlineError) -> JSONResponse:
        answer = problem(error.status, error.code, error.detail)
        if isinstance(error, SignInLockedError):
            answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid_body(_: Request, error: RequestValidationError) -> JSONResponse:
        fields = sorted({".".join(str(p) for p in e["loc"] if p != "body") for e in error.errors()} - {""})
        where = f"（字段：{'、'.join(fields)}）" if fields else ""
        return problem(422, "bad_input", f"请求的内容格式不对，请核对后再发。{where}")

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 400:  # FastAPI's word for a body that cannot even be decoded
            return problem(422, "bad_input", "请求的内容读不出来，请用 UTF-8 的 JSON 再发。")
        detail = _TITLES.get(error.status_code, "请求没有成功") + "，请核对地址和方式。"
        return problem(error.status_code, "http_error", detail)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.exception("unexpected error at %s", request.url.path, exc_info=error)
        return problem(500, HotlineError.code, HotlineError.citizen_sentence)
