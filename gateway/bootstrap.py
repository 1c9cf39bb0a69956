"""The composition root of the gateway: every connection is made and closed here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx

from data_hub.client import HttpDataHub
from desk.handoff import HandoffRules
from desk.work_orders.attachments import Attachments
from desk.work_orders.calendar import WorkingDays
from desk.work_orders.clock import Limits
from desk.work_orders.hand_over import HandOvers
from desk.work_orders.service import House, WorkOrders
from gateway.assist import HttpAssist
from gateway.auth.oidc import SignOn, sealing_key
from gateway.auth.signin import SignIn
from gateway.callers import CallerSeal
from gateway.desk_service import DeskService
from gateway.dialogue import RasaDialogue
from gateway.domain_words import domain_words
from gateway.doors import open_doors
from gateway.emergencies import EmergencyWatch
from gateway.feed import EventFeed
from gateway.insight_parts import InsightParts
from gateway.loop_lag import watch_loop_lag
from gateway.metrics import Metrics
from gateway.needs import NeedsReader
from gateway.orders import Orders
from gateway.replies import Sentences
from gateway.services import Services
from gateway.speech import SpeechEngines
from gateway.triage import ActionsTriage
from gateway.turns import TurnService
from hotline.errors import DialogueDownError
from hotline.settings import Settings
from hotline.work_order_ports import RequestTriage, WorkOrderHub
from hotline.work_order_record import RequestCategory
from knowledge_base.catalogue import load_catalogue
from storage.audit import SqlAuditLog, audit_key
from storage.desk import StoredDesk
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.recordings import SqlRecordings
from storage.seal import RowSeal
from storage.sql import SqlStore
from storage.staff_sql import SqlStaffStore
from storage.work_orders_memory import MemoryWorkOrders
from storage.work_orders_sql import SqlWorkOrders
from voice.recording import Recordings
from voice.stt.load import load_recogniser
from voice.tts.load import load_synthesiser
from voice.vad import load_vad

_ENGINE_WAIT_S = 60


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Services]:
    """The services of a running gateway. Speech models load in the background: text answers at once."""
    url = settings.effective_database_url
    await upgrade(url)
    store = SqlStore(make_engine(url))
    audit = SqlAuditLog(store.runner, audit_key(settings.effective_audit_key_file), settings.data_dir / "audit.head")
    sign_in = SignIn(SqlStaffStore(store.runner), audit, settings)
    sign_on = SignOn(settings, sealing_key(settings.data_dir / "signin.key"))
    hub = HttpDataHub(settings.effective_hub_url, settings.hub_paasid, settings.hub_token, settings.hub_timeout_s)
    client = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=64, keepalive_expiry=60))
    engine = RasaDialogue(
        f"http://127.0.0.1:{settings.rasa_port}",
        f"http://127.0.0.1:{settings.actions_port}",
        settings.dialogue_deadline_s,
        client,
    )
    feed, metrics = EventFeed(), Metrics()
    catalogue = load_catalogue()
    sentences = Sentences(settings.handoff_number)
    speech = SpeechEngines(
        settings,
        load_recogniser(settings, domain_words(catalogue)),
        load_synthesiser(settings),
        load_vad(settings.models_dir),
        sentences,
        metrics,
    )
    desk = DeskService(
        books=StoredDesk(store, settings.desk_max_conversations),
        store=store,
        feed=feed,
        engine=engine,
        sentences=sentences,
        settings=settings,
        knowledge=HttpAssist(f"http://127.0.0.1:{settings.actions_port}", settings.dialogue_deadline_s, client),
        needs=NeedsReader(catalogue),
    )
    turns = TurnService(
        store=store,
        engine=engine,
        feed=feed,
        emergencies=EmergencyWatch(kept_in=settings.models_dir / "danger"),
        sentences=sentences,
        session_turns=settings.session_turns,
        rules=handoff_rules(settings),
        desk=desk,
    )
    orders = make_orders(
        settings,
        SqlWorkOrders(store.runner, RowSeal.in_folder(settings.data_dir)),
        hub,
        ActionsTriage(f"http://127.0.0.1:{settings.actions_port}", client),
        metrics,
    )
    insights = InsightParts.make(settings, catalogue)
    recordings = Recordings(SqlRecordings(store.runner), settings)
    works = (_warm_up(speech, engine), watch_loop_lag(metrics), orders.run(), recordings.sweep_daily())
    background = [asyncio.create_task(work) for work in works]
    try:
        await desk.start()
        callers = CallerSeal.in_folder(settings.data_dir)
        house = Services(
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
            insights,
        )
        async with open_doors(house):
            yield house
    finally:
        await desk.close()
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await turns.close()
        await sign_in.close()
        await speech.close()
        await recordings.close()
        await client.aclose()
        await hub.aclose()
        await insights.close()
        await store.close()


def make_orders(
    settings: Settings,
    stores: SqlWorkOrders | MemoryWorkOrders,
    hub: WorkOrderHub,
    triage: RequestTriage,
    metrics: Metrics,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Orders:
    """The work orders over ``stores``. Raises CalendarFileError."""
    catalogue = load_catalogue()
    categories = tuple(RequestCategory.model_validate(each.model_dump()) for each in catalogue.requests.values())
    house = House(
        store=stores,
        outbox=stores,
        readings=stores,
        calendar=WorkingDays.with_file(settings.holidays_file),
        limits=Limits.of(settings),
        categories=categories,
        now=now,
        auto_dispatch=settings.auto_dispatch,
        towns=tuple(town.name for town in catalogue.towns.values()),
    )
    orders = Orders(
        desk=WorkOrders(house),
        hand_overs=HandOvers(stores, stores, hub, now, settings.hub_order_moves),
        triage=triage,
        attachments=Attachments(
            settings.data_dir / "attachments", settings.attachment_max_mb, settings.attachments_max, now
        ),
        metrics=metrics,
        now=now,
    )
    orders.desk.on_filed = orders.wake
    orders.desk.on_moved = orders.wake_hand_over
    return orders


async def _warm_up(speech: SpeechEngines, engine: RasaDialogue) -> None:
    """Speech loads once the dialogue engine answers: until then both cores are its own."""
    for _ in range(_ENGINE_WAIT_S):
        try:
            await engine.ping()
            break
        except DialogueDownError:
            await asyncio.sleep(1.0)
    await speech.warm_up()


def handoff_rules(settings: Settings) -> HandoffRules:
    return HandoffRules(
        misunderstandings=settings.handoff_misunderstandings,
        unclear_turns=settings.handoff_unclear_turns,
        min_confidence=settings.handoff_min_confidence,
        elder_age=settings.handoff_elder_age,
    )
