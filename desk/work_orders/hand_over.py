"""Hands new work orders over to the data hub: nothing lost while it is down, each filed once.

The order and its place in the outbox are stored in one transaction before anybody gets a receipt.
The receipt's number is the idempotency key at the hub, so a message sent again after a crash, or
after an answer that never came, makes nothing new there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from hotline.errors import BadInputError, HubDownError
from hotline.ports import RequestRegister
from hotline.privacy import mask_text
from hotline.work_order_flow import Party
from hotline.work_order_ports import WorkOrderOutbox, WorkOrderStore
from hotline.work_order_record import HandOver, HistoryEntry, WorkOrderRecord
from hotline.work_orders import WorkOrderDraft

logger = logging.getLogger(__name__)

BACKOFF_S = (2, 5, 15, 60, 300)
"""Waits after the first, second … failure; the last one goes on for ever."""


class HandOvers:
    def __init__(
        self, store: WorkOrderStore, outbox: WorkOrderOutbox, hub: RequestRegister, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._hub = hub
        self._now = now

    async def send_due(self) -> int:
        """Sends what is due, oldest first → how many reached the hub. A hub that is down is not
        asked again for each order: the first failure puts all of the round off."""
        sent = 0
        due = await self._outbox.due(self._now())
        for place, hand_over in enumerate(due):
            record = await self._store.get(hand_over.number)
            try:
                filed = await self._hub.file_request(for_hub(record), record.number)
            except BadInputError as error:
                logger.error("the hub refused work order %s: %s", record.number, error.code)
                await self._outbox.put_off(self._failed(hand_over, error.detail, refused=True))
                continue
            except HubDownError as error:
                failed = self._failed(hand_over, error.code)
                await self._outbox.put_off(failed)
                for other in due[place + 1 :]:
                    await self._outbox.put_off(other.model_copy(update={"next_at": failed.next_at}))
                return sent
            await self._outbox.done(hand_over, filed.number, self._line(record, filed.number))
            sent += 1
        return sent

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
