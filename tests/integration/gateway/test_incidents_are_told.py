"""A manager makes an incident known at the gateway; the action server tells it. Both behind real sockets."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from running_gateway import LINE_TOKEN, Gateway, running_gateway
from sanic import Sanic

from actions.incidents import IncidentBoard
from actions.registry import make_actions
from data_hub.line_incidents import LineIncidents
from gateway.dialogue import read_answer
from tests.unit.actions.line_parts import make_tools

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = "/api/v1/insights"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Gateway, httpx.AsyncClient]]:  # fmt: skip
    async with running_gateway(migrated_database, tmp_path_factory.mktemp("house")) as gateway:
        news = LineIncidents(f"http://{gateway.address}", LINE_TOKEN, timeout_s=5, fresh_s=0)
        executor = ActionExecutor()
        for action in make_actions(make_tools(incidents=IncidentBoard(news), deadline_s=5.0)):
            executor.register_action(action)
        Sanic.test_mode = True
        app: Any = create_app(executor, cors_origins=[])
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        running: Any = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False)
        await running.startup()
        await running.before_start()
        await running.after_start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=10) as actions:
            yield gateway, actions
        await running.before_stop()
        await running.close()
        await running.after_stop()
        await news.aclose()
        Sanic._app_registry.clear()


async def asked(actions: httpx.AsyncClient, text: str) -> str:
    message = {"text": text, "intent": {"name": "nlu_fallback", "confidence": 0.3}, "entities": [], "metadata": {}}
    tracker = {
        "sender_id": "c", "slots": {}, "latest_message": message, "events": [], "paused": False, "followup_action": None,
        "active_loop": {}, "latest_action_name": None,
    }  # fmt: skip
    body = {"next_action": "action_fallback", "sender_id": "c", "tracker": tracker, "domain": {}, "version": "3.6.21"}
    answer = await actions.post("/webhook", json=body)
    assert answer.status_code == 200
    return "\n".join(reply.text for reply in read_answer(answer.json()["responses"]).replies)


async def test_what_a_manager_makes_known_is_told_until_it_is_withdrawn(house: Any) -> None:
    gateway, actions = house
    manager = await gateway.staff("manager1", "manager")
    assert "停水抢修" not in await asked(actions, "狮山为什么没水")
    until = (date.today() + timedelta(days=2)).isoformat() + "T00:00:00+08:00"
    body = {"text": "博爱路一带停水抢修", "source": "区供水公司", "words": ["停水", "没水"], "town": "狮山镇", "valid_until": until}  # fmt: skip
    made = (await gateway.http.post(f"{ROOT}/incidents", json=body, headers=manager)).json()
    told = await asked(actions, "狮山为什么没水")
    assert told.startswith("关于您说的这件事，目前已经知道的情况是：狮山镇：博爱路一带停水抢修（区供水公司，有效至")
    assert "停水抢修" not in await asked(actions, "桂城为什么没水")
    await gateway.http.delete(f"{ROOT}/incidents/{made['incident_id']}", headers=manager)
    assert "停水抢修" not in await asked(actions, "狮山为什么没水")


async def test_the_internal_address_is_for_the_line_alone(house: Any) -> None:
    gateway, _ = house
    for headers in ({}, {"Authorization": "Bearer wrong"}, await gateway.staff("manager1", "manager")):
        answer = await gateway.http.get("/internal/v1/incidents", headers=headers)
        assert answer.status_code == 401
