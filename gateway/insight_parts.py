"""The insights behind the routes, made once. Reads go through connections of their own: a long look at
a year must not stand in the way of a turn."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from gateway.proposal_desk import ProposalDesk
from hotline.settings import Settings
from insights.dashboard import Dashboard
from insights.duty import duty_seconds
from insights.gaps import GapFinder
from insights.reading import with_repeats
from insights.topics.vectors import Matrix
from knowledge_base.catalogue import Catalogue
from storage.engine import make_engine
from storage.insight_alerts import SqlAlertBook, SqlIncidents, SqlOutbox
from storage.insight_displays import SqlDisplayBook
from storage.insight_duty import SqlDutyBook
from storage.insight_facts import SqlLineFacts, SqlOrderBook
from storage.insight_gaps import SqlGapBook
from storage.insight_recalls import SqlRecallBook
from storage.insight_reviews import SqlProposalBook, SqlReviewBook
from storage.insight_texts import SqlMarks, SqlTextShelf, SqlTopicShelf
from storage.runner import Runner, make_runner

BLOCKS = (512, 384)
"""Of the encoder in knowledge_base/text_vectors.py; a test holds them equal (importing it loads 250 MB)."""


@dataclass
class InsightParts:
    runner: Runner
    facts: SqlLineFacts
    orders: SqlOrderBook
    texts: SqlTextShelf
    topics: SqlTopicShelf
    marks: SqlMarks
    alerts: SqlAlertBook
    outbox: SqlOutbox
    incidents: SqlIncidents
    duty: SqlDutyBook
    dashboard: Dashboard
    area_names: Mapping[str, str]
    versions: Mapping[str, str]
    item_names: Mapping[str, str]
    proposals: SqlProposalBook
    reviews: SqlReviewBook
    recalls: SqlRecallBook
    gap_book: SqlGapBook
    displays: SqlDisplayBook
    gaps: GapFinder
    desk: ProposalDesk

    @classmethod
    def make(cls, settings: Settings, catalogue: Catalogue | None = None) -> InsightParts:
        """``catalogue`` names areas and versions of guides."""
        runner = make_runner(make_engine(settings.effective_database_url))
        facts, orders, topics = SqlLineFacts(runner, with_repeats), SqlOrderBook(runner), SqlTopicShelf(runner)
        duty = SqlDutyBook(runner, duty_seconds)
        gap_book = SqlGapBook(runner)
        texts, marks, proposals = SqlTextShelf(runner), SqlMarks(runner), SqlProposalBook(runner)
        return cls(
            runner=runner, facts=facts, orders=orders, texts=texts, topics=topics, marks=marks,
            alerts=SqlAlertBook(runner), outbox=SqlOutbox(runner), incidents=SqlIncidents(runner),
            duty=duty, dashboard=Dashboard(facts, orders, topics, duty, settings.insights_k, now), area_names={a.key: a.name for a in catalogue.areas.values()} if catalogue else {},
            versions={i.key: i.version for i in catalogue.items.values()} if catalogue else {},
            item_names={i.key: i.name for i in catalogue.items.values()} if catalogue else {}, proposals=proposals,
            reviews=SqlReviewBook(runner), recalls=SqlRecallBook(runner), displays=SqlDisplayBook(runner), gap_book=gap_book, gaps=GapFinder(gap_book, settings.insights_k),
            desk=ProposalDesk(proposals, settings.data_dir / "proposals"),
        )  # fmt: skip

    async def is_demo(self) -> bool:
        """Whether the database is marked as generated."""
        return bool(await self.marks.get("demo"))

    async def close(self) -> None:
        await self.runner.close()


def mean_of(marks: SqlMarks) -> Callable[[], Awaitable[Matrix | None]]:
    """The mean of the topic space as the last whole run left it."""

    async def mean() -> Matrix | None:
        kept = await marks.get("topic_space")
        return np.frombuffer(base64.b64decode(kept["mean"]), dtype=np.float32) if kept else None

    return mean


def now() -> datetime:
    return datetime.now(UTC)
