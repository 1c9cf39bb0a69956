"""One turn after the other: recorded, looked at for danger, asked, recorded, answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.emergencies import EmergencyWatch
from gateway.feed import EventFeed
from gateway.memory_dialogue import ScriptedDialogue
from gateway.replies import Sentences
from gateway.turns import TurnResult, TurnService, recall_consent
from hotline.conversation import ConversationState, Trigger
from hotline.errors import (
    ActionsDownError,
    BadInputError,
    ConversationClosedError,
    DialogueDownError,
    EmptyTextError,
    TextTooLongError,
)
from hotline.events import ConversationEvent, EventType
from hotline.messages import Button, Channel, Reply, Understanding
from hotline.ports import DialogueAnswer
from hotline.privacy import CONTACT_PLACEHOLDER, PROOF_PLACEHOLDER
from storage.errors import StorageDownError
from storage.memory import MemoryStore
from storage.ports import NewConversation

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
S, T = ConversationState, Trigger


def _answer(text: str, **more: Any) -> DialogueAnswer:
    buttons = more.pop("buttons", [])
    return DialogueAnswer(replies=[Reply(text=text, buttons=buttons)], understanding=Understanding(), **more)


class Desk:
    """A turn service over a store in memory, with one conversation."""

    def __init__(self, engine: ScriptedDialogue, session_turns: int = 100) -> None:
        self.engine, self.store, self.feed = engine, MemoryStore(), EventFeed()
        self.turns = TurnService(
            store=self.store,
            engine=engine,
            feed=self.feed,
            emergencies=EmergencyWatch(),
            sentences=Sentences("12345"),
            session_turns=session_turns,
            now=lambda: NOW,
        )

    async def open(self, conversation_id: str = "c") -> Desk:
        self.record = await self.store.create_conversation(
            NewConversation(conversation_id=conversation_id, channel=Channel.WEB, token_hash="0" * 64, at=NOW)
        )
        return self

    async def say(self, text: object, client_message_id: str | None = None) -> TurnResult:
        return await self.turns.take(self.record, text, Channel.WEB, client_message_id=client_message_id)

    async def move(self, *triggers: Trigger) -> None:
        for trigger in triggers:
            await self.store.set_state("c", trigger, NOW)

    async def trail(self) -> list[ConversationEvent]:
        return await self.store.events_after("c", 0)

    async def kinds(self) -> list[str]:
        return [event.type.value for event in await self.trail()]

    async def everything_kept(self) -> str:
        turns = await self.store.history("c")
        return "\n".join([str(t.model_dump()) for t in turns] + [str(e.data) for e in await self.trail()])


async def open_desk(engine: ScriptedDialogue | None = None, **more: Any) -> Desk:
    return await Desk(engine or ScriptedDialogue(), **more).open()


# ---------------------------------------------------------------- the order of things


async def test_a_turn_is_recorded_before_the_engine_is_asked() -> None:
    engine = ScriptedDialogue()
    engine.hold = asyncio.Event()
    desk = await open_desk(engine)
    turn = asyncio.ensure_future(desk.say("居住证怎么办"))
    await engine.arrived.wait()
    kept = await desk.store.history("c")
    assert [t.text for t in kept] == ["居住证怎么办"]
    assert not kept[0].answered
    engine.hold.set()
    result = await turn
    assert [r.text for r in result.replies] == ["好的。"]
    assert await desk.kinds() == ["conversation_started", "citizen_message", "reply"]
    assert (await desk.store.history("c"))[0].answered


async def test_the_engine_hears_the_words_themselves_and_the_state() -> None:
    desk = await open_desk()
    await desk.say("  我的电话是13800000001  ")
    message, state = desk.engine.asked[0]
    assert message.text == "我的电话是13800000001"
    assert state == "bot"


async def test_a_rating_goes_to_the_engine_with_whether_corrections_were_answered_before() -> None:
    desk = await Desk(ScriptedDialogue()).open()
    await desk.say("满意")
    await desk.store.append(recall_consent("c", False, NOW))
    for text in ("五星好评", "居住证怎么办"):
        await desk.say(text)
    assert [message.recall_answered for message, _ in desk.engine.asked] == [False, True, False]


async def test_what_is_kept_is_masked() -> None:
    desk = await open_desk(ScriptedDialogue(["您的电话 13800000001 已经记下。"]))
    result = await desk.say("我叫陈小明，13800000001，990101190001011234")
    kept = await desk.everything_kept()
    for secret in ("陈小明", "13800000001", "990101190001011234"):
        assert secret not in kept
        assert secret not in result.replies[0].text


async def test_a_card_with_a_mobile_is_masked_rather_than_lost() -> None:
    answer = _answer("好的。", buttons=[Button(title="拨打 13800000001", payload="好")])
    answer.replies[0].card = {"kind": "case", "rows": [{"label": "联系人", "value": "13800000001"}]}
    desk = await open_desk(ScriptedDialogue([answer]))
    result = await desk.say("查进度")
    assert result.replies[0].card is not None
    assert result.replies[0].card["rows"][0]["value"] == "138****0001"
    assert "13800000001" not in await desk.everything_kept()


@pytest.mark.parametrize(
    ("raw", "error"), [("", EmptyTextError), ("居" * 501, TextTooLongError), ("😀", BadInputError), (5, BadInputError)]
)
async def test_what_cannot_be_taken_is_named_and_not_recorded(raw: object, error: type[Exception]) -> None:
    desk = await open_desk()
    with pytest.raises(error):
        await desk.say(raw)
    assert await desk.kinds() == ["conversation_started"]
    assert desk.engine.asked == []


async def test_a_store_that_is_down_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await open_desk()

    async def down(*_: object) -> None:
        raise StorageDownError

    monkeypatch.setattr(desk.store, "begin_turn", down)
    with pytest.raises(StorageDownError):
        await desk.say("居住证怎么办")
    assert desk.engine.asked == []


async def test_events_reach_the_watchers_in_the_order_of_the_trail() -> None:
    desk = await open_desk()
    async with desk.feed.watch("c") as queue:
        await desk.say("你好")
        seen = [queue.get_nowait() for _ in range(queue.qsize())]
    assert seen == (await desk.trail())[1:]


# ---------------------------------------------------------------- the same message twice


async def test_a_message_delivered_twice_is_answered_once() -> None:
    desk = await open_desk(ScriptedDialogue(["第一", "第二"]))
    first = await desk.say("居住证怎么办", "m1")
    again = await desk.say("居住证怎么办", "m1")
    assert again.replies == first.replies
    assert again.turn_id == first.turn_id
    assert len(desk.engine.asked) == 1
    assert await desk.kinds() == ["conversation_started", "citizen_message", "reply"]


async def test_a_message_delivered_twice_at_once_is_answered_once() -> None:
    desk = await open_desk(ScriptedDialogue(["第一", "第二"]))
    one, two = await asyncio.gather(desk.say("你好", "m1"), desk.say("你好", "m1"))
    assert one == two
    assert len(desk.engine.asked) == 1


async def test_a_message_recorded_before_a_crash_gets_its_answer_now() -> None:
    engine = ScriptedDialogue(["好的。"])
    engine.hold = asyncio.Event()
    desk = await open_desk(engine)
    lost = asyncio.ensure_future(desk.say("居住证怎么办", "m1"))
    await engine.arrived.wait()
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    engine.hold = None
    result = await desk.say("居住证怎么办", "m1")
    assert result.replies[0].text == "好的。"
    turns = await desk.store.history("c")
    assert len(turns) == 1
    assert turns[0].answered


# ---------------------------------------------------------------- when a part is down


@pytest.mark.parametrize("error", [DialogueDownError(), ActionsDownError()])
async def test_an_engine_that_is_down_brings_a_sentence_and_leaves_an_event(error: Exception) -> None:
    desk = await open_desk(ScriptedDialogue([error]))
    result = await desk.say("居住证怎么办")
    assert result.state is S.BOT
    assert result.replies[0].text == error.citizen_sentence  # type: ignore[attr-defined]
    assert [b.payload for b in result.replies[0].buttons] == ["转人工"]
    assert await desk.kinds() == ["conversation_started", "citizen_message", "part_down", "reply"]
    event = (await desk.trail())[2]
    assert event.turn_id == result.turn_id
    assert event.data["code"] == error.code  # type: ignore[attr-defined]


async def test_a_part_an_action_missed_leaves_an_event_too() -> None:
    desk = await open_desk(ScriptedDialogue([_answer("中台联系不上。", part_down="hub_down")]))
    await desk.say("查进度")
    assert [e.data for e in await desk.trail() if e.type is EventType.PART_DOWN] == [
        {"part": "hub", "code": "hub_down"}
    ]


@pytest.mark.parametrize(
    "words", ["转人工", "轉人工", "我要转人工", "人工", "人工客服", "找个人", "搵人", "真人", "有真人吗"]
)
async def test_a_person_can_be_asked_for_while_the_engine_is_down(words: str) -> None:
    engine = ScriptedDialogue()
    engine.available = False
    desk = await open_desk(engine)
    result = await desk.say(words)
    assert result.state is S.QUEUED
    assert result.understanding.intent == "handoff"
    assert await desk.store.queue_position("c") == 1
    assert (await desk.kinds())[-3:] == ["reply", "state", "queue"]


@pytest.mark.parametrize(
    "words", ["居住证怎么办", "人工耳蜗补贴", "不用转人工", "唔使转人工住", "你是真人吗", "真人定机器"]
)
async def test_other_words_do_not_queue_while_the_engine_is_down(words: str) -> None:
    engine = ScriptedDialogue()
    engine.available = False
    desk = await open_desk(engine)
    assert (await desk.say(words)).state is S.BOT


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("你是真人吗", S.BOT),
        ("是不是真人呀", S.BOT),
        ("你系咪真人", S.BOT),
        ("真人还是机器", S.BOT),
        ("我要的是真人", S.QUEUED),
        ("有没有真人", S.QUEUED),
    ],
)
async def test_asking_what_answers_is_not_asking_for_a_person(words: str, state: S) -> None:
    desk = await open_desk(ScriptedDialogue([_answer("我是人工智能助手，不是真人。")]))
    assert (await desk.say(words)).state is state


async def test_the_question_that_was_open_stays_open_while_the_engine_is_down() -> None:
    desk = await open_desk(
        ScriptedDialogue([_answer("请说姓名。", expects="identity_proof", flow="f"), DialogueDownError()])
    )
    await desk.say("613482")
    result = await desk.say("陈小明，1234")
    assert result.expects == "identity_proof"
    await desk.say("欧阳小明 1234")
    assert "小明" not in await desk.everything_kept()


async def test_a_button_may_be_pressed_again_after_the_engine_was_down() -> None:
    payload = '/choose_item{"item_key":"JZ02"}'
    offer = _answer("哪一项？", buttons=[Button(title="居住证", payload=payload)])
    desk = await open_desk(ScriptedDialogue([offer, DialogueDownError()]))
    await desk.say("居住")
    await desk.say(payload)
    await desk.say(payload)
    assert [m.text for m, _ in desk.engine.asked][1:] == [payload, payload]


# ---------------------------------------------------------------- commands


@pytest.mark.parametrize("words", ["/restart", "/choose_item{}", "／session_start", "@slot", "//handoff", "/ handoff"])
async def test_a_citizens_own_slash_is_a_word_and_no_command(words: str) -> None:
    desk = await open_desk()
    await desk.say(words)
    assert desk.engine.asked[0][0].text.startswith("／")


async def test_a_button_of_the_last_reply_passes_as_it_is_and_an_older_one_does_not() -> None:
    payload = '/choose_item{"item_key":"JZ02","aspect":"fee"}'
    offer = _answer("哪一项？", buttons=[Button(title="居住证", payload=payload)])
    desk = await open_desk(ScriptedDialogue([offer, "好的。", "好的。"]))
    for text in ("居住", payload, payload):
        await desk.say(text)
    heard = [message.text for message, _ in desk.engine.asked]
    assert heard[1] == payload
    assert heard[2].startswith("／")


# ---------------------------------------------------------------- proofs


async def test_the_words_of_an_identity_proof_are_never_stored() -> None:
    desk = await open_desk(ScriptedDialogue([_answer("请说姓名。", expects="identity_proof", flow="f"), "已核对。"]))
    await desk.say("613482")
    await desk.say("欧阳小明，一二三四")
    assert [t.text for t in await desk.store.history("c")] == ["613482", PROOF_PLACEHOLDER]
    kept = await desk.everything_kept()
    assert "欧阳" not in kept
    assert "一二三四" not in kept
    assert desk.engine.asked[1][0].text == "欧阳小明,一二三四", "the engine needs them"


async def test_an_emergency_in_between_leaves_proofs_unstored_too() -> None:
    desk = await open_desk(ScriptedDialogue([_answer("请说姓名。", expects="identity_proof", flow="f"), "已核对。"]))
    await desk.say("613482")
    await desk.say("我家着火了")
    await desk.say("欧阳小明，一二三四")
    assert "欧阳" not in await desk.everything_kept()


# ---------------------------------------------------------------- who has the floor


async def test_while_an_agent_has_the_floor_the_engine_is_not_asked() -> None:
    desk = await open_desk()
    await desk.move(T.HANDOFF_REQUESTED, T.AGENT_ACCEPTED)
    result = await desk.say("我在这里")
    assert result.replies == []
    assert result.state is S.AGENT
    assert desk.engine.asked == []
    assert (await desk.store.history("c"))[0].answered


async def test_who_waits_for_a_person_may_go_on_asking() -> None:
    desk = await open_desk()
    await desk.move(T.HANDOFF_REQUESTED)
    result = await desk.say("居住证怎么办")
    assert result.state is S.QUEUED
    assert desk.engine.asked[0][1] == "queued"


async def test_a_handoff_of_the_engine_queues_and_its_cancelling_leaves_the_queue() -> None:
    engine = ScriptedDialogue([_answer("请稍候。", handoff=True), _answer("好的。", handoff_cancelled=True)])
    desk = await open_desk(engine)
    assert (await desk.say("转人工")).state is S.QUEUED
    assert (await desk.say("不用转了")).state is S.BOT
    assert await desk.store.queue_position("c") is None


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ("我已经打了，不用转人工，继续登记吧", S.BOT),
        ("打咗喇，唔使转喇", S.BOT),
        ("不用转了，那个坑有一米宽", S.BOT),
        ("不用转账吧，是不是骗子", S.QUEUED),
        ("那个坑有一米宽", S.QUEUED),
    ],
)
async def test_who_waits_and_needs_nobody_any_more_leaves_the_queue_whatever_else_the_words_are(
    words: str, after: S
) -> None:
    desk = await open_desk(ScriptedDialogue([], otherwise="请问是什么时候的事？"))
    assert (await desk.say("家里起火了")).state is S.QUEUED
    assert (await desk.say(words)).state is after


async def test_an_agent_who_comes_while_the_bot_thinks_keeps_the_floor() -> None:
    engine = ScriptedDialogue([_answer("请稍候。", handoff=True)])
    engine.hold = asyncio.Event()
    desk = await open_desk(engine)
    await desk.move(T.HANDOFF_REQUESTED)
    turn = asyncio.ensure_future(desk.say("转人工"))
    await engine.arrived.wait()
    await desk.move(T.AGENT_ACCEPTED)
    engine.hold.set()
    result = await turn
    assert result.state is S.AGENT
    assert result.replies == []  # the bot does not talk beside a person
    assert "reply" not in await desk.kinds()


async def test_a_closed_conversation_takes_nothing_more() -> None:
    desk = await open_desk()
    await desk.move(T.CLOSED)
    with pytest.raises(ConversationClosedError):
        await desk.say("你好")
    assert desk.engine.asked == []


@pytest.mark.parametrize(
    ("moves", "after"),
    [([], S.QUEUED), ([T.HANDOFF_REQUESTED], S.QUEUED), ([T.HANDOFF_REQUESTED, T.AGENT_ACCEPTED], S.AGENT)],
)
async def test_danger_is_answered_in_every_open_state_and_without_the_engine(moves: list[Trigger], after: S) -> None:
    engine = ScriptedDialogue()
    engine.available = False
    desk = await open_desk(engine)
    await desk.move(*moves)
    result = await desk.say("我家着火了")
    assert "119" in result.replies[0].text
    assert result.understanding.intent == "emergency_fire"
    assert result.state is after
    assert engine.asked == []


# ---------------------------------------------------------------- one after the other


async def test_turns_of_one_conversation_run_one_after_the_other() -> None:
    engine = ScriptedDialogue(["一", "二", "三"])
    engine.hold = asyncio.Event()
    desk = await open_desk(engine)
    turns = [asyncio.ensure_future(desk.say(text)) for text in ("甲", "乙", "丙")]
    for _ in range(20):
        await asyncio.sleep(0)
    assert engine.waiting == 1
    assert len(await desk.store.history("c")) == 1
    engine.hold.set()
    results = await asyncio.gather(*turns)
    assert [r.replies[0].text for r in results] == ["一", "二", "三"]
    assert await desk.kinds() == ["conversation_started", *["citizen_message", "reply"] * 3]


async def test_conversations_do_not_wait_for_each_other() -> None:
    engine = ScriptedDialogue()
    engine.hold = asyncio.Event()
    desk = await open_desk(engine)
    other = await desk.store.create_conversation(
        NewConversation(conversation_id="d", channel=Channel.WEB, token_hash="1" * 64, at=NOW)
    )
    turns = [asyncio.ensure_future(desk.say("甲")), asyncio.ensure_future(desk.turns.take(other, "乙", Channel.WEB))]
    for _ in range(20):
        await asyncio.sleep(0)
    assert engine.waiting == 2
    engine.hold.set()
    await asyncio.gather(*turns)


async def test_a_turn_that_fails_does_not_block_the_next() -> None:
    desk = await open_desk(ScriptedDialogue([RuntimeError("defect"), "好的。"]))
    with pytest.raises(RuntimeError):
        await desk.say("甲")
    assert (await desk.say("乙")).replies[0].text == "好的。"


async def _settled(desk: Desk) -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_engines_session_is_renewed_after_so_many_turns() -> None:
    desk = await open_desk(session_turns=3)
    for number in range(1, 8):
        await desk.say(f"第{number}句")
        await _settled(desk)
        assert len(desk.engine.renewed) == number // 3


async def test_the_engines_session_is_not_renewed_within_a_flow() -> None:
    in_flow = _answer("请说姓名。", expects="identity_proof", flow="case_status_form")
    desk = await open_desk(ScriptedDialogue(["好。", "好。", in_flow, "好。", "好。", "好。"]), session_turns=3)
    for number in range(1, 7):
        await desk.say(f"第{number}句")
        await _settled(desk)
        assert len(desk.engine.renewed) == (1 if number == 6 else 0)


async def test_a_renewal_that_fails_costs_no_turn() -> None:
    desk = await open_desk(session_turns=1)
    await desk.say("甲")
    desk.engine.available = False
    await _settled(desk)
    desk.engine.available = True
    assert (await desk.say("乙")).replies
    await desk.turns.close()


async def test_a_name_with_the_number_to_call_is_never_kept() -> None:
    engine = ScriptedDialogue(answers={"我要投诉": _answer("请留一个手机号。", expects="contact")})
    desk = await Desk(engine).open()
    await desk.say("我要投诉")
    await desk.say("我是陈小明，打13800000001")
    assert [t.text for t in await desk.store.history("c")] == ["我要投诉", CONTACT_PLACEHOLDER]
    assert "陈小明" not in await desk.everything_kept()


async def test_a_score_that_was_said_is_kept_as_a_rating() -> None:
    desk = await Desk(ScriptedDialogue(answers={"五分": _answer("谢谢您的评价。", rating=5)})).open()
    await desk.say("五分")
    assert (await desk.store.get_conversation("c")).rating_score == 5
    assert "rating" in await desk.kinds()


async def test_a_receipts_number_reaches_the_citizen_whole() -> None:
    number = "GD202611220123456789"
    desk = await Desk(ScriptedDialogue(answers={"确认": _answer(f"工单号：{number}，请记下来。")})).open()
    assert number in (await desk.say("确认")).replies[0].text
