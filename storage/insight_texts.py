"""What was said, each text once with its vector, and the topics found in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hotline.errors import NotFoundError
from hotline.insight_ports import KeptTopic, Row, TextRow
from hotline.insights import ALL, Grain, Span, Topic, bucket_of
from storage.insight_facts import replace, span_sums
from storage.insight_tables import LINE, line_facts, marks, texts, topic_cells, topics, turn_facts
from storage.runner import Runner

_X, _T, _F = texts.c, turn_facts.c, line_facts.c
_CELL_NAMES = ["grain", "bucket", "topic_id", "channel", "town", "area", "turns", "people"]


class SqlTextShelf:
    """:class:`hotline.insight_ports.TextShelf`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def unencoded(self, limit: int) -> list[tuple[bytes, str]]:
        query = sa.select(_X.text_key, _X.text).where(_X.vector.is_(None)).limit(limit)

        def work(connection: sa.Connection) -> list[tuple[bytes, str]]:
            return [(bytes(key), text) for key, text in connection.execute(query)]

        return await self._runner.run(work, readonly=True)

    async def save_vectors(self, model: str, rows: Sequence[tuple[bytes, bytes]]) -> None:
        statement = (
            sa.update(texts)
            .where(_X.text_key == sa.bindparam("this"))
            .values(model=model, vector=sa.bindparam("bytes", type_=sa.LargeBinary))
        )

        def work(connection: sa.Connection) -> None:
            connection.execute(statement, [{"this": key, "bytes": vector} for key, vector in rows])

        if rows:
            await self._runner.run(work, readonly=False)

    async def texts(self, model: str, unassigned: bool = False) -> list[TextRow]:
        said = sa.select(_T.text_key, sa.func.count().label("n")).where(_T.text_key.is_not(None))
        counts = said.group_by(_T.text_key).subquery()
        query = (
            sa.select(_X.text_key, _X.text, counts.c.n, _X.vector, _X.topic_id, _X.distance)
            .join(counts, counts.c.text_key == _X.text_key)
            .where(_X.model == model)
            .order_by(_X.text_key)
        )
        if unassigned:
            query = query.where(_X.topic_id.is_(None))

        def work(connection: sa.Connection) -> list[TextRow]:
            return [TextRow(bytes(r[0]), r[1], r[2], r[3], r[4], r[5]) for r in connection.execute(query)]

        return await self._runner.run(work, readonly=True)

    async def assign(self, rows: Sequence[tuple[bytes, int, float]]) -> None:
        statement = (
            sa.update(texts)
            .where(_X.text_key == sa.bindparam("this"))
            .values(topic_id=sa.bindparam("topic"), distance=sa.bindparam("far"))
        )

        def work(connection: sa.Connection) -> None:
            connection.execute(statement, [{"this": k, "topic": t, "far": d} for k, t, d in rows])

        if rows:
            await self._runner.run(work, readonly=False)

    async def cited(self, item_key: str, first: int, limit: int) -> list[Row]:
        """Answers about a service since the day ``first`` with what they cite, newest first."""
        query = (
            sa.select(_T.turn_id, _T.conversation_id, _T.at, _T.channel, _T.town, _T.cited, _X.text, _F.agreed_callback)
            .join(line_facts, line_facts.c.conversation_id == _T.conversation_id)
            .outerjoin(texts, texts.c.text_key == _T.text_key)
            .where(_T.item_key == item_key, _T.hour >= first * 100, _T.cited.is_not(None))
            .order_by(_T.hour.desc())
            .limit(limit)
        )
        return await rows_of(self._runner, query)


class SqlTopicShelf:
    """:class:`hotline.insight_ports.TopicShelf`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def topics(self) -> list[KeptTopic]:
        found = await rows_of(self._runner, sa.select(topics).order_by(topics.c.topic_id))
        return [
            KeptTopic(Topic.model_validate({k: v for k, v in row.items() if k != "centroid"}), bytes(row["centroid"]))
            for row in found
        ]

    async def save_topics(self, kept: Iterable[KeptTopic]) -> None:
        rows = [{**k.topic.model_dump(), "centroid": k.centroid} for k in kept]

        def work(connection: sa.Connection) -> None:
            replace(connection, topics, rows)

        await self._runner.run(work, readonly=False)

    async def recount(self, since: int | None = None) -> None:
        def work(connection: sa.Connection) -> None:
            recount_into(connection, since)

        await self._runner.run(work, readonly=False)

    async def topic_cells(self, span: Span, by: Sequence[str] = (), grain: Grain | None = None) -> list[Row]:
        def work(connection: sa.Connection) -> list[Row]:
            merged = dict(
                connection.execute(
                    sa.select(topics.c.topic_id, topics.c.merged_into).where(topics.c.merged_into.is_not(None))
                ).all()
            )
            t = topic_cells.c
            sums = [sa.func.sum(t.turns).label("turns"), sa.func.sum(t.people).label("people")]
            rows = span_sums(connection, topic_cells, sums, span, by, grain, by_line=True)
            return _together(rows, merged) if "topic_id" in by else rows

        return await self._runner.run(work, readonly=True)

    async def topic_turns(self, topic_id: int, town: str | None, first: datetime, last: datetime) -> list[Row]:
        query = (
            sa.select(
                _T.turn_id, _T.conversation_id, _T.at, _T.town, _T.outcome, _X.text_key, _X.text, _X.vector,
                _F.caller_key,
            )
            .join(texts, texts.c.text_key == _T.text_key)
            .outerjoin(line_facts, line_facts.c.conversation_id == _T.conversation_id)
            .where(
                sa.or_(
                    _X.topic_id == topic_id,
                    _X.topic_id.in_(sa.select(topics.c.topic_id).where(topics.c.merged_into == topic_id)),
                ),
                _T.hour.between(_hour(first), _hour(last)),
                _T.at.between(first, last),
                *([] if town is None else [_T.town == town]),
            )
            .order_by(_T.at)
            .limit(2000)
        )  # fmt: skip
        return await rows_of(self._runner, query)

    async def edit(self, topic_id: int, changes: dict[str, Any]) -> Topic:
        """``given_name``, ``pinned``, ``merged_into`` of one topic. Raises NotFoundError."""

        def work(connection: sa.Connection) -> None:
            done = connection.execute(sa.update(topics).where(topics.c.topic_id == topic_id).values(**changes))
            if done.rowcount != 1:
                raise NotFoundError("没有这个话题。")

        await self._runner.run(work, readonly=False)
        return next(k.topic for k in await self.topics() if k.topic.topic_id == topic_id)


class SqlMarks:
    """Small things to remember between runs."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def get(self, name: str) -> Any:
        found = await rows_of(self._runner, sa.select(marks.c.value).where(marks.c.name == name))
        return found[0]["value"] if found else None

    async def put(self, name: str, value: Any) -> None:
        def work(connection: sa.Connection) -> None:
            replace(connection, marks, [{"name": name, "value": value}])

        await self._runner.run(work, readonly=False)


def recount_into(connection: sa.Connection, since: int | None) -> None:
    """Topic cells from the turns there are: hours by town alone, days by every dimension, the line's days and
    months added up from those days. Cells of days whose turns were erased stay as they are."""
    t = topic_cells.c
    earliest = connection.execute(sa.select(sa.func.min(_T.hour))).scalar()
    if earliest is None:
        return
    since = max(since or 0, int(earliest) // 100)
    connection.execute(
        sa.delete(topic_cells).where(
            sa.or_(
                (t.grain == Grain.HOUR.value) & (t.bucket >= since * 100),
                t.grain.in_((LINE, Grain.DAY.value)) & (t.bucket >= since),
                (t.grain == Grain.MONTH.value) & (t.bucket >= since // 100),
            )
        )
    )
    star = sa.literal(ALL)
    day = sa.cast((_T.hour - _T.hour % 100) / 100, sa.Integer)
    for grain, bucket, others in ((Grain.HOUR, _T.hour, None), (Grain.DAY, day, (_T.channel, _T.area))):
        channel, area = others or (star, star)
        query = (
            sa.select(
                sa.literal(grain.value), bucket, _X.topic_id, channel, _T.town, area, sa.func.count(),
                sa.func.count(sa.distinct(sa.func.coalesce(_F.caller_key, _T.conversation_id))),
            )
            .join_from(turn_facts, texts, texts.c.text_key == _T.text_key)
            .outerjoin(line_facts, line_facts.c.conversation_id == _T.conversation_id)  # a work order has none
            .where(_X.topic_id.is_not(None), _T.hour >= since * 100)
            .group_by(bucket, _X.topic_id, _T.town, *(others or ()))
        )  # fmt: skip
        connection.execute(sa.insert(topic_cells).from_select(_CELL_NAMES, query))
    turns, people = sa.func.sum(t.turns), sa.func.sum(t.people)
    days = sa.select(
        sa.literal(LINE), t.bucket, t.topic_id, t.channel, star, star, turns, people
    ).where(t.grain == Grain.DAY.value, t.bucket >= since).group_by(t.bucket, t.topic_id, t.channel)  # fmt: skip
    connection.execute(sa.insert(topic_cells).from_select(_CELL_NAMES, days))
    month = sa.cast((t.bucket - t.bucket % 100) / 100, sa.Integer)
    months = (
        sa.select(sa.literal(Grain.MONTH.value), month, t.topic_id, t.channel, t.town, t.area, turns, people)
        .where(t.grain == Grain.DAY.value, t.bucket >= since // 100 * 100)
        .group_by(month, t.topic_id, t.channel, t.town, t.area)
    )
    connection.execute(sa.insert(topic_cells).from_select(_CELL_NAMES, months))


def _together(rows: list[Row], merged: dict[int, int]) -> list[Row]:
    """Rows of merged topics added to the topic that stands for them."""
    gathered: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        row = {**row, "topic_id": merged.get(row["topic_id"], row["topic_id"])}
        key = tuple(v for k, v in row.items() if k not in ("turns", "people"))
        known = gathered.setdefault(key, {**row, "turns": 0, "people": 0})
        known["turns"] += row["turns"]
        known["people"] += row["people"]
    return list(gathered.values())


def _hour(at: datetime) -> int:
    return bucket_of(at, Grain.HOUR)


async def rows_of(runner: Runner, query: sa.Select[Any]) -> list[Row]:
    def work(connection: sa.Connection) -> list[Row]:
        return [dict(row) for row in connection.execute(query).mappings()]

    return await runner.run(work, readonly=True)
