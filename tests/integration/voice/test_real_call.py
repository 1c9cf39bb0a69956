"""Real voices, and a whole call: a recorded question in, an audible answer out."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from hotline.errors import SynthesiserDownError
from hotline.ports import CANTONESE
from voice.audio import Framer, read_wav, resample, rms, to_pcm, to_samples, ulaw_decode, ulaw_encode
from voice.clock import VirtualClock
from voice.ports import SpokenReply
from voice.session import CallSession
from voice.tts.espeak import EspeakSynthesiser
from voice.tts.kokoro import KokoroSynthesiser
from voice.tts.load import load_synthesiser, synthesiser_choice
from voice.vad import load_vad

ANSWER = "补办社保卡请带身份证原件。"


async def test_kokoro_speaks_mandarin_that_a_recogniser_understands(models, whisper):
    kokoro = KokoroSynthesiser(models / "kokoro")
    speech = await kokoro.synthesise("补办社保卡，请带上身份证原件。")
    await kokoro.close()
    assert speech.sample_rate == 24000
    heard = whisper.transcribe(to_pcm(resample(to_samples(speech.pcm), 24000, 16000))).text
    assert "社保卡" in heard
    assert "身份证" in heard


async def test_espeak_speaks_many_sentences_at_once_and_loses_none():
    espeak = EspeakSynthesiser()
    sentences = ["您好。", "请带身份证原件。", "补办社保卡不收费，五个工作日内办好。"] * 4
    spoken = await asyncio.gather(*(espeak.synthesise(s) for s in sentences))
    seconds = [len(s.pcm) / 2 / s.sample_rate for s in spoken]
    assert all(a < b < c for a, b, c in zip(seconds[::3], seconds[1::3], seconds[2::3], strict=True))
    assert all(rms(to_samples(s.pcm)) > 500 for s in spoken)
    await espeak.close()


async def test_espeak_comes_back_after_its_process_died():
    espeak = EspeakSynthesiser(workers=1)
    await espeak.synthesise("您好。")
    for process in list(espeak._pool._processes.values()):
        process.kill()
    assert rms(to_samples((await espeak.synthesise("您好。")).pcm)) > 500
    await espeak.close()


async def test_a_voice_folder_that_is_broken_is_a_named_error(tmp_path):
    kokoro = KokoroSynthesiser(tmp_path)
    with pytest.raises(SynthesiserDownError):
        await kokoro.synthesise("您好。")
    await kokoro.close()


class CannedDialogue:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def greet(self) -> SpokenReply:
        return SpokenReply.of_text("t0", "您好，我是人工智能助手，通话会录音。")

    async def answer(self, text: str, confidence: float) -> SpokenReply:
        self.asked.append(text)
        return SpokenReply.of_text("t1", ANSWER)

    async def handoff(self) -> SpokenReply:
        return SpokenReply.of_text("h", "正在为您转人工。", "queued")


@pytest.mark.parametrize(("encoding", "rate"), [("pcm_s16le", 16000), ("mulaw", 8000)])
async def test_a_recorded_question_is_answered_aloud(models, settings, whisper, speech_folder, encoding, rate):
    assert synthesiser_choice(settings).engines[0] == "kokoro"
    synthesiser = load_synthesiser(settings)
    dialogue, clock = CannedDialogue(), VirtualClock()
    frames: list[dict | bytes] = []
    arrived = asyncio.Event()

    async def send(frame):
        frames.append(frame)
        arrived.set()

    def phases(turn_id):
        return [f["phase"] for f in frames if isinstance(f, dict) and f.get("turn_id") == turn_id and "phase" in f]

    async def until(condition):
        """Real work (models) decides how long this takes; the speech's pace is virtual."""
        async with asyncio.timeout(90):
            while not condition():
                arrived.clear()
                await clock.advance(0.1)
                if not clock._sleepers and not condition():
                    await arrived.wait()

    session = CallSession(
        recogniser=whisper, synthesiser=synthesiser, vad=load_vad(models), dialogue=dialogue,
        settings=settings, send=send, clock=clock,
        recognition_deadline_s=1e6, answer_deadline_s=1e6,
    )  # fmt: skip
    assert await session.start(encoding, rate)
    await until(lambda: phases("t0") == ["start", "end"])
    heard_before = len(frames)

    samples, source = read_wav(speech_folder / "q_02.wav")
    sound = np.concatenate([resample(samples, source, rate), np.zeros(rate, np.int16)])
    for frame in Framer(rate // 50).feed(sound):
        await session.audio(ulaw_encode(frame) if encoding == "mulaw" else to_pcm(frame))
    await until(lambda: phases("t1") == ["start", "end"])
    await session.abandon()
    await synthesiser.close()

    assert len(dialogue.asked) == 1
    assert "社保卡" in dialogue.asked[0]
    kinds = [f["type"] for f in frames[heard_before:] if isinstance(f, dict)]
    assert kinds == ["transcript", "reply", "speech", "speech"]
    audio = b"".join(f for f in frames[heard_before:] if isinstance(f, bytes))
    answer = ulaw_decode(audio) if encoding == "mulaw" else to_samples(audio)
    assert 1.5 < len(answer) / rate < 8.0
    assert rms(answer) > 300
    assert "社保卡" in whisper.transcribe(to_pcm(resample(answer, rate, 16000))).text


async def test_espeak_speaks_cantonese_unlike_mandarin() -> None:
    espeak = EspeakSynthesiser(workers=1)
    try:
        mandarin = await espeak.synthesise("请问你想问什么")
        cantonese = await espeak.synthesise("请问你想问什么", 1.0, CANTONESE)
    finally:
        await espeak.close()
    assert rms(to_samples(cantonese.pcm)) > 500
    assert mandarin.pcm != cantonese.pcm
