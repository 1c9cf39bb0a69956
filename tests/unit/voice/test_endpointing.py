"""Onset, end, cut: counted in samples, without a clock."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voice.endpointing import (
    TRANSITIONS,
    Endpointer,
    Phase,
    Signal,
    SpeechContinues,
    SpeechEnded,
    SpeechStarted,
)

FRAME = 512  # 32 ms at 16 kHz


def run(pattern: str, **options):
    """「.」 a silent frame, 「#」 a voiced one → events but SpeechContinues."""
    settings = {"endpoint_silence_ms": 700, "max_utterance_s": 30.0} | options
    endpointer = Endpointer(16000, FRAME, **settings)
    events = []
    for index, mark in enumerate(pattern):
        frame = np.full(FRAME, index, np.int16)
        events += endpointer.push(frame, 1.0 if mark == "#" else 0.0)
    return [e for e in events if not isinstance(e, SpeechContinues)], endpointer


def test_two_voiced_frames_are_an_onset_and_one_is_not():
    assert run("..#......")[0] == []
    (started,), endpointer = run("..##")
    assert isinstance(started, SpeechStarted)
    assert started.at == 2 * FRAME
    assert endpointer.speaking


def test_at_least_300_ms_before_the_first_voiced_frame_are_kept():
    (started,), _ = run("." * 40 + "##")
    first_voiced = started.at
    kept_from = int(started.audio[0]) * FRAME
    assert (first_voiced - kept_from) / 16000 >= 0.3
    assert started.audio[-1] == 41


def test_speech_ends_after_700_ms_of_silence_and_not_before():
    (_, ended), _ = run("." * 5 + "#" * 20 + "." * 22)
    assert isinstance(ended, SpeechEnded)
    assert ended.speech_end == 25 * FRAME
    assert 0.7 <= (ended.at - ended.speech_end) / 16000 < 0.7 + 0.032
    assert not ended.cut
    assert len(run("#" * 20 + "." * 21)[0]) == 1


def test_a_pause_shorter_than_the_hangover_does_not_split():
    events, _ = run("#" * 10 + "." * 20 + "#" * 10 + "." * 30)
    assert [type(e) for e in events] == [SpeechStarted, SpeechEnded]
    assert events[1].voiced_ms == 20 * 32


def test_more_patience_joins_what_less_would_split():
    pattern = "#" * 10 + "." * 30 + "#" * 10 + "." * 60
    assert len(run(pattern)[0]) == 4
    assert len(run(pattern, endpoint_silence_ms=1500)[0]) == 2


def test_an_utterance_past_its_longest_is_cut_and_says_so():
    events, _ = run("#" * 100, max_utterance_s=2.0)
    assert events[1].cut
    assert events[1].at / 16000 <= 2.1
    assert isinstance(events[2], SpeechStarted)  # the caller goes on


def test_a_soft_ending_stays_in_the_utterance():
    endpointer = Endpointer(16000, FRAME, endpoint_silence_ms=700, max_utterance_s=30)
    silence = np.zeros(FRAME, np.int16)
    for _ in range(3):
        endpointer.push(silence, 0.9)
    for _ in range(40):
        endpointer.push(silence, 0.4)
    assert endpointer.phase is Phase.SPEAKING


def run_levels(frames: list[tuple[int, float]]) -> list:
    """Frames by level and by the detector's probability → events but SpeechContinues."""
    endpointer = Endpointer(16000, FRAME, endpoint_silence_ms=700, max_utterance_s=30)
    events = []
    for level, probability in frames:
        events += endpointer.push(np.full(FRAME, level, np.int16), probability)
    return [e for e in events if not isinstance(e, SpeechContinues)]


SILENCE, VOICE, LATE, LINGERS = (10, 0.0), (3000, 1.0), (3000, 0.1), (10, 0.9)


def test_a_voice_that_the_detector_notices_late_is_dated_by_its_loudness():
    (started,) = run_levels([SILENCE] * 12 + [LATE] * 2 + [VOICE] * 2)
    assert started.at == 12 * FRAME


def test_silence_that_the_detector_notices_late_counts_from_its_first_frame():
    _, ended = run_levels([SILENCE] * 12 + [VOICE] * 20 + [LINGERS] * 2 + [SILENCE] * 20)
    assert ended.speech_end == 32 * FRAME
    assert ended.at == (32 + 22) * FRAME


def test_a_stop_in_the_middle_of_a_word_is_no_end_however_silent():
    _, ended = run_levels([SILENCE] * 12 + [VOICE] * 20 + [LINGERS] * 3 + [VOICE] * 5 + [SILENCE] * 30)
    assert ended.speech_end == 40 * FRAME


def test_in_noise_as_loud_as_the_voice_the_detector_decides_alone():
    noise = (3000, 0.1)
    started, ended = run_levels([noise] * 14 + [VOICE] * 20 + [(3000, 0.9)] * 2 + [noise] * 30)
    assert started.at == 14 * FRAME
    assert ended.speech_end == 36 * FRAME


def test_loudness_moves_an_end_by_a_tenth_of_a_second_at_most_and_what_is_loud_for_longer_is_no_beginning():
    started, ended = run_levels([SILENCE] * 12 + [LATE] * 6 + [VOICE] * 20 + [LINGERS] * 9 + [SILENCE] * 30)
    assert started.at == 18 * FRAME
    assert ended.speech_end == (38 + 9 - 3) * FRAME


@given(st.lists(st.floats(0, 1), max_size=400))
def test_starts_and_ends_alternate_and_no_frame_is_lost_inside(probabilities):
    endpointer = Endpointer(16000, FRAME, endpoint_silence_ms=200, max_utterance_s=3)
    kinds, heard = [], []
    for index, probability in enumerate(probabilities):
        for event in endpointer.push(np.full(FRAME, index, np.int16), probability):
            if isinstance(event, SpeechEnded):
                kinds.append("end")
                numbers = np.concatenate(heard)[::FRAME]
                assert (np.diff(numbers) == 1).all()
                heard.clear()
            else:
                heard.append(event.audio)
                if isinstance(event, SpeechStarted):
                    kinds.append("start")
    assert all(a != b for a, b in itertools.pairwise(kinds))
    assert kinds[:1] in ([], ["start"])


def test_every_phase_of_the_table_is_reached_and_left():
    assert {source for source, _ in TRANSITIONS} == set(Phase) == set(TRANSITIONS.values())
    assert {signal for _, signal in TRANSITIONS} == set(Signal)
