"""Knowledge gaps: groups of texts that say the same, and the turns of each month packed for the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from hotline.insights import GapGroup, GapMonth, GapTurn, Grain, bucket_of
from storage.insight_facts import CHUNK, replace, text_key
from storage.insight_memory import InsightMemory
from storage.insight_tables import gap_groups, gap_months, line_facts, texts, turn_facts
from storage.runner import Runner

_G, _M, _T, _X, _F = gap_groups.c, gap_months.c, turn_facts.c, texts.c, line_facts.c


class SqlGapBook:
    """:class:`hotline.insight_ports.GapBook`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def months(self, first: int = 0, last: int = 999912) -> list[GapMonth]:
        query = sa.select(gap_months).where(_M.month.between(first, last)).order_by(_M.month)

        def work(connection: sa.Connection) -> list[GapMonth]:
            return [GapMonth(*row) for row in connection.execute(query)]

        return await self._runner.run(work, readonly=True)

    async def stale(self) -> list[GapMonth]:
        columns = (_M.month, _M.changes, _M.counted, _M.names, sa.null(), _M.at)
        query = sa.select(*columns).where(_M.changes > _M.counted).order_by(_M.month)

        def work(connection: sa.Connection) -> list[GapMonth]:
            return [GapMonth(*row) for row in connection.execute(query)]

        return await self._runner.run(work, readonly=True)

    async def turns(self, month: int) -> list[GapTurn]:
        query = (
            sa.select(
                _T.hour, _T.gap, _T.channel, _T.town, _T.area, sa.func.coalesce(_F.department, ""),
                sa.func.coalesce(_F.caller_key, _T.conversation_id), _T.item_key, _T.text_key, _X.gap_group,
                _X.vector.is_not(None),
            )
            .join(texts, _X.text_key == _T.text_key)
            .outerjoin(line_facts, _F.conversation_id == _T.conversation_id)
            .where(_T.gap.is_not(None), _T.hour.between(month * 10000, month * 10000 + 9999))
            .order_by(_T.hour, _T.turn_id)
        )  # fmt: skip

        def work(connection: sa.Connection) -> list[GapTurn]:
            return [
                GapTurn(hour // 100, gap, channel, town, area, department, who, item, bytes(key), group, bool(encoded))
                for hour, gap, channel, town, area, department, who, item, key, group, encoded in connection.execute(query)
            ]  # fmt: skip

        return await self._runner.run(work, readonly=True)

    async def vectors(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        return {key: bytes(vector) for key, vector in await self._of(_X.vector, keys)}

    async def texts(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        return dict(await self._of(_X.text, keys))

    async def _of(self, column: sa.ColumnElement[Any], keys: Sequence[bytes]) -> list[tuple[bytes, Any]]:
        def work(connection: sa.Connection) -> list[tuple[bytes, Any]]:
            found: list[tuple[bytes, Any]] = []
            for start in range(0, len(keys), CHUNK):
                some = _X.text_key.in_(keys[start : start + CHUNK])
                query = sa.select(_X.text_key, column).where(some, column.is_not(None))
                found += [(bytes(key), value) for key, value in connection.execute(query)]
            return found

        return await self._runner.run(work, readonly=True)

    async def groups(self, ids: Sequence[int] | None = None) -> list[GapGroup]:
        query = sa.select(gap_groups).order_by(_G.group_id)
        if ids is not None:
            query = query.where(_G.group_id.in_(ids))

        def work(connection: sa.Connection) -> list[GapGroup]:
            return [GapGroup(**row) for row in connection.execute(query).mappings()]

        return await self._runner.run(work, readonly=True)

    async def keep(
        self,
        seen: int,
        groups: Sequence[GapGroup],
        assigned: Mapping[bytes, int],
        months: Sequence[GapMonth],
        anew: bool = False,
    ) -> bool:
        assign = sa.update(texts).where(_X.text_key == sa.bindparam("this")).values(gap_group=sa.bindparam("group"))
        count = (
            sa.update(gap_months)
            .where(_M.month == sa.bindparam("this"))
            .values(counted=sa.bindparam("so_far"), names=sa.bindparam("named", type_=sa.JSON), packed=sa.bindparam("bytes", type_=sa.LargeBinary), at=sa.bindparam("when", type_=_M.at.type))
        )  # fmt: skip

        def work(connection: sa.Connection) -> bool:
            if (connection.execute(sa.select(sa.func.max(_G.group_id))).scalar() or 0) != seen:
                return False
            if anew:
                connection.execute(sa.delete(gap_groups))
            replace(connection, gap_groups, [group._asdict() for group in groups])
            if assigned:
                connection.execute(assign, [{"this": key, "group": group} for key, group in assigned.items()])
            if months:
                connection.execute(
                    count,
                    [
                        {"this": m.month, "so_far": m.counted, "named": m.names, "bytes": m.packed, "when": m.at}
                        for m in months
                    ],
                )
            return True

        return await self._runner.run(work, readonly=False)


class MemoryGapBook:
    """:class:`hotline.insight_ports.GapBook` in memory."""

    def __init__(self, memory: InsightMemory) -> None:
        self._memory = memory
        self._groups: dict[int, GapGroup] = {}
        self._of_text: dict[bytes, int] = {}
        self._packed: dict[int, GapMonth] = {}

    async def months(self, first: int = 0, last: int = 999912) -> list[GapMonth]:
        changes = self._memory.gap_changes
        return [self._month(month, changes[month]) for month in sorted(changes) if first <= month <= last]

    def _month(self, month: int, changes: int) -> GapMonth:
        known = self._packed.get(month) or GapMonth(month, 0, 0, {}, None, None)
        return known._replace(changes=changes)

    async def stale(self) -> list[GapMonth]:
        return [m._replace(packed=None) for m in await self.months() if m.changes > m.counted]

    async def turns(self, month: int) -> list[GapTurn]:
        found = []
        for turn in self._memory.turns.values():
            if not turn.gap or not turn.text or bucket_of(turn.at, Grain.MONTH) != month:
                continue
            key, facts = text_key(turn.text), self._memory.facts.get(turn.conversation_id)
            at = (bucket_of(turn.at, Grain.HOUR), turn.turn_id)
            row = GapTurn(
                at[0] // 100, turn.gap, turn.channel, turn.town, turn.area, facts.department if facts else "",
                self._memory.who(turn), turn.item_key, key, self._of_text.get(key),
                self._memory.texts[key]["vector"] is not None,
            )  # fmt: skip
            found.append((at, row))
        return [row for _, row in sorted(found, key=lambda pair: pair[0])]

    async def vectors(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        known = ((key, self._memory.texts.get(key)) for key in keys)
        return {key: row["vector"] for key, row in known if row and row["vector"] is not None}

    async def texts(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        return {key: self._memory.texts[key]["text"] for key in keys if key in self._memory.texts}

    async def groups(self, ids: Sequence[int] | None = None) -> list[GapGroup]:
        return [self._groups[n] for n in sorted(self._groups) if ids is None or n in ids]

    async def keep(
        self,
        seen: int,
        groups: Sequence[GapGroup],
        assigned: Mapping[bytes, int],
        months: Sequence[GapMonth],
        anew: bool = False,
    ) -> bool:
        if max(self._groups, default=0) != seen:
            return False
        if anew:
            self._groups = {}
        self._groups |= {group.group_id: group for group in groups}
        self._of_text |= assigned
        self._packed |= {month.month: month for month in months}
        return True
