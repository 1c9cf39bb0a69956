"""Mystery callers: people's recordings over real telephone bytes, through noise and loss, into a real
gateway; what comes back is listened to by a recogniser, which must hear the right answer."""

from __future__ import annotations

import asyncio
import random
import shutil
import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from softphone import Softphone

from hotline.events import EventType
from hotline.messages import Reply, Understanding
from hotline.ports import DialogueAnswer
from storage.migrations import upgrade
from tests.integration.gateway.phone_callers import (
    RATE,
    AudioSocketCaller,
    Caller,
    SipCaller,
    free_port,
    live_call,
    silence,
    soon,
    trail_of,
)  # fmt: skip
from tests.integration.gateway.running_gateway import Gateway, running_gateway
from voice.audio import Samples, clip, read_wav, resample, to_pcm
from voice.session import CallSession
from voice.tts.load import load_synthesiser
from voice.vad import load_vad

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_S = 40.0
# One sentence each: between two of them a busy machine would fall silent.
ANSWERS = {"社保": "补办社保卡请带身份证原件。", "身份证": "换领身份证请到户籍派出所。"}


class ByWord(dict[str, DialogueAnswer]):
    """Answers by a word in what was heard, as a dialogue would by its meaning."""

    def __contains__(self, text: object) -> bool:
        return any(word in str(text) for word in ANSWERS)

    def __getitem__(self, text: str) -> DialogueAnswer:
        said = next(answer for word, answer in ANSWERS.items() if word in text)
        return DialogueAnswer(replies=[Reply(text=said)], understanding=Understanding(intent="ask_materials"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    models: Path, settings: Any, whisper: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("mystery")
    empty = tmp_path_factory.mktemp("database") / "empty.db"
    await upgrade(f"sqlite+aiosqlite:///{empty}")
    real = {"recogniser": whisper, "synthesiser": load_synthesiser(settings), "vad": load_vad(models)}
    patient = partial(CallSession, recognition_deadline_s=PATIENCE_S, answer_deadline_s=PATIENCE_S)
    with pytest.MonkeyPatch.context() as patch:  # a busy machine is slow, not wrong
        patch.setattr("gateway.speech.CallSession", patient)
        # No opening (「嗯」, 「请稍等」) either: what sounds after the question is the answer.
        async with running_gateway(empty, folder, opening_after_ms=0, **real) as running:
            yield running
        await real["synthesiser"].close()


@pytest.fixture(autouse=True)
def answers(gateway: Gateway) -> None:
    gateway.engine.asked.clear()
    gateway.engine._answers = ByWord()


def question(folder: Path, name: str, noise_db: float) -> Samples:
    """The recording as a telephone in a noisy room sends it; the noise goes on after the words."""
    spoken = resample(*read_wav(folder / name), RATE)
    sound = np.concatenate([silence(0.3), spoken, silence(1.5)]).astype(np.float64)
    level = np.sqrt(np.mean(spoken.astype(np.float64) ** 2)) * 10 ** (-noise_db / 20)
    return clip(sound + np.random.default_rng(7).normal(0.0, level, len(sound)))


def said_and_done(sound: Samples) -> bool:
    """A second of speech or more, and a second of silence since."""
    loud = np.abs(sound) > 500
    return bool(loud.sum() > RATE // 20 and len(sound) > 2 * RATE and not loud[-RATE:].any())


async def heard_words(whisper: Any, sound: Samples) -> str:
    return (await asyncio.to_thread(whisper.transcribe, to_pcm(resample(sound, RATE, 16000)))).text


async def ask(gateway: Gateway, caller: Caller, sound: Samples) -> Samples:
    """Asks into the greeting, as people do, and hears the answer out: its sound.

    The line answers while the noise after the words is still being sent, so the answer is what sounds
    from the moment the dialogue was asked.
    """
    await caller.dial()
    await caller.until_loud(20, within_s=PATIENCE_S)
    speaking = asyncio.create_task(caller.speak(sound, realtime=True))
    await soon(lambda: gateway.engine.asked, within_s=PATIENCE_S)
    before = caller.mark()
    await speaking
    await caller.until_loud(20, within_s=PATIENCE_S)
    await caller.until_quiet(frames=40, within_s=PATIENCE_S)
    return caller.sound()[before:]


async def test_a_question_through_an_asterisk_in_a_noisy_room(
    gateway: Gateway, whisper: Any, speech_folder: Path
) -> None:
    caller = AudioSocketCaller(("127.0.0.1", gateway.services.settings.audiosocket_port))
    answer = await ask(gateway, caller, question(speech_folder, "q_02.wav", noise_db=20.0))
    call = await live_call(gateway)
    await caller.hang_up()
    trail = await trail_of(gateway, call, EventType.CALL_ENDED)
    await caller.close()
    assert "社保卡" in gateway.engine.asked[0][0].text
    assert "身份证" in await heard_words(whisper, answer)
    assert trail[-1].data["reason"] == "caller"


async def test_a_question_over_sip_with_one_packet_in_twenty_lost(
    gateway: Gateway, whisper: Any, speech_folder: Path
) -> None:
    caller = SipCaller(("127.0.0.1", gateway.services.settings.sip_port), payload_type=8)
    chance = random.Random(5)
    lost = {number for number in range(2, 2000) if chance.random() < 0.05}
    caller.lose = lambda number: number in lost
    answer = await ask(gateway, caller, question(speech_folder, "q_07.wav", noise_db=25.0))
    call = await live_call(gateway)
    await caller.hang_up()
    trail = await trail_of(gateway, call, EventType.CALL_ENDED)
    await caller.close()
    assert "身份证" in gateway.engine.asked[0][0].text
    assert "派出所" in await heard_words(whisper, answer)
    network = trail[-1].data["network"]
    assert 0.02 < network["lost"] / (network["lost"] + network["received"]) < 0.09


async def test_a_softphone_calls_in_asks_hears_presses_zero_and_hangs_up(
    gateway: Gateway, whisper: Any, speech_folder: Path, tmp_path: Path
) -> None:
    baresip = shutil.which("baresip")
    assert baresip, "baresip is missing: make test installs it (Debian package baresip-core)"
    sound = np.concatenate([silence(1.5), question(speech_folder, "q_02.wav", noise_db=30.0), silence(60.0)])
    phone = Softphone(baresip, tmp_path / "phone", free_port(), free_port(socket.SOCK_STREAM))
    await phone.start(sound)
    try:
        await phone.dial(f"sip:12345@127.0.0.1:{gateway.services.settings.sip_port}")
        call = await live_call(gateway)
        await soon(lambda: gateway.engine.asked, within_s=PATIENCE_S)
        begun = len(phone.heard())
        await soon(lambda: said_and_done(phone.heard()[begun:]), within_s=PATIENCE_S)
        assert "身份证" in await heard_words(whisper, phone.heard()[begun:])
        gateway.engine.available = False  # asking for a person works all the same
        await phone.press("0")
        await trail_of(gateway, call, EventType.QUEUE)
        await phone.hang_up()
        trail = await trail_of(gateway, call, EventType.CALL_ENDED)
    finally:
        gateway.engine.available = True
        await phone.close()
    assert trail[1].data["caller"] == "138****0007"
    assert trail[-1].data["reason"] == "caller"
