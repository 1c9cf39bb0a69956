"""The conversations behind a figure. Cells say on which days there are any, so that what happened seldom is
found without reading a year; the days are read newest first, until a page is full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from hotline.insight_ports import Behind, Row
from hotline.insights import LOCAL, MEASURES, Grain, Span, day_bucket, day_of
from storage.insight_tables import LINE, agent_cells, cells, line_facts, texts, topic_cells, topics, turn_facts

_F, _T, _C, _A, _Q = line_facts.c, turn_facts.c, cells.c, agent_cells.c, topic_cells.c
_SHOWN = [c for c in _F if c.name not in ("caller_key", "seq", "day")]
_WINDOW_DAYS = 14  # of cells looked through first; each further window is four times as long
_ONE_DAY = timedelta(days=1)


def conversations_behind(
    connection: sa.Connection, span: Span, measure: str | None, limit: int, offset: int, about: Behind
) -> list[Row]:
    """Newest first. Raises ValueError for a measure there is not."""
    wanted = named_measures(measure)
    query = sa.select(*_SHOWN).where(*(_F[name] == value for name, value in span.filters.items()))
    if wanted:
        query = query.where(sa.or_(*(_F.measures[name].as_float() > 0 for name in wanted)))
    if about.agent is not None:
        query = query.where(_F.agent == about.agent)
    query = query.order_by(_F.day.desc(), _F.started_at.desc())
    found: list[Row] = []
    for days in _days(connection, span, wanted, about, limit + offset):
        some = query.where(*_on(days, span, about)).limit(limit + offset - len(found))
        found += [dict(row) for row in connection.execute(some).mappings()]
        if len(found) >= limit + offset:
            break
    return found[offset:]


def named_measures(measure: str | None) -> list[str]:
    """Measures named with commas. Raises ValueError for one there is not."""
    wanted = measure.split(",") if measure else []
    if not set(wanted) <= set(MEASURES):
        raise ValueError(measure)
    return wanted


def _days(
    connection: sa.Connection, span: Span, wanted: Sequence[str], about: Behind, needed: int
) -> Iterator[list[date]]:
    """Days on which there is something, newest first, about as many at once as hold ``needed``."""
    last, length, fewest = span.last, _WINDOW_DAYS, 1
    while last >= span.first:
        window = span.model_copy(update={"first": max(span.first, last - timedelta(days=length - 1)), "last": last})
        some: list[date] = []
        amount = 0.0
        for day, counted in sorted(_counted(connection, window, wanted, about).items(), reverse=True):
            some.append(day)
            amount += counted
            if amount >= needed and len(some) >= fewest:
                yield some
                # What was counted may be seconds, or have been erased: then more days than that are read.
                some, amount, fewest = [], 0.0, 2 * fewest
        if some:
            yield some
        last, length = window.first - _ONE_DAY, 4 * length


def _counted(connection: sa.Connection, span: Span, wanted: Sequence[str], about: Behind) -> dict[date, float]:
    """How much was counted by day, where it is anything."""
    amount = sum((sa.func.sum(_C[name]) for name in wanted or ("conversations",)), sa.literal(0.0))
    days = [span.first + n * _ONE_DAY for n in range(span.days)]
    plain = set(span.filters) <= {"channel"}
    if about.hour_of_week is not None:
        weekday, hour = divmod(about.hour_of_week, 24)
        days = [day for day in days if day.weekday() == weekday]
    if not days:
        return {}
    if about.hour_of_week is not None and plain:
        part = (_C.grain == Grain.HOUR.value) & _C.bucket.in_([day_bucket(day) * 100 + hour for day in days])
    else:
        buckets = _C.bucket.between(day_bucket(days[0]), day_bucket(days[-1]))
        part = (_C.grain == (LINE if plain else Grain.DAY.value)) & buckets
    query = sa.select(_C.bucket, amount).where(part, *(_C[name] == value for name, value in span.filters.items()))
    found = {day_of(int(bucket)): float(n) for bucket, n in connection.execute(query.group_by(_C.bucket)) if n > 0}
    found = {day: found[day] for day in days if day in found}
    for others in (_taken(connection, span, about), _spoken_of(connection, span, about)):
        if others is not None:
            found = {day: min(n, others[day]) for day, n in found.items() if day in others}
    return found


def _taken(connection: sa.Connection, span: Span, about: Behind) -> Mapping[date, float] | None:
    """How many conversations the agent took by day; None where nobody asks."""
    if about.agent is None:
        return None
    within = _A.bucket.between(day_bucket(span.first), day_bucket(span.last))
    query = sa.select(_A.bucket, _A.taken).where(within, _A.agent == about.agent, _A.taken > 0)
    return {day_of(int(bucket)): float(n) for bucket, n in connection.execute(query)}


def _spoken_of(connection: sa.Connection, span: Span, about: Behind) -> Mapping[date, float] | None:
    """How many turns speak of the topic by the day on which their conversation may have begun."""
    if about.topic_id is None or about.first is not None:  # an alert's hours are few as they are
        return None
    buckets = _Q.bucket.between(day_bucket(span.first), day_bucket(span.last + _ONE_DAY))
    query = (
        sa.select(_Q.bucket, sa.func.sum(_Q.turns))
        .where(_Q.grain == LINE, buckets, _Q.topic_id.in_(_topics(connection, about.topic_id)))
        .group_by(_Q.bucket)
    )
    days: dict[date, float] = {}
    for bucket, turns in connection.execute(query):
        day = day_of(int(bucket))
        for began in (day, day - _ONE_DAY):  # before midnight, and spoken of after it
            days[began] = days.get(began, 0.0) + float(turns) * (began == day)
    return days


def _topics(connection: sa.Connection, topic_id: int) -> list[int]:
    """The topic and those merged into it."""
    merged = sa.select(topics.c.topic_id).where(topics.c.merged_into == topic_id)
    return [topic_id, *connection.execute(merged).scalars()]


def _on(days: Sequence[date], span: Span, about: Behind) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [_F.day.in_([day_bucket(day) for day in days])]
    if about.hour_of_week is not None:
        # As spans of time: what hour a moment has on the local clock, each database says in its own way.
        begins = [datetime.combine(day, time(about.hour_of_week % 24), LOCAL) for day in days]
        hours = [(at, at + timedelta(hours=1)) for at in begins]
        found.append(sa.or_(*(sa.and_(_F.started_at >= at, _F.started_at < end) for at, end in hours)))
    if about.topic_id is not None:
        merged = sa.select(topics.c.topic_id).where(topics.c.merged_into == about.topic_id)
        latest = min(span.last, max(days) + _ONE_DAY)
        within: list[sa.ColumnElement[bool]] = [
            _T.hour.between(day_bucket(min(days)) * 100, day_bucket(latest) * 100 + 23)
        ]
        if about.first is not None and about.last is not None:
            within.append(_T.at.between(about.first, about.last))
        if span.town is not None:
            within.append(_T.town == span.town)
        said = (
            sa.select(_T.conversation_id)
            .join(texts, texts.c.text_key == _T.text_key)
            .where(sa.or_(texts.c.topic_id == about.topic_id, texts.c.topic_id.in_(merged)), *within)
        )
        found.append(_F.conversation_id.in_(said))
    return found
