"""Sound as numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import AudioFormatError
from voice.audio import (
    Encoding,
    Framer,
    Inbound,
    StreamResampler,
    parse_format,
    read_wav,
    resample,
    rms,
    to_pcm,
    to_samples,
    ulaw_decode,
    ulaw_encode,
    wav_bytes,
)


def tone(rate: int, seconds: float = 1.0, hz: float = 440.0) -> np.ndarray:
    return (9000 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype(np.int16)


def test_every_mulaw_code_survives_the_way_there_and_back():
    codes = bytes(range(256))
    again = ulaw_encode(ulaw_decode(codes))
    assert [c for c in range(256) if again[c] != c] == [0x7F]  # the second zero


def test_mulaw_agrees_with_the_points_of_the_standard():
    assert ulaw_decode(bytes([0xFF, 0x80, 0x00])).tolist() == [0, 32124, -32124]
    assert ulaw_encode(np.array([0, 32767, -32768], np.int16)) == bytes([0xFF, 0x80, 0x00])


@given(st.integers(-32635, 32635))
def test_mulaw_keeps_a_sample_within_one_step_of_its_size(sample):
    """G.711 divides each octave of the biased size (plus 132) into sixteen: half a step is a 32nd of it."""
    (back,) = ulaw_decode(ulaw_encode(np.array([sample], np.int16)))
    assert abs(int(back) - sample) <= (abs(sample) + 132) / 32


@pytest.mark.parametrize(("source", "target"), [(8000, 16000), (22050, 8000), (24000, 16000), (24000, 8000)])
def test_resampling_keeps_length_and_loudness(source, target):
    out = resample(tone(source), source, target)
    assert abs(len(out) - target) <= 1
    assert abs(rms(out) / rms(tone(source)) - 1) < 0.02


@pytest.mark.parametrize(("source", "target"), [(8000, 16000), (16000, 8000)])
def test_a_stream_resampled_in_odd_chunks_is_the_same_as_in_one(source, target):
    sound = tone(source)
    whole = StreamResampler(source, target).feed(sound)
    stream = StreamResampler(source, target)
    parts = [stream.feed(sound[i : i + 137]) for i in range(0, len(sound), 137)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert abs(rms(whole[200:]) / rms(sound) - 1) < 0.02


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12))
def test_bytes_in_any_split_are_the_same_samples(cuts):
    pcm = to_pcm(tone(8000))[: sum(cuts)]
    inbound, at, got = Inbound(Encoding.PCM), 0, []
    for cut in cuts:
        got.append(inbound.feed(pcm[at : at + cut]))
        at += cut
    assert to_pcm(np.concatenate(got)) == pcm[: len(pcm) // 2 * 2]
    assert inbound.odd_seen == any(cut % 2 for cut in cuts)


def test_frames_are_whole_and_the_rest_is_padded_at_the_end():
    framer = Framer(160)
    frames = framer.feed(tone(8000)[:250]) + framer.feed(tone(8000)[250:400]) + framer.flush()
    assert [len(f) for f in frames] == [160, 160, 160]
    assert not frames[2][80:].any()
    assert framer.flush() == []


def test_a_wav_reads_back_as_written():
    samples, rate = read_wav(wav_bytes(tone(16000), 16000))
    assert rate == 16000
    assert np.array_equal(samples, tone(16000))


@pytest.mark.parametrize("call", [lambda: to_samples(b"abc"), lambda: read_wav(b"RIFFnot a wav")])
def test_broken_sound_is_a_named_error(call):
    with pytest.raises(AudioFormatError):
        call()


BAD_FORMATS = [
    ("opus", 16000),
    ("mulaw", 44100),
    (None, 8000),
    ("pcm_s16le", "x"),
    ("pcm_s16le", True),
    ("pcm_s16le", None),
]


@pytest.mark.parametrize(("encoding", "rate"), BAD_FORMATS)
def test_a_format_the_line_does_not_take_is_a_named_error_in_chinese(encoding, rate):
    with pytest.raises(AudioFormatError, match="不支持"):
        parse_format(encoding, rate)


def test_the_four_formats_of_the_contract_are_taken():
    for encoding in Encoding:
        for rate in (8000, 16000):
            assert parse_format(encoding.value, rate) == (encoding, rate)
