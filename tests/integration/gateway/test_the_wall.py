"""A screen on the wall goes on without anybody signed in: it reads the wall's sums and nothing else."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from running_gateway import Gateway

from gateway.routes import insight_wall
from hotline.insights import Alert

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = "/api/v1/insights"
FIGURES = {"conversations", "answer_15s", "containment", "contained_repeat_72h", "handoff_rate", "abandonment", "satisfaction"}  # fmt: skip


async def let_in(gateway: Gateway, boss: dict[str, str], **wanted: Any) -> httpx.Response:
    return await gateway.http.post(f"{ROOT}/displays", json={"name": "指挥中心", **wanted}, headers=boss)


def with_code(made: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['code']}"}


async def test_a_manager_lets_a_screen_in_and_it_reads_sums_without_a_word_of_a_citizen(gateway: Gateway) -> None:
    boss = await gateway.staff("wall.boss", "manager")
    assert gateway.services.insights
    at = datetime.now(UTC)
    alert = Alert(
        topic_id=1, title="狮山镇：停水", town="狮山镇", at=at, first_at=at, window_h=3, count=9, people=8, expected=0.4,
        surprise=1e-9, evidence=["停水了几时来水"], series=[],
    )  # fmt: skip
    await gateway.services.insights.alerts.raise_alert(alert, {})
    made = (await let_in(gateway, boss)).json()
    assert made["path"] == f"/insights/wall#{made['code']}"
    told = await gateway.http.get(f"{ROOT}/wall", headers=with_code(made))
    assert told.status_code == 200
    shown = told.json()
    assert set(shown["figures"]) == FIGURES
    assert [a["title"] for a in shown["alerts"]] == ["狮山镇：停水"]
    assert "几时来水" not in told.text
    assert shown["display"]["name"] == "指挥中心"
    same = (await gateway.http.get(f"{ROOT}/wall", headers=boss)).json()
    assert {**same, "display": shown["display"]} == shown
    listed = (await gateway.http.get(f"{ROOT}/displays", headers=boss)).json()["displays"][0]
    assert (listed["by"], listed["state"], listed["last_seen_at"] is not None) == ("wall.boss", "open", True)
    assert "code" not in listed


async def test_a_display_code_opens_no_other_door(gateway: Gateway) -> None:
    boss = await gateway.staff("wall.boss", "manager")
    code = with_code((await let_in(gateway, boss)).json())
    for method, path in (
        ("GET", "summary"), ("GET", "trends"), ("GET", "topics"), ("GET", "alerts"), ("GET", "conversations"), ("GET", "conversations/x"),
        ("GET", "work-orders"), ("GET", "work-orders/NH1"), ("GET", "agents"), ("GET", "gaps"), ("GET", "quality"), ("GET", "report"),
        ("GET", "export.csv"), ("GET", "displays"), ("POST", "displays"), ("DELETE", "displays/1"),
    ):  # fmt: skip
        answer = await gateway.http.request(
            method, f"{ROOT}/{path}", headers=code, json={} if method == "POST" else None
        )
        assert answer.status_code == 401, path
    assert (await gateway.http.get("/api/v1/desk/queue", headers=code)).status_code == 401
    assert (await gateway.http.get("/api/v1/auth/me", headers=code)).status_code == 401


async def test_a_screen_for_one_town_cannot_look_at_another(gateway: Gateway) -> None:
    boss = await gateway.staff("wall.boss", "manager")
    code = with_code((await let_in(gateway, boss, town="狮山镇")).json())
    told = (await gateway.http.get(f"{ROOT}/wall?town=大沥镇", headers=code)).json()
    assert told["town"] == "狮山镇"


async def test_a_revoked_or_expired_code_is_refused_in_a_sentence_and_both_stand_in_the_audit_log(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = await gateway.staff("wall.boss", "manager")
    one, two = [(await let_in(gateway, boss, name=name)).json() for name in ("东墙", "西墙")]
    gone = await gateway.http.delete(f"{ROOT}/displays/{one['display_id']}", headers=boss)
    assert gone.json()["state"] == "revoked"
    refused = await gateway.http.get(f"{ROOT}/wall", headers=with_code(one))
    assert (refused.status_code, refused.json()["code"]) == (401, "display_over")
    assert "重新开一个" in refused.json()["detail"]
    assert (await gateway.http.get(f"{ROOT}/wall", headers=with_code(two))).status_code == 200
    days = gateway.services.settings.wall_display_days
    monkeypatch.setattr(insight_wall, "now", lambda: datetime.now(UTC) + timedelta(days=days))
    assert (await gateway.http.get(f"{ROOT}/wall", headers=with_code(two))).json()["code"] == "display_over"
    assert (await gateway.http.get(f"{ROOT}/wall", headers={"Authorization": "Bearer wall_guessed"})).status_code == 401
    acts = [(e.actor, e.action, e.subject) for e in await gateway.services.audit.entries(0, 10_000)]
    assert ("wall.boss", "let_in_display", "display:东墙") in acts
    assert ("wall.boss", "revoke_display", f"display:{one['display_id']}") in acts


async def test_only_a_manager_lets_screens_in_and_the_code_is_kept_as_a_hash(gateway: Gateway) -> None:
    agent, boss = await gateway.staff("wall.agent", "agent"), await gateway.staff("wall.boss", "manager")
    assert (await let_in(gateway, agent)).status_code == 403
    assert (await gateway.http.get(f"{ROOT}/wall", headers=agent)).status_code == 403
    assert (await gateway.http.get(f"{ROOT}/wall")).status_code == 401
    assert (await let_in(gateway, boss, name="打 13800000001")).status_code == 422
    assert (await let_in(gateway, boss, name="  ")).status_code == 422
    code = (await let_in(gateway, boss)).json()["code"]
    kept = sqlite3.connect(gateway.services.settings.data_dir / "hotline.db")
    assert code not in "\n".join(kept.iterdump())
    kept.close()
