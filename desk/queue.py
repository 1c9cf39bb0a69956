"""Keeps the queue moving: offers run out, agents finish their after-call work, callers are paired,
positions are told. One step at a time, each by the clock it is given; the gateway calls :meth:`tick`
after every change and every second.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from desk.assignment import assign
from hotline.desk import (
    AgentState,
    AgentTrigger,
    DeskChange,
    NotSignedInError,
    OfferEndedError,
    OfferTrigger,
    QueueState,
    TooManyConversationsError,
)
from hotline.desk_ports import AgentBook, OfferBook, QueueBook
from hotline.errors import IllegalTransitionError, NotFoundError

logger = logging.getLogger(__name__)

# Somebody else was quicker; the next tick sees the queue as it then is.
_OVERTAKEN = (IllegalTransitionError, OfferEndedError, NotFoundError, TooManyConversationsError, NotSignedInError)


class Books(QueueBook, OfferBook, AgentBook, Protocol): ...


class QueueKeeper:
    """``tell`` is handed every change as soon as it is stored.

    Args:
        offer_s: how long an agent may think.
        after_call_s: after-call work ends by itself after this long.
        tell_every_s: positions are told at most this often.
    """

    def __init__(
        self,
        books: Books,
        tell: Callable[[DeskChange], Awaitable[None]],
        *,
        offer_s: float = 20.0,
        after_call_s: float = 60.0,
        relax_s: float = 60.0,
        tell_every_s: float = 15.0,
    ) -> None:
        self._books = books
        self._tell = tell
        self._offer = timedelta(seconds=offer_s)
        self._after_call = timedelta(seconds=after_call_s)
        self._relax_s = relax_s
        self._tell_every = timedelta(seconds=tell_every_s)
        self._told_at: datetime | None = None

    async def tick(self, now: datetime) -> None:
        """Whatever is due at ``now``."""
        await self._end_offers(now)
        await self._end_after_call(now)
        await self._pair(now)
        if self._told_at is None or now - self._told_at >= self._tell_every:
            self._told_at = now
            await self._tell(await self._books.tell_positions(now))

    async def _end_offers(self, now: datetime) -> None:
        for offer in await self._books.offers():
            if offer.expires_at <= now:
                await self._try(self._books.end_offer(offer.offer_id, OfferTrigger.TIME_OUT, now, offer.agent))

    async def _end_after_call(self, now: datetime) -> None:
        for agent in await self._books.agents():
            if agent.state is AgentState.AFTER_CALL and agent.since + self._after_call <= now:
                await self._try(self._books.move_agent(agent.username, AgentTrigger.WRAPPED_UP, now))

    async def _pair(self, now: datetime) -> None:
        waiting = [e for e in await self._books.queue() if e.state is QueueState.WAITING]
        if not waiting:
            return
        agents = [a for a in await self._books.agents() if a.state is AgentState.READY]
        if not agents:
            return
        # Nobody past as many as there are agents can be paired now, unless skills do not fit.
        offers = {e.entry_id: await self._books.offers(e.entry_id) for e in waiting[: 4 * len(agents)]}
        for pair in assign(waiting, agents, offers, now, self._relax_s):
            await self._try(self._books.offer(pair.conversation_id, pair.agent, now, now + self._offer))

    async def _try(self, step: Awaitable[DeskChange]) -> None:
        try:
            change = await step
        except _OVERTAKEN as error:
            logger.info("desk: overtaken (%s)", error.code)
            return
        await self._tell(change)
