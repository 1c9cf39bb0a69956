"""What runs behind the line for its statistics: counting, vectors, topics, warnings, the webhook.

A process of its own, at the lowest priority, so that no turn waits for it. Everything it does may be
broken off at any moment and done again.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from gateway.insight_parts import InsightParts, mean_of, now
from hotline.errors import HotlineError
from hotline.insights import LOCAL, ServicePlace
from hotline.settings import Settings
from hotline.work_order_ports import WorkOrderStore
from insights.gap_keeping import GapKeeper
from insights.orders import order_facts, order_text
from insights.reading import Reader
from insights.topics.keeping import Run, TopicKeeper
from insights.topics.vectors import TextEncoder
from insights.topics.words import WordCutter
from insights.warning import Rule, Watch
from insights.webhook import Courier
from knowledge_base.catalogue import Catalogue, load_catalogue
from knowledge_base.said import SaidReader
from knowledge_base.text_vectors import PairEncoder
from ops.progress import say
from ops.proposals import Evaluator
from ops.topics import service_words
from storage.migrations import upgrade
from storage.seal import RowSeal
from storage.work_orders_sql import SqlWorkOrders

logger = logging.getLogger(__name__)
_BATCH = 200
_START_AFTER_S = 30.0  # the line comes up first


def places_of(catalogue: Catalogue) -> dict[str, ServicePlace]:
    return {item.key: ServicePlace(item.area, item.department) for item in catalogue.items.values()}


@dataclass
class Behind:
    """The parts of the work behind the line. ``clock`` gives the moment."""

    settings: Settings
    parts: InsightParts
    reader: Reader
    keeper: TopicKeeper
    gaps: GapKeeper
    watch: Watch
    courier: Courier
    clock: Callable[[], datetime] = now
    _encoder: TextEncoder | None = None
    _work_orders: WorkOrderStore | None = None

    @classmethod
    def make(cls, settings: Settings, client: httpx.AsyncClient, encoder: TextEncoder | None = None) -> Behind:
        catalogue = load_catalogue()
        parts = InsightParts.make(settings)
        cutter = WordCutter(service_words())
        return cls(
            settings, parts, Reader(places_of(catalogue), SaidReader(catalogue).look),
            TopicKeeper(parts.texts, parts.topics, parts.marks, PairEncoder.name, PairEncoder.blocks, cutter, now),
            GapKeeper(parts.gap_book, cutter, PairEncoder.blocks, settings.insights_k, mean_of(parts.marks), now),
            Watch(parts.alerts, parts.topics, cutter, PairEncoder.blocks, Rule(least=settings.insights_k)),
            Courier(parts.outbox, client, settings.insights_webhook_url, settings.insights_webhook_secret),
            _encoder=encoder,
        )  # fmt: skip

    async def catch_up(self) -> int:
        """Counts what happened since the last time; returns how many conversations."""
        counted = 0
        while batch := await self.parts.facts.uncounted(_BATCH):
            await self.parts.facts.count([self.reader.read(talk) for talk in batch])
            counted += len(batch)
        return counted

    async def count_orders(self) -> int:
        """Counts the work orders that changed since the last time; returns how many."""
        counted = 0
        while numbers := await self.parts.orders.uncounted_orders(_BATCH):
            store = self._work_orders = self._work_orders or SqlWorkOrders(
                self.parts.runner, RowSeal.in_folder(self.settings.data_dir)
            )
            records = [await store.get(number) for number in numbers]
            facts = [order_facts(record, await store.history(record.number)) for record in records]
            told = [text for record in records if (text := order_text(record, self.reader.look)) is not None]
            await self.parts.orders.count_orders(facts, told)
            counted += len(facts)
        return counted

    async def encode(self) -> int:
        """Vectors for texts that have none; returns how many."""
        if self._encoder is None:
            if not await self.parts.texts.unencoded(1):
                return 0  # 250 MB are not loaded for nothing
            self._encoder = await asyncio.to_thread(PairEncoder)
        done = 0
        while some := await self.keeper.encode_new(self._encoder, _BATCH):
            done += some
        return done

    async def round(self) -> dict[str, int]:
        """One round: count, encode, give new texts their topics, look for bursts, deliver."""
        counted, encoded = await self.catch_up(), await self.encode()
        await self.parts.duty.count_duty(self.clock())
        alerts: list[Any] = []
        if counted and await self.parts.topics.topics():
            await self.keeper.night(cluster_pool=False)
            alerts = await self.watch.look(self.clock(), await mean_of(self.parts.marks)())
        gaps = await self.gaps.refresh()
        delivered = await self.courier.deliver(self.clock())
        orders = await self.count_orders()
        return {
            "counted": counted, "encoded": encoded, "alerts": len(alerts), "delivered": delivered, "orders": orders,
            "gap_months": gaps,
        }  # fmt: skip

    async def night(self, whole: bool = False) -> Run:
        """The night's topics and gaps; the topics anew where ``whole`` or where the last time is long ago."""
        await self.catch_up()
        await self.encode()
        last = await self.parts.marks.get("whole_run_at")
        due = last is None or datetime.fromisoformat(last) < self.clock() - timedelta(
            days=self.settings.insights_whole_run_days
        )
        if whole or due:
            run = await self.keeper.whole_run()
            await self.parts.marks.put("whole_run_at", self.clock().isoformat())
        else:
            run = await self.keeper.night()
        await self.gaps.regroup()
        return run

    async def evaluate_next(self) -> int:
        """Evaluates the proposal that has waited longest for it; its number, 0 where none waits."""
        waiting = [p for p in await self.parts.proposals.proposals("approved") if p.evaluation.get("state") == "queued"]
        if not waiting:
            return 0
        number = min(waiting, key=lambda p: str(p.evaluation.get("at"))).proposal_id
        await Evaluator.of(self.settings, self.parts.proposals).evaluate(number)
        return number

    async def queue_again(self) -> None:
        """What was under way when this process ended is begun anew."""
        for proposal in await self.parts.proposals.proposals("approved"):
            if proposal.evaluation.get("state") == "running":
                again = {"state": "queued", "at": self.clock().isoformat()}
                await self.parts.proposals.attach(proposal.proposal_id, again)

    async def close(self) -> None:
        await self.parts.close()


async def work(settings: Settings) -> None:
    """Rounds until told to stop; a night's run at the hour set. A failed round is told and tried again."""
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await _pause(stop, min(_START_AFTER_S, settings.insights_every_s))
    if stop.is_set():
        return
    await upgrade(settings.effective_database_url)
    async with httpx.AsyncClient(timeout=10.0, trust_env=False) as client:
        behind = await asyncio.to_thread(Behind.make, settings, client)
        if await behind.parts.is_demo():
            logger.warning("the database is marked as generated: its figures are nobody's")
        last_night: Any = None
        await behind.queue_again()
        evaluating = asyncio.create_task(_evaluate(behind, settings.insights_every_s))
        try:
            while not stop.is_set():
                try:
                    done = await behind.round()
                    if any(done.values()):
                        logger.info("round: %s", done)
                    local = datetime.now(UTC).astimezone(LOCAL)
                    if local.hour == settings.insights_night_hour and last_night != local.date():
                        last_night = local.date()
                        logger.info("night: %s", (await behind.night()).as_json())
                except HotlineError as error:
                    logger.warning("round not finished: %s", error.detail)
                await _pause(stop, settings.insights_every_s)
        finally:
            evaluating.cancel()
            await asyncio.gather(evaluating, return_exceptions=True)
            await behind.close()


async def _evaluate(behind: Behind, every_s: float) -> None:
    """Proposals one after the other, beside the rounds: one takes a quarter of an hour and more."""
    while True:
        try:
            done = await behind.evaluate_next()
            if done:
                logger.info("proposal %s evaluated", done)
                continue
        except HotlineError as error:
            logger.warning("proposal not evaluated: %s", error.detail)
        except Exception as error:
            # It stands with the proposal; the next one must still be evaluated.
            logger.exception("proposal not evaluated: %s", type(error).__name__)
        await asyncio.sleep(every_s)


def once(what: str) -> dict[str, Any]:
    """One ``round``, one ``night``, or a night with everything anew (``whole``); for the console."""

    async def run() -> dict[str, Any]:
        settings = Settings()
        await upgrade(settings.effective_database_url)
        async with httpx.AsyncClient(timeout=10.0, trust_env=False) as client:
            behind = Behind.make(settings, client)
            try:
                if what == "round":
                    return dict(await behind.round())
                return (await behind.night(whole=what == "whole")).as_json()
            finally:
                await behind.close()

    return asyncio.run(run())


def evaluate_now(proposal_id: int) -> dict[str, Any]:
    """``bin/hotline proposals evaluate``: what the evaluation came to, progress on the terminal."""

    async def tell(words: str) -> None:
        say(words)

    async def run() -> dict[str, Any]:
        settings = Settings()
        await upgrade(settings.effective_database_url)
        parts = InsightParts.make(settings)
        try:
            done = await Evaluator.of(settings, parts.proposals).evaluate(proposal_id, tell)
            return dict(done.evaluation)
        finally:
            await parts.close()

    return asyncio.run(run())


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(work(Settings()))


if __name__ == "__main__":
    main()
