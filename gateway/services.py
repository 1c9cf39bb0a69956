"""What the routes work with; made once by bootstrap.py."""

from __future__ import annotations

import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from starlette.requests import HTTPConnection

from gateway.auth.oidc import SignOn
from gateway.auth.signin import SignIn
from gateway.callbook import CallBook
from gateway.callers import Caller, CallerSeal
from gateway.desk_service import DeskService
from gateway.dialogue import Engine
from gateway.feed import EventFeed
from gateway.insight_parts import InsightParts
from gateway.metrics import Metrics
from gateway.orders import Orders
from gateway.replies import Sentences
from gateway.speech import SpeechEngines
from gateway.turns import TurnService
from hotline.errors import NotAuthorisedError, NotFoundError
from hotline.messages import Channel
from hotline.ports import AuditLog, DataHub
from hotline.settings import Settings
from storage.ports import ConversationRecord, NewConversation, Store
from storage.rules import hash_token
from voice.recording import Recordings


@dataclass
class Services:
    settings: Settings
    store: Store
    turns: TurnService
    feed: EventFeed
    sentences: Sentences
    hub: DataHub
    engine: Engine
    speech: SpeechEngines
    metrics: Metrics
    audit: AuditLog
    sign_in: SignIn
    sign_on: SignOn
    orders: Orders
    desk: DeskService
    callers: CallerSeal
    recordings: Recordings | None = None  # None: calls are not recorded
    insights: InsightParts | None = None
    doors: dict[str, dict[str, Any]] = field(default_factory=dict)  # telephone doors, as /readyz names them
    calls: CallBook = field(init=False)

    def __post_init__(self) -> None:
        self.calls = CallBook(self.settings.calls_max, self.settings.calls_per_caller)

    async def new_conversation(
        self, channel: Channel, external_id: str | None = None, caller: Caller = Caller()
    ) -> tuple[ConversationRecord, str]:
        """A conversation and its token; only the token's hash is kept. ``caller``: who speaks, where a
        door announced it; a sender of another system is known by its name there."""
        if caller.key is None and external_id is not None:
            caller = Caller(self.callers.digest(channel.value, external_id))
        token = secrets.token_urlsafe(24)
        record = await self.store.create_conversation(
            NewConversation(
                conversation_id=uuid.uuid4().hex,
                channel=channel,
                token_hash=hash_token(token),
                external_id=external_id,
                caller_key=caller.key,
                contact=caller.contact.sealed,
                contact_shown=caller.contact.shown,
                greeting=self._greeting(channel),
                at=datetime.now(UTC),
            )
        )
        return record, token

    def _greeting(self, channel: Channel) -> str:
        """What this channel's citizens are told first; Rasa's REST clients greet by themselves."""
        if channel is Channel.WEB:
            return self.sentences.greeting().text
        return self.sentences.call_greeting(recorded=False).text if channel is Channel.VOICE else ""

    async def authorised(self, conversation_id: str, token: str | None) -> ConversationRecord:
        """The conversation, if ``token`` is its own.

        Raises:
            NotAuthorisedError: also where there is no such conversation, so that ids can't be probed.
        """
        try:
            record = await self.store.get_conversation(conversation_id)
        except NotFoundError:
            raise NotAuthorisedError from None
        if not token or not hmac.compare_digest(hash_token(token), record.token_hash):
            raise NotAuthorisedError
        return record


def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that serves this request or socket."""
    services: Services = connection.app.state.services
    return services


def bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
