"""What the insights room asks of the rooms below it. docs/insights.md says how they are used.

Rows are plain tuples and dicts, not models: a year of traffic passes through here. Times are aware
datetimes, in UTC when read. Every method may raise StorageDownError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from hotline.insights import (
    MEASURES,
    Alert,
    Counted,
    Display,
    GapGroup,
    GapMonth,
    GapTurn,
    Grain,
    Incident,
    OrderFacts,
    Proposal,
    Recalled,
    Review,
    Span,
    Topic,
    TrailConversation,
    TurnFacts,
)

Row = dict[str, Any]


class Behind(NamedTuple):
    """Whose conversations: an ``agent``'s, those begun in an ``hour_of_week`` (0 is Monday 0 h, .. 167), those
    that speak of a topic (from ``first`` to ``last``, where an alert asks)."""

    agent: str | None = None
    hour_of_week: int | None = None
    topic_id: int | None = None
    first: datetime | None = None
    last: datetime | None = None


class OrdersWanted(NamedTuple):
    """Which work orders: those behind ``measure`` (hotline.insights.ORDER_LISTS) in the ``span`` and its filters, of
    a ``type``; those of this moment (``at``) whatever the days; or the one ``number`` alone."""

    span: Span | None = None
    measure: str = "filed"
    at: datetime | None = None
    type: str | None = None
    number: str | None = None


class LineFacts(Protocol):
    """Conversations counted, and what was counted."""

    async def uncounted(self, limit: int) -> list[TrailConversation]:
        """Conversations with events not yet counted, longest unchanged first, each with its whole trail."""
        ...

    async def count(self, batch: Sequence[Counted]) -> None:
        """Replaces what was counted of these conversations; the same batch twice changes nothing."""
        ...

    async def cells(
        self, span: Span, by: Sequence[str] = (), grain: Grain | None = None, measures: Sequence[str] = tuple(MEASURES)
    ) -> list[Row]:
        """Sums of ``measures`` over ``span``, by dimensions and (under ``bucket``) by ``grain``. By hour of the
        week ``bucket`` is 0..167, and the channel is the only dimension."""
        ...

    async def conversations(
        self, span: Span, measure: str | None, limit: int, offset: int = 0, about: Behind = ...
    ) -> list[Row]:
        """The conversations behind a figure: those that ``measure`` (or one of several, with commas) counts
        and that ``about`` narrows to, newest first."""
        ...

    async def agents(self, span: Span, grain: Grain | None = None) -> list[Row]:
        """What agents took: agent, taken, agent_s, agent_messages, ratings, rating_sum; busiest first, or
        (with ``bucket``) by day or month."""
        ...


class DutyBook(Protocol):
    """座席负荷: agents' time at the desk."""

    async def count_duty(self, until: datetime) -> int:
        """Counts the desk's events since the last time, and time that goes on up to ``until``; how many events."""
        ...

    async def duty(self, span: Span, grain: Grain | None = None) -> list[Row]:
        """Seconds by agent and state (:data:`hotline.insights.DESK_SECONDS`), with ``bucket`` by day or month."""
        ...


class OrderBook(Protocol):
    """Work orders counted."""

    async def uncounted_orders(self, limit: int) -> list[str]:
        """Numbers of work orders that changed since they were counted, oldest first."""
        ...

    async def count_orders(self, orders: Sequence[OrderFacts], told: Sequence[TurnFacts] = ()) -> None:
        """Replaces what was counted of them; ``told`` is what those tell that were filed in no conversation."""
        ...

    async def order_cells(self, span: Span, by: Sequence[str] = ()) -> list[Row]: ...

    async def open_orders(self, at: datetime, by: Sequence[str] = ()) -> list[Row]:
        """Not yet completed at ``at``: ``open``; of those whose time limit runs ``overdue`` and ``due_soon``
        (within two days)."""
        ...

    async def behind(self, wanted: OrdersWanted, limit: int, offset: int = 0) -> list[Row]:
        """Work orders one by one: what was counted of each, with ``confidential``. Those of this moment begin with
        the one due first, others with the newest."""
        ...


class TextRow(NamedTuple):
    """A text that was said, once: ``key`` 16 bytes, ``said`` how often, ``vector`` float16 bytes."""

    key: bytes
    text: str
    said: int
    vector: bytes | None
    topic_id: int | None
    distance: float | None


class TextShelf(Protocol):
    """What was said, each text once with its vector."""

    async def unencoded(self, limit: int) -> list[tuple[bytes, str]]: ...

    async def save_vectors(self, model: str, rows: Sequence[tuple[bytes, bytes]]) -> None: ...

    async def texts(self, model: str, unassigned: bool = False) -> list[TextRow]:
        """Those with a vector of ``model``; ``unassigned``: only those no topic was ever chosen for."""
        ...

    async def assign(self, rows: Sequence[tuple[bytes, int, float]]) -> None:
        """Key, topic, distance (0..2). Topic -1 is the pool of what fits none."""
        ...


class GapBook(Protocol):
    """Knowledge gaps: their groups, and the turns that show them, a month in one piece.

    Whatever changes a month's turns counts up the month's ``changes``, in the same transaction."""

    async def months(self, first: int = 0, last: int = 999912) -> list[GapMonth]:
        """Months in which anything was said, oldest first."""
        ...

    async def stale(self) -> list[GapMonth]:
        """Those with changes not yet counted, without what is packed."""
        ...

    async def turns(self, month: int) -> list[GapTurn]:
        """The turns of a month that show a gap and say what about."""
        ...

    async def vectors(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Of these texts, as they are stored; those that have none are left out."""
        ...

    async def texts(self, keys: Sequence[bytes]) -> dict[bytes, str]: ...

    async def groups(self, ids: Sequence[int] | None = None) -> list[GapGroup]:
        """All, or those with these numbers, by number."""
        ...

    async def keep(
        self,
        seen: int,
        groups: Sequence[GapGroup],
        assigned: Mapping[bytes, int],
        months: Sequence[GapMonth],
        anew: bool = False,
    ) -> bool:
        """Keeps new groups, which texts belong to which, and months counted with them, in one transaction;
        ``anew``: in the place of all groups before. ``seen`` is the highest number of a group that was known
        (0: none was): False, and nothing is kept, where there is another now."""
        ...


class KeptTopic(NamedTuple):
    topic: Topic
    centroid: bytes  # float32


class TopicShelf(Protocol):
    async def topics(self) -> list[KeptTopic]: ...

    async def save_topics(self, topics: Iterable[KeptTopic]) -> None:
        """Adds or replaces by ``topic_id``."""
        ...

    async def recount(self, since: int | None = None) -> None:
        """Counts topics anew by hour, day and month, from the day ``since`` (20261125) or all."""
        ...

    async def topic_cells(self, span: Span, by: Sequence[str] = (), grain: Grain | None = None) -> list[Row]:
        """``turns`` and ``people`` by ``topic_id`` and more, merged topics under the one that stands."""
        ...

    async def topic_turns(self, topic_id: int, town: str | None, first: datetime, last: datetime) -> list[Row]:
        """Turns about a topic: text, key, vector, conversation_id, caller_key, at."""
        ...


class AlertBook(Protocol):
    async def hourly(self, first: int, last: int) -> list[tuple[int, int, str, int, int]]:
        """Hour, topic, town, turns, people, where there was any, from hour ``first`` to ``last``."""
        ...

    async def raise_alert(self, alert: Alert, message: Mapping[str, Any]) -> Alert | None:
        """Keeps it with its message in the outbox, in one transaction. None where an alert of the
        same topic and town was raised in the twelve hours before (its count is brought up to date)."""
        ...

    async def alerts(self, first: datetime, last: datetime, after: int = 0, limit: int = 200) -> list[Alert]:
        """Raised between ``first`` and ``last``, with numbers above ``after``, oldest first."""
        ...

    async def newest(
        self, first: datetime, last: datetime, town: str | None = None, before: int | None = None, limit: int = 200
    ) -> list[Alert]:
        """Newest first: those of ``town`` with numbers below ``before``."""
        ...

    async def settle(self, alert_id: int, state: str, incident_id: int | None = None) -> Alert:
        """Raises NotFoundError."""
        ...


class Outbox(Protocol):
    """Messages to other systems, each delivered once it is taken."""

    async def due(self, at: datetime, limit: int = 20) -> list[Row]:
        """message_id, body, attempts."""
        ...

    async def delivered(self, message_id: int, at: datetime) -> None: ...

    async def failed(self, message_id: int, error: str, next_at: datetime | None) -> None:
        """``next_at`` None: given up, kept for a person to see."""
        ...


class IncidentNews(Protocol):
    """What is known now; all that who answers callers needs."""

    async def current(self, at: datetime) -> list[Incident]:
        """Valid at ``at`` and not withdrawn."""
        ...


class KnownIncidents(IncidentNews, Protocol):
    """Incidents that the line knows of."""

    async def add(self, incident: Incident) -> Incident:
        """Keeps it; in the place of the one with the same ``reference``, where it has one."""
        ...

    async def listed(self, limit: int = 200) -> list[Incident]:
        """All there were, newest first: also what is over, withdrawn or still to come."""
        ...

    async def withdraw(self, incident_id: int, by: str) -> Incident:
        """Raises NotFoundError."""
        ...


class ProposalBook(Protocol):
    """Proposed changes of the repository's files."""

    async def propose(self, proposal: Proposal) -> Proposal: ...

    async def proposals(self, state: str | None = None) -> list[Proposal]: ...

    async def proposal(self, proposal_id: int) -> Proposal:
        """Raises NotFoundError."""
        ...

    async def decide(self, proposal_id: int, state: str, findings: Sequence[str], by: str, at: datetime) -> Proposal:
        """Raises NotFoundError, IllegalTransitionError where it is decided already."""
        ...

    async def attach(self, proposal_id: int, evaluation: Mapping[str, Any]) -> Proposal: ...


class RecallBook(Protocol):
    """Who is to be told that an answer was wrong, once each."""

    async def recalled(self, item_key: str, version: str) -> list[Recalled]:
        """Because of this version of the guide, by conversation."""
        ...

    async def keep(self, recalled: Sequence[Recalled]) -> None:
        """What is kept already stays as it is."""
        ...


class DisplayBook(Protocol):
    """Screens on walls, and who let them in."""

    async def add(self, display: Display, code_hash: str) -> Display:
        """As kept, with its ``display_id``."""
        ...

    async def of_code(self, code_hash: str) -> Display | None:
        """Whether or not it still holds."""
        ...

    async def displays(self) -> list[Display]:
        """All, the newest first."""
        ...

    async def revoke(self, display_id: int, by: str, at: datetime) -> Display:
        """One that was revoked stays as it was. Raises NotFoundError."""
        ...

    async def seen(self, display_id: int, at: datetime) -> None: ...


class ReviewBook(Protocol):
    """Compliance scores, and people's blind reviews."""

    async def scores(self, span: Span) -> Row:
        """``conversations`` scored, their mean ``score``, ``broken`` by rule."""
        ...

    async def worst(self, span: Span, rule: str | None, limit: int) -> list[Row]:
        """Conversations with something broken, worst first."""
        ...

    async def sample(self, span: Span, number: int, seed: int) -> list[str]:
        """Conversations nobody was asked to review yet."""
        ...

    async def ask(self, conversation_id: str, reviewer: str, place: int, at: datetime) -> None: ...

    async def reviews(self, conversation_id: str | None = None, reviewer: str | None = None) -> list[Review]: ...

    async def give(self, review: Review) -> None:
        """Keeps a finished review. Raises NotFoundError, IllegalTransitionError where it is done."""
        ...
