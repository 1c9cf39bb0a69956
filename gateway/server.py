"""Runs the gateway: ``python -m gateway.server``; settings come from the environment."""

from __future__ import annotations

import logging
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from gateway.app import create_app
from gateway.bootstrap import bootstrap
from gateway.services import Services
from gateway.steady import set_aside
from hotline.settings import Settings


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for noisy in ("aiosipua", "aiortp"):  # a line for each packet that finds nobody
        logging.getLogger(noisy).setLevel(logging.ERROR)
    _as_many_files_as_allowed()
    settings = Settings()
    # No access log: addresses hold conversation ids and, for sockets, tokens.
    uvicorn.run(
        create_app(lambda: _settled(settings)),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
    )


@asynccontextmanager
async def _settled(settings: Settings) -> AsyncIterator[Services]:
    async with bootstrap(settings) as services:
        set_aside()
        yield services


def _as_many_files_as_allowed() -> None:
    """A thousand open connections are a busy day, and the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
