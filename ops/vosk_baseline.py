"""The baseline of the recognition server: vosk-server's WebSocket server, as its source describes it.

``python -m ops.vosk_baseline MODEL_FOLDER PORT``. It comes in no package, so this follows its flow
(github.com/alphacep/vosk-server, ``websocket/asr_server.py``): the websockets library, one
KaldiRecognizer a connection, a pool of as many threads as cores, and for each message one hop into the
pool that answers ``Result``, ``PartialResult`` or ``FinalResult``. Only the bench runs it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from vosk import KaldiRecognizer, Model, SetLogLevel
from websockets.asyncio.server import ServerConnection, serve

_EOF = '{"eof" : 1}'


def _work(kaldi: Any, message: str | bytes) -> str:
    if message == _EOF:
        return str(kaldi.FinalResult())
    return str(kaldi.Result() if kaldi.AcceptWaveform(message) else kaldi.PartialResult())


async def _run(folder: str, port: int) -> None:
    model, pool, loop = Model(model_path=folder), ThreadPoolExecutor(os.cpu_count() or 1), asyncio.get_running_loop()

    async def recognise(connection: ServerConnection) -> None:
        config: dict[str, Any] = {}
        kaldi: Any = None
        async for message in connection:
            if isinstance(message, str) and "config" in message:
                config |= json.loads(message)["config"]
                continue
            if kaldi is None:
                phrases = config.get("phrase_list")
                rate = float(config.get("sample_rate", 8000))
                grammar = [json.dumps(phrases, ensure_ascii=False)] if phrases else []
                kaldi = KaldiRecognizer(model, rate, *grammar)
                kaldi.SetWords(bool(config.get("words", True)))
                kaldi.SetMaxAlternatives(int(config.get("max_alternatives", 0)))
            await connection.send(await loop.run_in_executor(pool, _work, kaldi, message))
            if message == _EOF:
                return

    async with serve(recognise, "127.0.0.1", port):
        await asyncio.Future()


if __name__ == "__main__":
    SetLogLevel(-1)
    asyncio.run(_run(sys.argv[1], int(sys.argv[2])))
