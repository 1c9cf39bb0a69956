"""The work orders as the gateway runs them: the service, and what goes on in the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from desk.work_orders.attachments import Attachments
from desk.work_orders.duplicates import WINDOW, Candidate, candidates
from desk.work_orders.hand_over import HandOvers
from desk.work_orders.service import WorkOrders
from desk.work_orders.sweep import sweep
from gateway.metrics import Metrics
from hotline.errors import ActionsDownError, HotlineError, NotFoundError
from hotline.work_order_ports import RequestTriage
from hotline.work_order_record import VersionConflictError

logger = logging.getLogger(__name__)

_SWEEP_EVERY_S = 60.0
_READ_EVERY_S = 30.0
_LOOK_AT_OUTBOX_EVERY_S = 30.0
_HAND_OVER = "hand over"
_LEAST_S = 0.05
_READER_IS_DOWN = 3


class RoundFailedError(HotlineError):
    """A round of the background work met an error that nobody foresaw; its traceback is in the log."""

    code = "round_failed"


@dataclass
class Orders:
    """``desk`` for the routes; :meth:`run` hands over, reads and sweeps until it is cancelled."""

    desk: WorkOrders
    hand_overs: HandOvers
    triage: RequestTriage
    attachments: Attachments
    metrics: Metrics
    now: Callable[[], datetime]
    troubles: dict[str, HotlineError] = field(default_factory=dict)
    """Which background work failed in its latest round, and why (``GET /api/v1/work-orders/outbox``)."""
    _woken: dict[str, asyncio.Event] = field(default_factory=dict)

    async def read_pending(self) -> int:
        """Reads what was not read yet → how many. Gives up where the reader seems to be down: the next
        round goes on. One that cannot be read must not keep the others waiting."""
        done = failed = 0
        for number in await self.desk.house.readings.unread():
            record = await self.desk.house.store.get(number)
            draft = record.draft
            try:
                reading = await self.triage.read(f"{draft.town or ''}{draft.place}，{draft.happened}".strip("，"))
                await self.desk.take_reading(number, reading)
            except ActionsDownError:
                failed += 1
                if failed >= _READER_IS_DOWN:
                    break
                continue
            except VersionConflictError:
                continue  # somebody works on it this very moment: the reading is kept all the same
            done += reading.vector is not None
        return done

    async def repeats_of(self, number: str) -> list[Candidate]:
        """Candidates for 并单. Raises NotFoundError where the order has not been read yet."""
        readings = await self.desk.house.readings.readings_since(
            (await self.desk.house.store.get(number)).created_at - WINDOW
        )
        mine = next((each for each in readings if each.number == number), None)
        if mine is None:
            raise NotFoundError("这张工单还没有读完，请过一会儿再看。")
        return candidates(mine, readings, most=20)

    async def run(self) -> None:
        """Never returns. A round that fails is logged, counted and tried again: nothing depends on one round."""
        await asyncio.gather(
            self._keep(_HAND_OVER, self._hand_over, self._until_next_hand_over_s),
            self._keep("read", self.read_pending, _after(_READ_EVERY_S)),
            self._keep("sweep", lambda: sweep(self.desk), _after(_SWEEP_EVERY_S)),
        )

    async def _hand_over(self) -> int:
        sent = await self.hand_overs.send_due()
        waiting = await self.desk.house.outbox.waiting()
        self.metrics.outbox.labels("waiting").set(sum(not each.refused for each in waiting))
        self.metrics.outbox.labels("refused").set(sum(each.refused for each in waiting))
        return sent

    async def _keep(
        self, name: str, round_: Callable[[], Awaitable[int]], wait_s: Callable[[], Awaitable[float]]
    ) -> None:
        woken = asyncio.Event()
        self._woken[name] = woken
        while True:
            woken.clear()
            try:
                await round_()
                self.troubles.pop(name, None)
            except HotlineError as error:
                logger.warning("work orders, %s: %s", name, error.code)
                self._failed(name, error)
            except Exception as error:  # a fault of ours: the other rounds must go on all the same
                logger.exception("work orders, %s", name)
                self._failed(name, RoundFailedError(f"工单后台「{name}」这一轮出错（{type(error).__name__}）。"))
            try:
                async with asyncio.timeout(await wait_s()):
                    await woken.wait()
            except TimeoutError:
                continue

    def _failed(self, name: str, error: HotlineError) -> None:
        self.troubles[name] = error
        self.metrics.order_rounds_failed.labels(name, error.code).inc()

    async def _until_next_hand_over_s(self) -> float:
        try:
            next_at = await self.hand_overs.next_at()
        except HotlineError as error:
            logger.warning("work orders, outbox: %s", error.code)
            return _LOOK_AT_OUTBOX_EVERY_S
        until = (next_at - self.now()).total_seconds() if next_at else _LOOK_AT_OUTBOX_EVERY_S
        return min(max(until, _LEAST_S), _LOOK_AT_OUTBOX_EVERY_S)

    def wake(self) -> None:
        """Something was filed."""
        for each in self._woken.values():
            each.set()

    def wake_hand_over(self) -> None:
        """Something was moved."""
        if woken := self._woken.get(_HAND_OVER):
            woken.set()


def _after(seconds: float) -> Callable[[], Awaitable[float]]:
    async def wait_s() -> float:
        return seconds

    return wait_s
