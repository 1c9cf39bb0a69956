"""Proposed changes, compliance scores and people's reviews."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hotline.errors import IllegalTransitionError, NotFoundError
from hotline.insight_ports import Row
from hotline.insights import ALL, Proposal, Review, Span, day_bucket
from storage.insight_facts import span_sums
from storage.insight_tables import RULE_SUMS, line_facts, proposals, reviews, rule_cells
from storage.insight_texts import rows_of
from storage.runner import Runner

_P, _R, _F = proposals.c, reviews.c, line_facts.c
_DRAFT = "draft"
_LOW = _F.score < sa.literal_column("100")
"""Something was broken. Written out, not bound: only so does SQLite see that its index of these rows serves."""


class SqlProposalBook:
    """:class:`hotline.insight_ports.ProposalBook`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def propose(self, proposal: Proposal) -> Proposal:
        values = proposal.model_dump(exclude={"proposal_id"})

        def work(connection: sa.Connection) -> Proposal:
            made = connection.execute(sa.insert(proposals).values(**values)).inserted_primary_key
            assert made is not None
            return proposal.model_copy(update={"proposal_id": int(made[0])})

        return await self._runner.run(work, readonly=False)

    async def proposals(self, state: str | None = None) -> list[Proposal]:
        query = sa.select(proposals).order_by(_P.proposal_id.desc())
        if state is not None:
            query = query.where(_P.state == state)
        return [Proposal.model_validate(row) for row in await rows_of(self._runner, query.limit(500))]

    async def proposal(self, proposal_id: int) -> Proposal:
        found = await rows_of(self._runner, sa.select(proposals).where(_P.proposal_id == proposal_id))
        if not found:
            raise NotFoundError("没有这份修改建议。")
        return Proposal.model_validate(found[0])

    async def decide(self, proposal_id: int, state: str, findings: Sequence[str], by: str, at: datetime) -> Proposal:
        statement = (
            sa.update(proposals)
            .where(_P.proposal_id == proposal_id, _P.state == _DRAFT)
            .values(state=state, findings=list(findings), decided_by=by, decided_at=at)
        )

        def work(connection: sa.Connection) -> int:
            return connection.execute(statement).rowcount

        changed = await self._runner.run(work, readonly=False)
        after = await self.proposal(proposal_id)
        if not changed:
            raise IllegalTransitionError(after.state, state)
        return after

    async def attach(self, proposal_id: int, evaluation: Mapping[str, Any]) -> Proposal:
        statement = sa.update(proposals).where(_P.proposal_id == proposal_id).values(evaluation=dict(evaluation))

        def work(connection: sa.Connection) -> None:
            connection.execute(statement)

        await self._runner.run(work, readonly=False)
        return await self.proposal(proposal_id)


class SqlReviewBook:
    """:class:`hotline.insight_ports.ReviewBook`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def scores(self, span: Span) -> Row:
        def work(connection: sa.Connection) -> Row:
            sums = [sa.func.sum(rule_cells.c[name]).label(name) for name in RULE_SUMS]
            rows = {r["rule"]: r for r in span_sums(connection, rule_cells, sums, span, ("rule",), None, by_line=True)}
            all_ = rows.pop(ALL, None)
            scored = round(all_["conversations"]) if all_ else 0
            return {
                "conversations": scored,
                "score": all_["score_sum"] / scored if all_ and scored else None,
                # A cell that was emptied again stays as a row of zeros.
                "broken": {rule: n for rule, row in rows.items() if (n := round(row["conversations"]))},
            }

        return await self._runner.run(work, readonly=True)

    async def worst(self, span: Span, rule: str | None, limit: int) -> list[Row]:
        within = [*_within(span, few=True), _LOW]
        if rule is not None:
            within.append(sa.cast(_F.broken, sa.Text).contains(f'"rule":"{rule}"', autoescape=True))
        query = (
            sa.select(_F.conversation_id, _F.started_at, _F.channel, _F.agent, _F.score, _F.broken)
            .where(*within)
            .order_by(_F.score, _F.started_at.desc())
            .limit(limit)
        )
        return await rows_of(self._runner, query)

    async def sample(self, span: Span, number: int, seed: int) -> list[str]:
        asked = sa.select(_R.conversation_id)
        query = sa.select(_F.conversation_id).where(*_within(span), _F.conversation_id.not_in(asked))
        rows = await rows_of(self._runner, query.order_by(_F.conversation_id))
        ids = [row["conversation_id"] for row in rows]
        return random.Random(seed).sample(ids, min(number, len(ids)))  # noqa: S311

    async def ask(self, conversation_id: str, reviewer: str, place: int, at: datetime) -> None:
        row = {"conversation_id": conversation_id, "reviewer": reviewer, "place": place, "note": "", "asked_at": at}

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.insert(reviews).values(**row))

        await self._runner.run(work, readonly=False)

    async def reviews(self, conversation_id: str | None = None, reviewer: str | None = None) -> list[Review]:
        query = sa.select(reviews).order_by(_R.asked_at, _R.conversation_id, _R.place)
        if conversation_id is not None:
            query = query.where(_R.conversation_id == conversation_id)
        if reviewer is not None:
            query = query.where(_R.reviewer == reviewer)
        return [Review.model_validate(row) for row in await rows_of(self._runner, query)]

    async def give(self, review: Review) -> None:
        mine = (_R.conversation_id == review.conversation_id) & (_R.reviewer == review.reviewer)
        values = {"passed": review.passed, "score": review.score, "note": review.note, "done_at": review.done_at}

        def work(connection: sa.Connection) -> int:
            done = connection.execute(sa.update(reviews).where(mine, _R.done_at.is_(None)).values(**values))
            return done.rowcount

        if not await self._runner.run(work, readonly=False):
            known = await self.reviews(review.conversation_id, review.reviewer)
            if known:
                raise IllegalTransitionError("done", "give")
            raise NotFoundError("没有请您看这次对话。")


def _within(span: Span, few: bool = False) -> list[sa.ColumnElement[bool]]:
    """``few``: another condition leaves few rows, so its index is to serve, not the days'."""
    day = _F.day + sa.literal_column("0") if few else _F.day
    return [
        day.between(day_bucket(span.first), day_bucket(span.last)),
        *(_F[name] == value for name, value in span.filters.items()),
    ]
