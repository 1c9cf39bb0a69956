"""Errors on the wire: RFC 9457 problem details with a Chinese ``detail``."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from data_hub.signing import SignatureError
from hotline.errors import HotlineError

log = logging.getLogger(__name__)

_PLAIN = {404: "没有这个接口。", 405: "这个接口不支持这种请求方法。"}


class ConflictError(HotlineError):
    """What is asked contradicts what is already recorded."""

    code = "conflict"
    status = 409
    citizen_sentence = "与已有的记录冲突，请核对后再试。"


def problem(status: int, code: str | int, detail: str, **more: Any) -> JSONResponse:
    body = {"type": "about:blank", "title": "请求未完成", "status": status, "detail": detail, "code": code}
    return JSONResponse({**body, **more}, status_code=status, media_type="application/problem+json")


def signature_problem(error: SignatureError) -> JSONResponse:
    """``code`` and ``msg`` as the gateways answer, inside a problem."""
    return problem(error.status, error.gateway_code, error.detail, msg=error.detail)


def add_problem_handlers(app: FastAPI) -> None:
    @app.exception_handler(HotlineError)
    async def _named(_request: Request, error: HotlineError) -> JSONResponse:
        return problem(error.status, error.code, error.detail)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        # The places only: the values may be somebody's name or number.
        places = sorted({".".join(map(str, e["loc"][1:])) or "body" for e in error.errors()})
        detail = f"请求里这些字段缺少或格式不对：{'、'.join(places)}。"
        return problem(422, "bad_input", detail, fields=places)

    @app.exception_handler(HTTPException)
    async def _plain(_request: Request, error: HTTPException) -> JSONResponse:
        # `route_` and not a case's own code: a wrong address must not read as 「没有这个办件」.
        return problem(error.status_code, f"route_{error.status_code}", _PLAIN.get(error.status_code, "请求不对。"))

    @app.exception_handler(Exception)
    async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected error", exc_info=error)
        return problem(500, HotlineError.code, HotlineError.citizen_sentence)
