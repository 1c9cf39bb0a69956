"""New orders reach the hub, each once, however the hub behaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from order_parts import MOBILE, NOISE, Clock, filed, make_desk

from data_hub.memory import InMemoryDataHub
from desk.work_orders.hand_over import BACKOFF_S, HandOvers
from hotline.errors import BadInputError, HubDownError
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
