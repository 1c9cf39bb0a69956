"""The gateway behind a real socket, with a real store, a scripted engine and a scripted voice."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect

from data_hub.memory import InMemoryDataHub
from gateway.app import create_app
from gateway.assist import KnownAssist
from gateway.auth.oidc import SignOn, sealing_key
from gateway.auth.signin import SignIn
from gateway.bootstrap import handoff_rules, make_orders
from gateway.callers import CallerSeal
from gateway.desk_service import DeskService
from gateway.doors import open_doors
from gateway.emergencies import EmergencyWatch
from gateway.feed import EventFeed
from gateway.insight_parts import InsightParts
from gateway.memory_dialogue import ScriptedDialogue
from gateway.metrics import Metrics
from gateway.replies import Sentences
from gateway.services import Services
from gateway.speech import SpeechEngines
from gateway.turns import TurnService
from hotline.errors import AccountExistsError
from hotline.ports import Recogniser, Synthesiser
from hotline.settings import Settings
from knowledge_base.catalogue import Catalogue, load_catalogue
from knowledge_base.memory import CharacterEncoder
from knowledge_base.request_reading import RequestReader
from knowledge_base.triage import load_categories
from storage.audit import SqlAuditLog, audit_key
from storage.desk import StoredDesk
from storage.engine import make_engine
from storage.recordings import SqlRecordings
from storage.seal import RowSeal
from storage.sql import SqlStore
from storage.staff_sql import SqlStaffStore
from storage.work_orders_sql import SqlWorkOrders
from voice.recording import Recordings
from voice.stt.scripted import ScriptedRecogniser
from voice.tts.scripted import ScriptedSynthesiser
from voice.vad import LoudnessVad, VadFactory

DEADLINE_S = 5.0
PASSWORD = "Xun-Feng-2026"
LINE_TOKEN = "line-token-of-the-tests"
OFFICE = "桂城街道综合行政执法办公室"
DEPARTMENT_STAFF = f"guicheng={OFFICE},dali=大沥镇综合行政执法办公室"


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Gateway:
    """A running gateway and its parts. ``http`` speaks to it over its real port."""

    http: httpx.AsyncClient
    address: str
    services: Services
    engine: ScriptedDialogue
    hub: InMemoryDataHub
    recogniser: ScriptedRecogniser
    synthesiser: ScriptedSynthesiser
    app: FastAPI

    def reset(self) -> None:
        """Everything is there and nothing is scripted."""
        self.engine.__init__()  # type: ignore[misc]
        self.recogniser.__init__([])  # type: ignore[misc]
        self.synthesiser.spoken.clear()
        self.hub.available = True

    async def open(self) -> Talk:
        answer = await self.http.post("/api/v1/conversations", json={"channel": "web"})
        assert answer.status_code == 201
        body = answer.json()
        return Talk(self, body["conversation_id"], body["token"])

    def socket(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return connect(f"ws://{self.address}{path}", additional_headers=headers or {})

    async def staff(self, username: str, *roles: str) -> dict[str, str]:
        """Headers of somebody signed in, whose account is made where it is not there yet."""
        with suppress(AccountExistsError):
            await self.services.sign_in.add_account("system", username, roles or ("agent",), PASSWORD)
        answer = await self.http.post("/api/v1/auth/login", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.http.cookies.clear()  # the bearer token alone
        return {"Authorization": f"Bearer {answer.json()['token']}"}


@dataclass
class Talk:
    gateway: Gateway
    conversation_id: str
    token: str

    @property
    def path(self) -> str:
        return f"/api/v1/conversations/{self.conversation_id}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def say(self, text: object, **more: object) -> httpx.Response:
        body = {"text": text, **more}
        return await self.gateway.http.post(f"{self.path}/messages", json=body, headers=self.headers)

    async def history(self) -> dict[str, Any]:
        answer = await self.gateway.http.get(f"{self.path}/messages", headers=self.headers)
        return dict(answer.json())

    def events(self, after: object = "") -> Any:
        return self.gateway.socket(f"{self.path}/events?token={self.token}&after={after}")


async def frame(connection: ClientConnection) -> Any:
    """The next frame: an object, or sound as bytes."""
    async with asyncio.timeout(DEADLINE_S):
        received = await connection.recv()
    return received if isinstance(received, bytes) else json.loads(received)


async def frames_until(connection: ClientConnection, **wanted: object) -> list[Any]:
    """All frames up to and with the first that has the ``wanted`` fields."""
    seen: list[Any] = []
    while not (seen and isinstance(seen[-1], dict) and wanted.items() <= seen[-1].items()):
        seen.append(await frame(connection))
    return seen


@asynccontextmanager
async def running_gateway(
    database: Path,
    folder: Path,
    recogniser: Recogniser | None = None,
    catalogue: Catalogue | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    synthesiser: Synthesiser | None = None,
    vad: VadFactory = LoudnessVad,
    **more: Any,
) -> AsyncIterator[Gateway]:
    """``database`` is a migrated file that is copied into ``folder``; ``more`` are settings, ``clock`` that of
    the work orders. Without a ``recogniser`` a scripted one hears. The telephone doors listen on free ports."""
    if not (folder / "hotline.db").exists():
        shutil.copy(database, folder / "hotline.db")
    ports = {"audiosocket_port": free_port(socket.SOCK_STREAM), "sip_port": free_port(socket.SOCK_DGRAM)}
    # Each process of tests has a range of its own: two may find the same port free at once.
    first = 20000 + 400 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports |= {"rtp_port_min": first, "rtp_port_max": first + 398}
    cheap = {"argon2_time_cost": 1, "argon2_memory_kib": 8}
    ours = {"line_token": LINE_TOKEN, "department_staff": DEPARTMENT_STAFF} | cheap | ports | more
    settings = Settings(_env_file=None, data_dir=folder, models_dir=folder, **ours)
    store = SqlStore(make_engine(settings.effective_database_url))
    engine, feed, metrics = ScriptedDialogue(), EventFeed(), Metrics()
    hub, sentences = InMemoryDataHub(), Sentences(settings.handoff_number)
    hears, speaks = ScriptedRecogniser([]), ScriptedSynthesiser(ms_per_character=1.0)
    speech = SpeechEngines(settings, recogniser or hears, synthesiser or speaks, vad, sentences, metrics)
    knowledge = KnownAssist()
    desk = DeskService(
        books=StoredDesk(store, settings.desk_max_conversations),
        store=store,
        feed=feed,
        engine=engine,
        sentences=sentences,
        settings=settings,
        knowledge=knowledge,
    )
    turns = TurnService(
        store=store,
        engine=engine,
        feed=feed,
        emergencies=EmergencyWatch(),
        sentences=sentences,
        session_turns=100,
        rules=handoff_rules(settings),
        desk=desk,
    )
    callers = CallerSeal.in_folder(folder)
    audit = SqlAuditLog(store.runner, audit_key(folder / "audit.key"), folder / "audit.head")
    sign_in = SignIn(SqlStaffStore(store.runner), audit, settings)
    sign_on = SignOn(settings, sealing_key(folder / "signin.key"))
    orders = make_orders(
        settings,
        SqlWorkOrders(store.runner, RowSeal()),
        hub,
        RequestReader(load_catalogue(), load_categories(), CharacterEncoder()),
        metrics,
        now=clock,
    )
    recordings = Recordings(SqlRecordings(store.runner), settings)
    services = Services(
        settings,
        store,
        turns,
        feed,
        sentences,
        hub,
        engine,
        speech,
        metrics,
        audit,
        sign_in,
        sign_on,
        orders,
        desk,
        callers,
        recordings,
    )
    services.insights = InsightParts.make(settings, catalogue)

    @asynccontextmanager
    async def bootstrap() -> AsyncIterator[Services]:
        await desk.start()
        try:
            async with open_doors(services):
                yield services
        finally:
            await desk.close()
            await turns.close()
            await sign_in.close()
            await speech.close()
            await recordings.close()
            await services.insights.close()
            await store.close()

    app = create_app(bootstrap)
    listener = socket.create_server(("127.0.0.1", 0))  # listens at once: nobody has to wait for it
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=DEADLINE_S) as http:
            await http.get("/healthz")  # answered once the services stand
            yield Gateway(http, address, services, engine, hub, hears, speaks, app)
    finally:
        server.should_exit = True
        await serving
