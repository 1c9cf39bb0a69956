"""The insights' ports in memory: for trying things and for tests. Everything is worked out from what was
counted, when it is asked; contracts shared with the SQL adapters hold both alike.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hotline.errors import IllegalTransitionError, NotFoundError
from hotline.insight_ports import Behind, KeptTopic, OrdersWanted, Row, TextRow
from hotline.insights import (
    LOCAL,
    MEASURES,
    ORDER_MEASURES,
    Alert,
    ConversationFacts,
    Counted,
    Grain,
    OrderFacts,
    Proposal,
    Review,
    Span,
    Topic,
    TrailConversation,
    TurnFacts,
    bucket_of,
    day_bucket,
)
from hotline.work_order_flow import CLOSED, RUNNING
from hotline.work_order_ports import WorkOrderStore
from hotline.work_order_record import WorkOrderFilter
from storage.insight_alerts import SAME_ALERT_WITHIN
from storage.insight_behind import named_measures
from storage.insight_facts import WithRepeats, fact_row, take_order, text_key
from storage.insight_orders import is_behind, sorted_as_listed

_NOT_SHOWN = ("caller_key", "seq", "day")


class InsightMemory:
    """What the adapters of one line share."""

    def __init__(self) -> None:
        self.facts: dict[str, ConversationFacts] = {}
        self.turns: dict[str, TurnFacts] = {}
        self.texts: dict[bytes, dict[str, Any]] = {}
        self.topics: dict[int, KeptTopic] = {}
        self.marks: dict[str, Any] = {}
        self.gap_changes: Counter[int] = Counter()

    def within(self, span: Span) -> list[ConversationFacts]:
        return [
            facts
            for facts in self.facts.values()
            if span.first <= facts.started_at.astimezone(LOCAL).date() <= span.last
            and all(getattr(facts, name) == value for name, value in span.filters.items())
        ]

    def keep(self, turns: Sequence[TurnFacts]) -> None:
        self.gap_changes.update({bucket_of(turn.at, Grain.MONTH) for turn in turns})
        for turn in turns:
            self.turns[turn.turn_id] = turn
            if turn.text:
                self.texts.setdefault(text_key(turn.text), _new_text(turn.text))

    def who(self, turn: TurnFacts) -> str:
        facts = self.facts.get(turn.conversation_id)
        return (facts.caller_key if facts else None) or turn.conversation_id


class MemoryLineFacts:
    """:class:`hotline.insight_ports.LineFacts`. ``trails``: the conversations there are to count."""

    def __init__(self, memory: InsightMemory, with_repeats: WithRepeats) -> None:
        self._memory, self._with_repeats = memory, with_repeats
        self.trails: dict[str, TrailConversation] = {}

    async def uncounted(self, limit: int) -> list[TrailConversation]:
        known = self._memory.facts
        waiting = [
            t for t in self.trails.values() if t.conversation_id not in known or known[t.conversation_id].seq < t.seq
        ]
        return sorted(waiting, key=lambda t: max((e.at for e in t.events), default=t.started_at))[:limit]

    async def count(self, batch: Sequence[Counted]) -> None:
        for counted in batch:
            self._memory.facts[counted.facts.conversation_id] = counted.facts
            self._memory.keep(counted.turns)
        for caller in {c.facts.caller_key for c in batch if c.facts.caller_key}:
            mine = [facts for facts in self._memory.facts.values() if facts.caller_key == caller]
            self._memory.facts |= {marked.conversation_id: marked for marked in self._with_repeats(mine)}

    async def cells(
        self, span: Span, by: Sequence[str] = (), grain: Grain | None = None, measures: Sequence[str] = tuple(MEASURES)
    ) -> list[Row]:
        sums: dict[tuple[Any, ...], dict[str, float]] = {} if by or grain else {(): dict.fromkeys(measures, 0.0)}
        for facts in self._memory.within(span):
            key = tuple(getattr(facts, name) for name in by)
            if grain is not None:
                bucket = bucket_of(facts.started_at, grain)
                key = (*key, bucket % 1000 if grain is Grain.HOUR_OF_WEEK else bucket)
            cell = sums.setdefault(key, dict.fromkeys(measures, 0.0))
            for name in measures:
                cell[name] += facts.measures.get(name, 0.0)
        names = (*by, *(("bucket",) if grain else ()))
        return [{**dict(zip(names, key, strict=True)), **sums[key]} for key in sorted(sums)]

    async def conversations(
        self, span: Span, measure: str | None, limit: int, offset: int = 0, about: Behind = Behind()
    ) -> list[Row]:  # fmt: skip
        wanted = named_measures(measure)
        found = [
            f
            for f in self._memory.within(span)
            if (not wanted or any(f.measures.get(name, 0.0) > 0 for name in wanted)) and self._fits(f, span, about)
        ]
        found.sort(key=lambda facts: facts.started_at, reverse=True)
        return [{k: v for k, v in fact_row(f).items() if k not in _NOT_SHOWN} for f in found[offset : offset + limit]]

    def _fits(self, facts: ConversationFacts, span: Span, about: Behind) -> bool:
        if about.agent is not None and facts.agent != about.agent:
            return False
        hour = bucket_of(facts.started_at, Grain.HOUR_OF_WEEK) % 1000
        if about.hour_of_week is not None and hour != about.hour_of_week:
            return False
        if about.topic_id is None:
            return True
        shelf = MemoryTopicShelf(self._memory)
        return any(
            turn.conversation_id == facts.conversation_id
            and shelf._about(turn, Span(first=span.first, last=span.last, town=span.town))
            and shelf._stands_for(self._memory.texts[text_key(turn.text)]["topic_id"]) == about.topic_id
            and (about.first is None or about.last is None or about.first <= turn.at <= about.last)
            for turn in self._memory.turns.values()
        )

    async def agents(self, span: Span, grain: Grain | None = None) -> list[Row]:
        rows: dict[tuple[Any, ...], Row] = {}
        for facts in self._memory.within(Span(first=span.first, last=span.last)):
            if facts.agent:
                where = {"bucket": bucket_of(facts.started_at, grain)} if grain else {}
                row = rows.setdefault((facts.agent, *where.values()), {"agent": facts.agent, **where, "taken": 0.0})
                row["taken"] += 1.0
                for name in ("agent_s", "agent_messages", "ratings", "rating_sum"):
                    row[name] = row.get(name, 0.0) + facts.measures.get(name, 0.0)
        order = (lambda r: (r["bucket"], r["agent"])) if grain else (lambda r: (-r["taken"], r["agent"]))
        return sorted(rows.values(), key=order)


class MemoryOrderBook:
    """:class:`hotline.insight_ports.OrderBook` over the work orders of ``store``."""

    def __init__(self, store: WorkOrderStore | None = None, memory: InsightMemory | None = None) -> None:
        self._store, self._memory = store, memory or InsightMemory()
        self._counted: dict[str, OrderFacts] = {}

    async def uncounted_orders(self, limit: int) -> list[str]:
        if self._store is None:
            return []
        every = (await self._store.find(WorkOrderFilter(visible_confidential=True), 1, 1_000_000)).orders
        changed = [o for o in every if o.number not in self._counted or self._counted[o.number].version < o.version]
        return [o.number for o in sorted(changed, key=lambda o: (o.created_at, o.number))][:limit]

    async def count_orders(self, orders: Sequence[OrderFacts], told: Sequence[TurnFacts] = ()) -> None:
        self._counted |= {order.number: order for order in orders}
        self._memory.keep(told)

    async def order_cells(self, span: Span, by: Sequence[str] = ()) -> list[Row]:
        cells: dict[Any, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for order in self._counted.values():
            take_order(cells, order, 1.0)
        sums: dict[tuple[Any, ...], dict[str, float]] = {} if by else {(): dict.fromkeys(ORDER_MEASURES, 0.0)}
        for (grain, bucket, *place), cell in cells.items():
            where = dict(zip(("type", "town", "department"), place, strict=True))
            inside = day_bucket(span.first) <= bucket <= day_bucket(span.last)
            wanted = all(where.get(name, value) == value for name, value in span.filters.items())
            if grain == Grain.DAY.value and inside and wanted:
                known = sums.setdefault(tuple(where[name] for name in by), dict.fromkeys(ORDER_MEASURES, 0.0))
                for name, value in cell.items():
                    known[name] += value
        return [{**dict(zip(by, key, strict=True)), **sums[key]} for key in sorted(sums)]

    async def open_orders(self, at: datetime, by: Sequence[str] = ()) -> list[Row]:
        today = at.astimezone(LOCAL).date()
        rows: dict[tuple[Any, ...], Row] = {} if by else {(): {"open": 0, "overdue": 0, "due_soon": 0}}
        for order in self._counted.values():
            if order.completed_at is not None or order.state in CLOSED:
                continue
            key = tuple(getattr(order, name) for name in by)
            row = rows.setdefault(key, {**dict(zip(by, key, strict=True)), "open": 0, "overdue": 0, "due_soon": 0})
            row["open"] += 1
            if order.due_on is not None and order.state in RUNNING:
                row["overdue"] += order.due_on < today
                row["due_soon"] += today <= order.due_on <= today + timedelta(days=2)
        return [rows[key] for key in sorted(rows)]

    async def behind(self, wanted: OrdersWanted, limit: int, offset: int = 0) -> list[Row]:
        found = [order for order in self._counted.values() if is_behind(order, wanted)]
        secret: set[str] = set()
        if self._store is not None:
            every = (await self._store.find(WorkOrderFilter(visible_confidential=True), 1, 1_000_000)).orders
            secret = {record.number for record in every if record.confidential}
        shown = sorted_as_listed(found, wanted.measure)[offset : offset + limit]
        return [{**order._asdict(), "confidential": order.number in secret} for order in shown]


class MemoryTextShelf:
    """:class:`hotline.insight_ports.TextShelf`."""

    def __init__(self, memory: InsightMemory) -> None:
        self._memory = memory

    async def unencoded(self, limit: int) -> list[tuple[bytes, str]]:
        return [(key, row["text"]) for key, row in self._memory.texts.items() if row["vector"] is None][:limit]

    async def save_vectors(self, model: str, rows: Sequence[tuple[bytes, bytes]]) -> None:
        for key, vector in rows:
            self._memory.texts[key] |= {"model": model, "vector": vector}

    async def texts(self, model: str, unassigned: bool = False) -> list[TextRow]:
        said = Counter(text_key(turn.text) for turn in self._memory.turns.values() if turn.text)
        return [
            TextRow(key, row["text"], said[key], row["vector"], row["topic_id"], row["distance"])
            for key, row in sorted(self._memory.texts.items())
            if said[key] and row["model"] == model and not (unassigned and row["topic_id"] is not None)
        ]

    async def assign(self, rows: Sequence[tuple[bytes, int, float]]) -> None:
        for key, topic, distance in rows:
            self._memory.texts[key] |= {"topic_id": topic, "distance": distance}

    async def cited(self, item_key: str, first: int, limit: int) -> list[Row]:
        found = [
            t
            for t in self._memory.turns.values()
            if t.item_key == item_key and t.cited and bucket_of(t.at, Grain.DAY) >= first
        ]
        found.sort(key=lambda turn: bucket_of(turn.at, Grain.HOUR), reverse=True)
        return [
            {
                "turn_id": t.turn_id, "conversation_id": t.conversation_id, "at": t.at, "channel": t.channel, "town": t.town,
                "cited": t.cited, "text": t.text or None, "agreed_callback": self._memory.facts[t.conversation_id].agreed_callback,
            }
            for t in found[:limit]
        ]  # fmt: skip


def turn_row(memory: InsightMemory, turn: TurnFacts) -> Row:
    key = text_key(turn.text)
    row = memory.texts[key]
    return {
        "turn_id": turn.turn_id, "conversation_id": turn.conversation_id, "at": turn.at, "town": turn.town, "text_key": key,
        "text": row["text"], "vector": row["vector"], "model": row["model"], "outcome": turn.outcome,
        "caller_key": facts.caller_key if (facts := memory.facts.get(turn.conversation_id)) else None,
    }  # fmt: skip


class MemoryTopicShelf:
    """:class:`hotline.insight_ports.TopicShelf`; topics are counted when they are asked for."""

    def __init__(self, memory: InsightMemory) -> None:
        self._memory = memory

    async def topics(self) -> list[KeptTopic]:
        return [self._memory.topics[number] for number in sorted(self._memory.topics)]

    async def save_topics(self, topics: Iterable[KeptTopic]) -> None:
        self._memory.topics |= {kept.topic.topic_id: kept for kept in topics}

    async def recount(self, since: int | None = None) -> None:
        """Nothing is kept that could be behind."""

    async def topic_cells(self, span: Span, by: Sequence[str] = (), grain: Grain | None = None) -> list[Row]:
        people: dict[tuple[Any, ...], set[tuple[Any, ...]]] = defaultdict(set)
        turns: Counter[tuple[Any, ...]] = Counter()
        for turn in self._memory.turns.values():
            if not self._about(turn, span):
                continue
            topic = self._memory.texts[text_key(turn.text)]["topic_id"]
            # As the SQL adapter adds up cells: somebody counts once a day, topic, town, channel and area.
            once = (bucket_of(turn.at, Grain.DAY), topic, turn.town, turn.channel, turn.area, self._memory.who(turn))
            where = {"topic_id": self._stands_for(topic), "town": turn.town, "channel": turn.channel, "area": turn.area}
            key = (*(where[name] for name in by), *((bucket_of(turn.at, grain),) if grain else ()))
            turns[key] += 1
            people[key].add(once)
        names = (*by, *(("bucket",) if grain else ()))
        return [
            {**dict(zip(names, k, strict=True)), "turns": turns[k], "people": len(people[k])} for k in sorted(turns)
        ]

    async def topic_turns(self, topic_id: int, town: str | None, first: datetime, last: datetime) -> list[Row]:
        found = [
            t
            for t in self._memory.turns.values()
            if t.text and first <= t.at <= last and town in (None, t.town)
            and self._stands_for(self._memory.texts[text_key(t.text)]["topic_id"]) == topic_id
        ]  # fmt: skip
        return [turn_row(self._memory, turn) for turn in sorted(found, key=lambda turn: turn.at)][:2000]

    async def edit(self, topic_id: int, changes: dict[str, Any]) -> Topic:
        if topic_id not in self._memory.topics:
            raise NotFoundError("没有这个话题。")
        kept = self._memory.topics[topic_id]
        self._memory.topics[topic_id] = KeptTopic(kept.topic.model_copy(update=changes), kept.centroid)
        return self._memory.topics[topic_id].topic

    def _about(self, turn: TurnFacts, span: Span) -> bool:
        return (
            bool(turn.text)
            and self._memory.texts[text_key(turn.text)]["topic_id"] is not None
            and span.first <= turn.at.astimezone(LOCAL).date() <= span.last
            and all(getattr(turn, name, value) == value for name, value in span.filters.items())
        )

    def _stands_for(self, topic: int | None) -> int | None:
        kept = self._memory.topics.get(topic) if topic is not None else None
        return kept.topic.merged_into if kept and kept.topic.merged_into is not None else topic


class MemoryMarks:
    """Small things to remember between runs."""

    def __init__(self, memory: InsightMemory) -> None:
        self._memory = memory

    async def get(self, name: str) -> Any:
        return self._memory.marks.get(name)

    async def put(self, name: str, value: Any) -> None:
        self._memory.marks[name] = value


class MemoryOutbox:
    """:class:`hotline.insight_ports.Outbox`. ``rows`` are the messages, also those taken."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}

    def put(self, body: Mapping[str, Any], at: datetime) -> None:
        number = len(self.rows) + 1
        self.rows[number] = {"message_id": number, "body": dict(body), "attempts": 0, "next_at": at, "last_error": ""}

    async def due(self, at: datetime, limit: int = 20) -> list[Row]:
        due = [row for row in self.rows.values() if row["next_at"] is not None and row["next_at"] <= at]
        return [{name: row[name] for name in ("message_id", "body", "attempts")} for row in due][:limit]

    async def delivered(self, message_id: int, at: datetime) -> None:
        self._set(message_id, delivered_at=at, next_at=None)

    async def failed(self, message_id: int, error: str, next_at: datetime | None) -> None:
        self._set(message_id, last_error=error[:300], next_at=next_at)

    def _set(self, message_id: int, **values: Any) -> None:
        row = self.rows[message_id]
        self.rows[message_id] = {**row, **values, "attempts": row["attempts"] + 1}


class MemoryAlertBook:
    """:class:`hotline.insight_ports.AlertBook`; messages go to ``outbox``."""

    def __init__(self, memory: InsightMemory, outbox: MemoryOutbox) -> None:
        self._topics, self._outbox = MemoryTopicShelf(memory), outbox
        self._memory = memory
        self._kept: dict[int, Alert] = {}

    async def hourly(self, first: int, last: int) -> list[tuple[int, int, str, int, int]]:
        turns: Counter[tuple[int, int, str]] = Counter()
        people: dict[tuple[int, int, str], set[tuple[int, str]]] = defaultdict(set)
        for turn in self._memory.turns.values():
            hour = bucket_of(turn.at, Grain.HOUR)
            topic = self._memory.texts[text_key(turn.text)]["topic_id"] if turn.text else None
            if topic is None or not first <= hour <= last:
                continue
            stands = self._topics._stands_for(topic)
            assert stands is not None
            turns[hour, stands, turn.town] += 1
            people[hour, stands, turn.town].add((topic, self._memory.who(turn)))
        return [(*key, turns[key], len(people[key])) for key in sorted(turns)]

    async def raise_alert(self, alert: Alert, message: Mapping[str, Any]) -> Alert | None:
        same = [
            a
            for a in self._kept.values()
            if (a.topic_id, a.town) == (alert.topic_id, alert.town) and a.at > alert.at - SAME_ALERT_WITHIN
        ]
        if same:
            known = max(same, key=lambda a: a.at)
            fresh = alert.model_dump(include={"count", "people", "expected", "surprise", "evidence", "series"})
            self._kept[known.alert_id] = known.model_copy(update=fresh)
            return None
        kept = alert.model_copy(update={"alert_id": len(self._kept) + 1})
        self._kept[kept.alert_id] = kept
        self._outbox.put({**message, "alert_id": kept.alert_id}, alert.at)
        return kept

    async def alerts(self, first: datetime, last: datetime, after: int = 0, limit: int = 200) -> list[Alert]:
        return [a for a in self._kept.values() if first <= a.at <= last and a.alert_id > after][:limit]

    async def newest(
        self, first: datetime, last: datetime, town: str | None = None, before: int | None = None, limit: int = 200
    ) -> list[Alert]:
        found = [
            a
            for a in self._kept.values()
            if first <= a.at <= last and town in (None, a.town) and (before is None or a.alert_id < before)
        ]
        return sorted(found, key=lambda a: -a.alert_id)[:limit]

    async def settle(self, alert_id: int, state: str, incident_id: int | None = None) -> Alert:
        if alert_id not in self._kept:
            raise NotFoundError("没有这条预警。")
        values = {"state": state} if incident_id is None else {"state": state, "incident_id": incident_id}
        self._kept[alert_id] = self._kept[alert_id].model_copy(update=values)
        return self._kept[alert_id]


class MemoryProposalBook:
    """:class:`hotline.insight_ports.ProposalBook`."""

    def __init__(self) -> None:
        self._kept: dict[int, Proposal] = {}

    async def propose(self, proposal: Proposal) -> Proposal:
        kept = proposal.model_copy(update={"proposal_id": len(self._kept) + 1})
        self._kept[kept.proposal_id] = kept
        return kept

    async def proposals(self, state: str | None = None) -> list[Proposal]:
        return [p for p in sorted(self._kept.values(), key=lambda p: -p.proposal_id) if state in (None, p.state)]

    async def proposal(self, proposal_id: int) -> Proposal:
        if proposal_id not in self._kept:
            raise NotFoundError("没有这份修改建议。")
        return self._kept[proposal_id]

    async def decide(self, proposal_id: int, state: str, findings: Sequence[str], by: str, at: datetime) -> Proposal:
        known = await self.proposal(proposal_id)
        if known.state != "draft":
            raise IllegalTransitionError(known.state, state)
        values = {"state": state, "findings": list(findings), "decided_by": by, "decided_at": at.astimezone(UTC)}
        self._kept[proposal_id] = known.model_copy(update=values)
        return self._kept[proposal_id]

    async def attach(self, proposal_id: int, evaluation: Mapping[str, Any]) -> Proposal:
        known = await self.proposal(proposal_id)
        self._kept[proposal_id] = known.model_copy(update={"evaluation": dict(evaluation)})
        return self._kept[proposal_id]


class MemoryReviewBook:
    """:class:`hotline.insight_ports.ReviewBook`."""

    def __init__(self, memory: InsightMemory) -> None:
        self._memory = memory
        self._kept: dict[tuple[str, str], Review] = {}

    async def scores(self, span: Span) -> Row:
        scores = [f.score for f in self._memory.within(span) if f.score is not None]
        rules = Counter(
            rule for f in self._memory.within(span) if f.score is not None for rule in {b["rule"] for b in f.broken}
        )
        return {
            "conversations": len(scores),
            "score": sum(scores) / len(scores) if scores else None,
            "broken": dict(rules),
        }

    async def worst(self, span: Span, rule: str | None, limit: int) -> list[Row]:
        found = [f for f in self._memory.within(span) if f.score is not None and f.score < 100]
        found = [f for f in found if rule is None or any(b["rule"] == rule for b in f.broken)]
        found.sort(key=lambda f: f.started_at, reverse=True)
        found.sort(key=lambda f: f.score or 0.0)
        names = ("conversation_id", "started_at", "channel", "agent", "score", "broken")
        return [{name: getattr(f, name) for name in names} for f in found[:limit]]

    async def sample(self, span: Span, number: int, seed: int) -> list[str]:
        asked = {conversation for conversation, _ in self._kept}
        ids = sorted(f.conversation_id for f in self._memory.within(span) if f.conversation_id not in asked)
        return random.Random(seed).sample(ids, min(number, len(ids)))  # noqa: S311

    async def ask(self, conversation_id: str, reviewer: str, place: int, at: datetime) -> None:
        self._kept[conversation_id, reviewer] = Review(
            conversation_id=conversation_id, reviewer=reviewer, place=place, asked_at=at
        )

    async def reviews(self, conversation_id: str | None = None, reviewer: str | None = None) -> list[Review]:
        found = [
            r
            for r in self._kept.values()
            if conversation_id in (None, r.conversation_id) and reviewer in (None, r.reviewer)
        ]
        return sorted(found, key=lambda r: (r.asked_at, r.conversation_id, r.place))

    async def give(self, review: Review) -> None:
        known = self._kept.get((review.conversation_id, review.reviewer))
        if known is None:
            raise NotFoundError("没有请您看这次对话。")
        if known.done_at is not None:
            raise IllegalTransitionError("done", "give")
        values = {"passed": review.passed, "score": review.score, "note": review.note, "done_at": review.done_at}
        self._kept[review.conversation_id, review.reviewer] = known.model_copy(update=values)


def _new_text(text: str) -> dict[str, Any]:
    return {"text": text, "model": None, "vector": None, "topic_id": None, "distance": None}
