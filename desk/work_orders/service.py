"""The work orders of the line: filed, moved by the table, followed by receipt number."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from desk.work_orders import clock as clocks
from desk.work_orders import effects
from desk.work_orders.actors import SYSTEM, Actor
from desk.work_orders.calendar import WorkingDays
from desk.work_orders.clock import Limits
from desk.work_orders.dispatch import by_key, propose
from desk.work_orders.effects import Act
from hotline.errors import BadInputError, NotFoundError
from hotline.privacy import mask_text
from hotline.work_order_flow import CLOSED, Move, NotAllowedError, Party, rule
from hotline.work_order_ports import ReadingStore, WorkOrderOutbox, WorkOrderStore
from hotline.work_order_record import (
    HandOver,
    HistoryEntry,
    Page,
    Proposal,
    RequestCategory,
    RequestReading,
    VersionConflictError,
    WorkOrderFilter,
    WorkOrderRecord,
)
from hotline.work_orders import CALL_BACK, RequestType, Urgency, WorkOrder, WorkOrderDraft, WorkOrderState

CHINA = ZoneInfo("Asia/Shanghai")
# What a hub takes at most (docs/openapi/data-hub.json): nothing is accepted here that it would refuse.
_LONGEST = {"happened": 2000, "place": 200, "when": 100, "contact_name": 50, "category": 40, "department": 100}


@dataclass(frozen=True)
class House:
    """What the service works with; made once in the composition root."""

    store: WorkOrderStore
    outbox: WorkOrderOutbox
    readings: ReadingStore
    calendar: WorkingDays
    limits: Limits
    categories: tuple[RequestCategory, ...]
    now: Callable[[], datetime]
    auto_dispatch: bool = False
    towns: tuple[str, ...] = ()


class WorkOrders:
    """Every change goes through :meth:`act`, so nothing moves but by the table."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.categories = by_key(house.categories)
        self.on_filed: Callable[[], None] = lambda: None
        self.on_moved: Callable[[], None] = lambda: None

    def today(self) -> date:
        return self.house.now().astimezone(CHINA).date()

    # ── filing ───────────────────────────────────────────────────────────────────────────

    async def file(
        self, draft: WorkOrderDraft, idempotency_key: str, by: str = "citizen", party: Party = Party.CITIZEN
    ) -> tuple[WorkOrderRecord, bool]:
        """Stores a new work order and its hand-over; its number is the citizen's receipt.

        Returns the earlier one and False where the key came before. Raises BadInputError,
        RepeatedKeyError.
        """
        check_draft(draft)
        now = self.house.now()
        record = WorkOrderRecord(
            number=new_number(now),
            public_id=f"{secrets.randbelow(10**12):012d}",
            idempotency_key=idempotency_key,
            draft=draft,
            summary=mask_text(draft.happened),
            type=draft.type,
            urgency=draft.urgency,
            town=draft.town,
            category=draft.category if draft.category in self.categories else None,
            confidential=draft.type is RequestType.REPORT,
            created_at=now,
            updated_at=now,
            clock=clocks.start(draft.type, self.today(), self.house.limits, self.house.calendar),
        )
        record = record.model_copy(update={"proposal": propose(record, self.categories)})
        entry = self._entry(record, by, party, "filed", before=None)
        stored, new = await self.house.store.add(record, entry, HandOver(number=record.number, next_at=now))
        if new:
            self.on_filed()
        return stored, new

    async def take_reading(self, number: str, reading: RequestReading) -> WorkOrderRecord:
        """What a machine read: fills in what nobody said, proposes a department, and dispatches by
        itself where the settings allow it and nothing is in doubt."""
        store = self.house.store
        await self.house.readings.put_reading(number, reading)
        before = await store.get(number)
        if before.state is not WorkOrderState.RECEIVED:
            return before
        read = reading.category if reading.category in self.categories else None
        category = before.category or (None if before.draft.category == CALL_BACK else read)
        update = {
            "town": before.town or reading.town,
            "category": category,
            "urgency": max((before.urgency, reading.urgency), key=list(Urgency).index),
        }
        after = before.model_copy(update=update)
        after = after.model_copy(update={"proposal": propose(after, self.categories, reading.words)})
        if after != before:
            after = after.model_copy(update={"updated_at": self.house.now()})
            note = after.proposal.reason if after.proposal else ""
            entry = self._entry(after, SYSTEM.name, Party.SYSTEM, "read", before=before.state, note=note)
            after = await store.change(before, after, entry)
        return await self._dispatched_if_sure(after)

    async def _dispatched_if_sure(self, record: WorkOrderRecord) -> WorkOrderRecord:
        doubtful = record.confidential or record.urgency is Urgency.EMERGENCY
        proposal = record.proposal or Proposal()
        if not self.house.auto_dispatch or doubtful or not proposal.sure:
            return record
        await self.act(record.number, Act(Move.ACCEPT, note="按设置自动受理"), SYSTEM)
        act = Act(Move.DISPATCH, department=proposal.department, note=proposal.reason)
        return await self.act(record.number, act, SYSTEM)

    # ── moving ───────────────────────────────────────────────────────────────────────────

    async def act(self, number: str, act: Act, actor: Actor, version: int | None = None) -> WorkOrderRecord:
        """Makes one move. Where anything is wrong, nothing has changed.

        Raises:
            NotFoundError: no such order, or not for ``actor`` to see.
            VersionConflictError: it is no longer at ``version``, or changed meanwhile.
            IllegalTransitionError, NotAllowedError: the table.
            BadInputError: the move lacks something, or has something wrong.
        """
        before = await self.house.store.get(number)
        if actor.parties != frozenset({Party.CITIZEN}) and not actor.may_see(before):
            raise NotFoundError
        if version is not None and version != before.version:
            raise VersionConflictError
        act = effects.settled(act, before)
        parties = actor.acts_as(before)
        row = rule(before.state, act.move, parties)
        effects.require(act)
        if act.move is Move.MERGE:
            await self._check_main(before, act, actor)
        after = effects.effect(before, act, self.today(), self.house.limits, self.house.calendar)
        after = after.model_copy(update={"state": row.to, "updated_at": self.house.now()})
        entry = self._entry(
            after,
            actor.name,
            min(row.by & parties, key=list(Party).index),
            act.move.value,
            before=before.state,
            note=act.note,
            data=effects.told(act),
        )
        kept = await self.house.store.change(before, after, entry)
        self.on_moved()
        return kept

    async def _check_main(self, record: WorkOrderRecord, act: Act, actor: Actor) -> None:
        try:
            main = await self.house.store.get(act.main or "")
        except NotFoundError:
            raise BadInputError("没有找到要并入的主单，请核对单号。") from None
        followers = await self.house.store.find(
            WorkOrderFilter(merged_into=record.number, visible_confidential=True), page_size=1
        )
        if main.number == record.number or main.state in CLOSED or not actor.may_see(main):
            raise BadInputError("只能并入另一张还在办理的工单。")
        if main.confidential != record.confidential:
            raise BadInputError("保密的举报不能和普通诉求并在一起。")
        if followers.total:
            raise BadInputError("有别的工单并在这一张里，请先撤销它们的并单。")

    async def note(
        self, before: WorkOrderRecord, after: WorkOrderRecord, what: str, actor: Actor = SYSTEM, note: str = ""
    ) -> WorkOrderRecord:
        """A change that is no move (a reminder, an attachment), with its line in the history.
        Raises VersionConflictError."""
        after = after.model_copy(update={"updated_at": self.house.now()})
        party = min(actor.acts_as(before), key=list(Party).index)
        entry = self._entry(after, actor.name, party, what, before=before.state, note=note)
        return await self.house.store.change(before, after, entry)

    # ── reading ──────────────────────────────────────────────────────────────────────────

    async def seen(self, number: str, actor: Actor) -> WorkOrderRecord:
        """Raises NotFoundError, also where it is not for ``actor`` to see."""
        record = await self.house.store.get(number)
        if not actor.may_see(record):
            raise NotFoundError
        return record

    async def followed(self, number: str, contact_mobile: str) -> WorkOrderRecord:
        """The order for whoever knows its number and the mobile given with it. Raises NotFoundError."""
        record = await self.house.store.get(number)
        known = record.draft.contact_mobile
        if not known or not hmac.compare_digest(known.encode(), contact_mobile.encode()):
            raise NotFoundError
        return record

    async def told_to_citizen(self, record: WorkOrderRecord) -> WorkOrder:
        """What may be said of it: a merged one stands where its main order stands."""
        shown = record
        if record.merged_into:
            shown = await self.house.store.get(record.merged_into)
        return WorkOrder(
            number=record.number,
            type=record.type,
            state=shown.state,
            town=record.town,
            department=shown.department,
            created_at=record.created_at,
            last_note=shown.last_note,
        )

    async def listed(self, wanted: WorkOrderFilter, actor: Actor, page: int = 1, page_size: int = 20) -> Page:
        """Only what ``actor`` may see. Raises NotAllowedError where that is nothing at all."""
        if actor.department is not None:
            wanted = wanted.model_copy(
                update={
                    "department": actor.department,
                    "visible_confidential": True,
                    "states": (wanted.states or frozenset(WorkOrderState))
                    - {WorkOrderState.RECEIVED, WorkOrderState.ACCEPTED},
                }
            )
        elif not actor.watches:
            raise NotAllowedError("您的账号不能看工单列表。")
        else:
            wanted = wanted.model_copy(update={"visible_confidential": actor.confidential})
        return await self.house.store.find(wanted, page, page_size)

    def standing(self, record: WorkOrderRecord) -> clocks.Standing:
        return clocks.standing(record.clock, self.today(), self.house.limits.warning_days, self.house.calendar)

    def _entry(
        self,
        after: WorkOrderRecord,
        actor: str,
        party: Party,
        what: str,
        before: WorkOrderState | None,
        note: str = "",
        data: dict[str, object] | None = None,
    ) -> HistoryEntry:
        return HistoryEntry(
            number=after.number,
            at=self.house.now(),
            actor=actor,
            party=party,
            what=what,
            before=before,
            after=after.state,
            note=note,
            data=data or {},
        )


def new_number(now: datetime) -> str:
    """GD, the day, ten digits by chance: who has one cannot guess the next person's."""
    return f"GD{now.astimezone(CHINA):%Y%m%d}{secrets.randbelow(10**10):010d}"


def check_draft(draft: WorkOrderDraft) -> None:
    """Raises BadInputError with what to put right."""
    if len(draft.happened.strip()) < 2:
        raise BadInputError("请说清发生了什么事。")
    if draft.anonymous and (draft.contact_name or draft.contact_mobile):
        raise BadInputError("匿名登记不能带姓名和手机号。")
    if draft.contact_name is not None and len(draft.contact_name.strip()) < 2:
        raise BadInputError("称呼至少要两个字，不想说可以不填。")
    for name, longest in _LONGEST.items():
        if len(getattr(draft, name) or "") > longest:
            raise BadInputError(f"内容太长了（{_NAMES[name]}最多 {longest} 字），请说得短一些。")


_NAMES = {
    "happened": "诉求内容",
    "place": "地点",
    "when": "时间",
    "contact_name": "称呼",
    "category": "类别",
    "department": "部门",
}
