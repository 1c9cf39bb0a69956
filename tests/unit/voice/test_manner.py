"""A caller may ask to be spoken to slower, louder, or in the other language."""

from __future__ import annotations

import pytest

from hotline.errors import SynthesiserDownError
from hotline.ports import CANTONESE, MANDARIN, SpeechChange
from voice.player import LOUDEST, SLOWEST, Manner
from voice.tts.cache import CachedSynthesiser
from voice.tts.fallback import FallbackSynthesiser
from voice.tts.scripted import ScriptedSynthesiser
from voice.tts.stream import PrefetchingSpeechStream


def test_each_wish_for_slower_slows_down_until_an_end() -> None:
    manner = Manner()
    speeds = []
    for _ in range(8):
        manner = manner.changed(SpeechChange.SLOWER)
        speeds.append(manner.speed)
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[0] < 1.0
    assert speeds[-1] == SLOWEST


def test_louder_has_an_end_too_and_leaves_the_pace() -> None:
    manner = Manner()
    for _ in range(8):
        manner = manner.changed(SpeechChange.LOUDER)
    assert (manner.gain, manner.speed) == (LOUDEST, 1.0)


def test_the_language_changes_and_changes_back() -> None:
    cantonese = Manner().changed(SpeechChange.CANTONESE)
    assert cantonese.language == CANTONESE
    assert cantonese.changed(SpeechChange.MANDARIN) == Manner()


async def test_the_engines_are_told_pace_and_language() -> None:
    inner = ScriptedSynthesiser()
    _ = [s async for s in PrefetchingSpeechStream(inner).speak(["好", "得"], 0.8, CANTONESE)]
    assert inner.languages == [CANTONESE, CANTONESE]
    assert inner.speeds == [0.8, 0.8]


async def test_a_sentence_is_kept_apart_for_each_language() -> None:
    inner = ScriptedSynthesiser()
    cache = CachedSynthesiser(inner)
    for language in (MANDARIN, CANTONESE, MANDARIN):
        await cache.synthesise("好", 1.0, language)
    assert inner.languages == [MANDARIN, CANTONESE]


async def test_an_engine_without_cantonese_hands_it_to_the_next() -> None:
    class MandarinOnly(ScriptedSynthesiser):
        async def synthesise(self, sentence: str, speed: float = 1.0, language: str = MANDARIN):  # type: ignore[no-untyped-def]
            if language != MANDARIN:
                raise SynthesiserDownError
            return await super().synthesise(sentence, speed, language)

    first, second = MandarinOnly(), ScriptedSynthesiser()
    both = FallbackSynthesiser([first, second])
    await both.synthesise("好", 1.0, CANTONESE)
    await both.synthesise("好")
    assert (first.spoken, second.spoken) == (["好"], ["好"])


@pytest.mark.parametrize("change", list(SpeechChange))
def test_every_wish_is_carried_out(change: SpeechChange) -> None:
    before = Manner(language=CANTONESE) if change is SpeechChange.MANDARIN else Manner()
    assert before.changed(change) != before
