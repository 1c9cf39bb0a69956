"""A hum or words, by the sound alone."""

from __future__ import annotations

import numpy as np
import pytest

from voice.steadiness import Steadiness
from voice.turn_taking import Sound

# Harmonics of a voice at 200 Hz, shaped like vowels: how loud each is.
HUM = (1.0, 0.3, 0.05, 0.02, 0.01)
AH = (0.5, 0.7, 0.9, 1.0, 0.8, 0.5, 0.2, 0.1)
EE = (1.0, 0.4, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.1, 0.3, 0.6, 0.7)


def voice(rate: int, shape: tuple[float, ...], seconds: float, level: np.ndarray | float = 1.0) -> np.ndarray:
    time = np.arange(int(rate * seconds)) / rate
    wave = sum(loud * np.sin(2 * np.pi * 200 * (n + 1) * time) for n, loud in enumerate(shape))
    return np.asarray(level * wave * 4000 / sum(shape))


def heard(rate: int, sound: np.ndarray) -> Sound:
    size = rate * 32 // 1000
    steadiness = Steadiness(rate, size)
    noisy = sound + np.random.default_rng(5).normal(0, 5, len(sound))
    for at in range(0, len(noisy) - size + 1, size):
        steadiness.push(noisy[at : at + size].astype(np.int16))
    return steadiness.sound


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_hum_that_swells_and_fades_is_one_steady_sound(rate: int) -> None:
    swells = np.hanning(int(rate * 0.4)) + 0.05
    assert heard(rate, voice(rate, HUM, 0.4, swells)) is Sound.STEADY


@pytest.mark.parametrize("rate", [8000, 16000])
def test_vowels_one_after_the_other_are_words_also_at_one_level(rate: int) -> None:
    syllables = [voice(rate, shape, 0.08) for shape in (HUM, AH, EE, AH)]
    assert heard(rate, np.concatenate(syllables)) is Sound.VARIED


def test_before_anything_changed_it_is_steady() -> None:
    assert Steadiness(8000, 256).sound is Sound.STEADY
