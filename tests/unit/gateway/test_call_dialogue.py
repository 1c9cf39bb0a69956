"""What a call adds to a conversation: repeating from the cut, refusing the recording, the trail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gateway.call_dialogue import CallDialogue
from gateway.call_words import asks_again, only_refuses, refuses_recording
from gateway.emergencies import EmergencyWatch
from gateway.feed import EventFeed
from gateway.memory_dialogue import ScriptedDialogue
from gateway.metrics import Metrics
from gateway.replies import Sentences
from gateway.turns import TurnService
from hotline.conversation import Trigger
from hotline.events import EventType
from hotline.messages import Channel, Reply, Understanding
from hotline.ports import DialogueAnswer, SpeechChange
from hotline.settings import Settings
from storage.errors import StorageDownError
from storage.memory import MemoryStore
from storage.ports import NewConversation
from storage.recordings import MemoryRecordings
from voice.recording import Recordings

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ANSWER = "办理居住证请带身份证。还要带租赁合同。去服务大厅办。"


def answer(text: str = ANSWER, **more: Any) -> DialogueAnswer:
    return DialogueAnswer(replies=[Reply(text=text)], understanding=Understanding(intent="ask_materials"), **more)


class Call:
    def __init__(self, folder: Path | None = None) -> None:
        self.engine = ScriptedDialogue(answers={"居住证带什么": answer()})
        self.store, feed, sentences = MemoryStore(), EventFeed(), Sentences("12345")
        turns = TurnService(
            store=self.store, engine=self.engine, feed=feed, emergencies=EmergencyWatch(), sentences=sentences,
            session_turns=100, now=lambda: NOW,
        )  # fmt: skip
        self.house: Any = SimpleNamespace(
            store=self.store, turns=turns, feed=feed, sentences=sentences, metrics=Metrics()
        )
        self.recordings = None
        if folder is not None:
            settings = Settings(_env_file=None, data_dir=folder)
            self.recordings = Recordings(MemoryRecordings(), settings, now=lambda: NOW)
            self.folder = folder / "recordings"

    async def open(self) -> Call:
        record = await self.store.create_conversation(
            NewConversation(conversation_id="c", channel=Channel.VOICE, token_hash="0" * 64, at=NOW)
        )
        self.recording = await self.recordings.begin("c", "call", 8000) if self.recordings else None
        self.dialogue = CallDialogue(self.house, record, self.recording)
        self.greeting = await self.dialogue.greet()
        return self

    async def events(self, kind: EventType) -> list[dict[str, Any]]:
        return [e.data for e in await self.store.events_after("c", 0) if e.type is kind]

    @property
    def asked(self) -> list[str]:
        return [message.text for message, _ in self.engine.asked]


@pytest.fixture
async def call() -> Call:
    return await Call().open()


@pytest.fixture
async def recorded(tmp_path: Path):
    made = await Call(tmp_path).open()
    yield made
    await made.recordings.close()


AGAIN = [
    "再说一遍", "再说一遍。", "请再说一次", "麻烦再讲一遍好吗", "刚才说什么", "你刚才说什么？", "你说啥", "没听清", "我没听清楚，再说一遍",
    "能再说一遍吗", "重复一下", "重说一遍", "不好意思没听到", "再念一遍号码",
    "再讲一次", "讲多次", "再讲多一次得唔得", "头先讲咩", "你话咩", "听唔清楚", "听唔到", "唔该再讲", "你讲多遍俾我听", "咩话",
]  # fmt: skip
NOT_AGAIN = [
    "居住证怎么办",
    "再说吧",
    "我再说一遍我要办居住证",
    "再办一次",
    "说什么时候办",
    "慢一点",
    "大声点",
    "我没听懂",
    "再见",
    "没有",
]


@pytest.mark.parametrize("text", AGAIN)
def test_asking_again_is_known_in_mandarin_and_cantonese(text: str) -> None:
    assert asks_again(text)


@pytest.mark.parametrize("text", NOT_AGAIN)
def test_other_words_are_no_asking_again(text: str) -> None:
    assert not asks_again(text)


REFUSALS = [
    "不要录音",
    "我不要录音",
    "唔好录音",
    "请不要录音",
    "别录音",
    "不同意录音",
    "能不能不要录音",
    "停止录音",
    "可以不录音吗",
    "唔好录我",
    "不要录了",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusing_is_known(text: str) -> None:
    assert refuses_recording(text)
    assert only_refuses(text)


@pytest.mark.parametrize(
    "text", ["会录音吗", "要不要录音", "录音保存多久", "居住证怎么办", "孩子没被录取怎么办", "资料不能录入系统怎么办"]
)
def test_asking_about_recordings_is_no_refusal(text: str) -> None:
    assert not refuses_recording(text)


async def test_asking_again_says_the_whole_answer_where_it_was_heard(call: Call) -> None:
    first = await call.dialogue.answer("居住证带什么", 0.9)
    again = await call.dialogue.answer("再说一遍", 0.9)
    assert again.speech_text == first.speech_text == ANSWER
    assert again.payload["text"] == ANSWER
    assert again.payload["understanding"]["intent"] == "repeat"
    assert call.asked == ["居住证带什么"]


async def test_asking_again_begins_where_the_caller_spoke_into_the_answer(call: Call) -> None:
    first = await call.dialogue.answer("居住证带什么", 0.9)
    await call.dialogue.cut(first.turn_id, "办理居住证请带身份证。还要", "还要带租赁合同。去服务大厅办。")
    again = await call.dialogue.answer("头先讲咩", 0.9)
    assert again.speech_text == "还要带租赁合同。去服务大厅办。"
    assert again.payload["text"] == ANSWER
    assert (await call.dialogue.answer("再讲一次", 0.9)).speech_text == ANSWER


async def test_the_trail_knows_what_was_heard_and_what_was_not(call: Call) -> None:
    first = await call.dialogue.answer("居住证带什么", 0.9)
    await call.dialogue.cut(first.turn_id, "请打13800000001", "一三八零零零零零零零一。")
    (cut,) = await call.events(EventType.SPEECH)
    assert cut["phase"] == "cut"
    assert "13800000001" not in str(cut)
    assert "一三八零零零零零零零一" not in str(cut)


async def test_a_trail_that_cannot_be_written_does_not_end_the_call(call: Call, monkeypatch) -> None:
    async def down(*_: object) -> None:
        raise StorageDownError

    first = await call.dialogue.answer("居住证带什么", 0.9)
    monkeypatch.setattr(call.store, "append", down)
    await call.dialogue.cut(first.turn_id, "办理", "居住证。")
    assert (await call.dialogue.answer("再说一遍", 0.9)).speech_text == "居住证。"


async def test_the_greeting_can_be_repeated_too(call: Call) -> None:
    again = await call.dialogue.answer("你说什么", 0.9)
    assert again.speech_text == call.greeting.speech_text
    assert call.asked == []


async def test_slower_changes_the_way_and_the_answer_before_it_is_what_is_repeated(call: Call) -> None:
    call.engine._answers["慢一点"] = answer("好的，我慢一点说。", speech_change=SpeechChange.SLOWER)
    await call.dialogue.answer("居住证带什么", 0.9)
    slower = await call.dialogue.answer("慢一点", 0.9)
    assert slower.speech_change is SpeechChange.SLOWER
    assert (await call.dialogue.answer("再说一遍", 0.9)).speech_text == ANSWER


async def test_what_the_form_waits_for_stays_open_when_its_question_is_repeated(call: Call) -> None:
    call.engine._answers["查办件"] = answer("请报办件号。", expects="case_reference", flow="case_status_form")
    first = await call.dialogue.answer("查办件", 0.9)
    again = await call.dialogue.answer("没听清", 0.9)
    assert first.expects == again.expects == "case_reference"
    record = await call.store.get_conversation("c")
    assert (record.expects, record.flow) == ("case_reference", "case_status_form")


async def test_an_agent_who_has_the_floor_is_not_talked_over_by_a_repeat(call: Call) -> None:
    await call.dialogue.answer("居住证带什么", 0.9)
    for trigger in (Trigger.HANDOFF_REQUESTED, Trigger.AGENT_ACCEPTED):
        await call.store.set_state("c", trigger, NOW)
    again = await call.dialogue.answer("再说一遍", 0.9)
    assert again.speech_text == ""
    assert again.state == "agent"


# ---------------------------------------------------------------- recordings


async def test_the_greeting_says_that_the_call_is_recorded_and_how_to_refuse(recorded: Call, call: Call) -> None:
    assert "录音" in recorded.greeting.speech_text
    assert "不要录音" in recorded.greeting.speech_text
    assert "人工智能" in recorded.greeting.speech_text
    assert "录音" not in call.greeting.speech_text


async def test_a_refusal_erases_first_and_then_says_so(recorded: Call) -> None:
    recorded.recording.tape.caller(np.zeros(80000, np.int16), 10.0)
    reply = await recorded.dialogue.answer("唔好录音", 0.9)
    assert "删掉" in reply.speech_text
    assert list(recorded.folder.glob("*.nhrec")) == []
    assert not recorded.recording.active
    assert recorded.asked == []
    assert await recorded.events(EventType.RECORDING) == [{"state": "refused"}]


async def test_the_dialogue_goes_on_after_a_refusal(recorded: Call) -> None:
    recorded.engine._answers["查办件"] = answer("请报办件号。", expects="case_reference")
    await recorded.dialogue.answer("查办件", 0.9)
    refused = await recorded.dialogue.answer("不要录音", 0.9)
    assert refused.expects == "case_reference"
    assert (await recorded.dialogue.answer("再说一遍", 0.9)).speech_text == "请报办件号。"


async def test_a_refusal_with_a_question_gets_both_answered(recorded: Call) -> None:
    recorded.engine._answers["不要录音居住证带什么"] = answer()
    reply = await recorded.dialogue.answer("不要录音居住证带什么", 0.9)
    assert "删掉" in reply.speech_text
    assert reply.speech_text.endswith(ANSWER)
    assert not recorded.recording.active


async def test_a_recording_that_cannot_be_erased_is_not_said_to_be(recorded: Call, monkeypatch) -> None:
    async def down(*_: object) -> None:
        raise StorageDownError

    monkeypatch.setattr(recorded.recording._register, "remove", down)
    reply = await recorded.dialogue.answer("不要录音", 0.9)
    assert "没能删掉" in reply.speech_text
    assert not recorded.recording.active


async def test_refusing_where_nothing_is_recorded_is_answered_truly(call: Call) -> None:
    assert "没有录音" in (await call.dialogue.answer("不要录音", 0.9)).speech_text


async def test_danger_comes_before_a_repeat_and_a_refusal(recorded: Call) -> None:
    reply = await recorded.dialogue.answer("不要录音，我家着火了", 0.9)
    assert "119" in reply.speech_text
    assert reply.urgent
    assert reply.state == "queued"
