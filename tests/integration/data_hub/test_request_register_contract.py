"""One contract for filing requests and booking: a register in memory, the reference hub over HTTP, and the
line itself (the gateway over HTTP, which hands over to the hub)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from data_hub.client import HttpDataHub
from data_hub.line_register import LineRegister
from data_hub.memory import CHINA, InMemoryDataHub
from hotline.errors import BadInputError, HubDownError, NotFoundError, SlotTakenError
from hotline.ports import RequestRegister
from hotline.work_orders import AppointmentDraft, RequestType, WorkOrderDraft, WorkOrderState
from tests.integration.data_hub.line_parts import LINE_TOKEN, gateway_client, make_line
from tests.unit.data_hub.hub_samples import HALLS, ITEMS, RESIDENCE_PERMIT, TOKEN, Clock

MOBILE = "13800000021"
NOISE = WorkOrderDraft(
    type=RequestType.COMPLAINT,
    category="noise",
    happened="工地半夜打桩，吵得睡不着",
    place="桂城南海大道",
    town="桂城街道",
    when="昨晚十一点",
    department="镇街综合行政执法办",
    contact_name="何先生",
    contact_mobile=MOBILE,
)


@pytest.fixture(params=["memory", "http", "line"])
async def register(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[RequestRegister]:
    if request.param == "memory":
        yield InMemoryDataHub(ITEMS, HALLS, now=clock)
        return
    if request.param == "line":
        hub = InMemoryDataHub(ITEMS, HALLS, now=clock)
        async with gateway_client(make_line(hub, clock)) as client:
            yield LineRegister("http://line", LINE_TOKEN, hub, timeout_s=5, client=client)
        return
    start: Callable[[], object] = request.getfixturevalue("start_hub")
    client = HttpDataHub(start().url, "nanhai-hotline", TOKEN, timeout_s=5, now=clock)  # type: ignore[attr-defined]
    yield client
    await client.aclose()


def booking(clock: Clock, days: int = 1, **more: object) -> AppointmentDraft:
    day = clock().astimezone(CHINA).date() + timedelta(days=days)
    values = {"hall_code": HALLS[0].code, "day": day, "period": "上午", "name": "何小燕", "mobile": MOBILE, **more}
    return AppointmentDraft.model_validate(values)


async def test_a_request_gets_a_receipt_and_is_filed_once(register: RequestRegister) -> None:
    order = await register.file_request(NOISE, "talk-1-draft-1")
    assert order.number.startswith("GD")
    assert (order.type, order.state, order.town) == (RequestType.COMPLAINT, WorkOrderState.RECEIVED, "桂城街道")
    again = await register.file_request(NOISE, "talk-1-draft-1")
    assert again.number == order.number


async def test_who_filed_it_can_follow_it_and_nobody_else(register: RequestRegister) -> None:
    order = await register.file_request(NOISE, "talk-2-draft-1")
    assert (await register.work_order(order.number, MOBILE)).state is WorkOrderState.RECEIVED
    for number, mobile in [(order.number, "13800000022"), ("GD202600000000000000", MOBILE), (order.number, "")]:
        with pytest.raises(NotFoundError):
            await register.work_order(number, mobile)


async def test_an_anonymous_request_cannot_be_followed_by_phone(register: RequestRegister) -> None:
    draft = NOISE.model_copy(update={"anonymous": True, "contact_name": None, "contact_mobile": None})
    order = await register.file_request(draft, "talk-3-draft-1")
    with pytest.raises(NotFoundError):
        await register.work_order(order.number, MOBILE)


async def test_a_request_without_content_is_refused(register: RequestRegister) -> None:
    with pytest.raises(BadInputError):
        await register.file_request(NOISE.model_copy(update={"happened": ""}), "talk-4-draft-1")


async def test_a_place_is_booked_once_and_counted(register: RequestRegister, clock: Clock) -> None:
    draft = booking(clock, item_code=RESIDENCE_PERMIT.code)
    booked = await register.book(draft, "talk-5-booking")
    assert booked.number.startswith("YY")
    assert (await register.book(draft, "talk-5-booking")).number == booked.number
    left = {slot.period: slot.left for slot in await register.free_slots(draft.hall_code, draft.day)}
    assert left["上午"] == left["下午"] - 1


async def test_only_the_coming_days_can_be_booked(register: RequestRegister, clock: Clock) -> None:
    for days in (0, -1, 15):
        with pytest.raises(BadInputError):
            await register.book(booking(clock, days), f"talk-6-booking-{days}")


async def test_an_unknown_hall_or_service_is_refused(register: RequestRegister, clock: Clock) -> None:
    with pytest.raises(BadInputError):
        await register.book(booking(clock, hall_code="44060599999999"), "talk-7-booking-1")
    with pytest.raises(BadInputError):
        await register.book(booking(clock, item_code="ZZ99"), "talk-7-booking-2")
    with pytest.raises(NotFoundError):
        await register.free_slots("44060599999999", booking(clock).day)


async def test_a_full_half_day_is_told_apart_from_a_wrong_one(register: RequestRegister, clock: Clock) -> None:
    draft = booking(clock, 2)
    for place in (await register.free_slots(draft.hall_code, draft.day))[:1]:
        for n in range(place.left):
            await register.book(draft, f"talk-8-booking-{n}")
    with pytest.raises(SlotTakenError):
        await register.book(draft, "talk-8-booking-more")


async def test_the_line_files_also_while_the_hub_is_down_and_hands_over_once_later(clock: Clock) -> None:
    hub = InMemoryDataHub(ITEMS, HALLS, now=clock)
    orders = make_line(hub, clock)
    hub.available = False
    async with gateway_client(orders) as client:
        register = LineRegister("http://line", LINE_TOKEN, hub, timeout_s=5, client=client)
        order = await register.file_request(NOISE, "talk-9-draft-1")
        assert (await register.file_request(NOISE, "talk-9-draft-1")).number == order.number
        assert await orders.hand_overs.send_due() == 0
        assert (await register.work_order(order.number, MOBILE)).number == order.number
        with pytest.raises(HubDownError):
            await register.free_slots(HALLS[0].code, clock().date())
        hub.available = True
        clock.advance(hours=1)
        assert await orders.hand_overs.send_due() == 1
    assert len(hub.filed()) == 1


async def test_a_gateway_that_is_not_there_or_not_ours_is_a_named_failure(clock: Clock) -> None:
    hub = InMemoryDataHub(ITEMS, HALLS, now=clock)
    nobody = LineRegister("http://127.0.0.1:9", LINE_TOKEN, hub, timeout_s=1)
    with pytest.raises(HubDownError):
        await nobody.file_request(NOISE, "talk-10-draft-1")
    await nobody.aclose()
    async with gateway_client(make_line(hub, clock)) as client:
        stranger = LineRegister("http://line", "another-token", hub, timeout_s=5, client=client)
        with pytest.raises(HubDownError):
            await stranger.file_request(NOISE, "talk-11-draft-1")
