"""One contract, both stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from postgres_server import STORES, url_of

from hotline.conversation import ConversationState, Trigger
from hotline.errors import BadInputError, ConversationClosedError, IllegalTransitionError, NotFoundError
from hotline.events import ConversationEvent, EventType
from hotline.messages import Aspect, Button, Channel, CitizenMessage, Reply, Source, Understanding
from storage.engine import make_engine
from storage.errors import (
    ConversationExistsError,
    TurnAlreadyAnsweredError,
    TurnIdTakenError,
    UnmaskedTextError,
)
from storage.memory import MemoryStore
from storage.ports import NewConversation, Store, TurnOutcome
from storage.rules import hash_token
from storage.sql import SqlStore

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PHONE = "13800000000"


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = None if request.param == "memory" else await url_of(request, tmp_path)
    made: Store = SqlStore(make_engine(url)) if url else MemoryStore()
    yield made
    await made.close()


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


async def open_conversation(store: Store, name: str = "c1", external: str | None = None) -> None:
    await store.create_conversation(
        NewConversation(
            conversation_id=name,
            channel=Channel.REST if external else Channel.WEB,
            token_hash=hash_token("secret"),
            external_id=external,
            at=T0,
        )
    )


def message(turn_id: str = "t1", conversation: str = "c1", client: str | None = None) -> CitizenMessage:
    return CitizenMessage(
        conversation_id=conversation,
        turn_id=turn_id,
        channel=Channel.WEB,
        text="居住证要带什么",
        client_message_id=client,
    )


def answer(text: str = "带身份证。", trigger: Trigger | None = None) -> TurnOutcome:
    return TurnOutcome(
        replies=[
            Reply(
                text=text,
                buttons=[Button(title="在哪里办", payload="/ask_where")],
                card={"kind": "materials", "items": ["身份证"]},
                sources=[Source(item_code="TEST13800000000001", field="materials", version="1")],
            )
        ],
        understanding=Understanding(intent="ask", aspect=Aspect.MATERIALS, confidence=0.9, item_key="JZ02"),
        trigger=trigger,
        expects="item",
        flow="pick",
        issued_payloads=["/ask_where"],
    )


async def test_a_conversation_comes_back_as_it_was_stored(store: Store) -> None:
    await open_conversation(store)
    record = await store.get_conversation("c1")
    assert record.token_hash == hash_token("secret")
    assert len(record.token_hash) == 64
    assert (record.state, record.turn_count, record.queued_at) == (ConversationState.BOT, 0, None)
    assert record.created_at == T0
    assert record.created_at.utcoffset() == timedelta(0)
    assert '"2026-03-02T01:00:00Z"' in record.model_dump_json()
    (started,) = await store.events_after("c1", 0)
    assert (started.type, started.seq) == (EventType.CONVERSATION_STARTED, 1)


async def test_an_unknown_conversation_is_named_as_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError):
        await store.get_conversation("nobody")
    with pytest.raises(NotFoundError):
        await store.begin_turn(message(), "你好", T0)
    with pytest.raises(NotFoundError):
        await store.finish_turn("nothing", answer(), T0)
    with pytest.raises(NotFoundError):
        await store.history("nobody")
    assert await store.events_after("nobody", 0) == []


async def test_a_taken_conversation_id_is_refused(store: Store) -> None:
    await open_conversation(store)
    with pytest.raises(ConversationExistsError):
        await open_conversation(store)


async def test_a_turn_is_stored_masked_before_it_is_answered(store: Store) -> None:
    await open_conversation(store)
    begun = await store.begin_turn(message(), "我的电话138****0000", at(1))
    assert (begun.turn_seq, begun.duplicate) == (1, None)
    (turn,) = await store.unanswered_turns()
    assert turn == begun.turn
    assert turn.text == "我的电话138****0000"
    assert not turn.answered
    assert [e.type for e in begun.events] == [EventType.CITIZEN_MESSAGE]
    assert begun.events[0].seq == 2
    assert begun.events[0].data["text"] == "我的电话138****0000"


async def test_an_answer_and_the_new_state_come_back_whole(store: Store) -> None:
    await open_conversation(store)
    await store.begin_turn(message(), "居住证要带什么", at(1))
    change = await store.finish_turn("t1", answer(), at(2))
    (turn,) = await store.history("c1")
    assert turn == change.turn
    assert turn.replies == answer().replies
    assert turn.understanding == answer().understanding
    assert (turn.state, turn.answered_at) == (ConversationState.BOT, at(2))
    record = await store.get_conversation("c1")
    assert record == change.conversation
    assert (record.expects, record.flow, record.issued_payloads) == ("item", "pick", ["/ask_where"])
    assert (record.turn_count, record.event_seq, record.updated_at) == (1, 3, at(2))
    assert await store.unanswered_turns("c1") == []
    assert (await store.events_after("c1", 2)) == change.events
    assert change.events[0].data["understanding"]["item_key"] == "JZ02"


async def test_the_trail_of_a_handoff_keeps_its_order(store: Store) -> None:
    await open_conversation(store)
    await store.begin_turn(message(), "转人工", at(1))
    outcome = answer(trigger=Trigger.HANDOFF_REQUESTED)
    down = ConversationEvent(conversation_id="", turn_id=None, type=EventType.PART_DOWN, at=at(1), data={"part": "hub"})
    outcome = outcome.model_copy(update={"events": [down]})
    change = await store.finish_turn("t1", outcome, at(2))
    trail = await store.events_after("c1", 0)
    assert [e.type.value for e in trail] == [
        "conversation_started",
        "citizen_message",
        "part_down",
        "reply",
        "state",
        "queue",
    ]
    assert [e.seq for e in trail] == [1, 2, 3, 4, 5, 6]
    assert {e.turn_id for e in trail[1:]} == {"t1"}
    assert {e.conversation_id for e in trail} == {"c1"}
    assert trail[4].data == {"state": "queued"}
    assert trail[5].data == {"position": 1, "estimate_s": None}
    assert change.conversation.queued_at == at(2)
    assert [e.seq for e in await store.events_after("c1", 3, limit=2)] == [4, 5]


async def test_the_same_client_message_stores_nothing_twice(store: Store) -> None:
    await open_conversation(store)
    first = await store.begin_turn(message("t1", client="m1"), "你好", at(1))
    again = await store.begin_turn(message("t2", client="m1"), "你好", at(2))
    assert again.duplicate == first.turn
    assert again.events == []
    assert not again.duplicate.answered
    finished = await store.finish_turn("t1", answer(), at(3))
    third = await store.begin_turn(message("t3", client="m1"), "你好", at(4))
    assert third.duplicate == finished.turn
    assert third.duplicate is not None
    assert third.duplicate.replies
    assert len(await store.history("c1")) == 1
    assert len(await store.events_after("c1", 0)) == 3


async def test_the_same_client_message_id_in_another_conversation_is_another_message(store: Store) -> None:
    await open_conversation(store)
    await open_conversation(store, "c2")
    await store.begin_turn(message("t1", client="m1"), "你好", at(1))
    assert (await store.begin_turn(message("t2", "c2", client="m1"), "你好", at(1))).duplicate is None


async def test_a_repeated_turn_id_is_the_same_turn_or_refused(store: Store) -> None:
    await open_conversation(store)
    await open_conversation(store, "c2")
    first = await store.begin_turn(message("t1"), "你好", at(1))
    assert (await store.begin_turn(message("t1"), "你好", at(2))).duplicate == first.turn
    with pytest.raises(TurnIdTakenError):
        await store.begin_turn(message("t1", "c2"), "你好", at(2))
    assert await store.history("c2") == []


async def test_twenty_deliveries_of_one_message_at_once_make_one_turn(store: Store) -> None:
    await open_conversation(store)
    begun = await asyncio.gather(*(store.begin_turn(message(f"t{n}", client="m1"), "你好", at(1)) for n in range(20)))
    assert sum(b.duplicate is None for b in begun) == 1
    assert len({b.turn.turn_id for b in begun}) == 1
    assert len(await store.history("c1")) == 1


async def test_twenty_turns_at_once_get_consecutive_numbers(store: Store) -> None:
    await open_conversation(store)
    begun = await asyncio.gather(*(store.begin_turn(message(f"t{n}"), "你好", at(1)) for n in range(20)))
    assert sorted(b.turn_seq for b in begun) == list(range(1, 21))
    turns = [store.finish_turn(f"t{n}", answer(), at(2)) for n in range(20)]
    typing = ConversationEvent(
        conversation_id="c1", turn_id=None, type=EventType.SPEECH, at=at(2), data={"phase": "start"}
    )
    await asyncio.gather(*turns, *(store.append(typing) for _ in range(20)))
    trail = await store.events_after("c1", 0)
    assert [e.seq for e in trail] == list(range(1, 62))
    record = await store.get_conversation("c1")
    assert (record.event_seq, record.turn_count) == (61, 20)


async def test_a_turn_is_answered_once(store: Store) -> None:
    await open_conversation(store)
    await store.begin_turn(message(), "你好", at(1))
    results = await asyncio.gather(
        *(store.finish_turn("t1", answer(f"答{n}"), at(2)) for n in range(5)), return_exceptions=True
    )
    assert sum(isinstance(r, TurnAlreadyAnsweredError) for r in results) == 4
    assert len(await store.events_after("c1", 0)) == 3


async def test_history_goes_on_after_a_turn(store: Store) -> None:
    await open_conversation(store)
    for n in (1, 2, 3):
        await store.begin_turn(message(f"t{n}"), "你好", at(n))
    assert [t.turn_id for t in await store.history("c1", "t1")] == ["t2", "t3"]
    assert await store.history("c1", "t3") == []
    with pytest.raises(NotFoundError):
        await store.history("c1", "t9")


UNMASKED = [f"打{PHONE}找我", "身份证990101190101010001", "幺三八零零零零零零零零", "卡号6222000000000000"]


@pytest.mark.parametrize("text", UNMASKED)
async def test_an_unmasked_text_is_never_stored(store: Store, text: str) -> None:
    await open_conversation(store)
    with pytest.raises(UnmaskedTextError) as refused:
        await store.begin_turn(message(), text, at(1))
    assert text not in str(refused.value)
    await store.begin_turn(message(), "你好", at(1))
    event = ConversationEvent(conversation_id="c1", turn_id=None, type=EventType.AGENT_MESSAGE, at=at(1))
    told = event.model_copy(update={"data": {"text": text}})
    card = TurnOutcome(replies=[Reply(text="好", card={"rows": [{"value": text}]})])
    spoken = TurnOutcome(replies=[Reply(text="好", speech_text=text)])
    for outcome in (answer(text), card, spoken, TurnOutcome(events=[told])):
        with pytest.raises(UnmaskedTextError):
            await store.finish_turn("t1", outcome, at(2))
    with pytest.raises(UnmaskedTextError):
        await store.append(told)
    with pytest.raises(UnmaskedTextError):
        await store.rate("c1", 5, text, at(2))
    assert [t.answered for t in await store.history("c1")] == [False]
    assert len(await store.events_after("c1", 0)) == 2


async def test_an_illegal_move_raises_and_changes_nothing(store: Store) -> None:
    await open_conversation(store)
    before = await store.get_conversation("c1")
    with pytest.raises(IllegalTransitionError):
        await store.set_state("c1", Trigger.AGENT_ACCEPTED, at(1))
    assert await store.get_conversation("c1") == before
    begun = await store.begin_turn(message(), "你好", at(1))
    with pytest.raises(IllegalTransitionError):
        await store.finish_turn("t1", answer(trigger=Trigger.AGENT_RETURNED), at(2))
    assert await store.get_conversation("c1") == begun.conversation
    assert await store.unanswered_turns("c1") == [begun.turn]


async def test_who_queued_earlier_stands_ahead(store: Store) -> None:
    for n in (1, 2, 3):
        await open_conversation(store, f"c{n}")
        await store.set_state(f"c{n}", Trigger.HANDOFF_REQUESTED, at(n))
    assert [await store.queue_position(f"c{n}") for n in (1, 2, 3)] == [1, 2, 3]
    again = await store.set_state("c1", Trigger.HANDOFF_REQUESTED, at(9))
    assert again.conversation.queued_at == at(1)
    assert [(e.type, e.data) for e in again.events] == [(EventType.QUEUE, {"position": 1, "estimate_s": None})]
    await store.set_state("c1", Trigger.AGENT_ACCEPTED, at(10))
    assert [await store.queue_position(f"c{n}") for n in (1, 2, 3)] == [None, 1, 2]
    assert (await store.get_conversation("c1")).queued_at is None


async def test_those_who_queued_at_the_same_moment_have_different_places(store: Store) -> None:
    for name in ("c2", "c1"):
        await open_conversation(store, name)
        await store.set_state(name, Trigger.HANDOFF_REQUESTED, at(1))
    assert {await store.queue_position(name) for name in ("c1", "c2")} == {1, 2}


async def test_an_agent_who_took_over_meanwhile_keeps_the_floor(store: Store) -> None:
    await open_conversation(store)
    await store.set_state("c1", Trigger.HANDOFF_REQUESTED, at(1))
    await store.begin_turn(message(), "还要等多久", at(2))
    await store.set_state("c1", Trigger.AGENT_ACCEPTED, at(3))
    change = await store.finish_turn("t1", answer(), at(4))
    assert change.conversation.state is ConversationState.AGENT
    assert change.turn is not None
    assert change.turn.state is ConversationState.AGENT
    assert change.turn.replies == []  # the bot is silent
    assert EventType.REPLY not in [e.type for e in change.events]


async def test_a_warning_of_danger_is_kept_whoever_has_the_floor(store: Store) -> None:
    await open_conversation(store)
    await store.set_state("c1", Trigger.HANDOFF_REQUESTED, at(1))
    await store.set_state("c1", Trigger.AGENT_ACCEPTED, at(2))
    await store.begin_turn(message(), "着火了", at(3))
    change = await store.finish_turn("t1", answer().model_copy(update={"danger": True}), at(4))
    assert change.turn is not None
    assert len(change.turn.replies) == 1


async def test_the_conversations_of_a_caller_are_found_newest_first(store: Store) -> None:
    for minute, name in enumerate(("c1", "c2", "c3")):
        new = NewConversation(
            conversation_id=name,
            channel=Channel.VOICE,
            token_hash=hash_token("s"),
            caller_key="k" if name != "c2" else "other",
            at=at(minute),
        )
        await store.create_conversation(new)
    assert [r.conversation_id for r in await store.conversations_of("k")] == ["c3", "c1"]
    assert [r.conversation_id for r in await store.conversations_of("k", limit=1)] == ["c3"]
    await store.set_state("c2", Trigger.HANDOFF_REQUESTED, at(5))
    assert [r.conversation_id for r in await store.in_state(ConversationState.QUEUED)] == ["c2"]


async def test_a_closed_conversation_takes_no_message_but_repeats_its_answer(store: Store) -> None:
    await open_conversation(store)
    await store.begin_turn(message(client="m1"), "你好", at(1))
    await store.finish_turn("t1", answer(trigger=Trigger.CLOSED), at(2))
    with pytest.raises(ConversationClosedError):
        await store.begin_turn(message("t2"), "你好", at(3))
    again = await store.begin_turn(message("t3", client="m1"), "你好", at(3))
    assert again.duplicate is not None
    assert again.duplicate.replies == answer().replies


async def test_a_sender_has_one_open_conversation(store: Store) -> None:
    made = await asyncio.gather(
        *(
            store.create_conversation(
                NewConversation(
                    conversation_id=f"c{n}",
                    channel=Channel.REST,
                    token_hash=hash_token("s"),
                    external_id="sender-7",
                    at=T0,
                )
            )
            for n in range(5)
        )
    )
    (only,) = {record.conversation_id for record in made}
    found = await store.find_by_external(Channel.REST, "sender-7")
    assert found is not None
    assert found.conversation_id == only
    assert await store.find_by_external(Channel.VOICE, "sender-7") is None
    await store.set_state(only, Trigger.CLOSED, at(1))
    assert await store.find_by_external(Channel.REST, "sender-7") is None
    await open_conversation(store, "next", external="sender-7")
    assert (await store.get_conversation("next")).external_id == "sender-7"


async def test_a_sender_named_by_a_telephone_number_is_found_and_not_kept(store: Store) -> None:
    await open_conversation(store, external=PHONE)
    record = await store.find_by_external(Channel.REST, PHONE)
    assert record is not None
    assert record.conversation_id == "c1"
    assert PHONE not in record.model_dump_json()


async def test_a_rating_is_kept_the_latest_counting(store: Store) -> None:
    await open_conversation(store)
    await store.set_state("c1", Trigger.CLOSED, at(1))
    await store.rate("c1", 2, "等太久", at(2))
    change = await store.rate("c1", 5, "", at(3))
    record = await store.get_conversation("c1")
    assert (record.rating_score, record.rating_comment, record.rated_at) == (5, "", at(3))
    assert change.events[0].data == {"score": 5, "comment": ""}
    for score in (0, 6):
        with pytest.raises(BadInputError):
            await store.rate("c1", score, "", at(4))


async def test_times_come_back_in_utc_and_need_an_offset(store: Store) -> None:
    await open_conversation(store)
    local = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    await store.begin_turn(message(), "你好", local)
    (turn,) = await store.history("c1")
    assert turn.at == local
    assert turn.at.isoformat() == "2026-03-02T01:30:00.123456+00:00"
    with pytest.raises(ValueError, match="without offset"):
        await store.begin_turn(message("t2"), "你好", datetime(2026, 3, 2))  # noqa: DTZ001, RUF100


async def test_what_a_caller_does_to_an_answer_does_not_reach_the_store(store: Store) -> None:
    await open_conversation(store)
    await store.begin_turn(message(), "你好", at(1))
    outcome = answer()
    await store.finish_turn("t1", outcome, at(2))
    outcome.replies[0].text = "改了"
    (turn,) = await store.history("c1")
    turn.replies[0].text = "也改了"
    (await store.get_conversation("c1")).issued_payloads.append("x")
    assert (await store.history("c1"))[0].replies == answer().replies
    assert (await store.get_conversation("c1")).issued_payloads == ["/ask_where"]


async def test_a_forgotten_conversation_leaves_nothing(store: Store) -> None:
    await open_conversation(store)
    await open_conversation(store, "c2")
    await store.begin_turn(message(), "你好", at(1))
    await store.begin_turn(message("t2", "c2"), "你好", at(1))
    assert await store.forget("c1") is True
    assert await store.forget("c1") is False
    with pytest.raises(NotFoundError):
        await store.get_conversation("c1")
    assert await store.events_after("c1", 0) == []
    assert [t.conversation_id for t in await store.unanswered_turns()] == ["c2"]


async def test_purging_keeps_the_new_and_those_an_agent_minds(store: Store) -> None:
    for name in ("old", "waiting", "fresh"):
        await open_conversation(store, name)
    await store.set_state("waiting", Trigger.HANDOFF_REQUESTED, at(1))
    await store.begin_turn(message(conversation="fresh"), "你好", at(100))
    assert await store.purge_before(at(50)) == 1
    with pytest.raises(NotFoundError):
        await store.get_conversation("old")
    assert (await store.get_conversation("waiting")).conversation_id == "waiting"
    assert len(await store.history("fresh")) == 1


async def test_a_living_store_answers_a_ping(store: Store) -> None:
    await store.ping()
