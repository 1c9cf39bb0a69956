"""A desk over stores in memory, on a clock of the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from desk.work_orders.actors import CITIZEN, Actor, staff
from desk.work_orders.calendar import WorkingDays
from desk.work_orders.clock import Limits
from desk.work_orders.effects import Act
from desk.work_orders.service import House, WorkOrders
from hotline.settings import Settings
from hotline.work_order_flow import Move
from hotline.work_order_record import RequestCategory, WorkOrderRecord
from hotline.work_orders import RequestType, WorkOrderDraft
from storage.work_orders_memory import MemoryWorkOrders

MOBILE = "13800000021"
OFFICE = "桂城街道综合行政执法办公室"
NOISE = WorkOrderDraft(
    type=RequestType.COMPLAINT,
    category="noise",
    happened="工地半夜打桩，吵得睡不着，请打13800000021",
    place="桂城南海大道",
    town="桂城街道",
    when="昨晚十一点",
    contact_name="何先生",
    contact_mobile=MOBILE,
)
CATEGORIES = (
    RequestCategory(
        key="noise", name="噪声扰民", department="镇街综合行政执法办公室、佛山市生态环境局南海分局", words=["打桩"]
    ),
    RequestCategory(key="public_transport", name="公共交通", department="交通运输部门"),
    RequestCategory(key="other", name="其他诉求"),
)
CONFIDENTIAL = frozenset({"supervisor"})
AGENT = staff("agent", {"agent"}, CONFIDENTIAL)
SUPERVISOR = staff("supervisor", {"supervisor"}, CONFIDENTIAL)
MANAGER = staff("manager", {"manager"}, CONFIDENTIAL)
ADMIN = staff("admin", {"admin"}, CONFIDENTIAL)
GUICHENG = staff("guicheng", {"agent"}, CONFIDENTIAL, OFFICE)
DALI = staff("dali", {"agent"}, CONFIDENTIAL, "大沥镇综合行政执法办公室")


class Clock:
    def __init__(self, at: datetime = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_days(self, days: float) -> None:
        self.at += timedelta(days=days)


def make_desk(clock: Clock | None = None, **settings: Any) -> WorkOrders:
    stores = MemoryWorkOrders()
    chosen = Settings(_env_file=None, **settings)
    return WorkOrders(
        House(
            store=stores,
            outbox=stores,
            readings=stores,
            calendar=WorkingDays(),
            limits=Limits.of(chosen),
            categories=CATEGORIES,
            now=clock or Clock(),
            auto_dispatch=chosen.auto_dispatch,
        )
    )


async def filed(desk: WorkOrders, key: str = "key-00000001", **more: Any) -> WorkOrderRecord:
    record, _ = await desk.file(NOISE.model_copy(update=more), key)
    return record


_STEPS: dict[str, tuple[Actor, dict[str, Any]]] = {
    "accept": (AGENT, {}),
    "dispatch": (AGENT, {"department": OFFICE}),
    "take_up": (GUICHENG, {}),
    "answer": (GUICHENG, {"note": "已责令停工，夜间不再施工"}),
    "complete": (AGENT, {}),
    "follow_up": (AGENT, {"note": "市民说已经不吵了"}),
    "rate": (CITIZEN, {"score": 5}),
}


async def walk(desk: WorkOrders, record: WorkOrderRecord, *moves: str) -> WorkOrderRecord:
    """Takes ``record`` the usual way through ``moves``."""
    for move in moves:
        actor, needs = _STEPS[move]
        record = await desk.act(record.number, Act(Move(move), **needs), actor)
    return record


TO_WORK = ("accept", "dispatch", "take_up")
TO_THE_END = (*TO_WORK, "answer", "complete")
