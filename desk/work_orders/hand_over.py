"""Hands work orders over to the data hub, and tells it every later move: nothing lost while it is down,
each once, an order's moves in their order.

An order, or a move of it, and its place in the outbox are stored in one transaction before anybody gets
an answer. The receipt's number is the idempotency key at the hub, a move's is its line in the history, so
a message sent again after a crash, or after an answer that never came, makes nothing new there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from desk.work_orders.effects import TOLD_TO_CITIZEN
from hotline.errors import BadInputError, HubDownError
from hotline.privacy import mask_text
from hotline.work_order_flow import Party
from hotline.work_order_ports import WorkOrderHub, WorkOrderOutbox, WorkOrderStore
from hotline.work_order_record import HandOver, HistoryEntry, ToldMove, WorkOrderRecord
from hotline.work_orders import WorkOrderDraft

logger = logging.getLogger(__name__)

_TOLD = frozenset(move.value for move in TOLD_TO_CITIZEN)
BACKOFF_S = (2, 5, 15, 60, 300)
"""Waits after the first, second … failure; the last one goes on for ever."""


class HandOvers:
    def __init__(
        self,
        store: WorkOrderStore,
        outbox: WorkOrderOutbox,
        hub: WorkOrderHub,
        now: Callable[[], datetime],
        tell_moves: bool = True,
    ) -> None:
        """``tell_moves`` False: for a hub that takes new orders and no later moves."""
        self._store = store
        self._outbox = outbox
        self._hub = hub
        self._now = now
        self._tell_moves = tell_moves

    async def send_due(self) -> int:
        """Sends what is due, oldest first → of how many orders the hub now knows everything. A hub that is
        down is not asked again for each order: the first failure puts all of the round off. What it
        refuses of one order holds up that order alone."""
        sent = 0
        due = await self._outbox.due(self._now())
        for place, hand_over in enumerate(due):
            try:
                sent += await self._send(hand_over.number)
            except BadInputError as error:
                logger.error("the hub refused work order %s: %s", hand_over.number, error.code)
                await self._outbox.put_off(self._failed(hand_over, error.detail, refused=True))
            except HubDownError as error:
                failed = self._failed(hand_over, error.code)
                await self._outbox.put_off(failed)
                for other in due[place + 1 :]:
                    await self._outbox.put_off(other.model_copy(update={"next_at": failed.next_at}))
                return sent
        return sent

    async def _send(self, number: str) -> bool:
        """Everything that the hub does not know of one order → whether nothing new came meanwhile."""
        record = await self._store.get(number)
        hub_number = record.hub_number
        if hub_number is None:
            hub_number = (await self._hub.file_request(for_hub(record), number)).number
            await self._outbox.filed(number, hub_number, self._line(record, hub_number))
        if self._tell_moves:
            for line in await self._outbox.untold(number):
                await self._hub.tell_move(hub_number, told_move(line, record.confidential))
                await self._outbox.told(number, line.seq)
        return await self._outbox.done(number, all_told=self._tell_moves)

    async def retry_now(self) -> None:
        """Everything that waits, also the refused, is due again: somebody has put it right."""
        for hand_over in await self._outbox.waiting():
            await self._outbox.put_off(hand_over.model_copy(update={"next_at": self._now(), "refused": False}))

    async def next_at(self) -> datetime | None:
        """When the next one is due; None where nothing waits to be sent."""
        waiting = [each.next_at for each in await self._outbox.waiting() if not each.refused]
        return min(waiting, default=None)

    def _failed(self, hand_over: HandOver, error: str, refused: bool = False) -> HandOver:
        wait = BACKOFF_S[min(hand_over.attempts, len(BACKOFF_S) - 1)]
        update = {
            "attempts": hand_over.attempts + 1,
            "next_at": self._now() + timedelta(seconds=wait),
            "last_error": mask_text(error)[:200],
            "refused": refused,
        }
        return hand_over.model_copy(update=update)

    def _line(self, record: WorkOrderRecord, hub_number: str) -> HistoryEntry:
        return HistoryEntry(
            number=record.number,
            at=self._now(),
            actor="system",
            party=Party.SYSTEM,
            what="handed_over",
            before=record.state,
            after=record.state,
            data={"hub_number": hub_number},
        )


def told_move(line: HistoryEntry, confidential: bool) -> ToldMove:
    """A line of the history as the hub is told it: no names of staff, no words between offices."""
    note = line.note if line.what in _TOLD else ""
    return ToldMove(
        seq=line.seq,
        move=line.what,
        state=line.after,
        at=line.at,
        department=line.data.get("department"),
        note=mask_text(note) if confidential else note,
        score=line.data.get("score"),
        merged_into=line.data.get("main"),
    )


def for_hub(record: WorkOrderRecord) -> WorkOrderDraft:
    """What the hub is given: always the same for one order. Who reports in confidence is not named."""
    if not record.confidential:
        return record.draft
    return record.draft.model_copy(
        update={
            "happened": mask_text(record.draft.happened),
            "contact_name": None,
            "contact_mobile": None,
            "anonymous": True,
        }
    )
