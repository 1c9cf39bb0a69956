"""The gateway's work orders over a hub of the test, and a client of its app without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI

from gateway import problems
from gateway.bootstrap import make_orders
from gateway.metrics import Metrics
from gateway.orders import Orders
from gateway.routes import internal
from hotline.settings import Settings
from knowledge_base.catalogue import load_catalogue
from knowledge_base.memory import CharacterEncoder
from knowledge_base.request_reading import RequestReader
from knowledge_base.triage import load_categories
from storage.work_orders_memory import MemoryWorkOrders

LINE_TOKEN = "line-token-of-the-tests"


def make_line(hub: Any, clock: Callable[[], datetime], stores: MemoryWorkOrders | None = None) -> Orders:
    reader = RequestReader(load_catalogue(), load_categories(), CharacterEncoder())
    settings = Settings(_env_file=None, line_token=LINE_TOKEN)
    return make_orders(settings, stores or MemoryWorkOrders(), hub, reader, Metrics(), clock)


@asynccontextmanager
async def gateway_client(orders: Orders) -> AsyncIterator[httpx.AsyncClient]:
    """The internal address of the gateway over ``orders``."""
    app = FastAPI()
    problems.install(app)
    app.include_router(internal.router)
    app.state.services = SimpleNamespace(orders=orders, settings=Settings(_env_file=None, line_token=LINE_TOKEN))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        yield client
