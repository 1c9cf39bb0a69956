"""Work orders moved over HTTP and agents at their screens come out in the managers' figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from desk_people import at_desk
from running_gateway import OFFICE, Gateway, running_gateway

from ops.insights import Behind

PATH, ROOT = "/api/v1/work-orders", "/api/v1/insights"
MOBILE = "13800000021"
NOISE = {
    "type": "complaint",
    "description": "桂城南海大道工地半夜打桩",
    "contact_name": "何先生",
    "contact_mobile": MOBILE,
}
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("agent", {"move": "accept"}), ("agent", {"move": "dispatch", "department": OFFICE, "note": f"请联系何先生 {MOBILE}"}), ("guicheng", {"move": "take_up"}),
    ("guicheng", {"move": "answer", "note": "已责令夜间停工"}), ("agent", {"move": "complete"}),
]  # fmt: skip


class Clock:
    at = datetime(2026, 3, 2, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


async def test_work_orders_and_duty_are_counted_from_what_was_really_done(
    migrated_database: Path, tmp_path: Path
) -> None:
    clock = Clock()
    async with running_gateway(migrated_database, tmp_path, clock=clock, insights_k=2) as gateway:
        people = {name: await gateway.staff(name, role) for name, role in {"agent": "agent", "guicheng": "agent", "boss": "manager"}.items()}  # fmt: skip
        filed = []
        for n in range(4):
            answer = await gateway.http.post(PATH, json={**NOISE, "contact_mobile": f"138000000{n + 21}"})
            filed.append(answer.json()["number"])
        await gateway.services.orders.read_pending()
        clock.at += timedelta(days=2)
        for n, number in enumerate(filed[:3]):
            for who, step in STEPS[: 5 if n < 2 else 3]:
                answer = await gateway.http.patch(f"{PATH}/{number}", json=step, headers=people[who])
                assert answer.status_code == 200, answer.text
        for n, score in ((0, 5), (1, 1)):
            proof = {"x-contact-mobile": f"138000000{n + 21}"}
            await gateway.http.patch(f"{PATH}/{filed[n]}", json={"move": "rate", "score": score}, headers=proof)
        async with at_desk(gateway, "agent", "agent", ready=True):
            pass
        async with httpx.AsyncClient() as client:
            settings = gateway.services.settings
            behind = Behind.make(settings, client)
            behind._work_orders = gateway.services.orders.desk.house.store
            done = await behind.round()
            assert done["orders"] == 4
            assert (await behind.round())["orders"] == 0
            await behind.close()
        insights = gateway.services.insights
        assert insights is not None
        insights.dashboard._now = lambda: datetime(2026, 6, 1, tzinfo=UTC)
        span = {"from": "2026-03-01", "to": "2026-03-31"}

        async def got(path: str, **query: Any) -> Any:
            answer = await gateway.http.get(f"{ROOT}/{path}", params={**span, **query}, headers=people["boss"])
            assert answer.status_code == 200, answer.text
            return answer.json()

        figures = (await got("summary"))["figures"]
        told = {name: figures[name]["value"] for name in ("orders_filed", "orders_completed", "orders_in_time", "order_satisfaction", "order_dissatisfied")}  # fmt: skip
        assert told == {"orders_filed": 4, "orders_completed": 2, "orders_in_time": 1.0, "order_satisfaction": 3.0, "order_dissatisfied": 0.5}  # fmt: skip
        assert figures["order_days"]["value"] == 2.0
        now = (await got("summary"))["now"]
        assert (now["orders_open"]["value"], now["orders_overdue"]["value"]) == (2, 2)
        by_town = {row["town"]: row for row in (await got("orders", by="town"))["rows"]}
        assert (by_town["桂城街道"]["orders_filed"], by_town["桂城街道"]["orders_overdue"]) == (4, 2)
        by_office = {row["department"]: row for row in (await got("orders", by="department"))["rows"]}
        assert by_office[OFFICE]["order_satisfaction"] == 3.0
        await the_orders_behind(gateway, people, filed, figures)
        today = datetime.now(UTC)
        span = {
            "from": (today - timedelta(days=1)).date().isoformat(),
            "to": (today + timedelta(days=1)).date().isoformat(),
        }
        agents = await got("agents")
        load = next(row for row in agents["rows"] if row["agent"] == "agent")["load"]
        assert load["ready_minutes"] >= 0
        assert load["occupancy"] in (0.0, None)
        assert agents["days"]


async def the_orders_behind(
    gateway: Gateway, people: dict[str, dict[str, str]], filed: list[str], figures: Any
) -> None:
    """From a figure to its orders, and into one of them: masked, for managers, in the audit log."""
    march = {"from": "2026-03-01", "to": "2026-03-31"}

    async def listed(who: str = "boss", **query: Any) -> httpx.Response:
        return await gateway.http.get(f"{ROOT}/work-orders", params={**march, **query}, headers=people[who])

    assert figures["orders_completed"]["order_measure"] == "completed"
    assert figures["orders_completed"]["measure"] is None
    done = (await listed(measure="completed", town="桂城街道")).json()["work_orders"]
    assert [row["number"] for row in done] == sorted(filed[:2])
    assert {row["in_time"] for row in done} == {True}
    assert (await listed(measure="completed", town="大沥镇")).json()["work_orders"] == []
    assert "contact" not in (await listed(measure="filed")).text
    assert (await listed(measure="filed", channel="web")).status_code == 422
    assert (await listed(measure="nothing")).status_code == 422
    assert (await listed("agent", measure="filed")).status_code == 403

    path = f"{ROOT}/work-orders/{filed[0]}"
    assert (await gateway.http.get(path, headers=people["agent"])).status_code == 403
    told = (await gateway.http.get(path, headers=people["boss"])).json()
    assert told["kept"]
    assert "半夜打桩" in told["description"]
    assert [step["what"] for step in told["history"]][-2:] == ["complete", "rate"]
    assert [step["note"] for step in told["history"] if step["what"] == "dispatch"] == ["请联系何** 138****0021"]
    assert not any(secret in str(told) for secret in (MOBILE, "何先生"))
    entries = await gateway.services.audit.entries(0, 10_000)
    looks = [(e.actor, e.data) for e in entries if (e.action, e.subject) == ("look_at_work_order", f"work_order:{filed[0]}")]  # fmt: skip
    assert ("boss", {"masked": True}) in looks
    assert (await gateway.http.get(f"{ROOT}/work-orders/NH0", headers=people["boss"])).status_code == 404


@pytest.mark.parametrize(("roles", "sees"), [("", False), ("manager", True)])
async def test_a_confidential_report_is_a_line_without_a_number_for_who_may_not_see_it(
    migrated_database: Path, tmp_path: Path, roles: str, sees: bool
) -> None:
    async with running_gateway(migrated_database, tmp_path, confidential_roles=roles, clock=Clock()) as gateway:
        boss = await gateway.staff("boss", "manager")
        report = {**NOISE, "type": "report", "description": "桂城某厂偷排污水"}
        number = (await gateway.http.post(PATH, json=report)).json()["number"]
        async with httpx.AsyncClient() as client:
            behind = Behind.make(gateway.services.settings, client)
            behind._work_orders = gateway.services.orders.desk.house.store
            await behind.round()
            await behind.close()
        query = {"from": "2026-03-01", "to": "2026-03-31", "measure": "filed"}
        rows = (await gateway.http.get(f"{ROOT}/work-orders", params=query, headers=boss)).json()["work_orders"]
        assert [(row["number"], row["town"] is not None, row["confidential"]) for row in rows] == [(number if sees else None, sees, True)]  # fmt: skip
        one = await gateway.http.get(f"{ROOT}/work-orders/{number}", headers=boss)
        assert one.status_code == (200 if sees else 404)
