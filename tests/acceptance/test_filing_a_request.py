"""A complaint told by chat becomes a work order with a receipt, also while the data hub is down."""

from __future__ import annotations

import re
import sqlite3

MOBILE = "13800000031"


def file_by_chat(line) -> str:
    """The receipt's number."""
    talk = line.talk()
    talk.say("桂城海五路昨晚十一点还在打桩，吵死人了，我要投诉")
    talk.say(f"何先生，{MOBILE}")
    said = "\n".join(reply["text"] for reply in talk.say("确认")["replies"])
    found = re.search(r"GD\d{18}", said)
    assert found, said
    assert "已经登记投诉" in said
    return found[0]


def followed(line, number: str) -> dict:
    answer = line.http.get(f"/api/v1/work-orders/{number}", headers={"x-contact-mobile": MOBILE})
    assert answer.status_code == 200, answer.text
    return answer.json()


def at_the_hub(line) -> list[str]:
    with sqlite3.connect(line.data_dir / "hub.db") as connection:
        rows = connection.execute("SELECT idempotency_key FROM records WHERE kind = 'work_order'").fetchall()
    return [row[0].split("|")[1] for row in rows]


def waiting(line) -> str:
    return next(
        each
        for each in line.http.get("/metrics").text.splitlines()
        if each.startswith('hotline_hub_outbox{state="waiting')
    )


def test_a_complaint_gets_a_receipt_while_the_hub_is_down_and_reaches_it_once(line):
    with line.killed("hub"):
        number = file_by_chat(line)
        assert followed(line, number)["state"] == "received"
        told = line.talk()
        told.say("查工单")
        told.say(number)
        said = "\n".join(r["text"] for r in told.say(MOBILE)["replies"])
        assert "已登记" in said
    line.until_ready()
    line.until(lambda: at_the_hub(line).count(number) == 1, 90, "the work order is at the hub")
    line.until(lambda: waiting(line).endswith(" 0.0"), 60, "nothing waits")
    assert at_the_hub(line).count(number) == 1


def test_a_filed_complaint_is_read_and_proposed_for_dispatch_and_shown_by_open311_without_its_words(line):
    number = file_by_chat(line)
    line.until(lambda: followed(line, number)["town"] == "桂城街道", 30, "it was read")
    listed = line.http.get("/open311/v2/requests.json")
    assert listed.status_code == 200
    assert number not in listed.text
    assert MOBILE not in listed.text
    assert any(each["service_code"] == "noise" and each["address"] == "桂城街道" for each in listed.json())
