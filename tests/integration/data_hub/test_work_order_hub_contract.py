"""One contract for what work orders are handed over to: the hub in memory, and the reference hub over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from data_hub.client import HttpDataHub
from data_hub.memory import InMemoryDataHub
from hotline.errors import HubDownError, MoveRefusedError
from hotline.work_order_ports import WorkOrderHub
from hotline.work_order_record import ToldMove
from hotline.work_orders import WorkOrderDraft, WorkOrderState
from tests.unit.data_hub.hub_samples import HALLS, ITEMS, TOKEN, Clock

MOBILE = "13800000021"
LAMP = WorkOrderDraft(happened="路灯坏了", town="桂城街道", contact_mobile=MOBILE)
S = WorkOrderState
Hub = HttpDataHub | InMemoryDataHub


@pytest.fixture(params=["memory", "http"])
async def hub(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Hub]:
    if request.param == "memory":
        yield InMemoryDataHub(ITEMS, HALLS, now=clock)
        return
    start: Callable[[], object] = request.getfixturevalue("start_hub")
    client = HttpDataHub(start().url, "nanhai-hotline", TOKEN, timeout_s=5, now=clock)  # type: ignore[attr-defined]
    yield client
    await client.aclose()


def told(seq: int, move: str, state: WorkOrderState, clock: Clock, **more: object) -> ToldMove:
    return ToldMove.model_validate({"seq": seq, "move": move, "state": state, "at": clock(), **more})


async def filed(hub: WorkOrderHub, key: str) -> str:
    return (await hub.file_request(LAMP, key)).number


async def test_the_hub_stands_where_the_line_says(hub: Hub, clock: Clock) -> None:
    number = await filed(hub, "order-0001")
    for move in (
        told(3, "accept", S.ACCEPTED, clock),
        told(4, "dispatch", S.DISPATCHED, clock, department="桂城街道城建办"),
        told(7, "answer", S.ANSWERED, clock, note="已换灯泡"),
        told(9, "rate_badly", S.RECTIFYING, clock, score=1),
    ):
        await hub.tell_move(number, move)
    there = await hub.work_order(number, MOBILE)
    assert (there.state, there.department, there.last_note) == (S.RECTIFYING, "桂城街道城建办", "已换灯泡")


async def test_the_same_move_again_changes_nothing_also_after_a_later_one(hub: Hub, clock: Clock) -> None:
    number = await filed(hub, "order-0002")
    accept = told(3, "accept", S.ACCEPTED, clock)
    await hub.tell_move(number, accept)
    await hub.tell_move(number, told(4, "merge", S.MERGED, clock, merged_into="GD202611250000000001"))
    await hub.tell_move(number, accept)
    assert (await hub.work_order(number, MOBILE)).state is S.MERGED


async def test_another_move_under_a_known_number_or_one_too_late_is_refused_by_name(hub: Hub, clock: Clock) -> None:
    number = await filed(hub, "order-0003")
    await hub.tell_move(number, told(5, "accept", S.ACCEPTED, clock))
    for other in (told(5, "withdraw", S.WITHDRAWN, clock), told(4, "accept", S.ACCEPTED, clock)):
        with pytest.raises(MoveRefusedError):
            await hub.tell_move(number, other)
    with pytest.raises(MoveRefusedError):
        await hub.tell_move("GD202600000000000000", told(5, "accept", S.ACCEPTED, clock))
    assert (await hub.work_order(number, MOBILE)).state is S.ACCEPTED


async def test_a_hub_without_the_call_is_not_taken_for_one_that_has_no_such_order() -> None:
    def nothing_here(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text="<html>Not Found</html>")

    async with httpx.AsyncClient(transport=httpx.MockTransport(nothing_here)) as client:
        hub = HttpDataHub("http://hub", "nanhai-hotline", TOKEN, client=client)
        with pytest.raises(HubDownError):
            await hub.tell_move("GD202611250000000001", told(3, "accept", S.ACCEPTED, Clock()))
