"""``python -m data_hub.reference``: runs the reference hub; the token comes from ``HUB_TOKEN``."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from data_hub.reference.app import create_app
from data_hub.reference.catalogue import CatalogueError, write_catalogue
from data_hub.reference.store import KeyMismatchError


class AnnouncingServer(uvicorn.Server):
    """Says on standard output when it answers, so that a launcher need not ask again and again."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            host, port = server.sockets[0].getsockname()[:2]
            print(f"数据中台已就绪 http://{host}:{port}", flush=True)


def openapi_text() -> str:
    """docs/openapi/data-hub.json as the app makes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        write_catalogue([], [], path / "catalogue.json")
        app = create_app(path / "hub.db", path / "catalogue.json", token="openapi")  # noqa: S106
        document: dict[str, Any] = app.openapi()
        app.state.store.close()
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def build(data_dir: Path, environment: dict[str, str]) -> FastAPI:
    """Raises CatalogueError, KeyMismatchError, ValueError."""
    token = environment.get("HUB_TOKEN", "")
    if not token:
        raise ValueError("请先设置环境变量 HUB_TOKEN（与热线共用的令牌）。")
    return create_app(
        data_dir / "hub.db",
        data_dir / "catalogue.json",
        token,
        paasid=environment.get("HUB_PAASID") or None,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m data_hub.reference", description="参考数据中台")
    parser.add_argument("--host", default="127.0.0.1", help="监听地址")
    parser.add_argument("--port", type=int, default=8100, help="端口；0 则自选")
    parser.add_argument("--data-dir", type=Path, default=Path("var"), help="hub.db 与 catalogue.json 所在目录")
    parser.add_argument("--openapi", action="store_true", help="只打印接口文档（OpenAPI）")
    options = parser.parse_args()
    if options.openapi:
        sys.stdout.write(openapi_text())
        return 0
    try:
        app = build(options.data_dir, dict(os.environ))
    except (CatalogueError, KeyMismatchError, ValueError) as error:
        print(f"数据中台启动不了：{error}", file=sys.stderr)
        return 2
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,  # a path may hold a case number
        timeout_graceful_shutdown=3,
    )
    AnnouncingServer(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
