"""Whether the process lives, whether every part answers, and what it has done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.services import Services, services_of
from hotline.errors import HotlineError

router = APIRouter(tags=["运行状况"])
House = Annotated[Services, Depends(services_of)]

_DEADLINE_S = 2.5


@router.get("/healthz", summary="进程是否活着")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="每个部件是否答应")
async def readyz(house: House) -> JSONResponse:
    parts: dict[str, Awaitable[None]] = {
        "rasa": house.engine.ping(),
        "actions": house.engine.ping_actions(),
        "search": house.engine.ping_search(),
        "hub": house.hub.ping(),
        "storage": house.store.ping(),
    }
    states = dict(zip(parts, await asyncio.gather(*(_state(p) for p in parts.values())), strict=True))
    speech = house.speech.states()
    ready = all(state["status"] == "ok" for state in states.values())
    for part, state in states.items():
        if state["status"] != "ok":
            house.metrics.parts_down.labels(part).inc()
    # Without speech or telephone the line still answers by text: their state is named but does not count.
    body = {"status": "ready" if ready else "degraded", "parts": {**states, **speech, **house.doors}}
    return JSONResponse(body, 200 if ready else 503)


@router.get("/metrics", summary="Prometheus 指标", include_in_schema=False)
async def metrics(house: House) -> Response:
    return Response(generate_latest(house.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _state(check: Awaitable[None]) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_DEADLINE_S):
            await check
    except HotlineError as error:
        return {"status": "down", "code": error.code, "detail": error.detail}
    except TimeoutError:
        return {"status": "down", "code": "timeout", "detail": "没有在时限内答应。"}
    return {"status": "ok"}
