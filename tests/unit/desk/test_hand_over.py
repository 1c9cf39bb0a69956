"""New orders reach the hub, each once, however the hub behaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from order_parts import GUICHENG, MOBILE, NOISE, OFFICE, TO_WORK, Clock, filed, make_desk, walk

from data_hub.memory import InMemoryDataHub
from desk.work_orders.effects import Act
from desk.work_orders.hand_over import BACKOFF_S, HandOvers
from hotline.errors import BadInputError, HubDownError, MoveRefusedError
from hotline.work_order_flow import Move
from hotline.work_order_record import ToldMove
from hotline.work_orders import RequestType, WorkOrder, WorkOrderDraft


class Parts:
    def __init__(self) -> None:
        self.clock = Clock()
        self.desk = make_desk(self.clock)
        self.hub = InMemoryDataHub(now=self.clock)
        house = self.desk.house
        self.outbox = house.outbox
        self.hand_overs = HandOvers(house.store, house.outbox, self.hub, self.clock)


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def test_a_filed_order_is_at_the_hub_with_the_hubs_number_in_its_history(parts: Parts) -> None:
    record = await filed(parts.desk)
    assert await parts.hand_overs.send_due() == 1
    assert await parts.outbox.waiting() == []
    record = await parts.desk.house.store.get(record.number)
    history = await parts.desk.house.store.history(record.number)
    assert history[-1].what == "handed_over"
    assert history[-1].data == {"hub_number": record.hub_number}
    assert parts.hub.filed() == [NOISE]
    assert await parts.hand_overs.send_due() == 0


async def test_while_the_hub_is_down_nothing_is_lost_and_the_waits_grow(parts: Parts) -> None:
    parts.hub.available = False
    numbers = [(await filed(parts.desk, f"key-0000000{n}")).number for n in range(3)]
    waits = []
    for _ in range(7):
        assert await parts.hand_overs.send_due() == 0
        next_at = await parts.hand_overs.next_at()
        assert next_at
        waits.append((next_at - parts.clock()).total_seconds())
        parts.clock.at = next_at
    assert waits[:2] == [BACKOFF_S[0], BACKOFF_S[0]] or waits[0] == BACKOFF_S[0]
    assert max(waits) <= BACKOFF_S[-1]
    parts.hub.available = True
    parts.clock.at += timedelta(seconds=BACKOFF_S[-1])
    assert await parts.hand_overs.send_due() == 3
    assert len(parts.hub.filed()) == len(numbers)


async def test_one_round_asks_a_hub_that_is_down_once(parts: Parts) -> None:
    asked = []

    class Down(InMemoryDataHub):
        async def file_request(self, draft: WorkOrderDraft, idempotency_key: str) -> WorkOrder:
            asked.append(idempotency_key)
            raise HubDownError

    hand_overs = HandOvers(parts.desk.house.store, parts.outbox, Down(), parts.clock)
    for n in range(5):
        await filed(parts.desk, f"key-0000000{n}")
    await hand_overs.send_due()
    await hand_overs.send_due()
    assert len(asked) == 1


async def test_an_answer_that_never_came_makes_no_second_order(parts: Parts) -> None:
    await filed(parts.desk)
    kept = parts.hub.file_request

    async def lost(draft: WorkOrderDraft, idempotency_key: str) -> WorkOrder:
        await kept(draft, idempotency_key)
        raise HubDownError  # it was filed; the answer did not come

    parts.hub.file_request = lost  # type: ignore[method-assign]
    assert await parts.hand_overs.send_due() == 0
    parts.hub.file_request = kept  # type: ignore[method-assign]
    parts.clock.pass_days(1)
    assert await parts.hand_overs.send_due() == 1
    assert len(parts.hub.filed()) == 1


async def test_what_the_hub_refuses_is_kept_for_a_person_and_holds_nobody_up(parts: Parts) -> None:
    first, second = await filed(parts.desk), await filed(parts.desk, "key-00000002")
    kept = parts.hub.file_request

    async def picky(draft: WorkOrderDraft, idempotency_key: str) -> WorkOrder:
        if idempotency_key == first.number:
            raise BadInputError(f"联系人手机不对：{MOBILE}")
        return await kept(draft, idempotency_key)

    parts.hub.file_request = picky  # type: ignore[method-assign]
    assert await parts.hand_overs.send_due() == 1
    (waiting,) = await parts.outbox.waiting()
    assert (waiting.number, waiting.refused) == (first.number, True)
    assert MOBILE not in waiting.last_error
    assert (await parts.desk.house.store.get(second.number)).hub_number
    parts.clock.pass_days(1)
    assert await parts.hand_overs.send_due() == 0
    parts.hub.file_request = kept  # type: ignore[method-assign]
    await parts.hand_overs.retry_now()
    assert await parts.hand_overs.send_due() == 1


async def test_who_reports_in_confidence_is_not_named_to_the_hub(parts: Parts) -> None:
    await filed(parts.desk, type=RequestType.REPORT)
    await parts.hand_overs.send_due()
    (sent,) = parts.hub.filed()
    assert (sent.contact_name, sent.contact_mobile, sent.anonymous) == (None, None, True)
    assert MOBILE not in sent.happened


async def test_every_move_is_told_once_and_in_order_also_when_answers_get_lost(parts: Parts) -> None:
    record = await filed(parts.desk)
    await walk(parts.desk, record, *TO_WORK)  # before the hub has even heard of it
    kept, calls = parts.hub.tell_move, []

    async def every_second_answer_is_lost(hub_number: str, told: ToldMove) -> None:
        await kept(hub_number, told)
        calls.append(told.move)
        if len(calls) % 2:
            raise HubDownError

    parts.hub.tell_move = every_second_answer_is_lost  # type: ignore[method-assign]
    for _ in range(6):
        await parts.hand_overs.send_due()
        parts.clock.pass_days(1)
    assert len(calls) > len(TO_WORK)
    hub_number = (await parts.desk.house.store.get(record.number)).hub_number
    assert hub_number
    assert [each.move for each in parts.hub.told(hub_number)] == list(TO_WORK)
    assert [each.state.value for each in parts.hub.told(hub_number)] == ["accepted", "dispatched", "in_progress"]
    assert await parts.outbox.waiting() == []


async def test_moves_made_while_the_hub_is_down_reach_it_later_with_nothing_said_between_offices(parts: Parts) -> None:
    record = await filed(parts.desk)
    await parts.hand_overs.send_due()
    parts.hub.available = False
    await walk(parts.desk, record, "accept", "dispatch")
    await parts.desk.act(record.number, Act(Move.RETURN, note="不归我们管"), GUICHENG)
    assert await parts.hand_overs.send_due() == 0
    parts.hub.available = True
    parts.clock.pass_days(1)
    assert await parts.hand_overs.send_due() == 1
    hub_number = (await parts.desk.house.store.get(record.number)).hub_number or ""
    accepted, dispatched, returned = parts.hub.told(hub_number)
    assert dispatched.department == OFFICE
    assert (returned.move, returned.note) == ("return", "")
    assert accepted.seq < dispatched.seq < returned.seq


async def test_a_move_the_hub_refuses_holds_up_that_order_alone(parts: Parts) -> None:
    first, second = await filed(parts.desk), await filed(parts.desk, "key-00000002")
    await parts.hand_overs.send_due()
    for record in (first, second):
        await walk(parts.desk, record, "accept")
    kept = parts.hub.tell_move
    refused = (await parts.desk.house.store.get(first.number)).hub_number

    async def picky(hub_number: str, told: ToldMove) -> None:
        if hub_number == refused:
            raise MoveRefusedError
        await kept(hub_number, told)

    parts.hub.tell_move = picky  # type: ignore[method-assign]
    assert await parts.hand_overs.send_due() == 1
    (waiting,) = await parts.outbox.waiting()
    assert (waiting.number, waiting.refused) == (first.number, True)
    await walk(parts.desk, first, "dispatch")
    assert await parts.hand_overs.send_due() == 0  # nothing overtakes what was refused
    parts.hub.tell_move = kept  # type: ignore[method-assign]
    await parts.hand_overs.retry_now()
    assert await parts.hand_overs.send_due() == 1
    assert [each.move for each in parts.hub.told(refused or "")] == ["accept", "dispatch"]


async def test_a_move_made_while_the_last_one_is_being_told_is_told_as_well(parts: Parts) -> None:
    record = await walk(parts.desk, await filed(parts.desk), "accept")
    kept = parts.hub.tell_move

    async def meanwhile(hub_number: str, told: ToldMove) -> None:
        await kept(hub_number, told)
        if told.move == "accept":
            await walk(parts.desk, record, "dispatch")

    parts.hub.tell_move = meanwhile  # type: ignore[method-assign]
    assert await parts.hand_overs.send_due() == 0
    assert await parts.hand_overs.send_due() == 1
    hub_number = (await parts.desk.house.store.get(record.number)).hub_number or ""
    assert [each.move for each in parts.hub.told(hub_number)] == ["accept", "dispatch"]


async def test_a_hub_without_the_call_for_moves_gets_new_orders_alone(parts: Parts) -> None:
    house = parts.desk.house
    hand_overs = HandOvers(house.store, house.outbox, parts.hub, parts.clock, tell_moves=False)
    record = await walk(parts.desk, await filed(parts.desk), "accept")
    assert await hand_overs.send_due() == 1
    await walk(parts.desk, record, "dispatch")
    assert await hand_overs.send_due() == 1
    assert parts.hub.told((await house.store.get(record.number)).hub_number or "") == []
    assert await parts.outbox.waiting() == []
