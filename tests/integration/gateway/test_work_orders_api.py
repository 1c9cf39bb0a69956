"""Work orders over HTTP: who may do what, and what is shown to whom."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from running_gateway import LINE_TOKEN, OFFICE, Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/v1/work-orders"
MOBILE = "13800000021"
NOISE: dict[str, Any] = {
    "type": "complaint",
    "description": "桂城南海大道工地半夜打桩，吵得睡不着",
    "contact_name": "何先生",
    "contact_mobile": MOBILE,
}
PROOF = {"x-contact-mobile": MOBILE}


ROLES = {
    "agent": "agent",
    "supervisor": "supervisor",
    "manager": "manager",
    "admin": "admin",
    "guicheng": "agent",
    "dali": "agent",
}
SIGNED_IN: dict[str, dict[str, str]] = {}


@pytest_asyncio.fixture(autouse=True, scope="module", loop_scope="module")
async def everybody_is_signed_in(running: Gateway) -> None:
    for name, role in ROLES.items():
        SIGNED_IN[name] = await running.staff(name, role)


def as_(name: str, **headers: str) -> dict[str, str]:
    """Headers of ``name``, who is signed in where they have an account."""
    return {"Authorization": f"Bearer {name}"} | SIGNED_IN.get(name, {}) | headers


async def file(gateway: Gateway, headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    answer = await gateway.http.post(PATH, json=NOISE | more, headers=headers)
    assert answer.status_code == 201, answer.text
    await gateway.services.orders.read_pending()
    return answer.json()


async def move(gateway: Gateway, number: str, name: str, move: str, **more: Any) -> httpx.Response:
    return await gateway.http.patch(f"{PATH}/{number}", json={"move": move, **more}, headers=as_(name))


async def walk(gateway: Gateway, number: str) -> None:
    for name, step, more in [
        ("agent", "accept", {}),
        ("agent", "dispatch", {}),
        ("guicheng", "take_up", {}),
        ("guicheng", "answer", {"note": "已责令夜间停工"}),
        ("agent", "complete", {}),
    ]:
        answer = await move(gateway, number, name, step, **more)
        assert answer.status_code == 200, answer.text


async def test_a_citizen_files_follows_and_rates(gateway: Gateway) -> None:
    filed = await file(gateway)
    number = filed["number"]
    assert number.startswith("GD")
    assert (filed["state"], filed["type_name"]) == ("received", "投诉")
    await walk(gateway, number)
    seen = (await gateway.http.get(f"{PATH}/{number}", headers=PROOF)).json()
    assert (seen["state_name"], seen["department"], seen["last_note"]) == ("已办结，待回访", OFFICE, "已责令夜间停工")
    rated = await gateway.http.patch(f"{PATH}/{number}", json={"move": "rate", "score": 1}, headers=PROOF)
    assert rated.json()["state"] == "rectifying"
    history = (await gateway.http.get(f"{PATH}/{number}/history", headers=PROOF)).json()["history"]
    assert [line["what_name"] for line in history] == ["登记", "受理", "派单", "签收办理", "答复", "办结", "差评"]
    assert "agent" not in str(history)


async def test_without_the_right_mobile_or_account_nothing_is_shown(gateway: Gateway) -> None:
    number = (await file(gateway))["number"]
    for headers, status in [
        ({}, 401),
        ({"x-contact-mobile": "13800000022"}, 404),
        (as_("nobody"), 401),
        (as_("admin"), 404),
    ]:
        answer = await gateway.http.get(f"{PATH}/{number}", headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert MOBILE not in answer.text
    assert (await gateway.http.get(PATH)).status_code == 401
    assert (await gateway.http.get(PATH, headers=as_("admin"))).status_code == 403


async def test_the_same_key_files_once_and_another_content_is_a_conflict(gateway: Gateway) -> None:
    key = {"Idempotency-Key": "citizen-key-1"}
    first = await gateway.http.post(PATH, json=NOISE, headers=key)
    again = await gateway.http.post(PATH, json=NOISE, headers=key)
    other = await gateway.http.post(PATH, json=NOISE | {"place": "别处"}, headers=key)
    assert [r.status_code for r in (first, again, other)] == [201, 200, 409]
    assert first.json()["number"] == again.json()["number"]
    assert first.headers["location"] == f"{PATH}/{first.json()['number']}"


@pytest.mark.parametrize(
    "body",
    [
        {"description": ""},
        {"contact_mobile": "138"},
        {"type": "gossip"},
        {"anonymous": True},
        {"category": "nothing"},
        {"state": "completed"},
        {"description": "吵" * 2001},
    ],
)
async def test_a_wrong_request_is_told_in_chinese(gateway: Gateway, body: dict[str, Any]) -> None:
    answer = await gateway.http.post(PATH, json=NOISE | body)
    assert answer.status_code == 422
    assert any("一" <= c <= "鿿" for c in answer.json()["detail"])


async def test_the_proposal_has_its_reason_and_what_may_be_done_next_is_listed(gateway: Gateway) -> None:
    number = (await file(gateway))["number"]
    seen = (await gateway.http.get(f"{PATH}/{number}", headers=as_("agent"))).json()
    assert seen["proposal"]["department"] == OFFICE
    assert "打桩" in seen["proposal"]["reason"]
    assert (seen["category"], seen["town"]) == ("noise", "桂城街道")
    assert {each["name"] for each in seen["moves"]} >= {"受理", "不予受理", "并单"}
    assert seen["contact_mobile"] == MOBILE


async def test_an_old_version_and_an_illegal_move_change_nothing(gateway: Gateway) -> None:
    number = (await file(gateway))["number"]
    seen = await gateway.http.get(f"{PATH}/{number}", headers=as_("agent"))
    etag = seen.headers["etag"]
    moved = await gateway.http.patch(
        f"{PATH}/{number}", json={"move": "accept"}, headers=as_("agent", **{"If-Match": etag})
    )
    assert (moved.status_code, moved.headers["etag"]) == (200, f'"{seen.json()["version"] + 1}"')
    stale = await gateway.http.patch(
        f"{PATH}/{number}", json={"move": "dispatch"}, headers=as_("agent", **{"If-Match": etag})
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "version_conflict")
    wrong = await gateway.http.patch(
        f"{PATH}/{number}", json={"move": "dispatch"}, headers=as_("agent", **{"If-Match": "new"})
    )
    assert wrong.status_code == 422
    illegal = await move(gateway, number, "agent", "complete")
    assert (illegal.status_code, illegal.json()["code"]) == (409, "illegal_transition")
    not_theirs = await move(gateway, number, "manager", "dispatch")
    assert (not_theirs.status_code, not_theirs.json()["code"]) == (403, "move_not_allowed")


async def test_a_department_sees_and_moves_its_own_orders_alone(gateway: Gateway) -> None:
    number = (await file(gateway))["number"]
    assert (await gateway.http.get(f"{PATH}/{number}", headers=as_("guicheng"))).status_code == 404
    for step in ("accept", "dispatch"):
        assert (await move(gateway, number, "agent", step)).status_code == 200
    assert (await move(gateway, number, "dali", "take_up")).status_code == 404
    assert (await move(gateway, number, "guicheng", "return", note="工地在禅城")).status_code == 200
    listed = (await gateway.http.get(PATH, params={"q": number}, headers=as_("guicheng"))).json()
    assert [each["number"] for each in listed["work_orders"]] == [number]
    assert (await gateway.http.get(PATH, params={"q": number}, headers=as_("dali"))).json()["total"] == 0
    assert (await gateway.http.get(f"{PATH}/{number}/merge-candidates", headers=as_("guicheng"))).status_code == 403
    filing = await gateway.http.post(PATH, json=NOISE, headers=as_("guicheng"))
    assert filing.status_code == 403


async def test_a_list_is_narrowed_paged_and_holds_nobodys_number(gateway: Gateway) -> None:
    for n in range(3):
        await file(gateway, description=f"大沥镇广佛路第{n}号路灯不亮，电话{MOBILE}", type="help")
    query = {"town": "大沥镇", "type": "help", "page_size": 2, "state": ["received", "accepted"]}
    first = (await gateway.http.get(PATH, params=query, headers=as_("manager"))).json()
    rest = (await gateway.http.get(PATH, params=query | {"page": 2}, headers=as_("manager"))).json()
    assert (first["total"], len(first["work_orders"]), len(rest["work_orders"])) == (3, 2, 1)
    assert MOBILE not in str(first)
    assert "138****0021" in str(first)
    assert (await gateway.http.get(PATH, params={"state": "gone"}, headers=as_("manager"))).status_code == 422


async def test_a_report_is_hidden_from_all_but_the_named_roles(gateway: Gateway) -> None:
    number = (await file(gateway, type="report", description="桂城海五路有人无证打桩施工"))["number"]
    for name, status in [("agent", 404), ("manager", 404), ("supervisor", 200)]:
        assert (await gateway.http.get(f"{PATH}/{number}", headers=as_(name))).status_code == status
        listed = (await gateway.http.get(PATH, params={"q": number}, headers=as_(name))).json()
        assert listed["total"] == (status == 200)
    for step in ("accept", "dispatch"):
        assert (await move(gateway, number, "supervisor", step)).status_code == 200
    seen = await gateway.http.get(f"{PATH}/{number}", headers=as_("guicheng"))
    assert seen.status_code == 200
    assert MOBILE not in seen.text
    assert "何先生" not in seen.text
    mine = (await gateway.http.get(f"{PATH}/{number}", headers=PROOF)).json()
    assert mine["state"] == "dispatched"


async def test_repeats_are_proposed_with_why_and_merged_by_a_person(gateway: Gateway) -> None:
    first = (await file(gateway, description="里水镇和顺文教路口红绿灯坏了"))["number"]
    other = (await file(gateway, description="里水镇和顺文教路口红绿灯坏了没人修"))["number"]
    report = (await file(gateway, description="里水镇和顺文教路口红绿灯坏了", type="report"))["number"]
    answer = await gateway.http.get(f"{PATH}/{other}/merge-candidates", headers=as_("agent"))
    found = answer.json()["candidates"]
    assert found[0]["number"] == first
    assert report not in answer.text
    assert "地点相同" in found[0]["why"]
    assert (await move(gateway, other, "agent", "merge", main=first)).json()["merged_into"] == first
    main = (await gateway.http.get(f"{PATH}/{first}", headers=as_("agent"))).json()
    assert main["merged"] == [other]
    assert (await gateway.http.get(f"{PATH}/{other}", headers=PROOF)).json()["merged_into_another"]


def photo(kind: str = "JPEG") -> bytes:
    image = Image.new("RGB", (40, 30), (200, 30, 30))
    exif = image.getexif()
    exif[0x010E] = "拍摄者何先生"
    exif[0x0110] = "PhoneModelX"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


async def test_a_photo_is_kept_without_what_hides_in_it(gateway: Gateway) -> None:
    number = (await file(gateway))["number"]
    original = photo()
    assert b"PhoneModelX" in original
    sent = await gateway.http.post(
        f"{PATH}/{number}/attachments", params={"name": "../../etc/现场<照片>.exe"}, content=original, headers=PROOF
    )
    assert sent.status_code == 201, sent.text
    kept = sent.json()
    assert (kept["name"], kept["media_type"]) == ("现场照片.jpg", "image/jpeg")
    got = await gateway.http.get(f"{PATH}/{number}/attachments/{kept['attachment_id']}", headers=as_("agent"))
    assert got.headers["content-type"] == "image/jpeg"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert b"PhoneModelX" not in got.content
    assert not Image.open(io.BytesIO(got.content)).getexif()
    assert Image.open(io.BytesIO(got.content)).size == (40, 30)
    files = list((gateway.services.settings.data_dir / "attachments" / number).iterdir())
    assert [each.name for each in files] == [kept["attachment_id"]]
    assert (await gateway.http.get(f"{PATH}/{number}/attachments/{'0' * 32}", headers=PROOF)).status_code == 404
    assert (await gateway.http.get(f"{PATH}/{number}/attachments/{kept['attachment_id']}")).status_code == 401


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"MZ\x90\x00 a program", 415, "attachment_type"),
        (b"<svg onload=alert(1)>", 415, "attachment_type"),
        (b"\xff\xd8\xff\xe0 broken", 415, "attachment_type"),
        (b"", 415, "attachment_type"),
        (b"%PDF-1.7 " + b"0" * (10 * 1024 * 1024), 413, "attachment_too_large"),
    ],
)
async def test_a_wrong_file_is_refused_by_its_content(gateway: Gateway, content: bytes, status: int, code: str) -> None:
    number = (await file(gateway))["number"]
    sent = await gateway.http.post(
        f"{PATH}/{number}/attachments", params={"name": "照片.jpg"}, content=content, headers=PROOF
    )
    assert (sent.status_code, sent.json()["code"]) == (status, code)
    seen = (await gateway.http.get(f"{PATH}/{number}", headers=PROOF)).json()
    assert seen["attachments"] == []


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_other_images_and_pdf_are_taken(gateway: Gateway, kind: str) -> None:
    number = (await file(gateway))["number"]
    for content in (photo(kind), b"%PDF-1.7\n%%EOF"):
        sent = await gateway.http.post(f"{PATH}/{number}/attachments", content=content, headers=PROOF)
        assert sent.status_code == 201, sent.text
    pdf = sent.json()
    got = await gateway.http.get(f"{PATH}/{number}/attachments/{pdf['attachment_id']}", headers=PROOF)
    assert got.headers["content-disposition"].startswith("attachment;")


async def test_looks_and_changes_are_in_the_audit_log(gateway: Gateway) -> None:
    number = (await file(gateway))["number"]
    before = len(await gateway.services.audit.entries(limit=10_000))
    await gateway.http.get(f"{PATH}/{number}", headers=as_("manager"))
    await move(gateway, number, "agent", "accept")
    entries = await gateway.services.audit.entries(limit=10_000)
    lines = [(each.actor, each.action, each.subject) for each in entries[before:]]
    assert ("manager", "look_at_work_order", f"work_order:{number}") in lines
    assert ("agent", "work_order_accept", f"work_order:{number}") in lines


async def test_the_outbox_is_seen_by_those_who_watch_it(gateway: Gateway) -> None:
    await file(gateway)
    waiting = (await gateway.http.get(f"{PATH}/outbox", headers=as_("supervisor"))).json()
    assert waiting["waiting"] >= 1
    assert (await gateway.http.get(f"{PATH}/outbox", headers=as_("agent"))).status_code == 403
    assert (await gateway.http.post(f"{PATH}/outbox/retry", headers=as_("supervisor"))).status_code == 202


@pytest.mark.parametrize("headers", [{}, as_("agent"), as_(LINE_TOKEN[:-1]), {"Authorization": LINE_TOKEN}])
async def test_only_the_line_itself_files_at_the_internal_address(gateway: Gateway, headers: dict[str, str]) -> None:
    sent = await gateway.http.post(
        "/internal/v1/requests", json={"happened": "路灯坏了"}, headers={"Idempotency-Key": "key-00000001", **headers}
    )
    assert sent.status_code == 401


async def test_times_come_with_their_offset(gateway: Gateway) -> None:
    filed = await file(gateway)
    assert datetime.fromisoformat(filed["created_at"]).astimezone(UTC) <= datetime.now(UTC)
