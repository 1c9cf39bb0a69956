"""Agents at their screens, over the real port."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from running_gateway import DEADLINE_S, Gateway, Talk
from websockets.asyncio.client import ClientConnection


@dataclass
class Agent:
    """Somebody signed in. ``seen`` is what the open screen was told, in order."""

    gateway: Gateway
    username: str
    headers: dict[str, str]
    seen: list[dict[str, Any]] = field(default_factory=list)
    screen: ClientConnection | None = None

    @property
    def token(self) -> str:
        return self.headers["Authorization"].removeprefix("Bearer ")

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.gateway.http.get(f"/api/v1/desk{path}", headers=self.headers, params=query)

    async def post(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        return await self.gateway.http.post(f"/api/v1/desk{path}", headers=self.headers, json=body or {})

    async def of(self, talk: Talk, step: str, **body: Any) -> httpx.Response:
        return await self.post(f"/conversations/{talk.conversation_id}/{step}", body)

    async def says(self, talk: Talk, text: str, client_message_id: str | None = None) -> httpx.Response:
        return await self.of(talk, "messages", text=text, client_message_id=client_message_id or uuid.uuid4().hex)

    async def state(self, wanted: str) -> None:
        answer = await self.post("/state", {"state": wanted})
        assert answer.status_code == 200, answer.text

    async def send(self, **frame: Any) -> None:
        assert self.screen is not None
        await self.screen.send(json.dumps(frame))

    async def told(self, **wanted: Any) -> dict[str, Any]:
        """The next frame with these fields; fields of ``data`` may be given by ``data__name``."""
        assert self.screen is not None
        async with asyncio.timeout(DEADLINE_S):
            while True:
                frame = json.loads(await self.screen.recv())
                self.seen.append(frame)
                if all(_value(frame, name) == value for name, value in wanted.items()):
                    return dict(frame)


def _value(frame: dict[str, Any], name: str) -> Any:
    found: Any = frame
    for part in name.split("__"):
        found = found.get(part) if isinstance(found, dict) else None
    return found


@asynccontextmanager
async def at_desk(
    gateway: Gateway, username: str, *roles: str, ready: bool = False, after: object = ""
) -> AsyncIterator[Agent]:
    agent = Agent(gateway, username, await gateway.staff(username, *roles))
    async with gateway.socket(f"/api/v1/desk/events?token={agent.token}&after={after}") as screen:
        agent.screen = screen
        await agent.told(type="hello")
        if ready:
            await agent.state("ready")
        yield agent


async def wait_in_queue(gateway: Gateway, text: str = "转人工") -> Talk:
    talk = await gateway.open()
    answer = await talk.say(text)
    assert answer.json()["state"] == "queued"
    return talk
