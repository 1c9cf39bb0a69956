"""A manager makes an incident known; whoever asks the running line about it is told, and nobody elsewhere."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from running_line import ROOT, Line

PASSWORD = "Feng-Huang-2026"
TOLD = "博爱路一带停水抢修（区供水公司，有效至"


@pytest.fixture(scope="module")
def manager(line: Line) -> httpx.Client:
    command = [str(ROOT / "bin" / "hotline"), "users", "add", "lan", "--role", "manager", "--password-stdin"]
    env = os.environ | {"DATA_DIR": str(line.data_dir)}
    subprocess.run(command, input=PASSWORD.encode(), env=env, check=True, capture_output=True)
    body = {"username": "lan", "password": PASSWORD}
    token = httpx.post(f"{line.address}/api/v1/auth/login", json=body, timeout=20).json()["token"]
    return httpx.Client(
        base_url=f"{line.address}/api/v1/insights", headers={"Authorization": f"Bearer {token}"}, timeout=20
    )


def said(line: Line, text: str) -> str:
    return "\n".join(reply["text"] for reply in line.talk().say(text)["replies"])


def test_what_is_known_is_told_with_its_source_until_it_is_withdrawn(line: Line, manager: httpx.Client) -> None:
    until = (datetime.now(UTC) + timedelta(hours=6)).isoformat()
    body = {"text": "博爱路一带停水抢修", "source": "区供水公司", "words": ["停水", "没水"], "town": "狮山镇", "valid_until": until}  # fmt: skip
    made = manager.post("/incidents", json=body)
    assert made.status_code == 201, made.text
    line.until(lambda: TOLD in said(line, "狮山为什么停水"), 30, "the incident is told")
    answer = line.talk().say("狮山为什么停水")
    assert answer["replies"][0]["sources"][0]["item_code"] == f"incident:{made.json()['incident_id']}"
    complaint = line.talk()
    first = complaint.say("我要投诉，狮山博爱路家里从昨晚停水到现在")
    assert TOLD in first["replies"][0]["text"]
    assert first["expects"]  # and it can still be filed
    for elsewhere in ("桂城为什么停水", "狮山怎么办居住证"):
        assert TOLD not in said(line, elsewhere)
    assert manager.delete(f"/incidents/{made.json()['incident_id']}").json()["withdrawn"]
    line.until(lambda: TOLD not in said(line, "狮山为什么停水"), 30, "the incident is told no more")
