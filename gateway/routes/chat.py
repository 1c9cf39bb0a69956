"""Chat over HTTP and WebSocket (docs/interfaces.md, «Chat»)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, StringConstraints

from gateway.feed import Outbox
from gateway.services import Services, bearer, services_of
from gateway.turns import TurnResult, recall_consent
from hotline.desk import HandoffReason
from hotline.desk_ports import Contact
from hotline.errors import BadInputError, HotlineError, NotAuthorisedError
from hotline.events import ConversationEvent, EventType
from hotline.messages import Channel
from hotline.privacy import mask_text
from storage.ports import ConversationRecord

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/api/v1/conversations", tags=["对话"])

_UNAUTHORISED = 4401  # WebSocket close code, after HTTP's 401
_TRY_AGAIN = 1013
_SHOWN = {
    EventType.REPLY,
    EventType.AGENT_MESSAGE,
    EventType.STATE,
    EventType.QUEUE,
    EventType.RECALL_CONSENT,
}
_PAGE = 200


class NewConversationBody(BaseModel):
    channel: Channel = Channel.WEB


class MessageBody(BaseModel):
    # Any JSON value: what is no readable text gets its own named error from the text gate.
    text: Any = ""
    client_message_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None


class RatingBody(BaseModel):
    """好差评: 5 非常满意 … 1 非常不满意."""

    score: int = Field(ge=1, le=5)
    comment: str = Field(default="", max_length=500)


async def conversation(conversation_id: str, request: Request) -> ConversationRecord:
    return await services_of(request).authorised(conversation_id, bearer(request))


Conversation = Annotated[ConversationRecord, Depends(conversation)]
House = Annotated[Services, Depends(services_of)]


@router.post("", status_code=201, summary="开始一次对话")
async def start(house: House, body: NewConversationBody | None = None) -> dict[str, Any]:
    record, token = await house.new_conversation(body.channel if body else Channel.WEB)
    greeting = house.sentences.greeting()
    return {"conversation_id": record.conversation_id, "token": token, "replies": [greeting.model_dump(mode="json")]}


@router.post("/{conversation_id}/messages", summary="说一句话")
async def say(record: Conversation, body: MessageBody, house: House) -> dict[str, Any]:
    return await take_turn(house, record, body.text, record.channel, body.client_message_id)


@router.get("/{conversation_id}/messages", summary="对话记录")
async def history(record: Conversation, house: House, after: str | None = None) -> dict[str, Any]:
    turns = await house.store.history(record.conversation_id, after or None)
    return {
        "messages": [
            {
                "turn_id": turn.turn_id,
                "text": turn.text,
                "at": turn.at.isoformat(),
                "replies": [reply.model_dump(mode="json") for reply in turn.replies],
                "state": (turn.state or record.state).value,
            }
            for turn in turns
        ],
        "agent_messages": [
            {"seq": e.seq, "at": e.at.isoformat(), "text": e.data.get("text"), "agent": e.data.get("agent")}
            for e in await house.store.events_of(record.conversation_id, EventType.AGENT_MESSAGE)
        ],
        "state": record.state.value,
        "expects": record.expects,
        "seq": record.event_seq,
    }


@router.post("/{conversation_id}/rating", status_code=201, summary="评价")
async def rate(record: Conversation, body: RatingBody, house: House) -> dict[str, Any]:
    change = await house.store.rate(record.conversation_id, body.score, mask_text(body.comment), datetime.now(UTC))
    house.feed.publish(change.events)
    return {"score": body.score}


class CallBackBody(BaseModel):
    """``phone``: where to call; not needed where the caller's number is known."""

    phone: str = Field(default="", max_length=32)


class RecallBody(BaseModel):
    """``phone``: where to call; not needed where the caller's number is known, or to say no."""

    agreed: bool
    phone: str = Field(default="", max_length=32)


@router.post("/{conversation_id}/recall-consent", status_code=201, summary="答复有误时愿不愿意接到回电")
async def agree_to_recall(record: Conversation, house: House, body: RecallBody) -> dict[str, Any]:
    if body.agreed and not body.phone and not record.contact:
        raise BadInputError("请填答复有误时打给您的电话。")
    contact = house.callers.contact(body.phone) if body.agreed and body.phone else Contact()
    given = {"contact_key": contact.sealed, "contact_shown": contact.shown} if contact.sealed else {}
    event = recall_consent(record.conversation_id, body.agreed, datetime.now(UTC), **given)
    house.feed.publish([await house.store.append(event)])
    return {"agreed": body.agreed, "contact": contact.shown or record.contact_shown}


@router.post("/{conversation_id}/handoff", summary="转人工（按钮）")
async def hand_off(record: Conversation, house: House) -> dict[str, Any]:
    return turn_json(await house.turns.hand_off(record, record.channel, HandoffReason.BUTTON))


@router.post("/{conversation_id}/callback", status_code=201, summary="不等了，请回电")
async def call_back(record: Conversation, house: House, body: CallBackBody) -> dict[str, Any]:
    if not body.phone and not record.contact:
        raise BadInputError("请填要回拨的电话。")
    contact = house.callers.contact(body.phone) if body.phone else Contact()
    change = await house.desk.call_back(record.conversation_id, contact)
    assert change.callback is not None
    return {"callback_id": change.callback.callback_id, "contact": change.callback.contact_shown}


@router.websocket("/{conversation_id}/events")
async def events(socket: WebSocket, conversation_id: str, token: str = "", after: str = "") -> None:
    """Everything that happens in a conversation, from ``after`` (a ``seq``) on; nothing twice, nothing missed.

    A client may also speak here: ``{"type":"message","text","client_message_id"?}``.
    """
    house = services_of(socket)
    await socket.accept()
    try:
        record = await house.authorised(conversation_id, token)
    except HotlineError as error:
        await socket.send_json({"type": "error", "code": error.code, "detail": error.detail})
        await socket.close(_UNAUTHORISED if isinstance(error, NotAuthorisedError) else _TRY_AGAIN)
        return
    seen = min(int(after), record.event_seq) if after.isdecimal() and len(after) < 16 else record.event_seq
    async with house.feed.page(conversation_id) as queue:
        outward = asyncio.create_task(_keep_told(socket, house, conversation_id, seen, queue))
        try:
            await _hear(socket, house, record, queue)
        except WebSocketDisconnect:
            pass
        finally:
            outward.cancel()
            await asyncio.gather(outward, return_exceptions=True)


async def take_turn(
    house: Services, record: ConversationRecord, text: object, channel: Channel, client_message_id: str | None
) -> dict[str, Any]:
    """One text turn, measured, as the JSON of docs/interfaces.md."""
    started = time.perf_counter()
    result = await house.turns.take(record, text, channel, client_message_id=client_message_id)
    house.metrics.turn_seconds.labels(channel.value).observe(time.perf_counter() - started)
    house.metrics.turns.labels(channel.value, result.state.value).inc()
    return turn_json(result)


def turn_json(result: TurnResult) -> dict[str, Any]:
    return {
        "turn_id": result.turn_id,
        "state": result.state.value,
        "replies": [reply.model_dump(mode="json") for reply in result.replies],
        "understanding": result.understanding.model_dump(mode="json"),
        "expects": result.expects,
    }


async def _keep_told(
    socket: WebSocket,
    house: Services,
    conversation_id: str,
    seen: int,
    queue: Outbox,
) -> None:
    """Sends events until the client has gone. A socket that can't be told any more is closed: the
    client would otherwise wait in silence instead of coming back with ``after``."""
    try:
        await _send_events(socket, house, conversation_id, seen, queue)
    except WebSocketDisconnect:
        return  # _hear ends the watch
    except Exception as error:
        logger.warning("events of %s: %s", conversation_id, type(error).__name__)
        await socket.close(_TRY_AGAIN)


async def _send_events(
    socket: WebSocket,
    house: Services,
    conversation_id: str,
    seen: int,
    queue: Outbox,
) -> None:
    turn: dict[str, Any] | None = None
    while True:
        # Watching began before this read, so an event is either in the store or still to come.
        missed = await house.store.events_after(conversation_id, seen, _PAGE)
        for event in missed:
            await _send_event(socket, event)
            seen = event.seq
        if len(missed) == _PAGE:
            continue
        if turn is not None:  # whatever led to it has been sent
            await socket.send_json(turn)
            turn = None
        told = await queue.get()
        if isinstance(told, dict):
            turn = told
        elif told.seq == seen + 1:
            await _send_event(socket, told)
            seen = told.seq


async def _send_event(socket: WebSocket, event: ConversationEvent) -> None:
    if event.type not in _SHOWN:
        return
    frame: dict[str, Any] = {"type": event.type.value, "seq": event.seq, "turn_id": event.turn_id}
    if event.type is EventType.REPLY:
        reply = dict(event.data)
        frame["understanding"] = reply.pop("understanding", None)
        frame["reply"] = reply
    elif event.type is EventType.RECALL_CONSENT:  # never the number itself, sealed or not
        frame |= {"agreed": event.data.get("agreed"), "contact": event.data.get("contact_shown", "")}
    else:
        frame.update(event.data)
    await socket.send_json(frame)


async def _hear(socket: WebSocket, house: Services, record: ConversationRecord, queue: Outbox) -> None:
    while True:
        try:
            frame = json.loads(await socket.receive_text())
            if not isinstance(frame, dict) or frame.get("type") != "message":
                raise BadInputError('这里只收 {"type":"message","text":…}。')
            client_id = frame.get("client_message_id")
            if client_id is not None and not (_printable(client_id) and len(client_id) <= 128):
                raise BadInputError("client_message_id 要是 1 到 128 个字符。")
            # The replies reach every watcher, this socket included, as events; the turn follows them.
            result = await take_turn(house, record, frame.get("text"), record.channel, client_id)
            await queue.put({"type": "turn", **result})
        except (json.JSONDecodeError, RecursionError, KeyError):  # KeyError: a binary frame
            error: HotlineError = BadInputError("这一帧不是 JSON 文字，请按接口格式发送。")
            await socket.send_json({"type": "error", "code": error.code, "detail": error.detail})
        except HotlineError as named:
            await socket.send_json({"type": "error", "code": named.code, "detail": named.detail})


def _printable(value: object) -> bool:
    """A text that can be kept: not empty, no lone halves of characters."""
    return isinstance(value, str) and bool(value) and not any("\ud800" <= c <= "\udfff" for c in value)
