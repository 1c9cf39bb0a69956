"""Choosing, falling back, caching, streaming: without any engine."""

from __future__ import annotations

import asyncio

import pytest

from hotline.errors import RecogniserDownError, SynthesiserDownError
from voice.stt import choose as stt
from voice.stt.base import DownRecogniser, join_han
from voice.stt.hallucination import is_made_up
from voice.stt.scripted import ScriptedRecogniser
from voice.stt.vosk import VoskRecogniser
from voice.stt.whisper import WhisperRecogniser
from voice.tts import choose as tts
from voice.tts.base import DownSynthesiser
from voice.tts.cache import CachedSynthesiser
from voice.tts.fallback import FallbackSynthesiser
from voice.tts.scripted import ScriptedSynthesiser
from voice.tts.stream import PrefetchingSpeechStream
from voice.vad import ScriptedVad, load_vad
from voice.warm import warm_up


@pytest.mark.parametrize(
    ("setting", "vosk", "whisper", "engine", "word"),
    [
        ("auto", True, True, "vosk", "已就绪"),
        ("auto", False, True, "whisper", "没有 Vosk 中文模型"),
        ("auto", False, False, None, "whisper-base"),
        ("whisper", True, True, "whisper", "按设置"),
        ("vosk", False, True, "whisper", "没有模型 vosk-small-cn"),
        ("whisper", True, False, "vosk", "没有模型 whisper-base"),
    ],
)
def test_the_recogniser_follows_setting_and_models_and_says_why(setting, vosk, whisper, engine, word):
    choice = stt.choose_recogniser(setting, stt.Availability(vosk, whisper))
    assert choice.engine == engine
    assert word in choice.reason
    assert "\n" not in choice.reason


@pytest.mark.parametrize(
    ("setting", "kokoro", "espeak", "engines"),
    [
        ("auto", True, True, ("kokoro", "espeak")),
        ("auto", False, True, ("espeak",)),
        ("espeak", True, True, ("espeak", "kokoro")),
        ("kokoro", False, True, ("espeak",)),
        ("auto", False, False, ()),
    ],
)
def test_the_synthesisers_stand_in_order_behind_one_another(setting, kokoro, espeak, engines):
    assert tts.choose_synthesiser(setting, tts.Availability(kokoro, espeak)).engines == engines


def test_a_setting_that_names_no_engine_is_refused_in_words():
    with pytest.raises(ValueError, match="STT_ENGINE=siri"):
        stt.choose_recogniser("siri", stt.Availability(True, True))
    with pytest.raises(ValueError, match="TTS_ENGINE=siri"):
        tts.choose_synthesiser("siri", tts.Availability(True, True))


async def test_when_one_engine_fails_on_a_sentence_the_next_speaks_it():
    first = ScriptedSynthesiser(failures=[SynthesiserDownError()])
    second = ScriptedSynthesiser()
    both = FallbackSynthesiser([first, second])
    await both.synthesise("一")
    await both.synthesise("二")
    assert (second.spoken, first.spoken) == (["一"], ["二"])
    await both.close()
    assert first.closed
    assert second.closed


async def test_when_all_engines_fail_it_is_a_named_error():
    broken = ScriptedSynthesiser(always_fail=SynthesiserDownError())
    with pytest.raises(SynthesiserDownError):
        await FallbackSynthesiser([broken, DownSynthesiser()]).synthesise("一")
    with pytest.raises(RecogniserDownError):
        DownRecogniser().start()


async def test_a_sentence_said_again_is_not_made_again_until_the_cache_is_full():
    inner = ScriptedSynthesiser(ms_per_character=100)  # 3200 bytes a character
    cache = CachedSynthesiser(inner, max_bytes=10_000)
    await cache.warm(["甲", "乙", "丙"])
    await cache.synthesise("甲")
    await cache.synthesise("丁")  # drops 乙, the longest unused
    await cache.synthesise("甲")
    await cache.synthesise("乙")
    assert inner.spoken == ["甲", "乙", "丙", "丁", "乙"]
    assert cache.hits == 2
    await cache.synthesise("甲", speed=0.8)
    assert inner.spoken[-1] == "甲"


async def test_the_stream_gives_sentences_in_order_and_cancels_the_rest_when_left():
    inner = ScriptedSynthesiser()
    stream = PrefetchingSpeechStream(inner).speak(["一", "二二", "三三三"])
    assert [len(s.pcm) async for s in stream] == [3200, 6400, 9600]
    left = PrefetchingSpeechStream(inner).speak(["一", "二", "三"])
    await anext(left)
    await left.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_stream_gives_what_it_has_before_it_raises():
    inner = ScriptedSynthesiser(failures=[])
    stream = PrefetchingSpeechStream(inner, ahead=1).speak(["一", "二"])
    await anext(stream)
    inner._always_fail = SynthesiserDownError()
    with pytest.raises(SynthesiserDownError):
        await anext(stream)


def test_the_scripted_recogniser_keeps_what_it_was_given():
    recogniser = ScriptedRecogniser(["你好"])
    session = recogniser.start()
    session.accept_chunk(b"ab")
    assert session.partial() is None
    assert session.finish().text == "你好"
    assert recogniser.utterances == [b"ab"]


def test_a_folder_without_a_model_is_a_named_error(tmp_path):
    session = VoskRecogniser(tmp_path).start()
    with pytest.raises(RecogniserDownError):
        session.accept_chunk(b"\0" * 320)
    with pytest.raises(RecogniserDownError):
        WhisperRecogniser(tmp_path).load()


def test_spaces_between_chinese_words_go_and_others_stay():
    assert join_han("社保 卡 丢 了 怎么 补办") == "社保卡丢了怎么补办"
    assert join_han("안녕 하세요") == "안녕 하세요"
    assert join_han("下载 APP 看 看") == "下载APP看看"


@pytest.mark.parametrize(
    ("text", "made_up"),
    [
        ("证判判判判判判判", True),
        ("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", True),
        ("字幕由Amara社区提供", True),
        ("社保卡、居住证、公积金、不动产登记", True),
        ("社保卡、居住证、公积金。", True),
        ("居住证、公积金、不动产登记、不动产登记", True),
        ("社保卡、公积金、居住证", False),
        ("社保卡、居住证", False),
        ("社保卡丢了怎么补办", False),
        ("我的电话是13800000000", False),
        ("查询码幺幺幺幺幺幺", False),
        ("好的好的", False),
        ("居住证", False),
        ("", False),
    ],
)
def test_what_nobody_said_is_told_from_what_was_said(text, made_up):
    prompt = "以下是政务热线的普通话：社保卡、居住证、公积金、不动产登记、医保。"
    assert is_made_up(text, prompt) is made_up


def test_a_looping_decode_is_made_up():
    assert is_made_up("随便什么", compression_ratio=3.1)


def test_without_the_model_loudness_stands_in_and_the_log_says_so(tmp_path, caplog):
    vad = load_vad(tmp_path)(8000)
    assert vad.frame_samples == 256
    assert "ops.models fetch silero-vad" in caplog.text


def test_the_scripted_vad_says_its_script_and_then_silence():
    vad = ScriptedVad(16000, [0.9])
    assert [vad.probability(None), vad.probability(None)] == [0.9, 0.0]


async def test_warming_up_speaks_the_prompts_once_and_names_what_did_not_come_up(tmp_path):
    cache = CachedSynthesiser(ScriptedSynthesiser())
    assert await warm_up(ScriptedRecogniser([]), cache, ["您好。"]) == []
    spoken = len(cache._inner.spoken)
    await cache.synthesise("您好。")
    assert len(cache._inner.spoken) == spoken
    problems = await warm_up(WhisperRecogniser(tmp_path), DownSynthesiser())
    assert problems == [RecogniserDownError.citizen_sentence, SynthesiserDownError.citizen_sentence]
