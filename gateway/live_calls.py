"""A call under way as the desk sees it: how an agent joins it, and what the caller hears of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from hotline.errors import NotFoundError
from hotline.events import ConversationEvent, EventType
from voice.bridge import CallBridge
from voice.ports import EventSink
from voice.telephony.line import LiveCall


@dataclass
class DeskCall(LiveCall):
    """A call that people may join. ``bridge`` is there while they are on the line; ``invited``: whom the
    agent asked to join."""

    bridge: CallBridge | None = None
    over: bool = False
    invited: set[str] = field(default_factory=set)

    def open_bridge(self) -> CallBridge:
        """Raises NotFoundError: the call has ended."""
        if self.over:
            raise NotFoundError("这通电话已经结束。")
        if self.bridge is None:
            self.bridge = CallBridge(self.session)
            self.session.bridge = self.bridge
            self.bridge.start()
        return self.bridge

    async def close_bridge(self, reason: str) -> None:
        bridge, self.bridge, self.session.bridge = self.bridge, None, None
        if bridge is not None:
            await bridge.close(reason)


@asynccontextmanager
async def told_to_the_caller(
    call: DeskCall, events: AsyncIterator[ConversationEvent], sentences: Any
) -> AsyncIterator[None]:
    """Until the block ends, what people do with the call's conversation is shown and said to the caller."""
    relay = asyncio.create_task(_relay(call, events, sentences))
    try:
        yield
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
        call.over = True
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
