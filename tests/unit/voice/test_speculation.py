"""Deciding early on a pause, taking it back, partial results by windows, and never on the event loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from recogniser_doubles import ThreadLog, WholeReaderLog

from hotline.errors import RecogniserDownError
from hotline.messages import Transcript
from voice.stt.offline import OfflineSession
from voice.utterance import Utterance

SECOND = bytes(2 * 16000)
FRAME = np.ones(320, np.int16)  # 20 ms


def test_a_decision_at_the_pause_is_the_final_one_and_nothing_is_read_again():
    reader = WholeReaderLog("居住证怎么办")
    session = OfflineSession(reader)
    session.accept_chunk(SECOND)
    session.pause_began()
    early = session.partial()
    session.accept_chunk(bytes(16000))  # the silence behind it
    assert session.finish().text == "居住证怎么办"
    assert (early.text, early.final) == ("居住证怎么办", False)
    assert reader.read == [len(SECOND)]


def test_a_decision_is_thrown_away_when_speech_goes_on():
    reader = WholeReaderLog("居住证", "居住证要带什么")
    session = OfflineSession(reader)
    session.accept_chunk(SECOND)
    session.pause_began()
    session.speech_resumed()
    assert session.partial() is None
    session.accept_chunk(SECOND)
    assert session.finish().text == "居住证要带什么"
    assert reader.read == [len(SECOND), 2 * len(SECOND)]


def test_partial_results_come_as_sound_comes_and_read_a_window_only():
    reader = WholeReaderLog("全部")
    session = OfflineSession(reader, partial_every_s=1.0, window_s=2.0)
    told = []
    for _ in range(6):
        session.accept_chunk(SECOND[: len(SECOND) // 2])
        partial = session.partial()
        told.append(partial.text if partial else "")
    assert told == ["", "[1]", "[1]", "[2]", "[2]", "[2][3]"]
    assert reader.glanced == [len(SECOND), 2 * len(SECOND), len(SECOND)]  # the third window begins anew
    assert session.finish().text == "全部"
    assert reader.read == [3 * len(SECOND)]


def test_while_the_engine_is_busy_the_last_partial_result_stands():
    reader = WholeReaderLog("全部")
    session = OfflineSession(reader, partial_every_s=1.0)
    session.accept_chunk(SECOND)
    first = session.partial()
    reader.busy = True
    session.accept_chunk(SECOND)
    assert session.partial() == first
    assert reader.glanced == [len(SECOND)]


async def hear(utterance: Utterance, seconds: float) -> None:
    for _ in range(round(seconds / 0.02)):
        utterance.feed(FRAME)
        await asyncio.sleep(0)


async def until_called(log: ThreadLog, name: str) -> None:
    """Real threads decide when; the loop turns meanwhile."""
    async with asyncio.timeout(5):
        while name not in log.names:  # noqa: ASYNC110 (an event set in a thread would need the loop it must not touch)
            await asyncio.sleep(0)


async def test_no_call_of_a_recogniser_ever_runs_on_the_event_loop():
    log = ThreadLog()
    with ThreadPoolExecutor(2) as threads:
        utterance = Utterance(log, 16000, threads)
        await hear(utterance, 0.2)
        await until_called(log, "accept_chunk")
        utterance.pause_began()
        await hear(utterance, 0.3)
        await until_called(log, "pause_began")
        utterance.speech_resumed()
        await hear(utterance, 0.1)
        utterance.end()
        assert (await utterance.transcript()).text == "好"
    assert log.names[0] == "start"
    assert log.names[-1] == "finish"
    assert {"pause_began", "speech_resumed", "accept_chunk"} <= set(log.names)
    assert threading.get_ident() not in {thread for _, thread in log.calls}


async def test_the_engine_hears_of_a_pause_only_when_it_lasts_and_of_its_end_only_if_it_did():
    log = ThreadLog()
    utterance = Utterance(log, 16000, speculate_after_ms=200)
    utterance.pause_began()
    await hear(utterance, 0.1)
    utterance.speech_resumed()  # a stop consonant, no pause
    await hear(utterance, 0.4)
    utterance.speech_resumed()  # told without any pause: harmless
    utterance.end()
    await utterance.transcript()
    assert log.names == ["start", "accept_chunk", "finish"]


async def test_a_pause_that_is_over_before_the_engine_is_free_is_never_decided_on():
    log, gate = ThreadLog(), threading.Event()

    def start(options=None):
        gate.wait(5)
        return log

    log.start = start
    utterance = Utterance(log, 16000, speculate_after_ms=20)
    await asyncio.sleep(0)
    await hear(utterance, 0.1)
    utterance.pause_began()
    await hear(utterance, 0.1)
    utterance.speech_resumed()
    await hear(utterance, 0.1)
    gate.set()
    utterance.end()
    await utterance.transcript()
    assert "pause_began" not in log.names


async def test_the_early_decision_is_shown_as_a_partial_result():
    reader = WholeReaderLog("居住证怎么办")
    reader.start = lambda options=None: OfflineSession(reader)
    shown: list[Transcript] = []
    seen = asyncio.Event()

    async def show(partial: Transcript) -> None:
        shown.append(partial)
        seen.set()

    utterance = Utterance(reader, 16000, on_partial=show, speculate_after_ms=40)
    await hear(utterance, 0.5)
    utterance.pause_began()
    await hear(utterance, 0.1)
    async with asyncio.timeout(5):
        await seen.wait()
    utterance.end()
    assert (await utterance.transcript()).text == "居住证怎么办"
    assert [(partial.text, partial.final) for partial in shown] == [("居住证怎么办", False)]
    assert len(reader.read) == 1


async def test_an_engine_that_breaks_is_a_named_error_and_a_dropped_utterance_leaves_nothing():
    class Breaks(ThreadLog):
        def accept_chunk(self, pcm):
            raise RuntimeError("model fell over")

    broken = Utterance(Breaks(), 16000)
    broken.feed(FRAME)
    broken.end()
    with pytest.raises(RecogniserDownError):
        await broken.transcript()
    left = Utterance(ThreadLog(), 16000)
    left.feed(FRAME)
    await left.drop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
