"""The managers' figures over a real socket, on a small generated year."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
import time
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
import pytest_asyncio
from running_gateway import Gateway, running_gateway

from hotline.insights import Alert
from hotline.messages import Reply, Source, Understanding
from hotline.ports import DialogueAnswer
from insights.figures import FIGURES
from insights.webhook import signature
from knowledge_base.catalogue import load_catalogue
from ops.bench_pages import furnish, looks
from ops.demo.load import load
from ops.insights import Behind
from storage.engine import make_engine
from storage.runner import make_runner

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "insights"))
from fake_vectors import HashEncoder, principal_plane

LAST = date(2026, 10, 31)
YEAR = {"from": "2025-11-01", "to": "2026-10-31"}
ROOT = "/api/v1/insights"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def managed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Gateway, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("year")
    url = f"sqlite:///{folder / 'year.db'}"
    await asyncio.to_thread(load, url, 2500, 5, LAST, folder / "truth.json", progress=lambda _: None, encode=False)
    house = tmp_path_factory.mktemp("house")
    signed = {"insights_webhook_secret": "between-us"}
    async with running_gateway(folder / "year.db", house, catalogue=load_catalogue(), **signed) as gateway:
        async with httpx.AsyncClient() as client:
            behind = await asyncio.to_thread(Behind.make, gateway.services.settings, client, HashEncoder())
            behind.keeper.layout = principal_plane
            await behind.encode()
            await behind.keeper.whole_run(topics=12)
            await behind.gaps.regroup()
            await behind.close()
        yield gateway, await gateway.staff("manager1", "manager")


@pytest.fixture
def gateway(managed: tuple[Gateway, dict[str, str]]) -> Gateway:
    return managed[0]


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def got(managed: tuple[Gateway, dict[str, str]], path: str, **query: Any) -> Any:
    gateway, headers = managed
    answer = await gateway.http.get(f"{ROOT}/{path}", params={**YEAR, **query}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_figures_are_for_managers_alone(managed: tuple[Gateway, dict[str, str]]) -> None:
    gateway, _ = managed
    assert (await gateway.http.get(f"{ROOT}/summary")).status_code == 401
    agent = await gateway.staff("agent1", "agent")
    for path in ("summary", "topics", "conversations", "alerts", "incidents", "report", "export.csv"):
        assert (await gateway.http.get(f"{ROOT}/{path}", headers=agent)).status_code == 403, path


async def test_the_summary_has_every_figure_and_says_that_it_was_generated(managed: Any) -> None:
    told = await got(managed, "summary")
    assert told["demo"] is True
    assert list(told["figures"]) == list(FIGURES)
    assert told["figures"]["conversations"]["value"] > 800
    assert 0.3 < told["figures"]["containment"]["value"] < 0.95
    for now in told["now"].values():
        assert now["hidden"] == (now["value"] is None)
        assert now["hidden"] or now["value"] == 0 or now["value"] >= 5


async def test_a_trend_adds_up_to_the_summary(managed: Any) -> None:
    whole = (await got(managed, "summary"))["figures"]["conversations"]["value"]
    for grain in ("day", "month"):
        trend = await got(managed, "trends", figures="turns", grain=grain)
        total = (await got(managed, "summary"))["figures"]["turns"]["value"]
        assert sum(v or 0 for v in trend["series"]["turns"]) <= total
    monthly = await got(managed, "trends", figures="conversations", grain="month")
    assert sum(monthly["series"]["conversations"]) == whole
    assert len(monthly["buckets"]) == 12


async def test_a_breakdown_hides_small_towns_and_the_second_with_them(managed: Any) -> None:
    one_day = {"from": "2026-06-03", "to": "2026-06-03"}
    rows = (await got(managed, "breakdown", by="town", figures="conversations", **one_day))["rows"]
    shown = [row["conversations"] for row in rows if row["conversations"] is not None]
    assert all(n >= 5 or n == 0 for n in shown)
    assert len([r for r in rows if r["conversations"] is None]) != 1


async def test_filters_narrow_and_what_is_unknown_is_a_named_problem(managed: Any) -> None:
    gateway, headers = managed
    all_ = (await got(managed, "summary"))["figures"]["conversations"]["value"]
    one = (await got(managed, "summary", town="狮山镇", channel="voice"))["figures"]["conversations"]["value"]
    assert 0 < one < all_ / 3
    for path, query in (("breakdown", {"by": "caller"}), ("trends", {"figures": "nonsense"}), ("summary", {"from": "2027-01-01", "to": "2026-01-01"})):  # fmt: skip
        answer = await gateway.http.get(f"{ROOT}/{path}", params={**YEAR, **query}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")


async def test_the_conversations_behind_a_figure_are_shown_without_callers(managed: Any) -> None:
    rows = (await got(managed, "conversations", measure="abandoned", limit=200))["conversations"]
    assert rows
    assert all(row["measures"]["abandoned"] == 1 for row in rows)
    assert "caller_key" not in rows[0]


async def test_topics_have_names_courses_and_examples_of_enough_people(managed: Any) -> None:
    told = await got(managed, "topics")
    assert len(told["topics"]) >= 8
    first = told["topics"][0]
    assert first["name"]
    assert sum(n or 0 for n in first["course"]) <= first["turns"]
    assert all(t["people"] >= 5 for t in told["topics"])
    by_town = await got(managed, f"topics/{first['id']}", by="town")
    assert {"桂城街道", "狮山镇"} <= {row["town"] for row in by_town["rows"]}


async def test_a_manager_renames_merges_and_pins_and_illegal_merges_change_nothing(managed: Any) -> None:
    gateway, headers = managed
    before = (await got(managed, "topics"))["topics"]
    a, b = before[-1]["id"], before[-2]["id"]

    async def change(topic: int, **body: Any) -> httpx.Response:
        return await gateway.http.patch(f"{ROOT}/topics/{topic}", json=body, headers=headers)

    assert (await change(b, name="改过的名字", pinned=True)).status_code == 200
    assert (await change(a, merge_into=b)).status_code == 200
    after = {t["id"]: t for t in (await got(managed, "topics"))["topics"]}
    assert a not in after
    assert after[b]["turns"] == before[-1]["turns"] + before[-2]["turns"]
    assert (after[b]["name"], after[b]["pinned"]) == ("改过的名字", True)
    assert (await change(b, merge_into=a)).status_code == 422
    assert (await change(b, merge_into=b)).status_code == 422
    assert (await change(99999, name="没有")).status_code == 404
    assert [part["id"] for part in after[b]["merged"]] == [a]
    assert (await change(a, merge_into=None)).status_code == 200
    assert (await change(b, name="", pinned=False)).status_code == 200
    undone = {t["id"]: t for t in (await got(managed, "topics"))["topics"]}
    assert undone[a]["turns"] == before[-1]["turns"]
    assert (undone[b]["name"], undone[b]["pinned"], undone[b]["renamed"]) == (before[-2]["name"], False, False)


async def test_an_incident_is_made_known_and_withdrawn(managed: Any) -> None:
    gateway, headers = managed
    body = {"text": "狮山部分片区停水抢修", "source": "区供水公司", "words": ["停水"], "town": "狮山镇"}
    until = (date.today() + timedelta(days=2)).isoformat() + "T00:00:00+08:00"
    made = await gateway.http.post(f"{ROOT}/incidents", json={**body, "valid_until": until}, headers=headers)
    assert made.status_code == 201
    assert made.json()["by"] == "manager1"
    current = (await gateway.http.get(f"{ROOT}/incidents", headers=headers)).json()["incidents"]
    assert [i["text"] for i in current] == ["狮山部分片区停水抢修"]
    gone = await gateway.http.delete(f"{ROOT}/incidents/{made.json()['incident_id']}", headers=headers)
    assert gone.json()["withdrawn"] is True
    assert (await gateway.http.get(f"{ROOT}/incidents", headers=headers)).json()["incidents"] == []
    for wrong in ({**body, "valid_until": "2020-01-01T00:00:00+08:00"}, {**body, "valid_until": until, "words": []}, {**body, "valid_until": until, "text": "打 13800000001"}):  # fmt: skip
        assert (await gateway.http.post(f"{ROOT}/incidents", json=wrong, headers=headers)).status_code == 422


async def test_reports_are_written_from_the_figures_in_three_forms(managed: Any) -> None:
    gateway, headers = managed
    made = (await gateway.http.get(f"{ROOT}/report?kind=month&day=2026-05-10", headers=headers)).json()
    assert (made["from"], made["to"]) == ("2026-05-01", "2026-05-31")
    assert "演示数据" in made["notice"]
    month = {"from": "2026-05-01", "to": "2026-05-31"}
    count = (await got(managed, "summary", **month))["figures"]["conversations"]["value"]
    assert f"共有{count:,.0f}次对话" in made["sections"][0]["sentences"][0]
    paper = await gateway.http.get(f"{ROOT}/report.pdf?kind=month&day=2026-05-10", headers=headers)
    assert paper.content.startswith(b"%PDF")
    sheet = await gateway.http.get(f"{ROOT}/report.xlsx?kind=week&day=2026-05-10", headers=headers)
    assert "指标" in openpyxl.load_workbook(io.BytesIO(sheet.content)).sheetnames


async def test_open_data_holds_no_small_cell_and_no_person(managed: Any) -> None:
    gateway, headers = managed
    answer = await gateway.http.get(f"{ROOT}/export.csv", params=YEAR, headers=headers)
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["月份", "镇街", "领域"]
    values = [int(cell) for row in rows[1:] for cell in row[3:4] if cell != "*"]
    assert values
    assert all(value >= 5 or value == 0 for value in values)
    assert "caller" not in answer.text
    for what in ("summary", "trends", "topics", "alerts"):
        assert (await gateway.http.get(f"{ROOT}/{what}/export.xlsx", params=YEAR, headers=headers)).status_code == 200
    assert (await gateway.http.get(f"{ROOT}/secrets/export.csv", headers=headers)).status_code == 404


async def test_alerts_arrive_in_the_stream_with_their_evidence(managed: Any) -> None:
    gateway, headers = managed
    from storage.insight_alerts import SqlAlertBook

    book = SqlAlertBook(make_runner(make_engine(gateway.services.settings.effective_database_url)))
    at = gateway.services.insights.dashboard._now()  # type: ignore[union-attr]
    alert = Alert(topic_id=1, title="狮山镇：停水", town="狮山镇", at=at, first_at=at, window_h=1, count=9, people=8, expected=0.2, surprise=1e-9, evidence=["停水了"])  # fmt: skip
    kept = await book.raise_alert(alert, {"type": "alert"})
    assert kept is not None
    assert await book.raise_alert(alert, {"type": "alert"}) is None
    async with gateway.http.stream("GET", f"{ROOT}/alerts/stream", headers=headers) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                told = json.loads(line[6:])
                break
    assert (told["alert_id"], told["evidence"]) == (kept.alert_id, ["停水了"])
    settled = await gateway.http.patch(f"{ROOT}/alerts/{kept.alert_id}", json={"state": "closed"}, headers=headers)
    assert settled.json()["state"] == "closed"


def raised(gateway: Gateway, number: int, **more: Any) -> list[Alert]:
    at = gateway.services.insights.dashboard._now()  # type: ignore[union-attr]
    values = {"topic_id": 1, "title": "狮山镇：停水", "town": "狮山镇", "at": at, "first_at": at, "window_h": 1, "count": 9, "people": 8, "expected": 0.2, "surprise": 1e-9, "evidence": ["停水了"], "series": [(2026030212, 3, 0.1), (2026030213, 9, 0.1)]}  # fmt: skip
    return [Alert.model_validate({**values, "topic_id": 5000 + n, **more}) for n in range(number)]


async def test_alerts_come_newest_first_page_by_page_and_their_small_hours_are_hidden(managed: Any) -> None:
    gateway, headers = managed
    book = gateway.services.insights.alerts
    for alert in raised(gateway, 5, town="丹灶镇"):
        assert await book.raise_alert(alert, {"type": "alert"})
    today = {
        "from": (date.today() - timedelta(days=2)).isoformat(),
        "to": (date.today() + timedelta(days=1)).isoformat(),
    }
    seen: list[int] = []
    page: dict[str, Any] = {"next": None}
    for wanted in (2, 2, 1):
        query = {**today, "town": "丹灶镇", "limit": 2, **({"before": page["next"]} if page["next"] else {})}
        page = (await gateway.http.get(f"{ROOT}/alerts", params=query, headers=headers)).json()
        assert len(page["alerts"]) == wanted
        seen += [a["alert_id"] for a in page["alerts"]]
    assert page["next"] is None
    assert seen == sorted(seen, reverse=True)
    assert [point[1] for point in page["alerts"][0]["series"]] == [None, 9]
    report = (await gateway.http.get(f"{ROOT}/report?kind=day&day={date.today().isoformat()}&town=丹灶镇", headers=headers)).json()  # fmt: skip
    assert len(report["alerts"]) in (0, 5)  # none where the district's day has begun before this machine's


async def test_an_alert_that_a_manager_confirms_becomes_what_callers_are_told(managed: Any) -> None:
    gateway, headers = managed
    topic = (await got(managed, "topics"))["topics"][0]
    kept = await gateway.services.insights.alerts.raise_alert(
        raised(gateway, 1, topic_id=topic["id"], town="九江镇")[0], {}
    )
    one = (await gateway.http.get(f"{ROOT}/alerts/{kept.alert_id}", headers=headers)).json()
    assert one["draft"]["town"] == "九江镇"
    assert one["draft"]["words"]
    path = f"{ROOT}/alerts/{kept.alert_id}"
    half = await gateway.http.patch(path, json={"state": "known", "text": "九江部分片区停水抢修"}, headers=headers)
    assert half.status_code == 422
    body = {"state": "known", "text": "九江部分片区停水抢修", "source": "区供水公司"}
    settled = (await gateway.http.patch(path, json=body, headers=headers)).json()
    assert settled["state"] == "known"
    current = (await gateway.http.get(f"{ROOT}/incidents", headers=headers)).json()["incidents"]
    made = next(i for i in current if i["incident_id"] == settled["incident_id"])
    assert (made["town"], made["text"], made["state"]) == ("九江镇", "九江部分片区停水抢修", "current")
    await gateway.http.delete(f"{ROOT}/incidents/{made['incident_id']}", headers=headers)
    everything = (await gateway.http.get(f"{ROOT}/incidents?all=true", headers=headers)).json()["incidents"]
    assert next(i for i in everything if i["incident_id"] == made["incident_id"])["state"] == "withdrawn"
    assert (await gateway.http.get(f"{ROOT}/alerts/999999", headers=headers)).status_code == 404


async def test_the_operation_centre_sends_an_incident_back_signed_once_and_can_end_it(managed: Any) -> None:
    gateway, headers = managed
    until = (date.today() + timedelta(days=2)).isoformat() + "T00:00:00+08:00"
    body = {"reference": "CITY-7", "text": "西樵停电检修", "source": "供电局", "words": ["停电"], "town": "西樵镇", "valid_until": until}  # fmt: skip

    async def send(content: dict[str, Any], secret: str = "between-us", late: int = 0) -> httpx.Response:
        raw, stamp = json.dumps(content).encode(), str(int(time.time()) - late)
        signed = {"X-Hotline-Timestamp": stamp, "X-Hotline-Signature": signature(secret, stamp, raw)}
        return await gateway.http.post(f"{ROOT}/incidents/from-centre", content=raw, headers=signed)

    for refused in (await send(body, "another"), await send(body, late=1000)):
        assert (refused.status_code, refused.json()["code"]) == (401, "incident_signature")
    assert (await send({"reference": "x"})).status_code == 422
    first, again = (await send(body)).json(), (await send({**body, "text": "西樵停电，今晚恢复"})).json()
    assert first["incident_id"] == again["incident_id"]
    current = (await gateway.http.get(f"{ROOT}/incidents", headers=headers)).json()["incidents"]
    assert [i["text"] for i in current if i["reference"] == "CITY-7"] == ["西樵停电，今晚恢复"]
    assert (await send({**body, "withdrawn": True})).status_code == 200
    current = (await gateway.http.get(f"{ROOT}/incidents", headers=headers)).json()["incidents"]
    assert [i for i in current if i["reference"] == "CITY-7"] == []


async def test_gaps_are_grouped_and_of_enough_people(managed: Any) -> None:
    told = await got(managed, "gaps")
    assert told["kinds"]["refused"]["turns"] > 0
    assert all(gap["people"] >= 5 and gap["examples"] for gap in told["gaps"])
    for gap in told["gaps"]:
        shown = [n for n in gap["towns"].values() if n is not None]
        assert all(n >= 5 for n in shown)
        assert len(gap["towns"]) - len(shown) != 1 or len(gap["towns"]) == 1
    assert sum(gap["turns"] for gap in told["gaps"]) <= told["turns"]


async def test_a_gap_becomes_a_change_that_a_person_approves_once_and_stands_in_a_copy_checked(managed: Any) -> None:
    gateway, headers = managed

    async def post(path: str, **body: Any) -> httpx.Response:
        return await gateway.http.post(f"{ROOT}/{path}", json=body, headers=headers, timeout=60)

    made = await post("proposals", kind="question", item_key="JZ02", phrase="居住证几耐攞到手呀")
    assert made.status_code == 201
    assert "+  - 居住证几耐攞到手呀" in made.json()["diff"]
    number = made.json()["proposal_id"]
    approved = (await post(f"proposals/{number}/approve")).json()
    assert (approved["state"], approved["decided_by"], approved["findings"]) == ("approved", "manager1", [])
    copy = gateway.services.insights.desk.copy_of(number)  # type: ignore[union-attr]
    assert "居住证几耐攞到手呀" in (copy / "knowledge_base/guides/residence/JZ02.yml").read_text(encoding="utf-8")
    assert (copy / "change.patch").is_file()
    assert (await post(f"proposals/{number}/reject")).status_code == 409
    asked = await post(f"proposals/{number}/evaluate")
    assert (asked.status_code, asked.json()["evaluation"]["state"]) == (202, "queued")
    assert (await post(f"proposals/{number}/evaluate")).json()["evaluation"] == asked.json()["evaluation"]
    draft = (await post("proposals", kind="question", item_key="JZ02", phrase="居住证边度攞")).json()["proposal_id"]
    assert (await post(f"proposals/{draft}/evaluate")).status_code == 422
    told = await gateway.http.put(f"{ROOT}/proposals/{number}/evaluation", json={"before": {"a": 1}, "after": {"a": 2}}, headers=headers)  # fmt: skip
    assert told.json()["evaluation"] == {"state": "done", "before": {"a": 1}, "after": {"a": 2}}
    for wrong in ({"kind": "alias", "item_key": "../x", "phrase": "放风筝"}, {"kind": "example", "intent": "没有", "phrase": "放风筝"}, {"kind": "question", "item_key": "JZ02", "phrase": "我叫陈小明"}):  # fmt: skip
        assert (await post("proposals", **wrong)).status_code == 422
    listed = (await gateway.http.get(f"{ROOT}/proposals?state=approved", headers=headers)).json()["proposals"]
    assert [p["proposal_id"] for p in listed] == [number]


async def test_answers_of_an_old_version_are_recalled(managed: Any) -> None:
    gateway, headers = managed
    parts = gateway.services.insights
    assert parts is not None
    nothing = (await gateway.http.get(f"{ROOT}/recall?item_key=JZ02&since=2025-01-01", headers=headers)).json()
    assert nothing["answers"] == []
    parts.versions = {**parts.versions, "JZ02": "2026-12-01"}
    told = (await gateway.http.get(f"{ROOT}/recall?item_key=JZ02&since=2025-01-01", headers=headers)).json()
    assert told["answers"]
    assert all(not c.endswith("@2026-12-01") for answer in told["answers"] for c in answer["cited"])
    fees = (await gateway.http.get(f"{ROOT}/recall?item_key=JZ02&since=2025-01-01&field=facts.fee", headers=headers)).json()  # fmt: skip
    assert {c.split("@")[0] for answer in fees["answers"] for c in answer["cited"]} == {"facts.fee"}
    assert len(fees["answers"]) < len(told["answers"])
    assert (await gateway.http.get(f"{ROOT}/recall?item_key=ZZ99", headers=headers)).status_code == 422


async def test_callers_who_agreed_are_put_on_the_agents_list_once_with_the_number_they_gave(managed: Any) -> None:
    gateway, headers = managed
    parts = gateway.services.insights
    gateway.engine._answers["居住证要多少钱"] = DialogueAnswer(
        replies=[Reply(text="不收费", sources=[Source(item_code="x", field="facts.fee", version="2020-01-01")])],
        understanding=Understanding(intent="ask_fee", aspect="fee", item_key="JZ02", confidence=0.9),
    )
    yes, no, silent = await gateway.open(), await gateway.open(), await gateway.open()
    for talk in (yes, no, silent):
        assert (await talk.say("居住证要多少钱")).status_code == 200

    async def consent(talk: Any, **body: Any) -> httpx.Response:
        return await gateway.http.post(f"{talk.path}/recall-consent", json=body, headers=talk.headers)

    assert (await consent(yes, agreed=True)).status_code == 422  # nobody knows the number
    assert (await consent(yes, agreed=True, phone="13800000077")).json() == {"agreed": True, "contact": "138****0077"}
    assert (await consent(no, agreed=False)).status_code == 201
    async with httpx.AsyncClient() as client:
        behind = await asyncio.to_thread(Behind.make, gateway.services.settings, client, HashEncoder())
        await behind.catch_up()
        await behind.close()
    parts.versions = {**parts.versions, "JZ02": "2026-12-01"}
    since = (date.today() - timedelta(days=2)).isoformat()
    told = (await gateway.http.get(f"{ROOT}/recall?item_key=JZ02&since={since}", headers=headers)).json()
    agreed = {a["conversation_id"]: a["agreed_callback"] for a in told["answers"]}
    assert agreed == {yes.conversation_id: True, no.conversation_id: False, silent.conversation_id: False}
    assert told["to_call_back"] == 1
    wanted = {"item_key": "JZ02", "since": since, "note": "补领要收 20 元工本费"}

    async def call(**more: Any) -> httpx.Response:
        return await gateway.http.post(f"{ROOT}/recall/callbacks", json={**wanted, **more}, headers=headers)

    assert (await call(note="打 13800000001")).status_code == 422
    assert (await call()).json() == {"made": 1, "already": 0, "without_number": 0}
    assert (await call()).json() == {"made": 0, "already": 1, "without_number": 0}
    agent = await gateway.staff("agent7", "agent")
    tasks = (await gateway.http.get("/api/v1/desk/callbacks", headers=agent)).json()["callbacks"]
    mine = [t for t in tasks if t["conversation_id"] == yes.conversation_id]
    assert [(t["reason"], t["contact_shown"], t["has_contact"]) for t in mine] == [("recall", "138****0077", True)]
    assert "补领要收 20 元工本费" in mine[0]["note"]
    path = f"/api/v1/desk/callbacks/{mine[0]['callback_id']}"
    await gateway.http.post(path, json={"step": "claim"}, headers=agent)
    assert (await gateway.http.post(f"{path}/reveal", headers=agent)).json() == {"contact": "13800000077"}
    told = (await gateway.http.get(f"{ROOT}/recall?item_key=JZ02&since={since}", headers=headers)).json()
    assert (told["to_call_back"], told["listed"]) == (0, 1)


async def test_the_conversation_behind_a_figure_opens_for_the_right_role_and_stands_in_the_audit_log(
    managed: Any,
) -> None:
    gateway, headers = managed
    rows = (await got(managed, "conversations", measure="abandoned", limit=1))["conversations"]
    conversation = rows[0]["conversation_id"]
    path = f"{ROOT}/conversations/{conversation}"
    for signed, status in ((None, 401), (await gateway.staff("agent1", "agent"), 403), (await gateway.staff("admin1", "admin"), 403)):  # fmt: skip
        assert (await gateway.http.get(path, headers=signed)).status_code == status
    told = (await gateway.http.get(path, headers=headers)).json()
    assert {line["who"] for line in told["transcript"]} >= {"citizen", "bot"}
    assert "broken" in told
    assert "caller_key" not in json.dumps(told)
    reviewer = (await gateway.http.get(path, headers=await gateway.staff("supervisor1", "supervisor"))).json()
    assert "broken" not in reviewer
    entries = await gateway.services.audit.entries(0, 10_000)
    seen = [e.actor for e in entries if (e.action, e.subject) == ("view_conversation", f"conversation:{conversation}")]
    assert seen == ["manager1", "supervisor1"]
    assert (await gateway.http.get(f"{ROOT}/conversations/nothing", headers=headers)).status_code == 404


async def test_quality_names_rule_and_conversation_and_reviews_are_blind(managed: Any) -> None:
    gateway, headers = managed
    told = await got(managed, "quality")
    assert 50 < told["score"] <= 100
    assert all(finding["rule"] for row in told["worst"] for finding in row["broken"])
    people = ["reviewer1", "reviewer2", "reviewer3"]
    signed = {name: await gateway.staff(name, "supervisor") for name in people}
    body = {"number": 1, "reviewers": people}
    able = (await gateway.http.get(f"{ROOT}/reviews/reviewers", headers=headers)).json()["reviewers"]
    assert {*people, "manager1"} <= {each["username"] for each in able}
    unable = {**body, "reviewers": [*people[:2], "agent1"]}
    assert (await gateway.http.post(f"{ROOT}/reviews", json=unable, params=YEAR, headers=headers)).status_code == 422
    assert (await gateway.http.post(f"{ROOT}/reviews", json=body, params=YEAR, headers=headers)).json() == {"asked": 1}
    assert (await gateway.http.post(f"{ROOT}/reviews", json=body, headers=signed["reviewer1"])).status_code == 403

    async def mine(name: str) -> list[dict[str, Any]]:
        return list((await gateway.http.get(f"{ROOT}/reviews/mine", headers=signed[name])).json()["reviews"])

    conversation = (await mine("reviewer1"))[0]["conversation_id"]

    async def give(name: str, passed: bool) -> int:
        verdict = {"passed": passed, "score": 90 if passed else 40}
        return (
            await gateway.http.put(f"{ROOT}/reviews/{conversation}", json=verdict, headers=signed[name])
        ).status_code

    assert await give("reviewer3", True) == 404  # not asked
    assert await give("reviewer1", True) == 200
    assert all(r["reviewer"] == "reviewer2" and r["done_at"] is None for r in await mine("reviewer2"))
    assert await give("reviewer2", False) == 200
    assert await give("reviewer2", True) == 409
    assert (await mine("reviewer3"))[0]["place"] == 3
    assert await give("reviewer3", False) == 200
    results = (await gateway.http.get(f"{ROOT}/reviews/results", headers=headers)).json()
    assert (results["reviewed"], results["waiting"], results["kappa"]) == (1, 0, 0.0)
    assert results["results"][0]["passed"] is False


async def test_everything_the_bench_asks_is_answered(managed: Any) -> None:
    gateway, headers = managed
    parts = gateway.services.insights
    assert parts is not None
    for name, path in looks(await furnish(parts)).items():
        answer = await gateway.http.get(path, headers=headers)
        assert answer.status_code == 200, (name, answer.text)
