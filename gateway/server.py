"""Runs the gateway: ``python -m gateway.server``; settings come from the environment."""

from __future__ import annotations

import logging

import uvicorn

from gateway.app import create_app
from gateway.bootstrap import bootstrap
from hotline.settings import Settings


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
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


if __name__ == "__main__":
    main()
