"""Who is offered whom: in the order of the queue, to the agent who fits and has been idle longest.

Pure: the queue and the agents go in, pairs come out. A caller who has waited :data:`RELAX_S` is
offered to anybody; an emergency at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hotline.desk import AgentRecord, AgentState, Offer, OfferState, QueueEntry, QueueState
from hotline.work_orders import Urgency

RELAX_S = 60.0


@dataclass(frozen=True)
class Pairing:
    conversation_id: str
    agent: str


def fits(entry: QueueEntry, agent: AgentRecord) -> bool:
    """Whether ``agent`` knows what ``entry`` needs. An agent without a list of something takes all of
    it; a caller whose need isn't known fits everybody."""
    needs = ((entry.area, agent.areas), (entry.town, agent.towns), (entry.dialect, agent.dialects))
    return all(not need or not known or need in known for need, known in needs)


def anybody_will_do(entry: QueueEntry, now: datetime, relax_s: float = RELAX_S) -> bool:
    waited = (now - entry.queued_at).total_seconds()
    return entry.urgency is Urgency.EMERGENCY or waited >= relax_s


def assign(
    queue: Iterable[QueueEntry],
    agents: Iterable[AgentRecord],
    offers: Mapping[str, list[Offer]],
    now: datetime,
    relax_s: float = RELAX_S,
) -> list[Pairing]:
    """The offers to make now. ``offers``: those made before, by entry id: who declined or did not answer
    is asked about the same caller again only when nobody else is free."""
    free = sorted((a for a in agents if a.state is AgentState.READY), key=lambda a: (a.idle_since, a.username))
    pairs: list[Pairing] = []
    for entry in queue:
        if entry.state is not QueueState.WAITING:
            continue
        if not free:
            break
        able = free if anybody_will_do(entry, now, relax_s) else [a for a in free if fits(entry, a)]
        refused = {
            o.agent for o in offers.get(entry.entry_id, []) if o.state in (OfferState.DECLINED, OfferState.TIMED_OUT)
        }
        # Of those who fit the one longest idle; among anybody, those who fit first.
        able = sorted(able, key=lambda a: (a.username in refused, not fits(entry, a)))
        if not able:
            continue
        pairs.append(Pairing(entry.conversation_id, able[0].username))
        free.remove(able[0])
    return pairs
