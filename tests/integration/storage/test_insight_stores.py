"""Alerts with their outbox, incidents (both adapters), proposals and reviews, on a real database.

``STORAGE_TEST_URL`` runs the same on another database, such as a PostgreSQL that may be emptied.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hotline.errors import IllegalTransitionError, NotFoundError
from hotline.insight_ports import KnownIncidents
from hotline.insights import Alert, Incident, Proposal, Review, Span
from storage.engine import make_engine
from storage.insight_alerts import MemoryIncidents, SqlAlertBook, SqlIncidents, SqlOutbox
from storage.insight_reviews import SqlProposalBook, SqlReviewBook
from storage.insight_tables import alerts, incidents, outbox, proposals, reviews
from storage.migrations import upgrade
from storage.runner import Runner, make_runner

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    url = os.environ.get("STORAGE_TEST_URL") or f"sqlite:///{tmp_path / 'stores.db'}"
    await upgrade(url)
    made = make_runner(make_engine(url))

    def empty(connection: sa.Connection) -> None:
        for table in (alerts, outbox, incidents, proposals, reviews):
            connection.execute(sa.delete(table))

    await made.run(empty, readonly=False)
    yield made
    await made.close()


def alert(**more: Any) -> Alert:
    values = {"topic_id": 3, "title": "狮山镇：停水", "town": "狮山镇", "at": NOW, "first_at": NOW, "window_h": 3, "count": 9, "people": 8, "expected": 0.4, "surprise": 1e-9, "evidence": ["停水了"], "series": [(2026030212, 9, 0.4)]}  # fmt: skip
    return Alert.model_validate({**values, **more})


async def test_an_alert_is_kept_once_with_one_message_and_grows(runner: Runner) -> None:
    book, box = SqlAlertBook(runner), SqlOutbox(runner)
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


async def test_alerts_are_settled_and_an_unknown_one_is_not_found(runner: Runner) -> None:
    book = SqlAlertBook(runner)
    kept = await book.raise_alert(alert(), {})
    assert kept is not None
    assert (await book.settle(kept.alert_id, "known", 5)).incident_id == 5
    with pytest.raises(NotFoundError):
        await book.settle(999_999, "closed")


@pytest.fixture(params=["sql", "memory"])
def known(request: pytest.FixtureRequest, runner: Runner) -> KnownIncidents:
    return SqlIncidents(runner) if request.param == "sql" else MemoryIncidents()


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


async def test_a_proposal_is_decided_once(runner: Runner) -> None:
    book = SqlProposalBook(runner)
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


async def test_a_review_is_given_once_by_who_was_asked(runner: Runner) -> None:
    book = SqlReviewBook(runner)
    await book.ask("c1", "a", 1, NOW)
    given = Review(conversation_id="c1", reviewer="a", place=0, passed=True, score=90, asked_at=NOW, done_at=NOW)
    await book.give(given)
    with pytest.raises(IllegalTransitionError):
        await book.give(given)
    with pytest.raises(NotFoundError):
        await book.give(given.model_copy(update={"reviewer": "b"}))
    assert [(r.place, r.passed) for r in await book.reviews("c1")] == [(1, True)]
    assert await book.sample(Span(first=date(2030, 1, 1), last=date(2030, 1, 2)), 3, 1) == []
