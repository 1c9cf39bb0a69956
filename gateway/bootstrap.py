"""The composition root of the gateway: every connection is made and closed here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import zip_longest

import httpx

from data_hub.client import HttpDataHub
from gateway.auth.oidc import SignOn, sealing_key
from gateway.auth.signin import SignIn
from gateway.dialogue import RasaDialogue
from gateway.emergencies import EmergencyWatch
from gateway.feed import EventFeed
from gateway.metrics import Metrics
from gateway.replies import Sentences
from gateway.services import Services
from gateway.speech import SpeechEngines
from gateway.turns import TurnService
from hotline.errors import DialogueDownError
from hotline.settings import Settings
from knowledge_base.catalogue import load_catalogue
from storage.audit import SqlAuditLog, audit_key
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.recordings import SqlRecordings
from storage.sql import SqlStore
from storage.staff_sql import SqlStaffStore
from voice.recording import Recordings
from voice.stt.load import load_recogniser
from voice.tts.load import load_synthesiser
from voice.vad import load_vad

_PROMPT_NAMES = 24
# What people do with services; their homophones (不办, 到齐) are commoner words.
_SPOKEN_OF_SERVICES = ("补办", "到期", "换领", "报名", "注销", "报销", "断缴", "投诉")
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
    sentences = Sentences(settings.handoff_number)
    speech = SpeechEngines(
        settings,
        load_recogniser(settings, prompt=recognition_prompt()),
        load_synthesiser(settings),
        load_vad(settings.models_dir),
        sentences,
        metrics,
    )
    turns = TurnService(
        store=store,
        engine=engine,
        feed=feed,
        emergencies=EmergencyWatch(kept_in=settings.models_dir / "danger"),
        sentences=sentences,
        session_turns=settings.session_turns,
    )
    recordings = Recordings(SqlRecordings(store.runner), settings)
    background = [asyncio.create_task(_warm_up(speech, engine)), asyncio.create_task(recordings.sweep_daily())]
    try:
        yield Services(
            settings, store, turns, feed, sentences, hub, engine, speech, metrics, audit, sign_in, sign_on, recordings
        )
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await turns.close()
        await sign_in.close()
        await speech.close()
        await recordings.close()
        await client.aclose()
        await hub.aclose()
        await store.close()


async def _warm_up(speech: SpeechEngines, engine: RasaDialogue) -> None:
    """Speech loads once the dialogue engine answers: until then both cores are its own."""
    for _ in range(_ENGINE_WAIT_S):
        try:
            await engine.ping()
            break
        except DialogueDownError:
            await asyncio.sleep(1.0)
    await speech.warm_up()


def recognition_prompt() -> str:
    """Words of the trade that help a recogniser: services of every area, and the towns.

    Recognisers read only the last two hundred tokens or so of a prompt, so each area has its turn
    and a service gives its shortest name.
    """
    catalogue = load_catalogue()
    by_area: dict[str, list[str]] = {}
    for item in catalogue.items.values():
        by_area.setdefault(item.area, []).append(min([item.name, *item.aliases], key=len))
    in_turn = [name for names in zip_longest(*by_area.values()) for name in names if name]
    towns = [town.short for town in catalogue.towns.values()]
    return "以下是南海区政务热线的普通话对话。" + "、".join([*_SPOKEN_OF_SERVICES, *in_turn[:_PROMPT_NAMES], *towns])
