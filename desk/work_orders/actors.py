"""Who acts on a work order, and what they may see of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hotline.work_order_flow import WAITS_FOR, Party
from hotline.work_order_record import WorkOrderRecord
from hotline.work_orders import WorkOrderState


@dataclass(frozen=True)
class Actor:
    """``watches``: may read every order that is not confidential. ``confidential``: the confidential too."""

    name: str
    parties: frozenset[Party]
    department: str | None = None
    watches: bool = False
    confidential: bool = False

    def may_see(self, record: WorkOrderRecord) -> bool:
        if self.department is not None and self.department == record.department:
            return record.state not in (WorkOrderState.RECEIVED, WorkOrderState.ACCEPTED)
        return self.watches and (self.confidential or not record.confidential)

    def acts_as(self, record: WorkOrderRecord) -> frozenset[Party]:
        """A department acts on its own orders alone; where none was named, the hotline stands in."""
        if self.department is not None and self.department == record.department:
            return self.parties | {Party.DEPARTMENT}
        if record.department is None and Party.HOTLINE in self.parties:
            return self.parties | {Party.DEPARTMENT}
        return self.parties

    def awaited_in(self) -> frozenset[WorkOrderState]:
        """待办: the states in which this one's step is next."""
        parties = {Party.DEPARTMENT} if self.department is not None else self.parties
        return frozenset().union(*(WAITS_FOR.get(party, frozenset()) for party in parties))


SYSTEM = Actor("system", frozenset({Party.SYSTEM}), watches=True, confidential=True)
CITIZEN = Actor("citizen", frozenset({Party.CITIZEN}))


def staff(name: str, roles: Iterable[str], confidential_roles: frozenset[str], department: str | None = None) -> Actor:
    """A signed-in person by their roles. Whoever belongs to a ``department`` acts for it alone;
    managers watch and decide nothing; admins run accounts."""
    if department:
        return Actor(name, frozenset(), department)
    held = frozenset(roles)
    parties: set[Party] = set()
    if held & {"agent", "supervisor"}:
        parties.add(Party.HOTLINE)
    if "supervisor" in held:
        parties.add(Party.SUPERVISOR)
    return Actor(
        name=name,
        parties=frozenset(parties),
        watches=bool(held & {"agent", "supervisor", "manager"}),
        confidential=bool(held & confidential_roles),
    )
