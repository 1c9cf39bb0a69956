"""Screens on walls that may read the wall's figures."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from hotline.errors import NotFoundError
from hotline.insights import Display
from storage.insight_tables import displays
from storage.insight_texts import rows_of
from storage.runner import Runner

_D = displays.c
_SHOWN = [column for column in displays.c if column.name != "code_hash"]


class SqlDisplayBook:
    """:class:`hotline.insight_ports.DisplayBook`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def add(self, display: Display, code_hash: str) -> Display:
        values = {**display.model_dump(exclude={"display_id"}), "code_hash": code_hash}

        def work(connection: sa.Connection) -> int:
            return int(connection.execute(sa.insert(displays).returning(_D.display_id), values).scalar_one())

        return display.model_copy(update={"display_id": await self._runner.run(work, readonly=False)})

    async def of_code(self, code_hash: str) -> Display | None:
        rows = await rows_of(self._runner, sa.select(*_SHOWN).where(_D.code_hash == code_hash))
        return Display.model_validate(rows[0]) if rows else None

    async def displays(self) -> list[Display]:
        rows = await rows_of(self._runner, sa.select(*_SHOWN).order_by(_D.display_id.desc()))
        return [Display.model_validate(row) for row in rows]

    async def revoke(self, display_id: int, by: str, at: datetime) -> Display:
        mine = _D.display_id == display_id

        def work(connection: sa.Connection) -> Display:
            revoking = sa.update(displays).where(mine, _D.revoked_at.is_(None)).values(revoked_at=at, revoked_by=by)
            connection.execute(revoking)
            row = connection.execute(sa.select(*_SHOWN).where(mine)).mappings().one_or_none()
            if row is None:
                raise NotFoundError("没有这块屏幕。")
            return Display.model_validate(dict(row))

        return await self._runner.run(work, readonly=False)

    async def seen(self, display_id: int, at: datetime) -> None:
        seen = sa.update(displays).where(_D.display_id == display_id).values(last_seen_at=at)
        await self._runner.run(lambda connection: connection.execute(seen), readonly=False)


class MemoryDisplayBook:
    """:class:`hotline.insight_ports.DisplayBook` in memory."""

    def __init__(self) -> None:
        self._kept: dict[int, Display] = {}
        self._codes: dict[str, int] = {}

    async def add(self, display: Display, code_hash: str) -> Display:
        kept = display.model_copy(update={"display_id": len(self._kept) + 1})
        self._kept[kept.display_id] = kept
        self._codes[code_hash] = kept.display_id
        return kept

    async def of_code(self, code_hash: str) -> Display | None:
        number = self._codes.get(code_hash)
        return None if number is None else self._kept[number]

    async def displays(self) -> list[Display]:
        return [self._kept[number] for number in sorted(self._kept, reverse=True)]

    async def revoke(self, display_id: int, by: str, at: datetime) -> Display:
        if display_id not in self._kept:
            raise NotFoundError("没有这块屏幕。")
        kept = self._kept[display_id]
        if kept.revoked_at is None:
            self._kept[display_id] = kept.model_copy(update={"revoked_at": at, "revoked_by": by})
        return self._kept[display_id]

    async def seen(self, display_id: int, at: datetime) -> None:
        self._kept[display_id] = self._kept[display_id].model_copy(update={"last_seen_at": at})
