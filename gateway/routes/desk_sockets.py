"""The desk's sockets: what happens, as it happens; and a caller's voice."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from gateway.auth.guard import signed_in_socket
from gateway.following import follow
from gateway.routes.desk import may_look, name_of, profile_of, supervises
from gateway.services import Services, services_of
from hotline.desk import DeskEvent, DeskEventType, NotYoursError
from hotline.errors import AudioFormatError, BadInputError, HotlineError
from hotline.events import EventType
from hotline.staff import Principal, Role
from voice.bridge import RATES, CallBridge, Desk, DeskLineError
from voice.bridge import Role as LineRole

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/api/v1/desk", tags=["坐席工作台"])

_TRY_AGAIN = 1013
_REFUSED = 4409
_UNSEEN = frozenset({EventType.SPEECH})


@router.websocket("/events")
async def events(socket: WebSocket, after: str = "") -> None:
    """The desk's events from ``after`` (a ``seq``) on, and those of every conversation that is watched:
    nothing twice, nothing missed. The open socket is the agent's being there."""
    house = services_of(socket)
    async with signed_in_socket(socket, Role.AGENT, Role.SUPERVISOR) as who:
        if who is None:
            return
        last = await house.desk.books.desk_seq()
        seen = min(int(after), last) if after.isdecimal() and len(after) < 16 else last
        change = await house.desk.arrive(await profile_of(house, who))
        screen = _Screen(socket, house, who)
        try:
            state = change.agent.state.value if change.agent else None
            await screen.send({"type": "hello", "seq": last, "username": who.username, "state": state})
            screen.begin("desk", screen.desk_events(seen))
            await screen.listen()
        except WebSocketDisconnect:
            pass
        finally:
            await screen.close()
            house.desk.depart(who.username)


class _Screen:
    """One open socket of an agent, and the streams that run into it."""

    def __init__(self, socket: WebSocket, house: Services, who: Principal) -> None:
        self._socket = socket
        self._house = house
        self._who = who
        self._sending = asyncio.Lock()
        self._streams: dict[str, asyncio.Task[None]] = {}

    async def send(self, frame: dict[str, Any]) -> None:
        async with self._sending:
            await self._socket.send_json(frame)

    async def desk_events(self, after: int) -> AsyncIterator[dict[str, Any]]:
        async for event in self._house.desk.screens.follow(self._house.desk.books, after):
            if await self._concerns(event):
                yield event.model_dump(mode="json")

    async def _concerns(self, event: DeskEvent) -> bool:
        if event.type is DeskEventType.INVITE:
            return event.agent == self._who.username
        if supervises(self._who):
            return True
        if event.type is DeskEventType.OFFER:
            return event.agent == self._who.username
        if event.type is DeskEventType.ALERT and event.conversation_id:
            entry = await self._house.desk.entry(event.conversation_id)
            return entry is not None and entry.agent in (None, self._who.username)
        return True

    async def conversation(self, conversation_id: str, after: int) -> AsyncIterator[dict[str, Any]]:
        async for event in follow(self._house.store, self._house.feed, conversation_id, after):
            if event.type not in _UNSEEN:
                yield {
                    "type": "conversation",
                    "conversation_id": conversation_id,
                    "event": event.model_dump(mode="json", exclude={"conversation_id"}),
                }

    def begin(self, name: str, frames: AsyncIterator[dict[str, Any]]) -> None:
        if (running := self._streams.pop(name, None)) is not None:
            running.cancel()
        self._streams[name] = asyncio.create_task(self._run(frames))

    async def _run(self, frames: AsyncIterator[dict[str, Any]]) -> None:
        try:
            async for frame in frames:
                await self.send(frame)
        except (WebSocketDisconnect, RuntimeError):
            return  # the reader notices too
        except Exception as error:
            # Better closed than silent: the page comes back with ``after``.
            logger.warning("desk socket: %s", type(error).__name__)
            await self._socket.close(_TRY_AGAIN)

    async def listen(self) -> None:
        while True:
            try:
                frame = json.loads(await self._socket.receive_text())
                if not isinstance(frame, dict):
                    raise BadInputError("这一帧要是一个 JSON 对象。")
                await self._take(frame)
            except (json.JSONDecodeError, RecursionError, KeyError):
                await self._complain(BadInputError("这一帧不是 JSON 文字，请按接口格式发送。"))
            except HotlineError as error:
                await self._complain(error)

    async def _take(self, frame: dict[str, Any]) -> None:
        conversation_id = str(frame.get("conversation_id") or "")
        match frame.get("type"):
            case "watch":
                await self._house.desk.record(conversation_id)
                await may_look(self._house, self._who, conversation_id)
                after = frame.get("after")
                seq = after if isinstance(after, int) and not isinstance(after, bool) and after >= 0 else 0
                self.begin(conversation_id, self.conversation(conversation_id, seq))
            case "unwatch":
                if conversation_id != "desk" and (running := self._streams.pop(conversation_id, None)):
                    running.cancel()
            case "typing":
                if not await self._house.desk.serves(self._who.username, conversation_id):
                    raise NotYoursError
                self._house.feed.hint(conversation_id, {"type": "typing", "agent": name_of(self._who)})
            case "ping":
                await self.send({"type": "pong"})
            case _:
                raise BadInputError("这里只收 watch、unwatch、typing、ping。")

    async def _complain(self, error: HotlineError) -> None:
        await self.send({"type": "error", "code": error.code, "detail": error.detail})

    async def close(self) -> None:
        for task in self._streams.values():
            task.cancel()
        await asyncio.gather(*self._streams.values(), return_exceptions=True)


@router.websocket("/calls/{call_id}/audio")
async def audio(socket: WebSocket, call_id: str, role: str = "agent", sample_rate: int = 16000) -> None:
    """A caller's voice and the agent's, PCM 16-bit mono, both ways. ``role`` agent for who serves the
    caller; listen, whisper, barge for supervisors; barge for whom the agent asked onto the call."""
    house = services_of(socket)
    async with signed_in_socket(socket, Role.AGENT, Role.SUPERVISOR) as who:
        if who is None:
            return
        try:
            line_role = await _line_role(house, who, call_id, role, sample_rate)
            call = house.calls.get(call_id)
            if line_role is not LineRole.AGENT:
                await house.audit.record(who.username, f"{line_role.value}_on_call", f"call:{call_id}")
            bridge = call.open_bridge()
        except HotlineError as error:
            await socket.send_json({"type": "error", "code": error.code, "detail": error.detail})
            await socket.close(_REFUSED)
            return

        async def send(frame: bytes | dict[str, Any]) -> None:
            try:
                if isinstance(frame, bytes):
                    await socket.send_bytes(frame)
                else:
                    await socket.send_json(frame)
            except (WebSocketDisconnect, RuntimeError) as error:  # starlette's words for a socket that has gone
                raise DeskLineError from error

        greeting = {
            "type": "bridged",
            "call_id": call_id,
            "conversation_id": call.conversation_id,
            "role": line_role.value,
            "sample_rate": sample_rate,
        }
        try:
            await send(greeting | bridge.state())
        except DeskLineError:
            return  # gone before it began: nothing is left behind
        if line_role is LineRole.AGENT:
            await bridge.dismiss_agents(but="", reason="another_tab")  # the newer tab has the sound
        end = bridge.join(line_role, sample_rate, send, who.username, name_of(who))
        presence = _Presence(house, call.conversation_id, name_of(who))
        try:
            await presence.speaks(line_role is LineRole.BARGE)
            await _carry(socket, bridge, end, line_role, supervises(who), presence)
        except WebSocketDisconnect:
            pass
        finally:
            await bridge.leave(end)
            await presence.speaks(False)


class _Presence:
    """Who joins a talk is told to both sides, once for each coming and going. Raises nothing: sound goes first."""

    def __init__(self, house: Services, conversation_id: str, name: str) -> None:
        self._house, self._conversation_id, self._name = house, conversation_id, name
        self._told = False

    async def speaks(self, on: bool) -> None:
        if on is self._told:
            return
        self._told = on
        try:
            await self._house.desk.on_the_line(self._conversation_id, self._name, on)
        except HotlineError as error:
            logger.error("who is on the line could not be written down: %s", error.code)


async def _line_role(house: Services, who: Principal, call_id: str, role: str, sample_rate: int) -> LineRole:
    if sample_rate not in RATES:
        raise AudioFormatError(f"采样率请用 {'、'.join(map(str, RATES))} 赫兹。")
    call = house.calls.get(call_id)
    try:
        wanted = LineRole(role)
    except ValueError:
        raise BadInputError("role 只能是 agent、listen、whisper、barge。") from None
    if wanted is LineRole.CALLER:
        raise BadInputError("role 只能是 agent、listen、whisper、barge。")
    if wanted is LineRole.AGENT:
        if not await house.desk.serves(who.username, call.conversation_id):
            raise NotYoursError
    elif not supervises(who) and not (wanted is LineRole.BARGE and who.username in call.invited):
        raise NotYoursError("监听、密语、插话只有班长可以用。")
    return wanted


async def _carry(
    socket: WebSocket, bridge: CallBridge, end: Desk, role: LineRole, supervisor: bool, presence: _Presence
) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            if (pcm := message.get("bytes")) is not None:
                bridge.desk_sound(end, pcm)
                continue
            frame = json.loads(message.get("text") or "")
            if not isinstance(frame, dict):
                raise BadInputError("这一帧要是一个 JSON 对象。")
            match frame.get("type"), role is LineRole.AGENT:
                case "hold", True:
                    bridge.set_hold(frame.get("on") is True)
                case "mute", True:
                    bridge.set_mute(frame.get("on") is True)
                case "role", False if supervisor and frame.get("role") in ("listen", "whisper", "barge"):
                    bridge.become(end, LineRole(frame["role"]))
                    await presence.speaks(frame["role"] == "barge")
                case "ping", _:
                    end.tell({"type": "pong", "at": frame.get("at")})
                case "stop", _:
                    return
                case _:
                    raise BadInputError("这里只收声音、hold、mute、role、ping、stop。")
        except json.JSONDecodeError:
            await _complain(end, BadInputError("这一帧不是 JSON 文字，请按接口格式发送。"))
        except HotlineError as error:
            await _complain(end, error)


async def _complain(end: Desk, error: HotlineError) -> None:
    end.tell({"type": "error", "code": error.code, "detail": error.detail})
