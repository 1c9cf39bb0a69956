"""Sound as numbers: µ-law, resampling, 20 ms framing, WAV files.

Throughout, ``pcm`` is 16-bit signed little-endian mono; arrays are ``int16`` of shape
``(samples,)``; rates are in Hz. Python's own audioop is gone from 3.13, so numpy does it.
"""

from __future__ import annotations

import io
import wave
from enum import StrEnum
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, resample_poly, upfirdn

from hotline.errors import AudioFormatError

Samples = NDArray[np.int16]

SAMPLE_RATES = (8000, 16000)
FRAME_MS = 20


class Encoding(StrEnum):
    """How a caller's audio is written in binary frames."""

    PCM = "pcm_s16le"
    MULAW = "mulaw"


def parse_format(encoding: object, sample_rate: object) -> tuple[Encoding, int]:
    """The audio format a caller announced.

    Raises:
        AudioFormatError: an encoding or rate the line doesn't take.
    """
    try:
        known = Encoding(str(encoding))
    except ValueError:
        raise AudioFormatError(f"声音编码「{str(encoding)[:20]}」不支持，请用 pcm_s16le 或 mulaw。") from None
    number = isinstance(sample_rate, int | float) and not isinstance(sample_rate, bool)
    if not number or sample_rate not in SAMPLE_RATES:
        raise AudioFormatError(f"采样率「{str(sample_rate)[:20]}」不支持，请用 8000 或 16000 赫兹。")
    return known, int(float(str(sample_rate)))


def to_samples(pcm: bytes) -> Samples:
    """PCM bytes as an array.

    Raises:
        AudioFormatError: an odd number of bytes.
    """
    if len(pcm) % 2:
        raise AudioFormatError("16 位声音的字节数应为双数。")
    return np.frombuffer(pcm, dtype="<i2").astype(np.int16, copy=False)


def to_pcm(samples: Samples) -> bytes:
    return bytes(samples.astype("<i2", copy=False).tobytes())


def clip(samples: NDArray[np.floating]) -> Samples:
    """Floats on the int16 scale, rounded and clipped."""
    clipped: Samples = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    return clipped


# ---------------------------------------------------------------- µ-law (ITU-T G.711)

_BIAS = 0x84
_CLIP = 32635


def _decode_table() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS) << ((code >> 4) & 0x07)
    linear = magnitude - _BIAS
    return np.where(code & 0x80, -linear, linear).astype(np.int16)


_DECODED = _decode_table()


def ulaw_decode(data: bytes) -> Samples:
    """One byte a sample → int16."""
    return _DECODED[np.frombuffer(data, dtype=np.uint8)]


def ulaw_encode(samples: Samples) -> bytes:
    """int16 → one byte a sample."""
    wide = samples.astype(np.int32)
    sign = np.where(wide < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(wide), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes())


def encode(samples: Samples, encoding: Encoding) -> bytes:
    return ulaw_encode(samples) if encoding is Encoding.MULAW else to_pcm(samples)


# ---------------------------------------------------------------- rates


def resample(samples: Samples, source_rate: int, target_rate: int) -> Samples:
    """A whole piece of sound at another rate (use StreamResampler for a running stream)."""
    if source_rate == target_rate or not len(samples):
        return samples
    common = gcd(source_rate, target_rate)
    up, down = target_rate // common, source_rate // common
    return clip(resample_poly(samples.astype(np.float32), up, down))


class StreamResampler:
    """Resamples a stream chunk by chunk without clicks at the joints.

    The same filter as over the whole stream at once: each chunk is filtered together with as much
    of the sound before it as the filter is long, and only what is new is given out.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        common = gcd(source_rate, target_rate)
        self._up, self._down = target_rate // common, source_rate // common
        widest = max(self._up, self._down)
        self._taps = firwin(20 * widest + 1, 1.0 / widest) * self._up if widest > 1 else np.ones(1)
        self._reach = len(self._taps) // self._up + 1  # input samples that one output depends on
        self._kept = np.zeros(0)  # the input still needed; it starts at a multiple of ``down``
        self._start = 0
        self._given = 0  # output samples so far

    def feed(self, samples: Samples) -> Samples:
        """The next chunk; its length follows the ratio to within one sample."""
        if self._up == self._down == 1 or not len(samples):
            return samples
        joined = np.concatenate([self._kept, samples])
        end = self._start + len(joined)
        first = self._start * self._up // self._down  # the output at the first kept sample
        ready = -(-end * self._up // self._down)
        filtered = upfirdn(self._taps, joined, self._up, self._down)[self._given - first : ready - first]
        self._given = ready
        start = max(self._start, (end - self._reach) // self._down * self._down)
        self._kept, self._start = joined[start - self._start :], start
        return clip(filtered)


# ---------------------------------------------------------------- framing


class Inbound:
    """Binary frames of any length → samples; an odd PCM byte waits for its other half."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._carried = b""
        self.odd_seen = False

    def feed(self, data: bytes) -> Samples:
        if self._encoding is Encoding.MULAW:
            return ulaw_decode(data)
        if len(data) % 2:
            self.odd_seen = True
        whole = self._carried + data
        self._carried = whole[len(whole) - len(whole) % 2 :]
        return to_samples(whole[: len(whole) - len(whole) % 2])


class Framer:
    """Cuts a sample stream into frames of a fixed length; the rest waits for the next feed."""

    def __init__(self, frame_samples: int) -> None:
        self.frame_samples = frame_samples
        self._rest: Samples = np.zeros(0, np.int16)

    def feed(self, samples: Samples) -> list[Samples]:
        joined = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(joined) // self.frame_samples
        self._rest = joined[whole * self.frame_samples :]
        return [joined[i * self.frame_samples : (i + 1) * self.frame_samples] for i in range(whole)]

    def flush(self) -> list[Samples]:
        """What is left, padded with silence to a whole frame."""
        if not len(self._rest):
            return []
        frame = np.zeros(self.frame_samples, np.int16)
        frame[: len(self._rest)] = self._rest
        self._rest = np.zeros(0, np.int16)
        return [frame]


# ---------------------------------------------------------------- WAV


def read_wav(source: Path | bytes) -> tuple[Samples, int]:
    """A mono 16-bit WAV (path or its bytes) as samples and rate.

    Raises:
        AudioFormatError: not a WAV, not mono, or not 16-bit.
    """
    opened = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    try:
        with wave.open(opened, "rb") as wav:
            if wav.getnchannels() != 1 or wav.getsampwidth() != 2:
                raise AudioFormatError("WAV 文件要是 16 位单声道。")
            return to_samples(wav.readframes(wav.getnframes())), wav.getframerate()
    except (wave.Error, EOFError):
        raise AudioFormatError("这不是能读的 WAV 文件。") from None


def wav_bytes(samples: Samples, sample_rate: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(sample_rate)
        wav.writeframes(to_pcm(samples))
    return out.getvalue()


def rms(samples: Samples) -> float:
    """Root mean square on the int16 scale; 0 for nothing."""
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0
