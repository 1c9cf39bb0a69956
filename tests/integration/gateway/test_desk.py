"""A person takes over, over the real port: queue, offers, the whole picture, messages, hand-back."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import pytest
from desk_people import at_desk, wait_in_queue
from running_gateway import DEADLINE_S, Gateway, frame, frames_until, running_gateway

from hotline.conversation import Trigger
from hotline.desk import AgentState, AgentTrigger, CallbackReason, CallbackState, NotYoursError, QueueTrigger
from hotline.desk_ports import AssistAnswer, FieldsSaid, Passage
from hotline.errors import IllegalTransitionError
from hotline.events import EventType
from hotline.messages import Aspect, Reply, Understanding
from hotline.ports import DialogueAnswer

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESK = "/api/v1/desk"


async def _gone(gateway: Gateway) -> None:
    """Everybody has left the desk, nobody waits: the tests share one gateway."""
    desk = gateway.services.desk
    for entry in await desk.books.queue():
        with_agent = entry.agent or "nobody"
        with suppress(NotYoursError, IllegalTransitionError):  # the last test's caller hung up meanwhile
            if entry.state.value == "serving":
                await desk.books.release(entry.conversation_id, with_agent, Trigger.CLOSED, desk._now())
            else:
                await desk.books.leave(entry.conversation_id, QueueTrigger.CANCELLED, desk._now())
    for agent in await desk.books.agents():
        if agent.state is not AgentState.OFFLINE:
            await desk.books.move_agent(agent.username, AgentTrigger.LOST, desk._now())
    desk._gone.clear()


@pytest.fixture
async def desk(gateway: Gateway) -> Gateway:
    gateway.engine._answers["转人工"] = DialogueAnswer(
        replies=[Reply(text="请稍候。")], understanding=Understanding(intent="handoff"), handoff=True
    )
    await _gone(gateway)
    return gateway


async def audited(gateway: Gateway, actor: str, action: str, subject: str) -> bool:
    entries = await gateway.services.audit.entries(0, 10_000)
    return (actor, action, subject) in [(e.actor, e.action, e.subject) for e in entries]


@pytest.mark.parametrize("path", ["/queue", "/me", "/callbacks", "/assist/templates", "/conversations/x"])
async def test_the_desk_is_for_agents_alone(desk: Gateway, path: str) -> None:
    assert (await desk.http.get(f"{DESK}{path}")).status_code == 401
    talk = await desk.open()
    assert (await desk.http.get(f"{DESK}{path}", headers=talk.headers)).status_code == 401
    manager = await desk.staff("wang", "manager")
    answer = await desk.http.get(f"{DESK}{path}", headers=manager)
    assert answer.status_code == 403
    assert answer.json()["code"] == "role_required"


async def test_who_waits_is_told_the_place_and_an_honest_estimate(desk: Gateway) -> None:
    talk = await desk.open()
    async with talk.events(after=0) as page:
        await talk.say("转人工")
        told = (await frames_until(page, type="queue"))[-1]
        assert (told["position"], told["estimate_s"]) == (1, None)  # nobody is there: nobody can say
    async with at_desk(desk, "mei", ready=False) as mei:
        shown = (await mei.get("/queue")).json()
        assert [(e["conversation_id"], e["position"], e["reason"]) for e in shown["waiting"]] == [
            (talk.conversation_id, 1, "word")
        ]


async def test_from_the_wish_to_the_hand_back(desk: Gateway) -> None:
    desk.engine._answers["那去哪里办"] = "到桂城。"
    async with at_desk(desk, "mei", ready=True) as mei:
        talk = await wait_in_queue(desk)
        offer = await mei.told(type="offer", data__state="open")
        assert offer["conversation_id"] == talk.conversation_id
        seen = await mei.get(f"/conversations/{talk.conversation_id}")
        assert seen.json()["summary"]["text"]
        async with talk.events(after=0) as page:
            taken = await mei.post(f"/offers/{offer['data']['offer_id']}/accept")
            assert taken.status_code == 200, taken.text
            assert (await frames_until(page, type="state", state="agent"))[-1]["state"] == "agent"
            await mei.send(type="watch", conversation_id=talk.conversation_id, after=0)
            answer = (await talk.say("我住在桂城")).json()
            assert (answer["state"], answer["replies"]) == ("agent", [])
            heard = await mei.told(type="conversation", event__type="citizen_message", event__data__text="我住在桂城")
            assert heard["conversation_id"] == talk.conversation_id
            asked = len(desk.engine.asked)
            await mei.says(talk, "好的，我记下了。")
            said = (await frames_until(page, type="agent_message"))[-1]
            assert (said["text"], said["agent"]) == ("好的，我记下了。", "mei")
            back = await mei.of(
                talk, "return", note="住桂城，问居住证", slots={"town": "桂城街道", "service_item": "JZ02"}
            )
            assert back.json()["slots_set"] is True
            frames = await frames_until(page, type="reply")
            assert "接着为您服务" in frames[-1]["reply"]["text"]
        assert desk.engine.known[talk.conversation_id] == {"town": "桂城街道", "service_item": "JZ02"}
        assert len(desk.engine.asked) == asked  # while the agent had the floor the engine was not asked
        assert (await talk.say("那去哪里办")).json()["replies"][0]["text"] == "到桂城。"
    trail = await desk.services.store.events_after(talk.conversation_id, 0)
    note = next(e for e in trail if e.type is EventType.AGENT_NOTE)
    assert note.data["text"] == "住桂城，问居住证"
    history = (await talk.history())["agent_messages"]
    assert [m["text"] for m in history] == ["好的，我记下了。"]


async def test_the_note_is_for_colleagues_alone(desk: Gateway) -> None:
    async with at_desk(desk, "mei", ready=False) as mei:
        talk = await wait_in_queue(desk)
        async with talk.events(after=0) as page:
            await mei.of(talk, "take")
            await mei.of(talk, "return", note="脾气不好")
            frames = await frames_until(page, type="reply", turn_id=None)
        assert "脾气" not in json.dumps(frames, ensure_ascii=False)
        assert "脾气" not in json.dumps(await talk.history(), ensure_ascii=False)


async def test_two_agents_cannot_take_the_same_one(desk: Gateway) -> None:
    async with at_desk(desk, "mei") as mei, at_desk(desk, "lan") as lan:
        talk = await wait_in_queue(desk)
        results = await asyncio.gather(mei.of(talk, "take"), lan.of(talk, "take"))
        assert sorted(r.status_code for r in results) == [200, 409]
        assert next(r for r in results if r.status_code == 409).json()["code"] == "already_taken"


async def test_a_second_tab_does_not_answer_twice(desk: Gateway) -> None:
    async with at_desk(desk, "mei") as mei, at_desk(desk, "mei") as tab:
        talk = await wait_in_queue(desk)
        assert (await mei.of(talk, "take")).json()["repeated"] is False
        assert (await tab.of(talk, "take")).json()["repeated"] is True
        results = await asyncio.gather(
            *(a.says(talk, "您好。", "m1") for a in (mei, tab, mei, tab)),
        )
        assert sorted(r.json()["repeated"] for r in results) == [False, True, True, True]
        assert [m["text"] for m in (await talk.history())["agent_messages"]] == ["您好。"]


async def test_declining_rings_the_next_and_letting_it_ring_pauses(desk: Gateway) -> None:
    async with at_desk(desk, "mei", ready=True) as mei, at_desk(desk, "lan", ready=True) as lan:
        await wait_in_queue(desk)
        offer = await mei.told(type="offer", data__state="open")
        await mei.post(f"/offers/{offer['data']['offer_id']}/decline")
        again = await lan.told(type="offer", data__state="open")
        assert again["data"]["agent"] == "lan"
        books, service = desk.services.desk.books, desk.services.desk
        (open_,) = await books.offers()
        await service._keeper.tick(open_.expires_at)
        await lan.told(type="offer", data__state="timed_out")
        states = {a.username: a.state for a in await books.agents()}
        assert states["lan"] is AgentState.PAUSED


async def test_who_comes_back_with_after_misses_nothing_and_gets_nothing_twice(desk: Gateway) -> None:
    numbers: list[int] = []
    async with at_desk(desk, "mei") as mei:
        await wait_in_queue(desk)
        numbers.append((await mei.told(type="queue", data__state="waiting"))["seq"])
    for _ in range(3):
        await wait_in_queue(desk)
        async with at_desk(desk, "mei", after=numbers[-1]) as mei:
            await wait_in_queue(desk)
            last = await desk.services.desk.books.desk_seq()
            while not numbers or numbers[-1] < last:
                numbers.append((await mei.told())["seq"])
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


async def test_a_supervisor_assigns_and_takes_over(desk: Gateway) -> None:
    async with at_desk(desk, "mei") as mei, at_desk(desk, "boss", "supervisor") as boss:
        talk = await wait_in_queue(desk)
        assert (await mei.of(talk, "assign", agent="mei")).status_code == 403
        assert (await boss.of(talk, "assign", agent="mei")).status_code == 409  # paused
        await desk.services.desk.close()  # no longest-idle assignment meanwhile
        await mei.state("ready")
        assigned = await boss.of(talk, "assign", agent="mei")
        assert assigned.json()["offer"]["assigned_by"] == "boss"
        offer = await mei.told(type="offer", data__state="open")
        await mei.post(f"/offers/{offer['data']['offer_id']}/accept")
        assert (await boss.of(talk, "take")).status_code == 200
        assert (await mei.says(talk, "还在吗")).json()["code"] == "not_yours"
        assert (await boss.says(talk, "我来接着办。")).status_code == 200
        await desk.services.desk.start()


async def test_the_picture_has_everything_but_the_proofs(desk: Gateway) -> None:
    desk.engine._answers["居住证要什么材料"] = DialogueAnswer(
        replies=[Reply(text="身份证。")],
        understanding=Understanding(
            intent="ask_materials", aspect=Aspect.MATERIALS, item_key="JZ02", item_name="申领居住证"
        ),
    )
    async with at_desk(desk, "mei") as mei:
        talk = await desk.open()
        await talk.say("居住证要什么材料")
        await talk.say("我叫陈小明，身份证后四位是123X，太差了，气死我")
        await talk.say("转人工")
        desk.engine.known[talk.conversation_id] = {
            "service_item": "JZ02", "verification_id": "v-secret", "identity_outcome": "verified",
            "request_draft": "sealed-secret",
        }  # fmt: skip
        seen = (await mei.get(f"/conversations/{talk.conversation_id}")).json()
        assert seen["service"] == {"key": "JZ02", "name": "申领居住证"}
        assert (seen["aspect"], seen["identity"], seen["mood"]["mood"]) == ("materials", "verified", "angry")
        assert "申领居住证·材料" in seen["summary"]["text"]
        assert [line["who"] for line in seen["transcript"] if line["text"]][:2] == ["citizen", "bot"]
        shown = json.dumps(seen, ensure_ascii=False)
        for secret in ("123X", "小明", "v-secret", "sealed-secret"):
            assert secret not in shown
        assert await audited(desk, "mei", "view_conversation", f"conversation:{talk.conversation_id}")
        desk.engine.available = False
        assert (await mei.get(f"/conversations/{talk.conversation_id}")).json()["slots_known"] is False


async def test_an_agent_sees_no_conversation_that_is_none_of_their_business(desk: Gateway) -> None:
    async with at_desk(desk, "mei") as mei, at_desk(desk, "lan") as lan:
        private = await desk.open()
        await private.say("你好")
        assert (await mei.get(f"/conversations/{private.conversation_id}")).json()["code"] == "not_yours"
        talk = await wait_in_queue(desk)
        await mei.of(talk, "take")
        assert (await lan.get(f"/conversations/{talk.conversation_id}")).status_code == 409
        await lan.send(type="watch", conversation_id=talk.conversation_id)
        assert (await lan.told(type="error"))["code"] == "not_yours"
        assert (await lan.get("/conversations/nowhere")).status_code == 404


async def test_danger_while_an_agent_has_the_floor_is_shown_to_both(desk: Gateway) -> None:
    async with at_desk(desk, "mei") as mei:
        talk = await wait_in_queue(desk)
        await mei.of(talk, "take")
        answer = (await talk.say("我家着火了")).json()
        assert answer["state"] == "agent"
        assert "119" in answer["replies"][0]["text"]
        alert = await mei.told(type="alert")
        assert (alert["conversation_id"], alert["data"]["kind"]) == (talk.conversation_id, "fire")
        assert desk.engine.asked[-1][0].text == "转人工"


async def test_what_must_not_be_said_is_not_sent(desk: Gateway) -> None:
    async with at_desk(desk, "mei") as mei:
        talk = await wait_in_queue(desk)
        await mei.of(talk, "take")
        refused = await mei.says(talk, "您登记的手机是13800000000，对吗")
        assert (refused.status_code, refused.json()["code"]) == (422, "forbidden_words")
        assert (await mei.says(talk, "应该可以，我问一下。")).status_code == 200  # a warning only
        found = (await mei.post("/assist/check", {"text": "我保证能办"})).json()["warnings"]
        assert [(w["code"], w["level"]) for w in found] == [("promise", "think")]
        assert "13800000000" not in json.dumps(await talk.history())


async def test_a_citizen_who_does_not_want_to_wait_is_called(desk: Gateway) -> None:
    async with at_desk(desk, "mei") as mei:
        talk = await wait_in_queue(desk)
        wrong = await desk.http.post(f"{talk.path}/callback", json={"phone": "12"}, headers=talk.headers)
        assert wrong.status_code == 422
        asked = await desk.http.post(f"{talk.path}/callback", json={"phone": "13800000009"}, headers=talk.headers)
        assert asked.json()["contact"] == "138****0009"
        assert (await talk.history())["state"] == "bot"
        callback = (await mei.get("/callbacks")).json()["callbacks"][-1]
        path = f"/callbacks/{callback['callback_id']}"
        assert (await mei.post(f"{path}/reveal")).json()["code"] == "not_yours"
        await mei.post(path, {"step": "claim"})
        assert (await mei.post(f"{path}/reveal")).json() == {"contact": "13800000009"}
        assert await audited(desk, "mei", "reveal_contact", f"callback:{callback['callback_id']}")
        assert (await mei.get(f"/conversations/{talk.conversation_id}")).status_code == 200
        assert (await mei.post(path, {"step": "give_up"})).status_code == 422
        assert (await mei.post(path, {"step": "reached", "note": "已答复"})).json()["state"] == "reached"
    kept = [c.model_dump_json() for c in await desk.services.desk.books.callbacks(list(CallbackState))]
    assert "13800000009" not in "".join(kept)


async def test_an_agent_whose_page_is_gone_for_long_loses_nobody(desk: Gateway) -> None:
    service = desk.services.desk
    async with at_desk(desk, "mei") as mei:
        talk = await wait_in_queue(desk)
        await mei.of(talk, "take")
    async with asyncio.timeout(DEADLINE_S):
        while "mei" not in service._gone:
            await desk.http.get("/healthz")
    await service.tick()
    assert await service.serves("mei", talk.conversation_id)  # a reload takes a moment
    service._gone["mei"] -= service._agent_grace
    await service.tick()
    assert (await talk.history())["state"] == "queued"
    async with at_desk(desk, "lan") as lan:
        assert (await lan.of(talk, "take")).status_code == 200


async def test_a_page_closed_for_long_becomes_a_task(desk: Gateway) -> None:
    service = desk.services.desk
    talk = await wait_in_queue(desk)
    async with talk.events() as page:
        await page.send("x")
        await frame(page)
    async with asyncio.timeout(DEADLINE_S):
        while desk.services.feed.unwatched_since(talk.conversation_id) is None:
            await desk.http.get("/healthz")
    await service.tick()
    assert (await talk.history())["state"] == "queued"
    desk.services.feed._left[talk.conversation_id] -= service._citizen_grace
    await service.tick()
    assert (await talk.history())["state"] == "bot"
    tasks = await service.books.callbacks([CallbackState.OPEN])
    assert tasks[-1].reason is CallbackReason.DROPPED


async def test_assist_proposes_and_sends_nothing(desk: Gateway) -> None:
    desk.services.desk.knowledge.answers = {
        "桂城南海大道路灯坏了": AssistAnswer(
            fields=FieldsSaid(town="桂城街道", place="南海大道", category="street_light", happened="路灯坏了")
        ),
        "昨晚开始的要怎么办": AssistAnswer(
            passages=[
                Passage(
                    item_key="CG01", item_name="市政报修", aspect=Aspect.STEPS, score=0.9, reply=Reply(text="拨打……")
                )
            ],
            fields=FieldsSaid(when="昨晚"),
        ),
    }
    async with at_desk(desk, "mei") as mei:
        talk = await desk.open()
        for text in ("桂城南海大道路灯坏了", "昨晚开始的要怎么办"):
            await talk.say(text)
        await talk.say("转人工")
        found = (await mei.get(f"/conversations/{talk.conversation_id}/assist", text="昨晚开始的要怎么办")).json()
        assert [p["item_key"] for p in found["passages"]] == ["CG01"]
        fields = found["fields"]
        assert (fields["place"], fields["when"], fields["town"]) == ("南海大道", "昨晚", "桂城街道")
        texts = [t["text"] for t in (await mei.get("/assist/templates")).json()["templates"]]
        assert any("mei" in t for t in texts)
        numbers = (await mei.post("/assist/read-back", {"text": "号码是13800000000"})).json()["numbers"]
        assert numbers[0]["spoken"] == "幺三八，零零零零，零零零零"
        turned = (await mei.post("/assist/translate", {"text": "您现在要去哪里", "into": "cantonese"})).json()["text"]
        assert turned == "您而家要去边度"
        assert (await talk.history())["agent_messages"] == []


async def test_what_a_restart_cuts_off_is_called_back(migrated_database: Path, tmp_path: Path) -> None:
    async with running_gateway(migrated_database, tmp_path) as before:
        before.engine.available = False
        talk = await wait_in_queue(before)
        async with at_desk(before, "mei", ready=False), before.socket("/api/v1/calls") as call:
            start = {"type": "start", "encoding": "pcm_s16le", "sample_rate": 8000, "caller": "13800000007"}
            await call.send(json.dumps(start))
            started = await frame(call)
            await call.send(json.dumps({"type": "dtmf", "digit": "0"}))
            await frames_until(call, type="queue")
            # The process is killed: nothing is said in good order.
            before.services.desk.call_ended = _nothing  # type: ignore[method-assign]
    async with running_gateway(migrated_database, tmp_path) as after:
        await after.http.get("/healthz")  # it has started
        (task,) = await after.services.desk.books.callbacks([CallbackState.OPEN])
        assert (task.conversation_id, task.reason) == (started["conversation_id"], CallbackReason.DROPPED)
        assert after.services.callers.open(task.contact) == "13800000007"
        assert [e.conversation_id for e in await after.services.desk.books.queue()] == [talk.conversation_id]


async def _nothing(*_: object) -> None:
    return None


async def test_two_misunderstandings_bring_a_person_and_the_citizen_may_decline(desk: Gateway) -> None:
    unknown = DialogueAnswer(replies=[Reply(text="没有听明白。")], understanding=Understanding(intent="nlu_fallback"))
    desk.engine._otherwise = unknown
    talk = await desk.open()
    assert (await talk.say("呜啦呜啦")).json()["state"] == "bot"
    second = (await talk.say("哇啦哇啦")).json()
    assert second["state"] == "queued"
    assert "转人工" in second["replies"][0]["text"]
    (entry,) = await desk.services.desk.books.queue()
    assert entry.reason.value == "misunderstood"


async def test_a_person_may_be_asked_for_in_the_middle_of_anything(desk: Gateway) -> None:
    desk.engine._answers["我要人工"] = DialogueAnswer(
        replies=[Reply(text="请告诉我姓名。")],
        understanding=Understanding(intent="inform"),
        expects="contact",
        flow="x",
    )
    talk = await desk.open()
    answer = (await talk.say("我要人工")).json()
    assert answer["state"] == "queued"
    assert "转人工" in answer["replies"][0]["text"]
    button = await desk.open()
    pressed = await desk.http.post(f"{button.path}/handoff", headers=button.headers)
    assert pressed.json()["state"] == "queued"


async def test_typing_is_shown_while_it_lasts(desk: Gateway) -> None:
    async with at_desk(desk, "mei") as mei:
        talk = await wait_in_queue(desk)
        await mei.of(talk, "take")
        async with talk.events() as page:
            await page.send("x")
            await frame(page)
            await mei.send(type="typing", conversation_id=talk.conversation_id)
            assert (await frames_until(page, type="typing"))[-1]["agent"] == "mei"


@pytest.mark.parametrize("sent", ["not json", "[]", '{"type":"dance"}', "[" * 50_000])
async def test_a_bad_frame_is_named_and_the_screen_goes_on(desk: Gateway, sent: str) -> None:
    async with at_desk(desk, "mei") as mei:
        assert mei.screen is not None
        await mei.screen.send(sent)
        assert (await mei.told(type="error"))["code"] == "bad_input"
        await mei.send(type="ping")
        await mei.told(type="pong")


async def test_earlier_talks_of_the_same_sender_are_seen(desk: Gateway) -> None:
    for text in ("居住证", "转人工"):
        await desk.http.post("/webhooks/rest/webhook", json={"sender": "wx-1", "message": text})
    async with at_desk(desk, "mei") as mei:
        (entry,) = await desk.services.desk.books.queue()
        await mei.post(f"/conversations/{entry.conversation_id}/take")
        await mei.post(f"/conversations/{entry.conversation_id}/close", {"note": "已说明材料"})
        await desk.http.post("/webhooks/rest/webhook", json={"sender": "wx-1", "message": "转人工"})
        (entry,) = await desk.services.desk.books.queue()
        seen = (await mei.get(f"/conversations/{entry.conversation_id}")).json()
        assert [e["notes"] for e in seen["earlier"]] == [["已说明材料"]]


async def test_a_queue_that_does_not_move_is_named_on_every_page_until_it_moves_again(
    desk: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = desk.services.desk
    failed, moved = asyncio.Event(), asyncio.Event()

    async def broken() -> None:
        failed.set()
        raise ZeroDivisionError

    async def works() -> None:
        moved.set()

    async with at_desk(desk, "mei") as mei:
        for tick, reached in ((broken, failed), (works, moved)):
            monkeypatch.setattr(service, "tick", tick)
            async with asyncio.timeout(DEADLINE_S):
                while not reached.is_set():
                    service._wake.set()
                    await asyncio.sleep(0)
            shown = (await mei.get("/queue")).json()["fault"]
            assert ("请先手工接起" in shown) is (tick is broken)
