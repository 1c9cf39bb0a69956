"""Bursts are told from what is usual; the webhook is signed and tried again; incidents fit who asks."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import numpy as np

from hotline.incidents import fitting_incident, told
from hotline.insights import LOCAL, Grain, Incident, bucket_of
from insights.warning import WEEKS, Counts, Rule, Usual, bursts_at, replay
from insights.webhook import Courier
from storage.insight_memory import MemoryOutbox

FIRST = datetime(2026, 1, 5, tzinfo=LOCAL)  # a Monday
DAYS = WEEKS * 7 + 14
NOW = datetime(2026, 3, 9, 3, tzinfo=UTC)


def quiet_year(seed: int = 1, pairs: int = 40, a_week: float = 2.0) -> Counts:
    """Poisson calls in office hours; nothing happens."""
    chance = np.random.default_rng(seed)
    hours = np.arange(DAYS * 24)
    busy = ((hours % 24 >= 8) & (hours % 24 < 18) & ((hours // 24) % 7 < 5)).astype(float) + 0.05
    rate = busy / busy[:168].sum() * a_week
    people = chance.poisson(rate, (pairs, len(hours))).astype(np.int32)
    return Counts([(n, "狮山镇") for n in range(pairs)], people, people.sum(axis=0).astype(np.int32), FIRST)


def days(counts: Counts) -> list[date]:
    return [FIRST.date() + timedelta(days=n) for n in range(WEEKS * 7, DAYS)]


def test_two_quiet_weeks_of_forty_topics_raise_nothing() -> None:
    counts = quiet_year()
    assert replay(counts, days(counts), Rule()) == []


def test_a_burst_is_found_within_the_hours_it_takes_to_become_one_and_told_once() -> None:
    counts = quiet_year()
    begin = WEEKS * 168 + 24 + 9
    counts.people[7, begin : begin + 4] += np.array([2, 3, 4, 3], dtype=np.int32)
    counts.line[begin : begin + 4] += np.array([2, 3, 4, 3], dtype=np.int32)
    found = replay(counts, days(counts), Rule())
    assert [b.pair for b in found] == [7]
    assert 1 <= found[0].hour - begin <= 2
    assert found[0].count >= 5 > 3 * found[0].expected


def test_fewer_people_than_may_be_shown_raise_nothing_however_rare() -> None:
    counts = quiet_year(a_week=0.01)
    begin = WEEKS * 168 + 10
    counts.people[3, begin] += 4
    assert replay(counts, days(counts), Rule(least=5)) == []


def test_a_day_when_everybody_calls_more_is_no_burst_of_one_topic() -> None:
    counts = quiet_year(a_week=8.0)
    day, more = WEEKS * 168, quiet_year(seed=2, a_week=8.0)
    counts.people[:, day : day + 24] += more.people[:, day : day + 24]
    counts.line[day : day + 24] += more.line[day : day + 24]
    assert replay(counts, days(counts)[:1], Rule()) == []


def test_a_past_burst_does_not_become_what_is_usual() -> None:
    calm, shaken = quiet_year(), quiet_year()
    shaken.people[5, 200:206] += 30
    upto = WEEKS * 168
    rate = [Usual(c.people, c.line, upto, upto % 168).calls[5] for c in (calm, shaken)]
    assert rate[1] <= rate[0] + 4


def test_the_surprise_is_a_probability_and_falls_with_the_count() -> None:
    counts = quiet_year()
    usual = Usual(counts.people, counts.line, WEEKS * 168, 0)
    values = [usual.surprise(np.full(len(counts.pairs), n), 0.02) for n in (0, 1, 3, 9)]
    assert np.all(values[0] == 1.0)
    assert all(np.all(a > b) for a, b in pairwise(values))


def test_counts_are_laid_out_by_hour_and_leave_unknown_towns_to_the_line() -> None:
    hour = bucket_of(FIRST + timedelta(hours=2), Grain.HOUR)
    counts = Counts.of([(hour, 1, "狮山镇", 5, 3), (hour, 1, "", 2, 2), (hour, -1, "狮山镇", 1, 1)], FIRST, 24)
    assert counts.pairs == [(1, "狮山镇")]
    assert counts.people[0, 2] == 3
    assert counts.line[2] == 6


def test_nothing_is_found_where_nothing_was_ever_counted() -> None:
    empty = np.zeros((1, WEEKS * 168 + 1), dtype=np.int32)
    usual = Usual(empty, empty[0], WEEKS * 168, 0)
    assert bursts_at(empty, empty[0], usual, WEEKS * 168, 0, Rule()) == []


async def test_the_webhook_is_signed_and_a_message_not_taken_comes_again_later_and_then_no_more() -> None:
    answers, seen = [503, 200, 200], []

    def city(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(answers.pop(0))

    box = MemoryOutbox()
    for title in ("停水", "停电"):
        box.put({"title": title}, NOW)
    async with httpx.AsyncClient(transport=httpx.MockTransport(city)) as client:
        courier = Courier(box, client, "https://city.example/alerts", "密")
        assert await courier.deliver(NOW) == 0
        assert box.rows[1]["last_error"] == "HTTP 503"
        assert await courier.deliver(NOW + timedelta(seconds=29)) == 1  # only the second is due
        assert await courier.deliver(NOW + timedelta(seconds=31)) == 1
        assert await courier.deliver(NOW + timedelta(hours=9)) == 0
    stamp = seen[-1].headers["x-hotline-timestamp"]
    wanted = hmac.new("密".encode(), stamp.encode() + b"." + seen[-1].content, hashlib.sha256).hexdigest()
    assert seen[-1].headers["x-hotline-signature"] == f"sha256={wanted}"
    assert [json.loads(r.content)["title"] for r in seen] == ["停水", "停电", "停水"]
    assert seen[0].headers["x-hotline-delivery"] == seen[2].headers["x-hotline-delivery"] == "1"


def incident(**more: Any) -> Incident:
    values = {"words": ["停水"], "text": "部分片区停水抢修", "source": "供水公司", "valid_from": NOW, "valid_until": NOW + timedelta(hours=5)}  # fmt: skip
    return Incident.model_validate({**values, **more})


def test_an_incident_is_told_to_whoever_asks_about_it_there_and_to_nobody_elsewhere() -> None:
    here = incident(town="狮山镇")
    assert fitting_incident([here], "家里停水了", "狮山镇") is here
    assert fitting_incident([here], "家里停水了", None) is here
    assert fitting_incident([here], "家里停水了", "桂城街道") is None
    assert fitting_incident([here], "居住证怎么办", "狮山镇") is None
    assert fitting_incident([incident(words=[], item_keys=["CG04"])], "路灯", None, "CG04") is not None
    assert "狮山镇" in told(here)
    assert "供水公司" in told(here)
