"""/asr with an engine that reads whole utterances: the protocol, its errors and its limits."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import pytest_asyncio
from running_gateway import DEADLINE_S, Gateway, frame, running_gateway
from websockets.asyncio.client import ClientConnection

from hotline.errors import RecogniserDownError

pytestmark = pytest.mark.asyncio(loop_scope="module")

EOF = '{"eof" : 1}'  # byte for byte as vosk-server's own client writes it


def sound(seconds: float, amplitude: int = 6000, rate: int = 16000) -> bytes:
    """A tone of 500 Hz, which survives every resampling."""
    time = np.arange(int(rate * seconds)) / rate
    return (amplitude * np.sin(2 * np.pi * 500 * time)).astype(np.int16).tobytes()


async def as_vosk_client(connection: ClientConnection, pcm: bytes, rate: int, **config: Any) -> list[dict[str, Any]]:
    """The flow of vosk-server's test client: config, then a fifth of a second of sound and its answer in
    turn, then ``eof`` and the last answer."""
    await connection.send(json.dumps({"config": {"sample_rate": rate, **config}}))
    answers = []
    step = int(rate * 0.2) * 2
    for at in range(0, len(pcm), step):
        await connection.send(pcm[at : at + step])
        answers.append(await frame(connection))
    await connection.send(EOF)
    answers.append(await frame(connection))
    return answers


async def closing_code(connection: ClientConnection) -> int | None:
    async with asyncio.timeout(DEADLINE_S):
        await connection.wait_closed()
    return connection.close_code


async def error_code(connection: ClientConnection) -> str:
    answer = await frame(connection)
    assert answer["type"] == "error"
    return str(answer["code"])


async def test_a_vosk_client_gets_one_answer_to_each_piece_of_sound(gateway: Gateway) -> None:
    gateway.recogniser.__init__(["居住证要带什么", "多久"])  # type: ignore[misc]
    pcm = sound(1.0) + sound(1.2, 0) + sound(0.4)
    async with gateway.socket("/asr") as connection:
        answers = await as_vosk_client(connection, pcm, 16000)
        assert await closing_code(connection) == 1000
    assert len(answers) == 13 + 1
    assert [a for a in answers if "text" in a] == [{"text": "居住证要带什么"}, {"text": "多久"}]
    assert answers[0] == {"partial": ""}
    assert all(set(a) <= {"partial", "text", "result"} for a in answers)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
async def test_any_usual_rate_is_taken(gateway: Gateway, rate: int) -> None:
    gateway.recogniser.__init__(["好"])  # type: ignore[misc]
    async with gateway.socket("/asr") as connection:
        answers = await as_vosk_client(connection, sound(1.0, rate=rate), rate)
    assert answers[-1] == {"text": "好"}
    [heard] = gateway.recogniser.utterances
    assert 0.8 < len(heard) / 2 / gateway.recogniser.sample_rate < 1.2


async def test_a_client_without_a_config_is_taken_to_speak_eight_kilohertz(gateway: Gateway) -> None:
    gateway.recogniser.__init__(["好"])  # type: ignore[misc]
    async with gateway.socket("/asr") as connection:
        await connection.send(sound(1.0, rate=8000))
        await frame(connection)
        await connection.send(EOF)
        assert await frame(connection) == {"text": "好"}


async def test_an_end_before_any_sound_is_an_empty_text(gateway: Gateway) -> None:
    async with gateway.socket("/asr") as connection:
        await connection.send(EOF)
        assert await frame(connection) == {"text": ""}
        assert await closing_code(connection) == 1000


async def test_alternatives_and_plain_texts_come_in_the_shapes_asked_for(gateway: Gateway) -> None:
    gateway.recogniser.__init__(["好"])  # type: ignore[misc]
    async with gateway.socket("/asr") as connection:
        answers = await as_vosk_client(connection, sound(1.0), 16000, max_alternatives=3, words=0)
    assert answers[-1] == {"alternatives": [{"confidence": 0.9, "text": "好"}]}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("你好", "bad_input"),
        ("[]", "bad_input"),
        ('{"hello": 1}', "bad_input"),
        ('{"config": 7}', "bad_input"),
        ('{"config": {"sample_rate": 11}}', "audio_format"),
        ('{"config": {"phrase_list": "好"}}', "bad_input"),
        ('{"config": {"max_alternatives": 99}}', "bad_input"),
    ],
)
async def test_what_cannot_be_taken_is_named_and_the_stream_goes_on(gateway: Gateway, message: str, code: str) -> None:
    gateway.recogniser.__init__(["好"])  # type: ignore[misc]
    async with gateway.socket("/asr") as connection:
        await connection.send(message)
        assert await error_code(connection) == code
        assert (await as_vosk_client(connection, sound(0.8), 16000))[-1] == {"text": "好"}


async def test_settings_cannot_change_once_sound_came_but_may_be_said_again(gateway: Gateway) -> None:
    async with gateway.socket("/asr") as connection:
        await connection.send('{"config": {"sample_rate": 16000}}')
        await connection.send(sound(0.2))
        assert await frame(connection) == {"partial": ""}
        await connection.send('{"config": {"sample_rate": 16000}}')
        await connection.send('{"config": {"sample_rate": 8000}}')
        assert await error_code(connection) == "frame_order"


async def test_an_engine_that_fails_is_named(gateway: Gateway) -> None:
    gateway.recogniser.__init__([RecogniserDownError()])  # type: ignore[misc]
    async with gateway.socket("/asr") as connection:
        await connection.send(sound(1.0, rate=8000))
        await frame(connection)
        await connection.send(EOF)
        assert await error_code(connection) == "recogniser_down"


async def test_a_message_beyond_a_mebibyte_closes_the_connection(gateway: Gateway) -> None:
    async with gateway.socket("/asr") as connection:
        await connection.send(bytes((1 << 20) + 2))
        assert await closing_code(connection) == 1009


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def small(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("small")
    async with running_gateway(migrated_database, folder, asr_max_streams=2, call_idle_s=0.3) as gateway:
        yield gateway


async def test_more_streams_than_allowed_are_turned_away_by_name_and_a_free_place_is_given_again(
    small: Gateway,
) -> None:
    small.services.settings.call_idle_s = DEADLINE_S
    first, second, third = [await small.socket("/asr") for _ in range(3)]
    for connection in (first, second):
        await connection.send(sound(0.2))
        await frame(connection)
    await third.send('{"config": {"sample_rate": 16000}}')  # what sends no sound takes no place
    await third.send(sound(0.2))
    assert await error_code(third) == "busy"
    assert await closing_code(third) == 1013
    await first.send(EOF)
    await frame(first)
    await closing_code(first)
    async with small.socket("/asr") as fourth:
        await fourth.send(sound(0.2))
        assert await frame(fourth) == {"partial": ""}
    await second.close()


async def test_a_hundred_connections_that_send_nothing_are_let_go_and_leave_nothing(small: Gateway) -> None:
    small.services.settings.call_idle_s = 0.3
    process = psutil.Process(os.getpid())
    tasks, threads, handles = len(asyncio.all_tasks()), threading.active_count(), process.num_fds()
    connections = await asyncio.gather(*(small.socket("/asr").__aenter__() for _ in range(100)))
    codes = await asyncio.gather(*(closing_code(connection) for connection in connections))
    assert set(codes) == {1001}
    await asyncio.gather(*(connection.wait_closed() for connection in connections))
    async with asyncio.timeout(DEADLINE_S):
        while len(asyncio.all_tasks()) > tasks or process.num_fds() > handles:  # noqa: ASYNC110 (the server's own)
            await asyncio.sleep(0)
    assert threading.active_count() <= threads + 2  # the recogniser's own two


async def test_streams_that_vanish_in_the_middle_give_their_place_back(small: Gateway) -> None:
    small.services.settings.call_idle_s = DEADLINE_S
    for _ in range(5):
        async with small.socket("/asr") as connection:
            await connection.send(sound(0.4))
            await frame(connection)
            connection.transport.abort()
    async with asyncio.timeout(DEADLINE_S):
        while small.services.speech._streams:  # noqa: ASYNC110 (until the server saw them go)
            await asyncio.sleep(0)
