"""Every row of the tables of turn-taking, on calls played on virtual time."""

from __future__ import annotations

import asyncio
import re

import pytest

from hotline.settings import ROOT
from tests.voice_script import MarkRecogniser
from voice.keys import KEY_ACTS
from voice.ports import SpokenReply
from voice.turn_taking import (
    AWAITED,
    CUT_AFTER_MS,
    FATES,
    LONGEST_PATIENCE_MS,
    PATIENCE_MS,
    Awaited,
    Fate,
    Overlap,
    SoFar,
    awaited,
    fate,
    overlap,
    patience_ms,
    so_far,
)

EXPECTS = {
    Awaited.QUESTION: None,
    Awaited.NUMBER: "case_reference",
    Awaited.STORY: "request",
    Awaited.YES_NO: "confirm",
}
WORDS = {
    SoFar.UNHEARD: None,
    SoFar.PLAIN: "我儿子今年六岁了",
    SoFar.WHOLE: "居住证怎么办",
    SoFar.TRAILING: "我想问一下",
    SoFar.DIGITS: "我的号码是一三八零零",
    SoFar.NUMBER: "一三八零零零零零零零一",
}


@pytest.mark.parametrize(
    ("words", "expects", "look"),
    [
        (None, None, "unheard"),
        ("", None, "plain"),
        ("居住证怎么办", None, "whole"),
        ("居住证要带什么材料", None, "whole"),
        ("转人工", None, "whole"),
        ("社保卡点补", None, "whole"),
        ("我想问一下", None, "trailing"),
        ("我想问下", None, "trailing"),
        ("你好，请问", None, "trailing"),
        ("居住证就是", None, "trailing"),
        ("我想办那个", None, "trailing"),
        ("因为", None, "trailing"),
        ("我嘅", None, "trailing"),
        ("我的办件号是", "case_reference", "trailing"),
        ("我儿子今年六岁了", None, "plain"),
        ("打一二三四五", None, "plain"),
        ("六一三", "case_reference", "digits"),
        ("六", "case_reference", "digits"),
        ("六一三四八二", "case_reference", "number"),
        ("613482", "case_reference", "number"),
        ("号码是幺三八零零零零", "contact", "digits"),
        ("号码是幺三八零零零零零零零一", "contact", "number"),
        ("陈小明一二三", "identity_proof", "digits"),
        ("陈小明，一二三四", "identity_proof", "number"),
        ("我没有号码", "case_reference", "plain"),
        ("没有", "case_reference", "whole"),
        ("对", "confirm", "whole"),
        ("唔啱", "confirm", "whole"),
        ("系", None, "trailing"),
        ("系", "confirm", "whole"),
    ],
)
def test_the_words_so_far_tell_whether_more_will_come(words, expects, look):
    assert so_far(words, expects) == look


def test_the_table_has_a_patience_for_every_case_and_none_is_too_long():
    assert set(PATIENCE_MS) == {(a, s) for a in Awaited for s in SoFar}
    assert max(PATIENCE_MS.values()) == LONGEST_PATIENCE_MS
    assert patience_ms("case_reference", "六一三", 1400) == LONGEST_PATIENCE_MS
    assert patience_ms(None, None, 1400) == 1400


def test_what_is_waited_for_is_what_the_interfaces_name():
    text = (ROOT / "docs/interfaces.md").read_text("utf-8")
    named = re.search(r"^`expects` = .*?。各个流程", text, re.DOTALL | re.MULTILINE)[0]
    assert {e for e in AWAITED if e} <= set(re.findall(r"`(\w+)`", named))
    assert awaited("something new") is Awaited.STORY


@pytest.mark.parametrize(("waiting", "look"), sorted(PATIENCE_MS))
async def test_an_utterance_ends_after_the_patience_of_its_row(timeline, waiting, look):
    call = timeline(partials=look is not SoFar.UNHEARD)
    call.dialogue.expects = EXPECTS[waiting]
    await call.plays(until=5.0)
    call.says("查一下", at=5.0)
    await call.plays(until=13.0)
    call.frames.clear()
    said = "六一三四八二" if (waiting, look) == (Awaited.NUMBER, SoFar.NUMBER) else WORDS[look]
    assert so_far(said, EXPECTS[waiting]) is look
    words = said or "随便说的话"
    ends = call.says(words, at=13.0)
    await call.plays(until=ends + 4.0)
    waited = 1000 * (call.when(type="transcript", final=True) - ends)
    assert PATIENCE_MS[waiting, look] - 33 <= waited <= PATIENCE_MS[waiting, look] + 90
    assert call.dialogue.heard[-1] == words


async def test_a_number_said_with_pauses_stays_one_utterance(timeline):
    call = timeline(partials=True)
    call.dialogue.expects = "contact"
    call.says("投诉", at=4.0)
    call.says("幺三八", at=9.0)
    call.says("零零零零", at=11.8)
    ends = call.says("零零零一", at=14.8)
    await call.plays(until=20.0)
    assert call.dialogue.heard == ["投诉", "幺三八零零零零零零零一"]
    assert call.when(type="reply", turn_id="t2") <= ends + 1.1


async def test_a_question_with_a_hesitation_in_it_stays_one_question(timeline):
    call = timeline(partials=True)
    call.says("我想问一下", at=4.0)
    call.says("那个", at=6.0)
    call.says("居住证怎么办", at=7.5)
    await call.plays(until=13.0)
    assert call.dialogue.heard == ["我想问一下那个居住证怎么办"]


async def test_words_that_follow_before_the_question_was_asked_belong_to_it(timeline):
    class Slow:
        """Final results take a second, as with an engine that decides on the whole at the end."""

    call = timeline()
    delay = call.clock.sleep
    call.recogniser.partials = False
    original = call.session._recognition_deadline_s
    assert original > 2

    from voice.utterance import Utterance

    finish = Utterance.transcript

    async def late(self):
        await delay(1.0)
        return await finish(self)

    Utterance.transcript = late
    try:
        call.says("居住证", at=4.0)
        call.says("怎么办", at=5.6)
        await call.plays(until=12.0)
    finally:
        Utterance.transcript = finish
    assert call.dialogue.heard == ["居住证怎么办"]
    assert call.heard() == ["居住证", "怎么办"]


# ---------------------------------------------------------------- speaking into each other's words

LONG = "办理居住证请带身份证原件。还要带租赁合同的首页。然后到所在镇街的服务大厅办理。"


async def long_answer(call, at=4.0):
    """A call in which the long answer has begun; returns when it did."""
    call.dialogue.answer_text = LONG
    call.says("居住证怎么办", at=at)
    await call.plays(until=at + 3.0)
    return call.when(type="speech", phase="start", turn_id="t1")


async def test_a_caller_who_speaks_stops_the_line_within_300_ms(timeline):
    call = timeline()
    await long_answer(call)
    call.says("那要多久", at=8.0)
    await call.plays(until=9.0)
    cut = call.when(type="speech", phase="cut")
    assert 8.1 <= cut <= 8.3
    assert not any(isinstance(f, bytes) for at, f in call.frames if at > cut)
    last = max(at for at, f in call.frames if isinstance(f, bytes))
    assert last + 0.14 <= 8.3 + 0.14


async def test_what_was_not_heard_is_known_to_the_dialogue(timeline):
    call = timeline()
    begun = await long_answer(call)
    call.says("那要多久", at=8.0)
    await call.plays(until=14.0)
    ((turn, heard, unheard),) = call.dialogue.cuts
    assert turn == "t1"
    assert LONG.startswith(heard)
    assert abs(len(heard) - 10 * (8.2 - begun)) <= 3  # a tenth of a second a character
    assert LONG.endswith(unheard)
    assert len(heard) + len(unheard) >= len(LONG)
    assert call.dialogue.heard == ["居住证怎么办", "那要多久"]
    frame = next(e for e in call.events if e.get("phase") == "cut")
    assert frame["heard"] == heard


@pytest.mark.parametrize(("hum", "lasting"), [("嗯", 0.2), ("嗯", 0.35), ("哦", 0.4)])
async def test_a_hum_while_the_line_speaks_does_not_stop_it(timeline, hum, lasting):
    call = timeline()
    await long_answer(call)
    call.hums(at=8.0, lasting=lasting, text=hum)
    await call.plays(until=14.0)
    assert not call.has({"phase": "cut"})
    assert call.has({"type": "speech", "phase": "end", "turn_id": "t1"})
    assert call.dialogue.heard == ["居住证怎么办"]


@pytest.mark.parametrize("consent", ["好的好的", "嗯嗯好的", "系系系"])
async def test_consent_does_not_stop_the_line_where_its_words_are_heard_in_time(timeline, consent):
    call = timeline(partials=True)
    await long_answer(call)
    call.says(consent, at=8.0, lasting=0.7)
    await call.plays(until=14.0)
    assert not call.has({"phase": "cut"})
    assert call.dialogue.heard == ["居住证怎么办"]


async def test_consent_that_stopped_the_line_lets_it_go_on_from_there(timeline):
    call = timeline()  # finals only: the words come after the cut
    await long_answer(call)
    call.says("好的知道了", at=8.0)
    await call.plays(until=17.0)
    assert call.has({"phase": "cut", "turn_id": "t1"})
    assert call.kinds[-3:] == ["speech:start", "audio", "speech:end"]
    assert call.dialogue.heard == ["居住证怎么办"]
    spoken = call.synthesiser.spoken
    first = spoken.index("办理居住证请带身份证原件。")
    assert spoken[first:].count("然后到所在镇街的服务大厅办理。") >= 1
    assert spoken[-1] == "然后到所在镇街的服务大厅办理。"


async def test_noise_that_stopped_the_line_lets_it_go_on_from_there(timeline):
    call = timeline()
    await long_answer(call)
    call.noise(at=8.0, lasting=0.8)
    await call.plays(until=17.0)
    assert call.has({"phase": "cut", "turn_id": "t1"})
    assert call.has({"phase": "end", "turn_id": "t1"})
    assert call.session._prompts.not_heard not in call.said()
    assert call.dialogue.heard == ["居住证怎么办"]


async def test_a_short_noise_in_silence_is_not_asked_about(timeline):
    call = timeline()
    call.noise(at=4.0, lasting=0.2)
    await call.plays(until=8.0)
    assert len(call.said()) == 1


async def test_the_number_to_call_in_danger_is_said_to_its_end(timeline):
    call = timeline()
    call.dialogue.urgent = True
    begun = await long_answer(call)
    call.says("我家在桂城街道", at=begun + 1.5)
    await call.plays(until=begun + 9.0)
    assert not call.has({"phase": "cut"})
    assert call.has({"phase": "end", "turn_id": "t1"})
    assert call.dialogue.heard == ["居住证怎么办", "我家在桂城街道"]


async def test_an_answer_is_not_begun_into_the_words_of_a_caller_who_goes_on(timeline):
    call = timeline()
    await think(call, 1.0)
    call.says("居住证怎么办", at=4.0)
    call.says("还要问社保卡怎么补办", at=6.3, lasting=2.5)
    await call.plays(until=9.0)
    assert not call.has({"phase": "start", "turn_id": "t1"})
    await call.plays(until=14.0)
    assert call.dialogue.heard == ["居住证怎么办", "还要问社保卡怎么补办"]
    assert call.dialogue.cuts == [("t1", "", "请带身份证原件。")]


async def test_an_answer_held_back_for_a_noise_is_said_after_it(timeline):
    call = timeline()
    await think(call, 1.0)
    call.says("居住证怎么办", at=4.0)
    call.noise(at=6.3, lasting=1.5)
    await call.plays(until=14.0)
    assert call.has({"phase": "end", "turn_id": "t1"})
    assert call.dialogue.heard == ["居住证怎么办"]


async def test_yes_said_into_the_end_of_a_question_is_an_answer(timeline):
    call = timeline()
    call.dialogue.expects = "confirm"
    begun = await long_answer(call)
    call.says("对", at=begun + 3.6, lasting=0.3)
    await call.plays(until=begun + 8.0)
    assert not call.has({"phase": "cut"})
    assert call.dialogue.heard == ["居住证怎么办", "对"]


def test_every_way_of_speaking_into_a_speech_has_a_fate():
    assert set(FATES) == {(s, y, o) for s in (True, False) for y in (True, False) for o in Overlap}
    assert fate(True, None, "好的") is Fate.RESUME
    assert fate(True, "confirm", "好的") is Fate.ANSWER
    assert fate(False, None, "嗯") is Fate.IGNORE


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("嗯", "hum"), ("嗯嗯", "hum"), ("哦", "hum"), ("好", "consent"), ("好的，知道了", "consent"), ("系", "consent"),
        ("得", "consent"), ("明白了", "consent"), ("好贵", "words"), ("是不是", "words"), ("对了我想问", "words"), (None, "unheard"),
    ],
)  # fmt: skip
def test_backchannels_are_known_by_their_words(words, kind):
    assert overlap(words) == kind


def test_the_cut_table_is_whole_and_words_cut_soonest():
    assert len(CUT_AFTER_MS) == 8
    assert all(CUT_AFTER_MS[s, Overlap.WORDS] <= CUT_AFTER_MS[s, o] for s, o in CUT_AFTER_MS)


# ---------------------------------------------------------------- the sound before the answer


async def think(call, seconds):
    async def thinks():
        await call.clock.sleep(seconds)

    call.dialogue.thinks = thinks


def opening_call(timeline, **options):
    return timeline(settings={"opening_after_ms": 250}, **options)


async def test_a_late_answer_is_preceded_by_a_short_sound(timeline):
    call = opening_call(timeline)
    await think(call, 1.2)
    ends = call.says("居住证怎么办", at=4.0)
    await call.plays(until=10.0)
    first = min(at for at, f in call.frames if isinstance(f, bytes) and at > ends)
    assert ends + 0.85 - 0.04 <= first <= ends + 0.85 + 0.04
    assert call.kinds[-6:] == ["transcript", "audio", "reply", "speech:start", "audio", "speech:end"]
    (timing,) = call.session.timings
    assert timing.parts_ms()["total"] < 1100 < timing.parts_ms()["answer"]


async def test_who_was_waited_for_long_hears_the_opening_sooner(timeline):
    call = timeline(settings={"opening_after_ms": 250, "endpoint_silence_ms": 1400})
    await think(call, 1.2)
    ends = call.says("居住证怎么办", at=4.0)
    await call.plays(until=10.0)
    first = min(at for at, f in call.frames if isinstance(f, bytes) and at > ends)
    assert ends + 1.4 <= first <= ends + 1.4 + 0.06


async def test_an_answer_in_time_needs_no_opening(timeline):
    call = opening_call(timeline)
    call.says("居住证怎么办", at=4.0)
    await call.plays(until=10.0)
    assert call.kinds[-5:] == ["transcript", "reply", "speech:start", "audio", "speech:end"]
    assert "请稍等。" in call.synthesiser.spoken  # was made, and not played


async def test_a_very_late_answer_is_asked_to_be_waited_for(timeline):
    call = opening_call(timeline)
    await think(call, 3.0)
    ends = call.says("居住证怎么办", at=4.0)
    await call.plays(until=12.0)
    reply = call.when(type="reply", turn_id="t1")
    before = [at for at, f in call.frames if isinstance(f, bytes) and ends < at < reply]
    assert len(before) * 0.02 >= 0.1 + 0.3  # 「嗯，」, later 「请稍等。」


async def test_the_opening_is_off_by_its_setting_and_when_an_agent_speaks(timeline):
    for setting, state in ((0, "bot"), (250, "agent")):
        call = timeline(settings={"opening_after_ms": setting})
        await call.plays(until=4.0)
        await call.session.set_state(state)
        await think(call, 1.0)
        call.says("居住证怎么办", at=4.0)
        await call.plays(until=7.0)
        reply = call.when(type="reply", turn_id="t1")
        assert not [at for at, f in call.frames if isinstance(f, bytes) and 5.2 < at < reply]


async def test_a_caller_who_goes_on_ends_the_opening(timeline):
    call = opening_call(timeline)
    await think(call, 2.0)
    ends = call.says("居住证怎么办", at=4.0)
    call.says("还有社保卡", at=ends + 0.97)
    await call.plays(until=14.0)
    assert call.dialogue.heard == ["居住证怎么办", "还有社保卡"]


# ---------------------------------------------------------------- keys


async def asked_for_number(timeline, expects="case_reference"):
    call = timeline()
    call.dialogue.expects = expects
    call.says("查办件", at=4.0)
    await call.plays(until=8.0)
    return call


async def test_keys_are_a_number_where_one_is_asked_for(timeline):
    call = await asked_for_number(timeline)
    call.presses("613402#", at=8.0)
    await call.plays(until=13.0)
    assert call.dialogue.heard == ["查办件", "613402"]
    assert call.has({"type": "transcript", "text": "613402", "final": True, "keys": True})
    assert call.dialogue.handoffs == 0


async def test_a_pause_ends_a_number_typed(timeline):
    call = await asked_for_number(timeline)
    call.presses("613482", at=8.0)
    await call.plays(until=13.0)
    assert call.dialogue.heard == ["查办件"]
    await call.plays(until=15.0)
    assert call.dialogue.heard == ["查办件", "613482"]


async def test_a_star_begins_a_number_with_zero_and_is_the_x_of_an_id(timeline):
    call = await asked_for_number(timeline, "identity_proof")
    call.presses("*012*#", at=8.0)
    await call.plays(until=12.0)
    assert call.dialogue.heard == ["查办件", "012X"]
    assert call.dialogue.handoffs == 0


async def test_zero_brings_a_person_also_where_a_number_is_asked_for(timeline):
    call = await asked_for_number(timeline)
    call.presses("0", at=8.0)
    await call.plays(until=11.0)
    assert call.dialogue.handoffs == 1


async def test_the_first_key_stops_the_question_it_answers(timeline):
    call = timeline()
    call.dialogue.expects = "case_reference"
    begun = await long_answer(call)
    call.presses("61", at=begun + 2.0)
    await call.plays(until=begun + 3.0)
    assert abs(call.when(type="speech", phase="cut") - begun - 2.0) <= 0.05


async def test_a_hash_with_nothing_typed_is_explained(timeline):
    call = await asked_for_number(timeline)
    call.presses("#", at=8.0)
    await call.plays(until=9.0)
    assert call.said()[-1] == call.session._prompts.key_number
    assert call.session._expects == "case_reference"


async def test_a_key_pressed_forever_ends_at_the_longest_number(timeline):
    call = await asked_for_number(timeline)
    call.presses("1" * 60, at=8.0, apart=0.1)
    await call.plays(until=22.0)
    assert len(call.dialogue.heard[1]) == 44


# ---------------------------------------------------------------- lines and callers of all kinds


async def test_two_calls_from_one_caller_do_not_mix(timeline):
    one, two = timeline(), timeline()
    one.says("居住证怎么办", at=4.0)
    two.says("社保卡怎么补", at=4.0)
    await asyncio.gather(one.plays(until=9.0), two.plays(until=9.0))
    assert one.dialogue.heard == ["居住证怎么办"]
    assert two.dialogue.heard == ["社保卡怎么补"]


async def test_a_gap_in_the_packets_loses_what_was_said_in_it_and_no_more(timeline):
    call = timeline(partials=True)
    call.says("居住证要带什么材料", at=4.0)
    call.loses_packets(at=4.41, lasting=0.4)
    await call.plays(until=10.0)
    (heard,) = call.dialogue.heard
    assert heard.startswith("居住证")
    assert heard.endswith("什么材料")


async def test_a_peer_that_vanishes_in_the_middle_of_anything_leaves_nothing(timeline):
    for at in (0.5, 4.5, 5.3, 5.9, 6.5, 9.2):
        call = opening_call(timeline)
        await think(call, 0.5)
        call.dialogue.expects = "case_reference"
        call.says("居住证怎么办", at=4.0)
        call.presses("61", at=9.0)
        call.vanishes(at=at)
        await call.plays(until=at + 1.0)
        sent = len(call.frames)
        await call.clock.advance(20.0)
        assert len(call.frames) == sent


async def test_a_late_partial_of_an_earlier_utterance_says_nothing_about_this_one(timeline):
    call = timeline(partials=True)
    await call.plays(until=4.0)
    from hotline.messages import Transcript

    await call.session._hearing._partial(-1, Transcript(text="我想问一下", final=False))
    assert call.session._hearing._endpointer.endpoint_silence_ms == 700


async def test_the_bots_own_prompts_do_not_change_what_is_waited_for(timeline):
    call = timeline()
    call.dialogue.expects = "case_reference"
    call.says("查办件", at=4.0)
    await call.plays(until=24.0)  # asked whether still there
    assert call.session._prompts.still_there in call.said()
    call.presses("613482#", at=24.0)
    await call.plays(until=28.0)
    assert call.dialogue.heard[-1] == "613482"


# ---------------------------------------------------------------- the documents draw what runs


def drawn(title: str) -> list[list[str]]:
    """The cells of the table under a heading of docs/voice.md, codes and numbers alone."""
    text = (ROOT / "docs/voice.md").read_text("utf-8")
    section = text.split(f"\n### {title}\n")[1].split("\n#")[0]
    rows = [line.strip().split("|")[1:-1] for line in section.splitlines() if line.startswith("|")]
    return [[re.findall(r"`([^`]+)`|^(\d+)$", cell.strip()) for cell in row] for row in (rows[0], *rows[2:])]


def plain(cell: list[tuple[str, str]]) -> str:
    return next((code or number for code, number in cell), "")


def test_the_patience_table_of_the_document_is_the_one_that_runs():
    head, *rows = [[plain(cell) for cell in row] for row in drawn("说完等多久")]
    found = {(row[0], column): int(ms) for row in rows for column, ms in zip(head[1:], row[1:], strict=True)}
    assert found == {(a.value, s.value): ms for (a, s), ms in PATIENCE_MS.items()}


def test_the_cut_table_of_the_document_is_the_one_that_runs():
    head, *rows = [[plain(cell) for cell in row] for row in drawn("说多久才打断播报")]
    found = {(row[0], column): int(ms) for row in rows for column, ms in zip(head[1:], row[1:], strict=True)}
    assert found == {(s.value, o.value): ms for (s, o), ms in CUT_AFTER_MS.items()}


def test_the_fates_of_the_document_are_those_that_run():
    head, *rows = [[plain(cell) for cell in row] for row in drawn("插进来的话怎么办")]
    found = {(*row[0].split("+"), column): fate for row in rows for column, fate in zip(head[1:], row[1:], strict=True)}
    ran = {
        ("silenced" if s else "spoke_on", "yes_no" if y else "other", o.value): f.value
        for (s, y, o), f in FATES.items()
    }
    assert found == ran


def test_the_key_table_of_the_document_is_the_one_that_runs():
    head, *rows = [[plain(cell) for cell in row] for row in drawn("按键")]
    found = {(state, row[0]): act for row in rows for state, act in zip(head[1:], row[1:], strict=True)}
    assert found == {(s.value, k.value): a.value for (s, k), a in KEY_ACTS.items()}


def test_a_reply_of_the_voice_side_is_marked_as_its_own():
    assert SpokenReply.of_text("x", "喂").local


async def test_a_pause_reaches_the_recogniser_and_so_do_words_after_it(timeline):
    told: list[str] = []

    class Deciding(MarkRecogniser):
        """Decides at a pause, as engines do that read an utterance as a whole."""

        def start(self, options=None):
            session = super().start(options)
            session.pause_began = lambda: told.append("pause")
            session.speech_resumed = lambda: told.append("resumed")
            return session

    call = timeline()
    call.session._recogniser = Deciding(call.speech, 16000, partials=False)
    ends = call.says("居住证", at=4.0)
    call.says("怎么办", at=ends + 0.4)
    await call.plays(until=9.0)
    assert told == ["pause", "resumed", "pause"]
    assert call.dialogue.heard == ["居住证怎么办"]
