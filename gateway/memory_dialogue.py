"""A dialogue engine that answers from a script: for trying the gateway without Rasa, and for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from hotline.errors import ActionsDownError, DialogueDownError
from hotline.messages import CitizenMessage, Reply, Understanding
from hotline.ports import DialogueAnswer

Line = DialogueAnswer | str | Exception


class ScriptedDialogue:
    """A :class:`gateway.dialogue.Engine` in memory.

    ``answers`` maps a message's whole text to its answer; any other message takes the next line
    of ``script``, and ``otherwise`` where the script has ended. A plain string is an answer with
    that text; an exception is raised. ``available`` and ``actions_available`` False make the
    engine or its actions fail as the real ones do.

    ``asked`` keeps the messages with the state they came in, ``renewed`` the conversations whose
    session was renewed. While ``hold`` is set to an event, answers wait for it; ``waiting`` counts
    the messages in the engine right now, and ``arrived`` is set as soon as one has come in. ``known``
    holds the slots of each conversation.
    """

    def __init__(
        self,
        script: Iterable[Line] = (),
        answers: Mapping[str, Line] | None = None,
        otherwise: Line = "好的。",
    ) -> None:
        self.available = True
        self.actions_available = True
        self.hold: asyncio.Event | None = None
        self.waiting = 0
        self.arrived = asyncio.Event()
        self.asked: list[tuple[CitizenMessage, str]] = []
        self.renewed: list[str] = []
        self.known: dict[str, dict[str, Any]] = {}
        self._script = iter(script)
        self._answers = dict(answers or {})
        self._otherwise = otherwise

    async def answer(self, message: CitizenMessage, state: str = "bot") -> DialogueAnswer:
        self.asked.append((message, state))
        self.waiting += 1
        self.arrived.set()
        try:
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self.waiting -= 1
        await self.ping()
        if not self.actions_available:
            raise ActionsDownError
        line = self._answers[message.text] if message.text in self._answers else next(self._script, self._otherwise)
        if isinstance(line, Exception):
            raise line
        if isinstance(line, str):
            return DialogueAnswer(replies=[Reply(text=line)], understanding=Understanding(intent="scripted"))
        return line

    async def renew_session(self, conversation_id: str) -> None:
        await self.ping()
        self.renewed.append(conversation_id)

    async def slots(self, conversation_id: str) -> dict[str, Any]:
        await self.ping()
        return dict(self.known.get(conversation_id, {}))

    async def set_slots(self, conversation_id: str, values: dict[str, Any]) -> None:
        await self.ping()
        self.known.setdefault(conversation_id, {}).update(values)

    async def ping(self) -> None:
        if not self.available:
            raise DialogueDownError

    async def ping_actions(self) -> None:
        if not self.actions_available:
            raise ActionsDownError

    async def ping_search(self) -> None:
        await self.ping_actions()
