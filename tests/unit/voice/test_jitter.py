"""RTP packets in every order, on virtual time: what is heard, and when."""

from __future__ import annotations

import random

import numpy as np
import pytest
from aiortp.plc import PcmConcealer

from voice.telephony.jitter import WAIT_S, JitterBuffer

SAMPLES = 160


def packet(number: int) -> bytes:
    """20 ms that can be told from any other packet's."""
    return np.full(SAMPLES, 1000 + number % 20000, np.int16).tobytes()


class Stream:
    """Packets numbered from 0 reach the buffer at times of their own."""

    def __init__(self, first_sequence: int = 0, first_timestamp: int = 0) -> None:
        concealer = PcmConcealer(sample_rate=8000)
        self.buffer = JitterBuffer(concealer.conceal, concealer.update)
        self.first_sequence, self.first_timestamp = first_sequence, first_timestamp
        self.heard: list[tuple[float, bytes]] = []

    def arrive(self, number: int, at: float, pcm: bytes | None = b"", later: int = 0) -> None:
        sound = packet(number) if pcm == b"" else pcm
        pieces = self.buffer.push(
            (self.first_sequence + number) & 0xFFFF,
            (self.first_timestamp + number * SAMPLES + later) & 0xFFFFFFFF,
            sound,
            at,
        )
        self.heard += [(at, piece) for piece in pieces]

    def wait_until(self, at: float) -> None:
        self.heard += [(at, piece) for piece in self.buffer.due(at)]

    @property
    def real(self) -> list[tuple[float, int]]:
        """(when, number) of the real packets heard, in order."""
        told = [(at, int(np.frombuffer(piece, np.int16)[0]) - 1000, piece) for at, piece in self.heard]
        return [(at, number) for at, number, piece in told if piece == packet(number)]

    @property
    def numbers(self) -> list[int]:
        return [number for _, number in self.real]

    @property
    def seconds(self) -> float:
        return sum(len(piece) for _, piece in self.heard) / 2 / 8000


def test_a_good_network_adds_no_delay() -> None:
    stream = Stream()
    for number in range(50):
        stream.arrive(number, number * 0.02)
    assert stream.numbers == list(range(50))
    assert [at for at, _ in stream.heard] == [number * 0.02 for number in range(50)]


@pytest.mark.parametrize(("sequence", "timestamp"), [(0, 0), (65530, 0), (65535, 2**32 - 320)])
def test_counters_that_wrap_are_no_jump(sequence: int, timestamp: int) -> None:
    stream = Stream(sequence, timestamp)
    for number in range(20):
        if number != 10:
            stream.arrive(number, number * 0.02)
    stream.wait_until(1.0)
    assert stream.numbers == [*range(10), *range(11, 20)]
    assert stream.seconds == pytest.approx(20 * 0.02)
    assert stream.buffer.counts.lost == 1


def test_packets_out_of_order_are_heard_in_order() -> None:
    stream = Stream()
    for at, number in enumerate([0, 2, 1, 3, 6, 5, 4, 7]):
        stream.arrive(number, at * 0.02)
    assert stream.numbers == list(range(8))
    assert stream.buffer.counts.reordered == 3
    assert stream.buffer.counts.lost == stream.buffer.counts.late == 0


def test_a_lost_packet_is_waited_for_and_then_concealed_with_the_last_sound() -> None:
    stream = Stream()
    stream.arrive(0, 0.0)
    stream.arrive(2, 0.04)
    assert stream.numbers == [0]
    stream.wait_until(0.04 + WAIT_S - 0.001)
    assert stream.numbers == [0]
    stream.wait_until(0.04 + WAIT_S)
    assert stream.numbers == [0, 2]
    concealed = np.frombuffer(stream.heard[1][1], np.int16)
    assert len(concealed) == SAMPLES
    assert 0 < concealed[-1] < concealed[0] <= 1000
    assert stream.buffer.counts.lost == 1


def test_a_long_gap_is_silence_after_a_fade_and_keeps_the_time() -> None:
    stream = Stream()
    stream.arrive(0, 0.0)
    stream.arrive(11, 0.22)
    stream.wait_until(0.4)
    gap = np.frombuffer(stream.heard[1][1], np.int16)
    assert len(gap) == 10 * SAMPLES
    assert not gap[8000 * 60 // 1000 :].any()


def test_a_pause_of_the_sender_is_no_loss() -> None:
    stream = Stream()
    stream.arrive(0, 0.0)
    stream.arrive(1, 3.0, later=3 * 8000)
    assert stream.numbers == [0, 1]
    assert stream.seconds == pytest.approx(0.04)
    assert stream.buffer.counts.lost == 0


def test_duplicates_and_packets_too_late_are_counted_and_not_heard() -> None:
    stream = Stream()
    stream.arrive(0, 0.0)
    stream.arrive(0, 0.001)
    stream.arrive(2, 0.04)
    stream.arrive(2, 0.041)
    stream.wait_until(0.2)
    stream.arrive(1, 0.21)
    stream.arrive(2, 0.22)
    assert stream.numbers == [0, 2]
    counts = stream.buffer.counts
    assert (counts.duplicate, counts.late, counts.lost, counts.received) == (3, 1, 1, 6)


def test_keys_take_sequence_numbers_and_make_no_sound_and_no_gap() -> None:
    stream = Stream()
    stream.arrive(0, 0.0)
    stream.arrive(1, 0.02, pcm=None)
    stream.arrive(2, 0.04, pcm=None)
    stream.arrive(3, 0.06)
    assert stream.numbers == [0, 3]
    assert stream.buffer.counts.lost == 0


def test_another_stream_begins_anew() -> None:
    stream = Stream()
    stream.arrive(0, 0.0)
    stream.arrive(20000, 0.02)
    stream.arrive(20001, 0.04)
    assert [at for at, _ in stream.heard] == [0.0, 0.02, 0.04]
    assert stream.buffer.counts.lost == 0


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_network_does_order_and_time_are_kept(seed: int) -> None:
    """5 % loss, 2 % duplicates, up to 50 ms of jitter, thirty seconds."""
    chance = random.Random(seed)
    arrivals = []
    for number in range(1500):
        if chance.random() >= 0.05 or number in (0, 1499):
            arrivals.append((number * 0.02 + chance.random() * 0.05, number))
            if chance.random() < 0.02:
                arrivals.append((number * 0.02 + chance.random() * 0.05, number))
    stream = Stream(first_sequence=64000)
    arrivals.sort()
    arrivals = [(at, n) for at, n in arrivals if at > arrivals[0][0] or n == 0]
    stream.arrive(0, 0.0)
    for at, number in arrivals:
        if number:
            stream.wait_until(at)
            stream.arrive(number, at)
    for tick in range(20):
        stream.wait_until(29.98 + tick * 0.02)
    assert stream.numbers == sorted(set(stream.numbers))
    assert stream.seconds == pytest.approx(1500 * 0.02, abs=0.02)
    counts = stream.buffer.counts
    assert len(stream.numbers) + counts.lost == 1500
    assert counts.late == 0, "60 ms of patience outlast 50 ms of jitter"
    assert max(at - number * 0.02 for at, number in stream.real) <= 0.05 + 2 * WAIT_S + 0.02


def test_a_flood_ahead_of_a_gap_is_not_kept_for_ever() -> None:
    stream = Stream()
    stream.arrive(0, 0.0)
    for number in range(2, 40):
        stream.arrive(number, 0.001)
    assert len(stream.buffer._held) <= 26
    assert stream.numbers == [0, *range(2, 40)]
