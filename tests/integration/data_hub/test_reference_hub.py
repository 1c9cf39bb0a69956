"""The reference hub over real HTTP: signatures, pushes, restarts, work orders, appointments."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from data_hub.client import HttpDataHub
from data_hub.reference.__main__ import openapi_text
from data_hub.reference.catalogue import write_catalogue
from data_hub.signing import signed_headers
from hotline.cases import CaseState, IdentityProof, VerificationStatus
from hotline.errors import HubDownError, IdentityRequiredError
from hotline.settings import ROOT
from tests.integration.data_hub.running_hub import RunningHub
from tests.unit.data_hub.hub_samples import HALLS, ITEMS, RESIDENCE_PERMIT, TOKEN, Clock

S = VerificationStatus
RIGHT = IdentityProof(name="陈小明", id_last4="1234")
WRONG = IdentityProof(name="陈小明", id_last4="4321")
NUMBER = f"{RESIDENCE_PERMIT.code}202611229001"
PUSH: dict[str, Any] = {
    "queryCode": "700001",
    "applyerName": "欧阳文静",
    "idLast4": "010x",
    "contactMobile": "13800000777",
    "taskCode": RESIDENCE_PERMIT.code,
    "status": "审核中",
    "currentStep": "审查",
    "todo": "",
    "applyDate": "2026-11-20",
    "acceptDate": "2026-11-21",
    "promiseDate": "2026-12-04",
    "steps": [
        {"processName": "受理", "eventName": 1, "eventEndTime": "2026-11-21"},
        {"processName": "审查", "eventName": 3, "eventStartTime": "2026-11-21"},
    ],
}
APPLICANT = IdentityProof(name="欧阳文静", id_last4="010X", phone="13800000777")

Start = Callable[[], RunningHub]
Ask = Callable[..., httpx.Response]


def asker(url: str, clock: Callable[[], datetime]) -> Ask:
    client = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    def ask(method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        signed = signed_headers("district", TOKEN, clock())
        return client.request(method, f"{url}/hub/v1{path}", headers={**signed, **(headers or {})}, **more)

    return ask


@pytest.fixture
def hub(start_hub: Start) -> RunningHub:
    return start_hub()


@pytest.fixture
def ask(hub: RunningHub) -> Ask:
    return asker(hub.url, hub.clock)


def line(hub: RunningHub) -> HttpDataHub:
    return HttpDataHub(hub.url, "nanhai-hotline", TOKEN, timeout_s=5, now=hub.clock)


def test_an_unsigned_request_is_refused_before_anything_of_it_is_read(hub: RunningHub) -> None:
    for path in ("/service-items", "/cases/613482", "/nowhere"):
        answer = httpx.put(f"{hub.url}/hub/v1{path}", content=b"{broken", trust_env=False)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["code"], bool(answer.json()["msg"])) == (400001, True)
    assert httpx.get(f"{hub.url}/healthz", trust_env=False).json() == {"status": "ok"}


def test_a_replayed_request_is_refused_even_after_a_restart(start_hub: Start, clock: Clock) -> None:
    first = start_hub()
    headers = signed_headers("district", TOKEN, clock())
    path = "/hub/v1/service-halls"
    assert httpx.get(first.url + path, headers=headers, trust_env=False).status_code == 200
    assert httpx.get(first.url + path, headers=headers, trust_env=False).status_code == 401
    first.stop()
    assert httpx.get(start_hub().url + path, headers=headers, trust_env=False).status_code == 401


async def test_a_wrong_token_or_clock_shows_at_the_ping(hub: RunningHub) -> None:
    wrong = HttpDataHub(hub.url, "app", "another-token", timeout_s=5, now=hub.clock)
    with pytest.raises(HubDownError):
        await wrong.ping()
    ahead = Clock(hub.clock() + timedelta(seconds=181))
    late = HttpDataHub(hub.url, "app", TOKEN, timeout_s=5, now=ahead)
    with pytest.raises(HubDownError):
        await late.ping()
    for client in (wrong, late):
        await client.aclose()


def test_services_are_listed_by_word_area_town_and_page(ask: Ask) -> None:
    def keys(**params: object) -> list[str]:
        return [i["key"] for i in ask("GET", "/service-items", params=params).json()["items"]]

    assert keys() == ["JZ02", "SB01", "SC01"]
    assert keys(query="居住证") == keys(query="办居住证") == ["JZ02"]
    assert keys(query="%") == keys(query="_") == []
    assert keys(area="社保就业") == ["SB01"]
    assert keys(town="狮山镇") == ["JZ02", "SB01", "SC01"]
    assert keys(town="别处") == []
    assert keys(page=2, pageSize=2) == ["SC01"]
    assert ask("GET", "/service-items", params={"page": 0}).status_code == 422
    assert ask("GET", "/service-items/ZZ99").json()["code"] == "not_found"


async def test_a_pushed_case_is_told_to_its_applicant_alone(hub: RunningHub, ask: Ask) -> None:
    answer = ask("PUT", f"/cases/{NUMBER}", json=PUSH)
    assert answer.status_code == 201
    assert answer.json()["applyerName"] == "欧*"
    for secret in ("欧阳文静", "010", "13800000777"):
        assert secret not in answer.text.replace(NUMBER, "")
    assert ask("GET", f"/cases/{NUMBER}").status_code == 403
    client = line(hub)
    verification = await client.verify_identity("700001", APPLICANT)
    case = await client.case(NUMBER, verification.verification_id)
    await client.aclose()
    assert (case.state, case.item_key, case.item_name) == (CaseState.IN_REVIEW, "JZ02", "申领居住证")
    assert [(s.name, s.done) for s in case.steps] == [("受理", True), ("审查", False)]


def test_a_push_again_updates_and_the_same_again_changes_nothing(ask: Ask) -> None:
    ask("PUT", f"/cases/{NUMBER}", json=PUSH)
    same = ask("PUT", f"/cases/{NUMBER}", json=PUSH)
    assert (same.status_code, same.json()["version"]) == (200, "1")
    newer = ask("PUT", f"/cases/{NUMBER}", json={**PUSH, "status": "ready_for_pickup"})
    assert (newer.json()["version"], newer.json()["status"]) == ("2", "待取件")


async def test_a_push_with_another_applicant_ends_earlier_verifications(hub: RunningHub, ask: Ask) -> None:
    ask("PUT", f"/cases/{NUMBER}", json=PUSH)
    client = line(hub)
    verification = await client.verify_identity("700001", APPLICANT)
    ask("PUT", f"/cases/{NUMBER}", json={**PUSH, "applyerName": "欧阳文武"})
    with pytest.raises(IdentityRequiredError):
        await client.case("700001", verification.verification_id)
    await client.aclose()


async def test_a_push_does_not_open_a_lock(hub: RunningHub, ask: Ask) -> None:
    ask("PUT", f"/cases/{NUMBER}", json=PUSH)
    client = line(hub)
    for _ in range(3):
        await client.verify_identity("700001", WRONG)
    ask("PUT", f"/cases/{NUMBER}", json={**PUSH, "todo": "请补材料"})
    assert (await client.verify_identity("700001", APPLICANT)).status is S.LOCKED
    await client.aclose()


@pytest.mark.parametrize(
    "change",
    [
        {"queryCode": "12"},
        {"queryCode": "１２３４５６"},
        {"applyerName": "1"},
        {"applyerName": "··"},
        {"idLast4": "12A4"},
        {"contactMobile": "12345"},
        {"taskCode": "TESTNOWHERE"},
        {"taskCode": None},
        {"itemKey": "SB01"},
        {"status": "办着呢"},
        {"acceptDate": "2026-11-19"},
        {"promiseDate": "2026-02-30"},
        {"resultDate": "2026-11-01"},
        {"steps": [{"processName": "", "eventName": 1}]},
        {"steps": [{"processName": "审查", "eventName": 9}]},
    ],
    ids=str,
)
def test_a_push_that_is_not_right_is_refused_in_chinese_without_repeating_it(ask: Ask, change: dict[str, Any]) -> None:
    answer = ask("PUT", f"/cases/{NUMBER}", json={**PUSH, **change})
    assert answer.status_code == 422
    assert any("一" <= c <= "鿿" for c in answer.json()["detail"])
    assert "欧阳文静" not in answer.text
    verify = {"case_reference": NUMBER, "proof": {}}
    assert ask("POST", "/identity/verify", json=verify).status_code == 404


def test_a_query_code_belongs_to_one_case(ask: Ask) -> None:
    assert ask("PUT", f"/cases/{NUMBER}", json={**PUSH, "queryCode": "613482"}).status_code == 409


def test_a_malformed_proof_is_refused_and_costs_no_attempt(ask: Ask) -> None:
    def verify(last4: str) -> httpx.Response:
        body = {"case_reference": "613482", "proof": {"name": "陈小明", "id_last4": last4}}
        return ask("POST", "/identity/verify", json=body)

    assert verify("12").status_code == 422
    assert verify("4321").json()["attemptsLeft"] == 2


def test_attempts_at_the_same_moment_are_counted_one_by_one(ask: Ask) -> None:
    body = {"case_reference": "613482", "proof": {"name": "陈小明", "id_last4": "4321"}}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask("POST", "/identity/verify", json=body).json(), range(8)))
    assert sorted(a["status"] for a in answers) == ["failed", "failed", *["locked"] * 6]


async def test_a_lock_outlives_a_restart(start_hub: Start) -> None:
    first = start_hub()
    client = line(first)
    half = await client.verify_identity("613490", IdentityProof(name="李丽华"))
    for _ in range(3):
        await client.verify_identity("613482", WRONG)
    await client.aclose()
    first.stop()
    client = line(start_hub())
    assert (await client.verify_identity("613482", RIGHT)).status is S.LOCKED
    rest = await client.verify_identity("613490", IdentityProof(id_last4="567X"), half.verification_id)
    assert rest.status is S.VERIFIED  # nor is the citizen asked twice for the name
    await client.aclose()


ORDER = {"type": "complaint", "description": "路口红绿灯坏了", "contactName": "何美玲"}
ORDER["contactMobile"] = "13800000123"


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


def test_a_work_order_is_filed_once_however_often_it_is_sent(ask: Ask) -> None:
    first = ask("POST", "/work-orders", key("order-0001"), json=ORDER)
    second = ask("POST", "/work-orders", key("order-0001"), json=ORDER)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert (first.json()["contactName"], first.json()["contactMobile"]) == ("何*", "138****0123")
    assert ask("POST", "/work-orders", key("order-0001"), json={**ORDER, "town": "狮山镇"}).status_code == 409
    assert ask("POST", "/work-orders", json=ORDER).status_code == 422
    listed = ask("GET", "/work-orders", params={"state": "received"}).json()
    assert (listed["total"], listed["workOrders"]) == (1, [first.json()])


def test_a_work_order_moves_by_its_table_and_an_illegal_move_changes_nothing(ask: Ask) -> None:
    number = ask("POST", "/work-orders", key("order-0002"), json=ORDER).json()["number"]
    assert ask("PATCH", f"/work-orders/{number}", json={"state": "completed"}).status_code == 409
    for state in ("dispatched", "returned", "dispatched", "in_progress", "answered", "completed"):
        assert ask("PATCH", f"/work-orders/{number}", json={"state": state}).json()["state"] == state
    shown = ask("GET", f"/work-orders/{number}").json()
    assert (len(shown["trail"]), shown["state"]) == (7, "completed")
    assert ask("GET", "/work-orders/GD0").status_code == 404


def test_an_anonymous_work_order_carries_no_contact(ask: Ask) -> None:
    assert ask("POST", "/work-orders", key("order-3"), json={**ORDER, "anonymous": True}).status_code == 422


def test_appointments_fill_a_period_and_no_more(ask: Ask) -> None:
    wish = {
        "hallCode": HALLS[0].code,
        "taskCode": "JZ02",
        "date": "2026-11-24",
        "period": "上午",
        "applyerName": "何美玲",
        "contactMobile": "13800000123",
    }
    answers = [ask("POST", "/appointments", key(f"booking-{n}"), json=wish) for n in range(11)]
    assert [a.status_code for a in answers] == [201] * 10 + [409]
    assert ask("POST", "/appointments", key("booking-0"), json=wish).status_code == 200
    free = ask("GET", "/appointments", params={"hallCode": HALLS[0].code, "date": "2026-11-24"}).json()
    assert [s["left"] for s in free["slots"]] == [0, 10]
    shown = ask("GET", f"/appointments/{answers[0].json()['number']}").json()
    assert (shown["applyerName"], shown["state"]) == ("何*", "booked")
    for change in ({"date": "2026-11-22"}, {"date": "2026-12-07"}, {"hallCode": "0"}, {"taskCode": "ZZ99"}):
        refused = ask("POST", "/appointments", key(f"refused-{change}"[:20]), json={**wish, **change})
        assert refused.status_code == 422


@pytest.fixture
def hub_process(tmp_path: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], str]]]:
    write_catalogue(ITEMS, HALLS, tmp_path / "catalogue.json")
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "data_hub.reference", "--port", "0", "--data-dir", str(tmp_path)]
        environment = {**os.environ, "HUB_TOKEN": TOKEN}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().split()[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        if process.stdout:
            process.stdout.close()


async def test_a_killed_hub_has_kept_what_it_answered(
    hub_process: Callable[[], tuple[subprocess.Popen[str], str]],
) -> None:
    process, url = hub_process()
    ask = asker(url, lambda: datetime.now(UTC))
    assert ask("PUT", f"/cases/{NUMBER}", json=PUSH).status_code == 201
    client = HttpDataHub(url, "app", TOKEN, timeout_s=5)
    for _ in range(3):
        await client.verify_identity("613482", WRONG)
    await client.aclose()
    process.kill()
    process.wait(10)

    process, url = hub_process()
    client = HttpDataHub(url, "app", TOKEN, timeout_s=5)
    assert (await client.verify_identity("613482", RIGHT)).status is S.LOCKED
    assert (await client.verify_identity("700001", APPLICANT)).status is S.VERIFIED
    await client.aclose()
    process.terminate()
    assert process.wait(10) in (0, -15)


def test_a_hub_without_token_or_catalogue_says_so_in_chinese(tmp_path: Path) -> None:
    for token, reason in (("", "HUB_TOKEN"), (TOKEN, "catalogue.json")):
        done = subprocess.run(
            [sys.executable, "-m", "data_hub.reference", "--data-dir", str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, "HUB_TOKEN": token},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 2
        assert reason in done.stderr
        assert "Traceback" not in done.stderr


def test_the_openapi_file_is_what_the_app_makes() -> None:
    written = (ROOT / "docs" / "openapi" / "data-hub.json").read_text(encoding="utf-8")
    assert written == openapi_text(), "run: python -m data_hub.reference --openapi > docs/openapi/data-hub.json"
