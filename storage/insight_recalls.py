"""Who was put on the agents' list because an answer they were given has turned out wrong."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from hotline.insights import Recalled
from storage.insight_facts import upsert
from storage.insight_tables import recalls
from storage.insight_texts import rows_of
from storage.runner import Runner

_R = recalls.c


class SqlRecallBook:
    """:class:`hotline.insight_ports.RecallBook`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def recalled(self, item_key: str, version: str) -> list[Recalled]:
        query = sa.select(recalls).where(_R.item_key == item_key, _R.version == version).order_by(_R.conversation_id)
        return [Recalled(**row) for row in await rows_of(self._runner, query)]

    async def keep(self, recalled: Sequence[Recalled]) -> None:
        def work(connection: sa.Connection) -> None:
            statement = upsert(connection, recalls).on_conflict_do_nothing()
            connection.execute(statement, [each._asdict() for each in recalled])

        if recalled:
            await self._runner.run(work, readonly=False)


class MemoryRecallBook:
    """:class:`hotline.insight_ports.RecallBook` in memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], Recalled] = {}

    async def recalled(self, item_key: str, version: str) -> list[Recalled]:
        return [each for key, each in sorted(self._kept.items()) if key[1:] == (item_key, version)]

    async def keep(self, recalled: Sequence[Recalled]) -> None:
        for each in recalled:
            self._kept.setdefault((each.conversation_id, each.item_key, each.version), each)
