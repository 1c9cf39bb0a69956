from __future__ import annotations

import socket
import threading

import uvicorn
from fastapi import FastAPI

from tests.unit.data_hub.hub_samples import Clock


class RunningHub:
    """The reference hub behind a real socket, on a clock of the test."""

    def __init__(self, app: FastAPI, clock: Clock) -> None:
        self.app = app
        self.clock = clock
        listener = socket.create_server(("127.0.0.1", 0))  # listens at once: nobody has to wait for it
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]})
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self.app.state.store.close()
