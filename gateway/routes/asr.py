"""vosk-server's WebSocket protocol (docs/interfaces.md, «识别»): recognition alone, for existing Vosk clients."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from gateway.services import services_of
from gateway.speech import Listening
from hotline.errors import BadInputError, BusyError, FrameOrderError, HotlineError
from voice.stt.vosk_protocol import StreamConfig, answer, configured, read_text

router = APIRouter(tags=["识别"])

MAX_CHUNK = 1 << 20  # bytes; the websockets library, which vosk-server runs on, takes no more either
_TRY_AGAIN, _TOO_BIG, _IDLE = 1013, 1009, 1001  # WebSocket close codes


@router.websocket("/asr")
async def recognise(socket: WebSocket) -> None:
    """Sound in, words out. One message answers each piece of sound; ``eof`` is answered by the last
    words, and the socket is closed. A message that cannot be taken gets a named error."""
    house = services_of(socket)
    await socket.accept()
    connection = _Connection(socket, house.speech.listening())
    try:
        while await connection.step(house.settings.call_idle_s):
            pass
    except WebSocketDisconnect:
        pass
    finally:
        await connection.listening.close()


class _Connection:
    def __init__(self, socket: WebSocket, listening: Listening) -> None:
        self._socket = socket
        self._config = StreamConfig()
        self.listening = listening

    async def step(self, idle_s: float) -> bool:
        """Takes one message; False when the conversation is over."""
        try:
            async with asyncio.timeout(idle_s):
                message = await self._socket.receive()
        except TimeoutError:
            await self._socket.close(_IDLE, "idle")
            return False
        if message["type"] == "websocket.disconnect":
            return False
        try:
            if (sound := message.get("bytes")) is not None:
                return await self._hear(bytes(sound))
            return await self._read(message.get("text") or "")
        except BusyError as problem:
            await self._tell(problem)
            await self._socket.close(_TRY_AGAIN, problem.code)
            return False
        except HotlineError as problem:
            await self._tell(problem)
            return True

    async def _hear(self, sound: bytes) -> bool:
        if len(sound) > MAX_CHUNK:
            await self._socket.close(_TOO_BIG, "message too big")
            return False
        heard = await self.listening.accept(sound, self._config.sample_rate, self._config.options())
        await self._socket.send_text(answer(heard, self._config))
        return True

    async def _read(self, text: str) -> bool:
        told = read_text(text)
        if "config" in told:
            config = configured(self._config, told["config"])
            if self.listening.begun and config != self._config:
                raise FrameOrderError("声音开始以后不能再改设置，请另开一个连接。")
            self._config = config
            return True
        if "eof" in told:
            heard = await self.listening.finish()
            await self._socket.send_text(answer(heard, self._config))
            await self._socket.close()
            return False
        raise BadInputError("不认识这种消息，只收 config、eof 和二进制的声音。")

    async def _tell(self, problem: HotlineError) -> None:
        await self._socket.send_json({"type": "error", "code": problem.code, "detail": problem.detail})
