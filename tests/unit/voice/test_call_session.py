"""What a caller goes through, frame by frame."""

from __future__ import annotations

import asyncio
import threading

from hotline.errors import ActionsDownError, RecogniserDownError, SynthesiserDownError
from hotline.messages import Transcript
from voice.player import LEAD_S
from voice.stt.base import DownRecogniser
from voice.tts.scripted import ScriptedSynthesiser


async def test_the_call_opens_with_the_greeting(make_call):
    call = make_call()
    await call.start()
    await call.quiet(3.0)
    assert call.kinds == ["started", "reply", "speech:start", "audio", "speech:end"]
    assert call.said() == ["您好，我是人工智能助手，通话会录音。"]


async def test_a_question_is_heard_answered_and_spoken_in_this_order(make_call):
    call = make_call(["社保卡丢了怎么补办"])
    await call.listen_to_greeting()
    await call.speak(1.5)
    await call.quiet(3.0)
    assert call.kinds == ["transcript", "reply", "speech:start", "audio", "speech:end"]
    assert call.dialogue.asked == [("社保卡丢了怎么补办", 0.9)]
    transcript, reply, start, end = call.events
    assert transcript == {"type": "transcript", "text": "社保卡丢了怎么补办", "confidence": 0.9, "final": True}
    assert reply["turn_id"] == start["turn_id"] == end["turn_id"] == "t1"
    assert {"text", "speech_text", "buttons", "card", "sources", "understanding"} <= reply.keys()


async def test_the_recogniser_gets_the_whole_utterance_with_its_preroll(make_call):
    call = make_call(["喂"], rate=8000)
    await call.listen_to_greeting()
    await call.speak(1.0)
    await call.quiet(1.0)
    seconds = len(call.recogniser.utterances[0]) / 2 / call.recogniser.sample_rate
    assert 1.0 + 0.3 + 0.6 < seconds < 1.0 + 0.5 + 0.9


async def test_the_answer_starts_within_an_endpoint_of_the_last_word(make_call):
    call = make_call(["喂"])
    await call.listen_to_greeting()
    await call.speak(1.0)
    await call.quiet(2.0)
    (timing,) = call.session.timings
    parts = timing.parts_ms()
    assert 680 <= parts["endpointing"] <= 780
    assert 680 <= parts["total"] <= 850
    assert parts["total"] == sum(parts[k] for k in ("endpointing", "recognition", "dialogue", "synthesis"))


async def test_timings_are_reported_once_a_turn(make_call):
    told = []
    call = make_call(["喂"], on_timings=told.append)
    await call.listen_to_greeting()
    await call.speak(1.0)
    await call.quiet(2.0)
    assert [t.turn_id for t in told] == ["t1"]


async def test_audio_leaves_in_twenty_ms_frames_hardly_ahead_of_what_is_heard(make_call):
    for encoding, rate, size in (("pcm_s16le", 16000, 640), ("mulaw", 8000, 160)):
        call = make_call(encoding=encoding, rate=rate)
        await call.start()
        await call.clock.advance(5.0)
        audio = [(at, frame) for at, frame in call.frames if isinstance(frame, bytes)]
        assert {len(frame) for _, frame in audio} == {size}
        start = audio[0][0]
        lead = [(index + 1) * 0.02 - (at - start) for index, (at, _) in enumerate(audio)]
        assert 0.1 < max(lead) <= LEAD_S + 0.03


async def test_a_caller_who_interrupts_stops_the_speech_and_is_answered(make_call):
    call = make_call(["转人工怎么转"])
    await call.start()
    await call.quiet(0.5)
    await call.speak(1.2)
    assert call.has({"type": "speech", "phase": "cut", "turn_id": "t0"})
    cut_at = next(at for at, f in call.frames if isinstance(f, dict) and f.get("phase") == "cut")
    assert 0.6 <= cut_at <= 0.8
    assert not any(isinstance(f, bytes) for at, f in call.frames if at > cut_at)
    await call.quiet(3.0)
    assert call.kinds[-5:] == ["transcript", "reply", "speech:start", "audio", "speech:end"]


async def test_a_short_yes_while_the_line_speaks_does_not_stop_it(make_call):
    call = make_call(["嗯"])
    await call.start()
    await call.quiet(0.3)
    await call.hum(0.3)
    await call.quiet(3.0)
    assert not call.has({"phase": "cut"})
    assert call.has({"type": "speech", "phase": "end", "turn_id": "t0"})
    assert call.dialogue.asked == []


async def test_two_minutes_of_silence_are_asked_offered_and_ended(make_call):
    call = make_call()
    await call.start()
    await call.quiet(120.0, step_s=0.1)
    prompts = call.session._prompts
    assert call.said()[1:] == [prompts.still_there, prompts.offer_person, prompts.goodbye]
    assert call.events[-1] == {"type": "ended", "reason": "silence"}
    asked = [at for at, f in call.frames if isinstance(f, dict) and f["type"] == "reply"]
    assert 12.0 <= asked[1] <= 16.0
    assert 70.0 <= asked[2] <= 76.0
    assert 110.0 <= asked[3] <= 111.0
    assert call.session.ended.is_set()


async def test_a_caller_who_speaks_again_is_asked_anew(make_call):
    call = make_call(["喂"])
    await call.listen_to_greeting()
    await call.quiet(20.0, step_s=0.1)
    await call.speak(1.0)
    await call.quiet(20.0, step_s=0.1)
    assert call.said().count(call.session._prompts.still_there) == 2


async def test_a_caller_who_waits_for_a_person_is_never_hung_up_on(make_call):
    call = make_call()
    await call.listen_to_greeting()
    await call.session.dtmf("0")
    await call.quiet(180.0, step_s=0.1)
    assert call.said() == ["正在为您转人工。"]
    assert not call.session.ended.is_set()


async def test_key_zero_brings_a_person_even_into_a_speech(make_call):
    call = make_call()
    await call.start()
    await call.quiet(0.4)
    await call.session.dtmf("0")
    await call.quiet(2.5)
    assert call.kinds == [
        "started", "reply", "speech:start", "audio", "speech:cut",
        "reply", "state:queued", "speech:start", "audio", "speech:end",
    ]  # fmt: skip
    assert call.dialogue.handoffs == 1


async def test_key_zero_goes_before_an_answer_under_way(make_call):
    call = make_call(["居住证怎么办"])
    call.dialogue.waits_for = asyncio.Event()
    await call.listen_to_greeting()
    await call.speak(1.0)
    await call.quiet(1.0)
    await call.session.dtmf("0")
    await call.session.dtmf("0")
    call.dialogue.waits_for.set()
    await call.quiet(3.0)
    assert call.said() == ["请带身份证原件。", "正在为您转人工。"]
    assert call.kinds.count("speech:start") == 1
    assert call.dialogue.handoffs == 1


async def test_other_keys_are_told_that_there_is_no_menu(make_call):
    call = make_call()
    await call.listen_to_greeting()
    await call.session.dtmf("5")
    await call.quiet(0.2)
    assert call.said() == [call.session._prompts.key_unused]
    await call.session.dtmf("?")
    assert call.has({"type": "error", "code": "bad_input"})


async def test_an_odd_byte_is_carried_over_and_told_once(make_call):
    call = make_call(["喂"])
    await call.listen_to_greeting()
    loud = bytes([0x70, 0x17, 0x90, 0xE8]) * 16000
    for start in range(0, len(loud), 641):
        await call.session.audio(loud[start : start + 641])
        await call.clock.advance(0.02)
    await call.quiet(2.0)
    assert call.kinds.count("error:audio_format") == 1
    assert call.said() == ["请带身份证原件。"]
    assert call.recogniser.utterances[0].count(bytes([0x70, 0x17, 0x90, 0xE8])) > 15000


async def test_audio_before_start_is_a_named_error_and_the_call_can_still_begin(make_call):
    call = make_call()
    await call.session.audio(b"\0" * 640)
    await call.session.dtmf("0")
    assert call.kinds == ["error:frame_order", "error:frame_order"]
    assert not await call.session.start("opus", 48000)
    assert not await call.session.start("pcm_s16le", 44100)
    assert call.kinds[2:] == ["error:audio_format", "error:audio_format"]
    await call.start()
    assert not await call.session.start("pcm_s16le", 16000)
    assert call.kinds[-1] == "error:frame_order"


async def test_a_recogniser_that_is_down_is_said_aloud_and_the_call_goes_on(make_call):
    call = make_call(recogniser=DownRecogniser())
    await call.listen_to_greeting()
    for _ in range(2):
        await call.speak(1.0)
        await call.quiet(9.0)
    assert call.said() == [RecogniserDownError.citizen_sentence] * 2
    assert call.kinds[:5] == ["error:recogniser_down", "reply", "speech:start", "audio", "speech:end"]


async def test_a_recogniser_that_breaks_on_one_utterance_serves_the_next(make_call):
    call = make_call([ValueError("bad frame"), "居住证怎么办"])
    await call.listen_to_greeting()
    for _ in range(2):
        await call.speak(1.0)
        await call.quiet(9.0)
    assert call.said() == [RecogniserDownError.citizen_sentence, "请带身份证原件。"]


async def test_a_recogniser_that_hangs_is_given_up_at_its_deadline(make_call):
    release = threading.Event()

    class Hangs:
        name, sample_rate = "hangs", 16000

        def start(self):
            return self

        def accept_chunk(self, pcm):
            pass

        def partial(self):
            return None

        def finish(self):
            release.wait(20)
            return Transcript(text="太晚了")

    call = make_call(recogniser=Hangs(), executor=None, recognition_deadline_s=5.0)
    await call.listen_to_greeting()
    await call.speak(1.0)
    await call.quiet(4.0)
    assert call.said() == []
    await call.quiet(3.0)
    release.set()
    assert call.said() == [RecogniserDownError.citizen_sentence]


async def test_a_synthesiser_that_is_down_still_leaves_the_text_on_the_screen(make_call):
    call = make_call(["喂"], synthesiser=ScriptedSynthesiser(always_fail=SynthesiserDownError()))
    await call.start()
    await call.quiet(0.2)
    await call.speak(1.0)
    await call.quiet(1.0)
    assert call.kinds == [
        "started", "reply", "error:synthesiser_down", "transcript", "reply", "error:synthesiser_down",
    ]  # fmt: skip
    assert call.said()[1] == "请带身份证原件。"


async def test_a_dialogue_that_fails_is_answered_by_its_own_sentence(make_call):
    call = make_call(["喂", "喂"])
    await call.listen_to_greeting()
    for problem in (ActionsDownError(), KeyError("boom")):
        call.dialogue.problem = problem
        await call.speak(1.0)
        await call.quiet(11.0)
    assert [k for k in call.kinds if k.startswith("error")] == ["error:actions_down", "error:dialogue_down"]
    assert call.said()[0] == ActionsDownError.citizen_sentence


async def test_a_dialogue_that_never_answers_is_given_up(make_call):
    call = make_call(["喂"], answer_deadline_s=5.0)
    call.dialogue.waits_for = asyncio.Event()
    await call.listen_to_greeting()
    await call.speak(1.0)
    await call.quiet(7.0)
    assert call.kinds[:3] == ["transcript", "error:dialogue_down", "reply"]


async def test_what_was_not_heard_is_asked_once_and_then_offered_a_person(make_call):
    call = make_call(["", "", "居住证", ""])
    await call.listen_to_greeting()
    for _ in range(4):
        await call.speak(1.0)
        await call.quiet(6.0)
    prompts = call.session._prompts
    assert call.said() == [prompts.not_heard, prompts.not_heard_again, "请带身份证原件。", prompts.not_heard]
    assert "人工" in prompts.not_heard_again


async def test_a_very_long_utterance_is_cut_and_marked(make_call):
    call = make_call(["前半句", "后半句"])
    await call.listen_to_greeting()
    await call.speak(35.0)
    await call.quiet(4.0)
    first, second = [e for e in call.events if e["type"] == "transcript"]
    assert first["cut"] is True
    assert "cut" not in second


async def test_an_agent_who_comes_in_stops_the_bot_and_is_heard(make_call):
    call = make_call()
    await call.start()
    await call.quiet(0.4)
    await call.session.set_state("agent")
    await call.session.say("您好，我是坐席。", "a1")
    await call.quiet(2.5)
    assert call.kinds == [
        "started", "reply", "speech:start", "audio", "state:agent", "speech:cut",
        "speech:start", "audio", "speech:end",
    ]  # fmt: skip


async def test_a_reply_that_closes_the_conversation_ends_the_call_after_its_last_word(make_call):
    call = make_call(["再见"])
    call.dialogue.state = "closed"
    await call.listen_to_greeting()
    await call.speak(1.0)
    await call.quiet(4.0)
    assert call.kinds[-2:] == ["speech:end", "ended:closed"]


async def test_a_question_for_a_number_gives_the_caller_more_time(make_call):
    call = make_call(["查办件", "一二三四"])
    call.dialogue.expects = "case_reference"
    await call.listen_to_greeting()
    await call.speak(1.0)
    await call.quiet(3.0)
    await call.speak(0.8)
    await call.quiet(1.2)  # a breath between two groups of digits
    await call.speak(0.8)
    await call.quiet(3.0)
    assert len(call.dialogue.asked) == 2


async def test_hanging_up_ends_the_call_and_leaves_nothing_running(make_call):
    call = make_call(["喂"])
    await call.start()
    await call.speak(0.5)
    await call.session.stop()
    assert call.events[-1] == {"type": "ended", "reason": "caller"}
    sent = len(call.frames)
    await call.session.audio(b"\0" * 640)  # was still on the wire
    await call.session.dtmf("0")
    await call.clock.advance(10.0)
    assert len(call.frames) == sent


async def test_a_caller_who_vanishes_in_any_moment_leaves_nothing_running(make_call):
    for seconds in (0.0, 0.1, 0.5, 1.0, 1.8):
        call = make_call(["喂"])
        await call.start()
        await call.speak(seconds)
        await call.quiet(seconds)
        await call.session.abandon()
        sent = len(call.frames)
        await call.clock.advance(5.0)
        assert len(call.frames) == sent


async def test_a_broken_socket_ends_the_call_quietly(make_call):
    call = make_call()

    async def broken(frame):
        raise ConnectionResetError

    call.session._send = broken
    await call.session.start("pcm_s16le", 16000)
    await call.clock.settle()
    assert call.session.ended.is_set()
