"""Alerts with their outbox, and known incidents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hotline.errors import NotFoundError
from hotline.insight_ports import Row
from hotline.insights import Alert, Grain, Incident
from storage.insight_tables import alerts, incidents, outbox, topic_cells, topics
from storage.insight_texts import rows_of
from storage.runner import Runner

SAME_ALERT_WITHIN = timedelta(hours=12)
_A, _O, _I = alerts.c, outbox.c, incidents.c


class SqlAlertBook:
    """:class:`hotline.insight_ports.AlertBook`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def hourly(self, first: int, last: int) -> list[tuple[int, int, str, int, int]]:
        t = topic_cells.c
        topic = sa.func.coalesce(topics.c.merged_into, t.topic_id)
        query = (
            sa.select(t.bucket, topic, t.town, sa.func.sum(t.turns), sa.func.sum(t.people))
            .select_from(topic_cells.outerjoin(topics, topics.c.topic_id == t.topic_id))
            .where(t.grain == Grain.HOUR.value, t.bucket.between(first, last))
            .group_by(t.bucket, topic, t.town)
        )

        def work(connection: sa.Connection) -> list[tuple[int, int, str, int, int]]:
            return [(int(h), int(t), str(w), int(n), int(p)) for h, t, w, n, p in connection.execute(query)]

        return await self._runner.run(work, readonly=True)

    async def raise_alert(self, alert: Alert, message: Mapping[str, Any]) -> Alert | None:
        same = (
            sa.select(alerts)
            .where(_A.topic_id == alert.topic_id, _A.town == alert.town, _A.at > alert.at - SAME_ALERT_WITHIN)
            .order_by(_A.at.desc())
            .limit(1)
            .with_for_update()
        )
        values = {**alert.model_dump(exclude={"alert_id"}), "series": [list(point) for point in alert.series]}

        def work(connection: sa.Connection) -> Alert | None:
            known = connection.execute(same).mappings().one_or_none()
            if known is not None:
                fresh = {k: values[k] for k in ("count", "people", "expected", "surprise", "evidence", "series")}
                connection.execute(sa.update(alerts).where(_A.alert_id == known["alert_id"]).values(**fresh))
                return None
            made = connection.execute(sa.insert(alerts).values(**values)).inserted_primary_key
            assert made is not None
            kept = alert.model_copy(update={"alert_id": int(made[0])})
            body = {**message, "alert_id": kept.alert_id}
            connection.execute(sa.insert(outbox).values(body=body, attempts=0, next_at=alert.at, last_error=""))
            return kept

        return await self._runner.run(work, readonly=False)

    async def alerts(self, first: datetime, last: datetime, after: int = 0, limit: int = 200) -> list[Alert]:
        query = sa.select(alerts).where(_A.at.between(first, last), _A.alert_id > after)
        rows = await rows_of(self._runner, query.order_by(_A.alert_id).limit(limit))
        return [Alert.model_validate(row) for row in rows]

    async def newest(
        self, first: datetime, last: datetime, town: str | None = None, before: int | None = None, limit: int = 200
    ) -> list[Alert]:
        query = sa.select(alerts).where(_A.at.between(first, last))
        if town is not None:
            query = query.where(_A.town == town)
        if before is not None:
            query = query.where(_A.alert_id < before)
        rows = await rows_of(self._runner, query.order_by(_A.alert_id.desc()).limit(limit))
        return [Alert.model_validate(row) for row in rows]

    async def settle(self, alert_id: int, state: str, incident_id: int | None = None) -> Alert:
        def work(connection: sa.Connection) -> Alert:
            values = {"state": state} if incident_id is None else {"state": state, "incident_id": incident_id}
            connection.execute(sa.update(alerts).where(_A.alert_id == alert_id).values(**values))
            row = connection.execute(sa.select(alerts).where(_A.alert_id == alert_id)).mappings().one_or_none()
            if row is None:
                raise NotFoundError("没有这条预警。")
            return Alert.model_validate(dict(row))

        return await self._runner.run(work, readonly=False)


class SqlOutbox:
    """:class:`hotline.insight_ports.Outbox`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def due(self, at: datetime, limit: int = 20) -> list[Row]:
        query = sa.select(_O.message_id, _O.body, _O.attempts).where(_O.delivered_at.is_(None), _O.next_at <= at)
        return await rows_of(self._runner, query.order_by(_O.message_id).limit(limit))

    async def delivered(self, message_id: int, at: datetime) -> None:
        await self._set(message_id, delivered_at=at, next_at=None, attempts=_O.attempts + 1)

    async def failed(self, message_id: int, error: str, next_at: datetime | None) -> None:
        await self._set(message_id, last_error=error[:300], next_at=next_at, attempts=_O.attempts + 1)

    async def _set(self, message_id: int, **values: Any) -> None:
        statement = sa.update(outbox).where(_O.message_id == message_id).values(**values)

        def work(connection: sa.Connection) -> None:
            connection.execute(statement)

        await self._runner.run(work, readonly=False)


class SqlIncidents:
    """:class:`hotline.insight_ports.KnownIncidents`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def add(self, incident: Incident) -> Incident:
        values = incident.model_dump(exclude={"incident_id"})

        def work(connection: sa.Connection) -> Incident:
            if incident.reference is not None:
                same = _I.reference == incident.reference
                if connection.execute(sa.update(incidents).where(same).values(**values)).rowcount:
                    known = connection.execute(sa.select(_I.incident_id).where(same)).scalar_one()
                    return incident.model_copy(update={"incident_id": int(known)})
            made = connection.execute(sa.insert(incidents).values(**values)).inserted_primary_key
            assert made is not None
            return incident.model_copy(update={"incident_id": int(made[0])})

        return await self._runner.run(work, readonly=False)

    async def current(self, at: datetime) -> list[Incident]:
        query = sa.select(incidents).where(_I.valid_from <= at, _I.valid_until > at, _I.withdrawn.is_(False))
        return [Incident.model_validate(row) for row in await rows_of(self._runner, query.order_by(_I.incident_id))]

    async def listed(self, limit: int = 200) -> list[Incident]:
        rows = await rows_of(self._runner, sa.select(incidents).order_by(_I.incident_id.desc()).limit(limit))
        return [Incident.model_validate(row) for row in rows]

    async def withdraw(self, incident_id: int, by: str) -> Incident:
        def work(connection: sa.Connection) -> Incident:
            connection.execute(sa.update(incidents).where(_I.incident_id == incident_id).values(withdrawn=True, by=by))
            row = connection.execute(sa.select(incidents).where(_I.incident_id == incident_id)).mappings().one_or_none()
            if row is None:
                raise NotFoundError("没有这条已知事件。")
            return Incident.model_validate(dict(row))

        return await self._runner.run(work, readonly=False)


class MemoryIncidents:
    """:class:`hotline.insight_ports.KnownIncidents` in memory: for the actions and for tests."""

    def __init__(self) -> None:
        self._kept: dict[int, Incident] = {}

    async def add(self, incident: Incident) -> Incident:
        same = (i for i in self._kept.values() if i.reference is not None and i.reference == incident.reference)
        known = next(same, None)
        kept = incident.model_copy(update={"incident_id": known.incident_id if known else len(self._kept) + 1})
        self._kept[kept.incident_id] = kept
        return kept

    async def current(self, at: datetime) -> list[Incident]:
        at = at.astimezone(UTC)
        return [i for i in self._kept.values() if i.valid_from <= at < i.valid_until and not i.withdrawn]

    async def listed(self, limit: int = 200) -> list[Incident]:
        return sorted(self._kept.values(), key=lambda i: -i.incident_id)[:limit]

    async def withdraw(self, incident_id: int, by: str) -> Incident:
        if incident_id not in self._kept:
            raise NotFoundError("没有这条已知事件。")
        self._kept[incident_id] = self._kept[incident_id].model_copy(update={"withdrawn": True, "by": by})
        return self._kept[incident_id]
