"""Runs the gateway: ``python -m gateway.server``; settings come from the environment."""

from __future__ import annotations

import logging
import resource

import uvicorn

from gateway.app import create_app
from gateway.bootstrap import bootstrap
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
        create_app(lambda: bootstrap(settings)),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
    )


def _as_many_files_as_allowed() -> None:
    """A thousand open connections are a busy day, and the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
