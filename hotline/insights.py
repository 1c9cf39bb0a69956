"""What the insights room counts and keeps, as data. Its ports are in hotline/insight_ports.py.

Nothing here holds what a citizen said unmasked, a name or a number of a person. Days and hours are
those of the district's clock (:data:`LOCAL`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

LOCAL = timezone(timedelta(hours=8), "CST")
"""China keeps one time all year."""

ALL, UNKNOWN = "*", ""
"""Values of a dimension: summed over, and not known."""


class Grain(StrEnum):
    """How long a counted cell is. Hours are kept by channel alone, days and months by every dimension;
    hours of the week (0 Monday 0 h .. 167) by month and channel."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    HOUR_OF_WEEK = "week"


DIMENSIONS = ("channel", "town", "area", "department")

MEASURES: dict[str, str] = {
    "conversations": "对话数",
    "calls": "其中电话",
    "people": "当天第一次来的人（认不出是谁的，一次对话算一人）",
    "turns": "轮数",
    "answered_turns": "机器答了的轮",
    "refused_turns": "机器说不知道、没听懂的轮",
    "asked_back_turns": "机器反问是哪一项的轮",
    "low_confidence_turns": "理解的把握低于 0.5 的轮",
    "confidence_sum": "理解的把握之和",
    "understood_turns": "有理解把握的轮",
    "recognised_turns": "电话里识别出的句",
    "recognition_sum": "识别把握之和",
    "recognition_low": "识别把握低于 0.6 的句",
    "first_answers": "有第一声答复的对话",
    "first_answers_15s": "其中 15 秒内",
    "first_answer_s": "等第一声答复的秒数之和",
    "handoffs": "转人工的对话",
    "handoff_asked": "市民要人工",
    "handoff_emergency": "紧急情况",
    "handoff_not_understood": "没听懂、不知道",
    "handoff_part_down": "部件停用",
    "handoff_other": "其他原因",
    "agent_taken": "坐席接起的对话",
    "agent_taken_15s": "其中排队 15 秒内接起",
    "abandoned": "排队时离开的对话",
    "queue_cancelled": "自己取消排队的对话",
    "contained": "机器自己办完的对话",
    "identified": "认得出是同一来电人的对话",
    "identified_contained": "其中机器自己办完的",
    "repeated": "72 小时内又为同一领域来过的对话",
    "contained_repeated": "其中机器自己办完的",
    "bot_s": "机器接待的秒数",
    "queue_s": "排队的秒数",
    "agent_s": "坐席接待的秒数",
    "agent_messages": "坐席说的话",
    "corrected": "坐席接手前机器刚答过的对话",
    "ratings": "评价数",
    "rating_sum": "评价分之和",
    "rated_5": "非常满意",
    "rated_4": "满意",
    "rated_3": "基本满意",
    "rated_2": "不满意",
    "rated_1": "非常不满意",
    "emergencies": "紧急情况的对话",
    "parts_down": "碰到部件停用的对话",
}
"""What is counted of a conversation, each additive over conversations; its name for people."""

ORDER_MEASURES: dict[str, str] = {
    "filed": "登记的工单",
    "completed": "办结的工单",
    "completed_in_time": "按时办结的工单",
    "handling_days": "办理天数之和（登记到办结，自然日）",
    "returned": "被退单过的工单",
    "escalated": "被督办过的工单",
    "reopened": "办结后重办的工单",
    "order_ratings": "工单评价数",
    "order_rating_sum": "工单评价分之和",
    "order_rated_badly": "工单差评（1、2 级）",
}

ORDER_LISTS: dict[str, str] = {
    **ORDER_MEASURES,
    "completed_late": "办结的工单，答复晚于期限",
    "orders_open": "在办工单（此刻）",
    "orders_overdue": "超期工单（此刻）",
    "orders_due_soon": "两天内到期的工单（此刻）",
}
"""The work orders that can be listed behind a figure: each measure's, those that came late, and those of this moment."""

DESK_SECONDS: dict[str, str] = {
    "ready_s": "就绪的秒数",
    "ringing_s": "响铃的秒数",
    "busy_s": "接待的秒数",
    "after_call_s": "话后处理的秒数",
    "paused_s": "示忙的秒数",
}
"""An agent's time at the desk by state, in seconds."""

Measures = Mapping[str, float]


class Outcome(StrEnum):
    """What the line made of a turn."""

    ANSWERED = "answered"
    ASKED_BACK = "asked_back"
    REFUSED = "refused"
    FLOW = "flow"  # a form, small talk, a wish about the call itself
    PERSON = "person"  # a person was asked for
    EMERGENCY = "emergency"
    SILENT = "silent"  # an agent had the floor
    PART_DOWN = "part_down"


class HandoffReason(StrEnum):
    ASKED = "asked"
    EMERGENCY = "emergency"
    NOT_UNDERSTOOD = "not_understood"
    PART_DOWN = "part_down"
    OTHER = "other"


class Said(NamedTuple):
    """What a masked text says: the ``town`` it speaks of (full name), and its ``matter`` without town
    and courtesies, empty where it is about nothing (「那要多久」, 「你好」)."""

    town: str | None
    matter: str


class ServicePlace(NamedTuple):
    """Where a service belongs."""

    area: str
    department: str


class TrailEvent(NamedTuple):
    """An event as the insights read it: ``type`` is the value of :class:`hotline.events.EventType`."""

    seq: int
    turn_id: str | None
    type: str
    at: datetime
    data: Mapping[str, Any]


class TrailConversation(NamedTuple):
    """A conversation with its whole trail. ``caller_key`` tells callers apart and names nobody."""

    conversation_id: str
    channel: str
    caller_key: str | None
    started_at: datetime
    seq: int
    events: list[TrailEvent]


class ConversationFacts(NamedTuple):
    """One conversation, counted. ``seq`` is the last event that was read."""

    conversation_id: str
    seq: int
    channel: str
    town: str
    area: str
    department: str
    started_at: datetime
    ended_at: datetime
    caller_key: str | None
    handoff_reason: str | None
    agent: str | None
    rating: int | None
    item_key: str | None
    measures: dict[str, float]
    agreed_callback: bool = False
    score: float | None = None
    broken: list[dict[str, Any]] = []  # noqa: RUF012


class TurnFacts(NamedTuple):
    """One turn, as the topics and gaps read it. ``text`` is masked, and empty where it says nothing
    about any matter (a greeting, a proof, 「转人工」)."""

    turn_id: str
    conversation_id: str
    at: datetime
    channel: str
    town: str
    area: str
    item_key: str | None
    intent: str | None
    confidence: float
    outcome: str
    gap: str | None  # refused | low_confidence | corrected | rated_badly
    text: str
    cited: str | None = None  # field@version of every fact told, by semicolons


class Counted(NamedTuple):
    facts: ConversationFacts
    turns: list[TurnFacts]


class GapTurn(NamedTuple):
    """A turn that shows a gap. ``who`` is the caller's key, else the conversation; ``group_id`` the group of
    its text, where it has one; ``encoded``: the text has a vector."""

    day: int
    gap: str
    channel: str
    town: str
    area: str
    department: str
    who: str
    item_key: str | None
    text_key: bytes
    group_id: int | None
    encoded: bool


class GapGroup(NamedTuple):
    """Texts that say the same. ``name`` is empty where nobody named it yet; ``examples`` are keys of texts,
    most said first; ``middle`` is the plain mean of their vectors (float32), ``texts`` how many they are."""

    group_id: int
    gap_id: str
    name: str
    words: list[str]
    examples: list[str]
    item_keys: list[str]
    texts: int
    middle: bytes


class GapMonth(NamedTuple):
    """The gaps of a month (202611), packed by insights/gaps.py with the ``names`` its numbers stand for.
    ``packed`` None: not counted, or erased until it is counted again. ``changes`` counts what happened to the
    month's turns, ``counted`` how much of it is in ``packed``, which is as of ``at``."""

    month: int
    changes: int
    counted: int
    names: dict[str, list[str]]
    packed: bytes | None
    at: datetime | None


class Stand(NamedTuple):
    """An agent's state at the desk since ``at``, counted up to then."""

    state: str
    at: datetime


class DutyEvent(NamedTuple):
    """An agent's change of state. ``agent`` is the name by which conversations call the agent."""

    agent: str
    state: str
    at: datetime


class OrderFacts(NamedTuple):
    """One work order, counted. Days are local; ``due_on`` None where no limit is set; ``stopped_on`` the day
    of the answer, which ends the time limit (None: none yet)."""

    number: str
    version: int
    type: str
    town: str
    department: str
    category: str
    state: str
    filed_at: datetime
    due_on: date | None
    completed_at: datetime | None
    score: int | None
    returned: bool = False
    escalated: bool = False
    reopened: bool = False
    stopped_on: date | None = None


def came_late(order: OrderFacts) -> bool:
    """Whether a completed order was answered after its limit; never where it has none."""
    if order.completed_at is None or order.due_on is None:
        return False
    judged_on = order.stopped_on or day_of(bucket_of(order.completed_at, Grain.DAY))
    return judged_on > order.due_on


def bucket_of(at: datetime, grain: Grain) -> int:
    """``at`` as a number on the local clock: 2026112513 (hour), 20261125 (day), 202611 (month),
    202611061 (hour of the week, behind its month)."""
    local = at.astimezone(LOCAL)
    month = local.year * 100 + local.month
    if grain is Grain.MONTH:
        return month
    if grain is Grain.HOUR_OF_WEEK:
        return month * 1000 + local.weekday() * 24 + local.hour
    day = month * 100 + local.day
    return day if grain is Grain.DAY else day * 100 + local.hour


def day_bucket(day: date) -> int:
    return day.year * 10000 + day.month * 100 + day.day


def day_of(bucket: int) -> date:
    """The day of a day's or an hour's number."""
    if bucket > 10**8:
        bucket //= 100
    return date(bucket // 10000, bucket // 100 % 100, bucket % 100)


class Span(BaseModel):
    """From the first moment of ``first`` to the last of ``last``, and what is looked at."""

    model_config = ConfigDict(frozen=True)

    first: date
    last: date
    channel: str | None = None
    town: str | None = None
    area: str | None = None
    department: str | None = None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name in DIMENSIONS if (value := getattr(self, name)) is not None}

    def before(self) -> Span:
        """The span of the same length right before it."""
        length = timedelta(days=self.days)
        return self.model_copy(update={"first": self.first - length, "last": self.last - length})


class Topic(BaseModel):
    """A topic as kept. ``centroid`` is its place among the vectors, not shown. ``given_name`` is the
    manager's; ``merged_into`` another topic that stands for it; ``size`` in utterances."""

    model_config = ConfigDict(frozen=True)

    topic_id: int
    name: str
    given_name: str | None = None
    words: list[str] = Field(default_factory=list)
    examples: list[str] = Field(default_factory=list)
    size: int = 0
    pinned: bool = False
    merged_into: int | None = None
    retired: bool = False
    first_seen: AwareDatetime
    run: int = 0

    @property
    def title(self) -> str:
        return self.given_name or self.name


class Proposal(BaseModel):
    """A change to one of the repository's files that a person decides on: ``content`` is the whole file
    as it would be, ``diff`` what changes, ``before_hash`` the SHA-256 of the file it was made from
    (empty: a new file). ``findings`` of the check after approval; ``evaluation`` before and after."""

    model_config = ConfigDict(frozen=True)

    proposal_id: int = 0
    kind: str  # alias | question | example | guide
    title: str
    path: str
    before_hash: str
    content: str
    diff: str
    state: str = "draft"  # draft | approved | rejected
    findings: list[str] = Field(default_factory=list)
    evaluation: dict[str, Any] = Field(default_factory=dict)
    by: str
    decided_by: str = ""
    at: AwareDatetime
    decided_at: AwareDatetime | None = None


class Review(BaseModel):
    """One person's look at a conversation. ``place`` 1 and 2 are blind to each other; 3 settles."""

    model_config = ConfigDict(frozen=True)

    conversation_id: str
    reviewer: str
    place: int
    passed: bool | None = None
    score: int | None = None
    note: str = ""
    asked_at: AwareDatetime
    done_at: AwareDatetime | None = None


class Recalled(NamedTuple):
    """Somebody who was told what is now wrong, on the agents' list to be called: once a version of the guide."""

    conversation_id: str
    item_key: str
    version: str
    callback_id: str
    by: str
    at: datetime


class Display(BaseModel):
    """A screen on a wall that may read the wall's figures and nothing else. Only its code's hash is kept (beside it,
    in the store). ``town``: it shows that town alone."""

    model_config = ConfigDict(frozen=True)

    display_id: int = 0
    name: str
    town: str | None = None
    by: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    last_seen_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    revoked_by: str = ""

    def holds(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


class Alert(BaseModel):
    """预警: more calls about ``topic_id`` from ``town`` in ``window_h`` hours than is usual.

    ``expected`` is the usual number for those hours of that weekday, ``surprise`` the chance
    (0..1) of as many or more; ``people`` differ by caller; ``evidence`` are masked examples."""

    model_config = ConfigDict(frozen=True)

    alert_id: int = 0
    topic_id: int
    title: str
    town: str
    at: AwareDatetime
    first_at: AwareDatetime
    window_h: int
    count: int
    people: int
    expected: float
    surprise: float
    evidence: list[str] = Field(default_factory=list)
    series: list[tuple[int, int, float]] = Field(default_factory=list)  # hour, count, usual
    state: str = "open"  # open | known | closed
    incident_id: int | None = None


class Incident(BaseModel):
    """已知事件: what callers who ask are told, until ``valid_until``. ``source`` is who says so;
    ``reference`` the number another system knows it by, one incident each."""

    model_config = ConfigDict(frozen=True)

    incident_id: int = 0
    topic_id: int | None = None
    item_keys: list[str] = Field(default_factory=list)
    words: list[str] = Field(default_factory=list)
    town: str | None = None
    text: str = Field(min_length=4, max_length=300)
    source: str = Field(min_length=2, max_length=100)
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    withdrawn: bool = False
    by: str = ""
    reference: str | None = Field(default=None, max_length=100)
