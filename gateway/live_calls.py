"""Calls under way, as the desk sees them: where an agent finds the caller's voice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.following import follow
from hotline.errors import NotFoundError
from hotline.events import ConversationEvent, EventType
from voice.bridge import CallBridge
from voice.ports import EventSink
from voice.session import CallSession


@dataclass
class DeskCall:
    """``bridge`` is there while people are on the line; ``invited``: whom the agent asked to join."""

    call_id: str
    conversation_id: str
    session: CallSession
    bridge: CallBridge | None = None
    invited: set[str] = field(default_factory=set)

    def open_bridge(self) -> CallBridge:
        if self.bridge is None:
            self.bridge = CallBridge(self.session)
            self.session.bridge = self.bridge
            self.bridge.start()
        return self.bridge

    async def close_bridge(self, reason: str) -> None:
        bridge, self.bridge, self.session.bridge = self.bridge, None, None
        if bridge is not None:
            await bridge.close(reason)


class LiveCalls:
    """By call id. Doors open every call through :meth:`on_call`."""

    def __init__(self) -> None:
        self._calls: dict[str, DeskCall] = {}

    def get(self, call_id: str) -> DeskCall:
        """Raises NotFoundError: no such call, or it has ended."""
        try:
            return self._calls[call_id]
        except KeyError:
            raise NotFoundError("这通电话已经结束，或没有这通电话。") from None

    def of(self, conversation_id: str) -> DeskCall | None:
        return next((c for c in self._calls.values() if c.conversation_id == conversation_id), None)

    @asynccontextmanager
    async def on_call(
        self, call: DeskCall, events: Callable[[str, int], AsyncIterator[ConversationEvent]], sentences: Any, after: int
    ) -> AsyncIterator[DeskCall]:
        """``call`` is found by the desk until the block ends; what people do with its conversation
        meanwhile is shown and said to the caller."""
        self._calls[call.call_id] = call
        relay = asyncio.create_task(_relay(call, events(call.conversation_id, after), sentences))
        try:
            yield call
        finally:
            self._calls.pop(call.call_id, None)
            relay.cancel()
            await asyncio.gather(relay, return_exceptions=True)
            await call.close_bridge("call_ended")


def overheard(send: EventSink, call: Callable[[], DeskCall | None]) -> EventSink:
    """``send``, with the live transcript shown to the desks on the line as well."""

    async def both(frame: dict[str, Any] | bytes) -> None:
        await send(frame)
        live = call()
        if isinstance(frame, dict) and frame.get("type") == "transcript" and live is not None and live.bridge:
            live.bridge.tell(frame)

    return both


async def _relay(call: DeskCall, events: AsyncIterator[ConversationEvent], sentences: Any) -> None:
    """Events of the call's own turns carry a turn id: those are the session's already, but for the place."""
    told_place: int | None = None
    async for event in events:
        session, data = call.session, event.data
        if event.type is EventType.QUEUE:
            await session.show({"type": "queue", **data}, in_turn=True)
            if data.get("position") != told_place:
                told_place = data.get("position")
                place = sentences.place(int(data["position"]), data.get("estimate_s"))
                await session.say(place.speech_text, f"queue-{event.seq}")
        elif event.type is EventType.STATE and event.turn_id is None:
            await session.set_state(str(data["state"]))
            if data["state"] != "agent":
                await call.close_bridge("returned")
            if data["state"] == "closed":
                await session.hang_up("agent")
        elif event.type is EventType.HANDLING and data.get("what") == "took":
            await session.set_state("agent")
            await session.say(sentences.agent_joined(str(data.get("agent", ""))).speech_text, f"agent-{event.seq}")
        elif event.type is EventType.HANDLING and data.get("what") == "joined":
            await session.say(sentences.third_joined(str(data.get("agent", ""))).speech_text, f"joined-{event.seq}")
        elif event.type is EventType.AGENT_MESSAGE:
            await session.show({"type": "agent_message", "seq": event.seq, **data})
            if call.bridge is None or not call.bridge.has_agent or data.get("read_out"):
                await session.say(str(data["text"]), f"agent-{event.seq}")
        elif event.type is EventType.REPLY and event.turn_id is None:
            await session.show({"type": "reply", "turn_id": f"bot-{event.seq}", **data})
            await session.say(str(data.get("speech_text") or data["text"]), f"bot-{event.seq}")


def follower(house: Any) -> Callable[[str, int], AsyncIterator[ConversationEvent]]:
    return lambda conversation_id, after: follow(house.store, house.feed, conversation_id, after)
