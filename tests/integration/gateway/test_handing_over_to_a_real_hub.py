"""The gateway's background task and the real reference hub, which goes down and comes back."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from data_hub.client import HttpDataHub
from data_hub.reference.app import create_app
from data_hub.reference.catalogue import write_catalogue
from desk.work_orders import hand_over
from desk.work_orders.actors import staff
from desk.work_orders.effects import Act
from gateway.bootstrap import make_orders
from gateway.metrics import Metrics
from gateway.orders import Orders
from hotline.settings import Settings
from hotline.work_order_flow import Move
from hotline.work_orders import RequestType, WorkOrderDraft
from knowledge_base.catalogue import load_catalogue
from knowledge_base.request_reading import RequestReader
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.runner import Runner
from storage.seal import RowSeal
from storage.sql import SqlStore
from storage.work_orders_sql import SqlWorkOrders

TOKEN = "hub-token-of-the-tests"
OFFICE = "桂城街道综合行政执法办公室"
LAMP = WorkOrderDraft(type=RequestType.HELP, happened="路灯坏了", town="桂城街道", contact_mobile="13800000021")


class HubOnOnePort:
    """The reference hub over one folder and one port, started and stopped as often as wanted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        write_catalogue([], [], folder / "catalogue.json")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._running: tuple[uvicorn.Server, threading.Thread] | None = None

    def start(self) -> None:
        app = create_app(self._folder / "hub.db", self._folder / "catalogue.json", TOKEN)
        listener = socket.create_server(("127.0.0.1", self._port))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        self._running = (server, thread)

    def stop(self) -> None:
        if self._running:
            self._running[0].should_exit = True
            self._running[1].join(timeout=10)
            self._running = None

    def told(self, number: str) -> list[tuple[str, str]]:
        """What the hub was told of an order: each move with the state after it."""
        with sqlite3.connect(self._folder / "hub.db") as connection:
            query = "SELECT body FROM records WHERE idempotency_key = ?"
            (body,) = connection.execute(query, (f"work_order|{number}",)).fetchone()
        return [(step["move"], step["state"]) for step in json.loads(body)["trail"] if "move" in step]

    def filed(self) -> list[str]:
        """The idempotency keys of the work orders at the hub."""
        with sqlite3.connect(self._folder / "hub.db") as connection:
            rows = connection.execute("SELECT idempotency_key FROM records WHERE kind = 'work_order'").fetchall()
        return sorted(row[0].split("|")[1] for row in rows)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubOnOnePort]:
    (tmp_path / "hub").mkdir()
    made = HubOnOnePort(tmp_path / "hub")
    yield made
    made.stop()


async def move(orders: Orders, number: str, move: str, **needs: Any) -> None:
    people = {"take_up": staff("guicheng", {"agent"}, frozenset(), OFFICE)}
    agent = staff("agent", {"agent"}, frozenset())
    await orders.desk.act(number, Act(Move(move), **needs), people.get(move, agent))


class WatchedOrders(SqlWorkOrders):
    """Tells when the outbox has become empty."""

    def __init__(self, runner: Runner, seal: RowSeal) -> None:
        super().__init__(runner, seal)
        self.handed_over = asyncio.Event()

    async def done(self, number: str, all_told: bool = True) -> bool:
        taken_out = await super().done(number, all_told)
        if not await self.waiting():
            self.handed_over.set()
        return taken_out

    async def all_handed_over(self) -> None:
        async with asyncio.timeout(10):
            await self.handed_over.wait()
        self.handed_over.clear()


async def test_requests_filed_while_the_hub_is_down_reach_it_once_also_over_a_restart_of_the_gateway(
    hub: HubOnOnePort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand_over, "BACKOFF_S", (0.05, 0.1))
    url, seal = f"sqlite:///{tmp_path / 'hotline.db'}", RowSeal()
    await upgrade(url)
    numbers: list[str] = []
    for life in range(2):  # the gateway's: the second begins with what the first left in the file
        store = SqlStore(make_engine(url))
        client = HttpDataHub(hub.url, "nanhai-hotline", TOKEN, timeout_s=2)
        stores = WatchedOrders(store.runner, seal)
        orders = make_orders(
            Settings(_env_file=None, data_dir=tmp_path),
            stores,
            client,
            RequestReader(load_catalogue(), (), None),
            Metrics(),
            now=lambda: datetime.now(UTC),
        )
        running = asyncio.create_task(orders.run())
        try:
            for n in range(3):
                record, _ = await orders.desk.file(LAMP, f"life-{life}-request-{n}")
                numbers.append(record.number)
            if life == 0:
                assert len(await stores.waiting()) == 3  # the hub was never there
            else:
                await asyncio.to_thread(hub.start)
                await stores.all_handed_over()
                await asyncio.to_thread(hub.stop)
                record, _ = await orders.desk.file(LAMP, "while-it-is-down")
                numbers.append(record.number)
                await move(orders, numbers[0], "accept")
                await move(orders, numbers[0], "dispatch", department=OFFICE)
                await asyncio.to_thread(hub.start)
                await stores.all_handed_over()
                await move(orders, numbers[0], "take_up")
                await stores.all_handed_over()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.aclose()
            await store.close()
    assert hub.filed() == sorted(numbers)
    assert hub.told(numbers[0]) == [("accept", "accepted"), ("dispatch", "dispatched"), ("take_up", "in_progress")]
    assert hub.told(numbers[1]) == []
