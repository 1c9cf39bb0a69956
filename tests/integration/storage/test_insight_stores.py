"""Alerts with their outbox, incidents, proposals, reviews and recalls: one contract, on real databases and in memory."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from postgres_server import STORES, url_of

from hotline.errors import IllegalTransitionError, NotFoundError
from hotline.insight_ports import KnownIncidents
from hotline.insights import Alert, Display, Incident, Proposal, Recalled, Review, Span
from insights.reading import with_repeats
from storage.engine import make_engine
from storage.insight_alerts import MemoryIncidents, SqlAlertBook, SqlIncidents, SqlOutbox
from storage.insight_displays import MemoryDisplayBook, SqlDisplayBook
from storage.insight_facts import SqlLineFacts
from storage.insight_memory import (
    InsightMemory,
    MemoryAlertBook,
    MemoryLineFacts,
    MemoryOutbox,
    MemoryProposalBook,
    MemoryReviewBook,
)
from storage.insight_recalls import MemoryRecallBook, SqlRecallBook
from storage.insight_reviews import SqlProposalBook, SqlReviewBook
from storage.runner import make_runner

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "insights"))
from trails import READER, Trail

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


def alert(**more: Any) -> Alert:
    values = {"topic_id": 3, "title": "狮山镇：停水", "town": "狮山镇", "at": NOW, "first_at": NOW, "window_h": 3, "count": 9, "people": 8, "expected": 0.4, "surprise": 1e-9, "evidence": ["停水了"], "series": [(2026030212, 9, 0.4)]}  # fmt: skip
    return Alert.model_validate({**values, **more})


@pytest.fixture(params=STORES)
async def books(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    if request.param != "memory":
        runner = make_runner(make_engine(await url_of(request, tmp_path)))
        yield SimpleNamespace(
            alerts=SqlAlertBook(runner), outbox=SqlOutbox(runner), proposals=SqlProposalBook(runner),
            reviews=SqlReviewBook(runner), recalls=SqlRecallBook(runner), facts=SqlLineFacts(runner, with_repeats), displays=SqlDisplayBook(runner),
        )  # fmt: skip
        await runner.close()
        return
    memory, box = InsightMemory(), MemoryOutbox()
    yield SimpleNamespace(
        alerts=MemoryAlertBook(memory, box), outbox=box, proposals=MemoryProposalBook(), reviews=MemoryReviewBook(memory),
        recalls=MemoryRecallBook(), facts=MemoryLineFacts(memory, with_repeats), displays=MemoryDisplayBook(),
    )  # fmt: skip


async def test_an_alert_is_kept_once_with_one_message_and_grows(books: SimpleNamespace) -> None:
    book, box = books.alerts, books.outbox
    kept = await book.raise_alert(alert(), {"type": "alert"})
    assert kept is not None
    assert await book.raise_alert(alert(at=NOW + timedelta(hours=11), count=20), {"type": "alert"}) is None
    assert await book.raise_alert(alert(town="桂城街道"), {"type": "alert"}) is not None
    assert await book.raise_alert(alert(at=NOW + timedelta(hours=13)), {"type": "alert"}) is not None
    found = await book.alerts(NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert [a.count for a in found] == [20, 9, 9]
    assert found[0].series == [(2026030212, 9, 0.4)]
    assert len(await box.due(NOW + timedelta(days=1))) == 3
    first = (await box.due(NOW + timedelta(days=1)))[0]
    assert first["body"]["alert_id"] == kept.alert_id
    await box.delivered(first["message_id"], NOW)
    await box.failed(first["message_id"] + 1, "HTTP 503", None)
    assert [m["message_id"] for m in await box.due(NOW + timedelta(days=1))] == [first["message_id"] + 2]


async def test_alerts_are_read_newest_first_page_by_page(books: SimpleNamespace) -> None:
    for n in range(5):
        town = "狮山镇" if n % 2 else "桂城街道"
        assert await books.alerts.raise_alert(alert(topic_id=n, town=town), {})
    days = (NOW - timedelta(days=1), NOW + timedelta(days=1))
    first = await books.alerts.newest(*days, limit=2)
    rest = await books.alerts.newest(*days, before=first[-1].alert_id)
    assert [a.topic_id for a in first + rest] == [4, 3, 2, 1, 0]
    assert [a.topic_id for a in await books.alerts.newest(*days, "狮山镇")] == [3, 1]
    assert await books.alerts.newest(NOW + timedelta(hours=1), days[1]) == []
    assert [a.topic_id for a in await books.alerts.alerts(*days, after=first[-1].alert_id)] == [4]


async def test_alerts_are_settled_and_an_unknown_one_is_not_found(books: SimpleNamespace) -> None:
    book = books.alerts
    kept = await book.raise_alert(alert(), {})
    assert kept is not None
    assert (await book.settle(kept.alert_id, "known", 5)).incident_id == 5
    with pytest.raises(NotFoundError):
        await book.settle(999_999, "closed")


@pytest.fixture(params=STORES)
async def known(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[KnownIncidents]:
    if request.param == "memory":
        yield MemoryIncidents()
        return
    runner = make_runner(make_engine(await url_of(request, tmp_path)))
    yield SqlIncidents(runner)
    await runner.close()


async def test_incidents_are_known_from_when_to_when_they_say(known: KnownIncidents) -> None:
    values = {
        "words": ["停水"],
        "item_keys": ["GY01"],
        "town": "狮山镇",
        "text": "停水抢修",
        "source": "供水公司",
        "by": "m",
    }
    until = NOW + timedelta(hours=5)
    made = await known.add(Incident.model_validate({**values, "valid_from": NOW, "valid_until": until}))
    assert made.incident_id > 0
    assert await known.current(NOW) == [made]
    assert await known.current(NOW - timedelta(seconds=1)) == []
    assert await known.current(until) == []
    assert (await known.withdraw(made.incident_id, "n")).withdrawn
    assert await known.current(NOW) == []
    with pytest.raises(NotFoundError):
        await known.withdraw(999_999, "n")


async def test_an_incident_sent_again_under_its_number_takes_the_place_of_what_was_sent_before(
    known: KnownIncidents,
) -> None:
    until = NOW + timedelta(hours=5)
    told = Incident(
        words=["停电"], text="停电检修", source="供电局", valid_from=NOW, valid_until=until, reference="C-1"
    )
    first = await known.add(told)
    other = await known.add(told.model_copy(update={"reference": None}))
    again = await known.add(told.model_copy(update={"text": "今晚恢复"}))
    assert (again.incident_id, other.incident_id != first.incident_id) == (first.incident_id, True)
    assert [i.text for i in await known.current(NOW)] == ["今晚恢复", "停电检修"]
    await known.add(told.model_copy(update={"withdrawn": True}))
    assert [i.incident_id for i in await known.current(NOW)] == [other.incident_id]
    assert [i.incident_id for i in await known.listed()] == [other.incident_id, first.incident_id]


async def test_somebody_is_recalled_once_a_version(books: SimpleNamespace) -> None:
    first = Recalled("c1", "JZ02", "2026-12-01", "k1", "m", NOW)
    await books.recalls.keep([first, first._replace(conversation_id="c2", callback_id="k2")])
    await books.recalls.keep([first._replace(callback_id="another")])
    assert [r.callback_id for r in await books.recalls.recalled("JZ02", "2026-12-01")] == ["k1", "k2"]
    assert await books.recalls.recalled("JZ02", "2027-01-01") == []
    await books.recalls.keep([])


async def test_a_proposal_is_decided_once(books: SimpleNamespace) -> None:
    book = books.proposals
    made = await book.propose(
        Proposal(kind="alias", title="…", path="a.yml", before_hash="", content="x", diff="+x", by="m", at=NOW)
    )
    assert (await book.decide(made.proposal_id, "approved", ["毛病"], "n", NOW)).findings == ["毛病"]
    with pytest.raises(IllegalTransitionError):
        await book.decide(made.proposal_id, "rejected", [], "n", NOW)
    assert (await book.proposal(made.proposal_id)).state == "approved"
    assert await book.proposals("draft") == []
    assert (await book.attach(made.proposal_id, {"before": 1})).evaluation == {"before": 1}
    with pytest.raises(NotFoundError):
        await book.proposal(999_999)


async def test_scores_and_the_worst_conversations_are_of_the_days_looked_at(books: SimpleNamespace) -> None:
    good = Trail("good").add("reply", 0.5, text="您好，我是人工智能助手", understanding={}).answered("居住证怎么办", 1)
    bad = Trail("bad").add("reply", 0.5, text="说吧", understanding={}).answered("居住证怎么办", 1)
    await books.facts.count([READER.read(good.made()), READER.read(bad.made())])
    days = Span(first=date(2026, 3, 2), last=date(2026, 3, 2))
    told = await books.reviews.scores(days)
    assert told["conversations"] == 2
    assert told["broken"]["greeting"] == told["broken"]["ai_notice"] == 1
    worst = await books.reviews.worst(days, "greeting", 5)
    assert [row["conversation_id"] for row in worst] == ["bad"]
    assert await books.reviews.sample(days, 5, 1) != []
    await books.reviews.ask("bad", "a", 1, NOW)
    assert await books.reviews.sample(days, 5, 1) == ["good"]
    empty = Span(first=date(2030, 1, 1), last=date(2030, 1, 2))
    assert await books.reviews.scores(empty) == {"conversations": 0, "score": None, "broken": {}}


async def test_scores_over_any_days_and_filters_equal_a_plain_count_also_after_counting_again(
    books: SimpleNamespace,
) -> None:
    chance = random.Random(4)
    trails = []
    for n in range(60):
        at = NOW + timedelta(hours=chance.randrange(24 * 75))
        trail = Trail(f"c{n}", chance.choice(["web", "voice"]), at=at)
        trail.answered(chance.choice(["桂城办证", "狮山办证"]), 2, chance.choice(["JZ02", "SB09"]))
        if chance.random() < 0.4:
            trail.ask("转人工", 9, intent="handoff", confidence=1.0)  # and nobody queues
        trails.append(trail)
    await books.facts.count([READER.read(trail.made()) for trail in trails])
    for trail in trails[::3]:  # a state follows: who asked for a person was queued after all
        turn = f"{trail.name}t{trail.turns}"
        trail.add("state", 11, turn, state="queued")
    counted = [READER.read(trail.made()) for trail in trails]
    await books.facts.count(counted[::3])
    for first, last in ((date(2026, 3, 2), date(2026, 3, 2)), (date(2026, 3, 15), date(2026, 5, 3)), (date(2026, 3, 1), date(2026, 5, 31))):  # fmt: skip
        for more in ({}, {"channel": "voice"}, {"town": "狮山镇"}, {"area": "residence", "channel": "web"}, {"department": "社保局"}):  # fmt: skip
            span = Span.model_validate({"first": first, "last": last, **more})
            mine = [
                c.facts
                for c in counted
                if first <= (c.facts.started_at + timedelta(hours=8)).date() <= last
                and all(getattr(c.facts, name) == value for name, value in more.items())
            ]
            told = await books.reviews.scores(span)
            scores = [f.score for f in mine if f.score is not None]
            assert told["conversations"] == len(scores)
            assert told["score"] == (pytest.approx(sum(scores) / len(scores)) if scores else None)
            broken = Counter(rule for f in mine for rule in {b["rule"] for b in f.broken})
            assert told["broken"] == dict(broken), (first, last, more)


async def test_the_worst_of_one_rule_are_found_behind_many_worse_ones(books: SimpleNamespace) -> None:
    """Others broke more and stand before them in the list of all."""
    bad = [Trail(f"bad{n:03}").add("reply", 0.5, text="说吧", understanding={}).answered("办证", 1) for n in range(50)]
    slow = Trail("slow").add("reply", 0.5, text="您好，我是人工智能助手", understanding={}).answered("办证", 1)
    slow.ask("多少钱", 9, 20.0, intent="ask_fee", confidence=0.9)
    await books.facts.count([READER.read(trail.made()) for trail in [*bad, slow]])
    days = Span(first=date(2026, 3, 2), last=date(2026, 3, 2))
    assert [row["conversation_id"] for row in await books.reviews.worst(days, "answer_in_time", 1)] == ["slow"]


async def test_a_review_is_given_once_by_who_was_asked(books: SimpleNamespace) -> None:
    book = books.reviews
    await book.ask("c1", "a", 1, NOW)
    given = Review(conversation_id="c1", reviewer="a", place=0, passed=True, score=90, asked_at=NOW, done_at=NOW)
    await book.give(given)
    with pytest.raises(IllegalTransitionError):
        await book.give(given)
    with pytest.raises(NotFoundError):
        await book.give(given.model_copy(update={"reviewer": "b"}))
    assert [(r.place, r.passed) for r in await book.reviews("c1")] == [(1, True)]
    assert await book.sample(Span(first=date(2030, 1, 1), last=date(2030, 1, 2)), 3, 1) == []


async def test_a_screen_is_known_by_its_code_until_it_is_revoked_or_expires(books: SimpleNamespace) -> None:
    book, later = books.displays, NOW + timedelta(days=1)
    new = Display(name="指挥中心", town="狮山镇", by="he", created_at=NOW, expires_at=NOW + timedelta(days=180))
    first = await book.add(new, "a" * 64)
    second = await book.add(new.model_copy(update={"name": "大厅", "town": None}), "b" * 64)
    assert [d.name for d in await book.displays()] == ["大厅", "指挥中心"]
    assert await book.of_code("a" * 64) == first
    assert await book.of_code("c" * 64) is None
    await book.seen(first.display_id, later)
    assert (await book.of_code("a" * 64)).last_seen_at == later
    gone = await book.revoke(first.display_id, "li", later)
    assert (gone.revoked_at, gone.revoked_by, gone.holds(later)) == (later, "li", False)
    assert await book.revoke(first.display_id, "wang", NOW) == gone
    assert second.holds(later)
    assert not second.holds(second.expires_at)
    with pytest.raises(NotFoundError):
        await book.revoke(999_999, "li", NOW)
