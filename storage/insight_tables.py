"""The tables of the insights: what was counted, what was said once, topics, alerts. See docs/insights.md."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hotline.insights import DESK_SECONDS, MEASURES, ORDER_MEASURES
from storage.tables import UtcDateTime, metadata


def _sums(names: object) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float, nullable=False, server_default="0") for name in names]  # type: ignore[attr-defined]


def _place() -> list[sa.Column[Any]]:
    """The key of a cell."""
    return [
        sa.Column("grain", sa.String(8), primary_key=True),
        sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("town", sa.String(32), primary_key=True),
        sa.Column("area", sa.String(32), primary_key=True),
        sa.Column("department", sa.String(64), primary_key=True),
    ]


line_facts = sa.Table(
    "insight_conversations",
    metadata,
    sa.Column("conversation_id", sa.String(64), primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("day", sa.Integer, nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("town", sa.String(32), nullable=False),
    sa.Column("area", sa.String(32), nullable=False),
    sa.Column("department", sa.String(64), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime, nullable=False),
    sa.Column("caller_key", sa.String(64)),
    sa.Column("handoff_reason", sa.String(16)),
    sa.Column("agent", sa.String(64)),
    sa.Column("rating", sa.Integer),
    sa.Column("item_key", sa.String(8)),
    sa.Column("agreed_callback", sa.Boolean, nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("broken", sa.JSON, nullable=False),
    sa.Column("measures", sa.JSON, nullable=False),
    sa.Index("ix_insight_conversations_day", "day"),
    sa.Index(
        "ix_insight_conversations_low",
        "score",
        "started_at",
        sqlite_where=sa.text("score < 100"),
        postgresql_where=sa.text("score < 100"),
    ),
    sa.Index("ix_insight_conversations_caller_key_started_at", "caller_key", "started_at"),
)

LINE = "line"
"""Cells of a day by channel alone (topics': and by topic): what most pages ask first, and few."""

cells = sa.Table(
    "insight_cells",
    metadata,
    *_place(),
    *_sums(MEASURES),
    sa.Index("ix_insight_cells_grain_town_bucket", "grain", "town", "bucket"),
    sa.Index("ix_insight_cells_grain_area_bucket", "grain", "area", "bucket"),
    sqlite_with_rowid=False,  # kept in the order of the key: a span is read in one sweep
)

RULE_SUMS = ("conversations", "score_sum")

rule_cells = sa.Table(
    "insight_rule_cells",
    metadata,
    *_place(),
    sa.Column("rule", sa.String(32), primary_key=True),
    *_sums(RULE_SUMS),
    sa.Index("ix_insight_rule_cells_grain_town_bucket", "grain", "town", "bucket"),
    sa.Index("ix_insight_rule_cells_grain_area_bucket", "grain", "area", "bucket"),
    sqlite_with_rowid=False,
)
"""Under the rule ``*`` the conversations that were scored and their scores; under a rule those that broke it."""

agent_cells = sa.Table(
    "insight_agent_cells",
    metadata,
    sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("agent", sa.String(64), primary_key=True),
    sa.Column("taken", sa.Float, nullable=False, server_default="0"),
    sa.Column("agent_s", sa.Float, nullable=False, server_default="0"),
    sa.Column("agent_messages", sa.Float, nullable=False, server_default="0"),
    sa.Column("ratings", sa.Float, nullable=False, server_default="0"),
    sa.Column("rating_sum", sa.Float, nullable=False, server_default="0"),
)

desk_cells = sa.Table(
    "insight_desk_cells",
    metadata,
    sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("agent", sa.String(64), primary_key=True),
    *_sums(DESK_SECONDS),
    sqlite_with_rowid=False,
)

recalls = sa.Table(
    "insight_recalls",
    metadata,
    sa.Column("conversation_id", sa.String(64), primary_key=True),
    sa.Column("item_key", sa.String(8), primary_key=True),
    sa.Column("version", sa.String(40), primary_key=True),
    sa.Column("callback_id", sa.String(64), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

orders = sa.Table(
    "insight_orders",
    metadata,
    sa.Column("number", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("town", sa.String(32), nullable=False),
    sa.Column("department", sa.String(64), nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
    sa.Column("state", sa.String(24), nullable=False),
    sa.Column("filed_at", UtcDateTime, nullable=False),
    sa.Column("due_on", sa.Date),
    sa.Column("completed_at", UtcDateTime),
    sa.Column("score", sa.Integer),
    sa.Column("returned", sa.Boolean, nullable=False),
    sa.Column("escalated", sa.Boolean, nullable=False),
    sa.Column("reopened", sa.Boolean, nullable=False),
    sa.Column("stopped_on", sa.Date),
    sa.Index("ix_insight_orders_filed_at", "filed_at"),
    sa.Index("ix_insight_orders_completed_at", "completed_at"),
)
sa.Index(
    "ix_insight_orders_open",
    orders.c.due_on,
    sqlite_where=sa.text("completed_at IS NULL"),
    postgresql_where=sa.text("completed_at IS NULL"),
)

order_cells = sa.Table(
    "insight_order_cells",
    metadata,
    sa.Column("grain", sa.String(8), primary_key=True),
    sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("type", sa.String(16), primary_key=True),
    sa.Column("town", sa.String(32), primary_key=True),
    sa.Column("department", sa.String(64), primary_key=True),
    *_sums(ORDER_MEASURES),
    sqlite_with_rowid=False,
)

texts = sa.Table(
    "insight_texts",
    metadata,
    sa.Column("text_key", sa.LargeBinary(16), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("model", sa.String(32)),
    sa.Column("vector", sa.LargeBinary),
    sa.Column("topic_id", sa.Integer),
    sa.Column("distance", sa.Float),
    sa.Column("gap_group", sa.Integer),
)
sa.Index(
    "ix_insight_texts_unencoded",
    texts.c.text_key,
    sqlite_where=sa.text("vector IS NULL"),
    postgresql_where=sa.text("vector IS NULL"),
)
sa.Index("ix_insight_texts_topic_id", texts.c.topic_id)

turn_facts = sa.Table(
    "insight_turns",
    metadata,
    sa.Column("turn_id", sa.String(64), primary_key=True),
    sa.Column("conversation_id", sa.String(64), nullable=False),
    sa.Column("hour", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("town", sa.String(32), nullable=False),
    sa.Column("area", sa.String(32), nullable=False),
    sa.Column("item_key", sa.String(8)),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("gap", sa.String(16)),
    sa.Column("cited", sa.String(500)),
    sa.Column("text_key", sa.LargeBinary(16)),
    sa.Index("ix_insight_turns_conversation_id", "conversation_id"),
    sa.Index("ix_insight_turns_hour", "hour"),
    sa.Index("ix_insight_turns_item_key_hour", "item_key", "hour"),
    sa.Index("ix_insight_turns_text_key_hour", "text_key", "hour"),
)
sa.Index(
    "ix_insight_turns_gap",
    turn_facts.c.hour,
    sqlite_where=sa.text("gap IS NOT NULL"),
    postgresql_where=sa.text("gap IS NOT NULL"),
)

gap_groups = sa.Table(
    "insight_gap_groups",
    metadata,
    sa.Column("group_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("gap_id", sa.String(16), nullable=False),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("words", sa.JSON, nullable=False),
    sa.Column("examples", sa.JSON, nullable=False),
    sa.Column("item_keys", sa.JSON, nullable=False),
    sa.Column("texts", sa.Integer, nullable=False),
    sa.Column("middle", sa.LargeBinary, nullable=False),
)
"""``examples`` are keys of texts, so that what is erased is shown no more."""

gap_months = sa.Table(
    "insight_gap_months",
    metadata,
    sa.Column("month", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("changes", sa.Integer, nullable=False),
    sa.Column("counted", sa.Integer, nullable=False),
    sa.Column("names", sa.JSON, nullable=False),
    sa.Column("packed", sa.LargeBinary),
    sa.Column("at", UtcDateTime),
)
"""The gaps of a month in one piece; ``changes`` beyond ``counted`` are not in it yet."""

topics = sa.Table(
    "insight_topics",
    metadata,
    sa.Column("topic_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("given_name", sa.String(120)),
    sa.Column("words", sa.JSON, nullable=False),
    sa.Column("examples", sa.JSON, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("pinned", sa.Boolean, nullable=False),
    sa.Column("merged_into", sa.Integer),
    sa.Column("retired", sa.Boolean, nullable=False),
    sa.Column("first_seen", UtcDateTime, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("centroid", sa.LargeBinary, nullable=False),
)

topic_cells = sa.Table(
    "insight_topic_cells",
    metadata,
    sa.Column("grain", sa.String(8), primary_key=True),
    sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("topic_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("town", sa.String(32), primary_key=True),
    sa.Column("area", sa.String(32), primary_key=True),
    sa.Column("turns", sa.Integer, nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Index("ix_insight_topic_cells_grain_topic_id_bucket", "grain", "topic_id", "bucket"),
    sqlite_with_rowid=False,  # kept in the order of the key: a span is read in one sweep
)

alerts = sa.Table(
    "insight_alerts",
    metadata,
    sa.Column("alert_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("topic_id", sa.Integer, nullable=False),
    sa.Column("title", sa.String(160), nullable=False),
    sa.Column("town", sa.String(32), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("first_at", UtcDateTime, nullable=False),
    sa.Column("window_h", sa.Integer, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("expected", sa.Float, nullable=False),
    sa.Column("surprise", sa.Float, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("series", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("incident_id", sa.Integer),
    sa.Index("ix_insight_alerts_at", "at"),
)

outbox = sa.Table(
    "insight_outbox",
    metadata,
    sa.Column("message_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcDateTime),
    sa.Column("delivered_at", UtcDateTime),
    sa.Column("last_error", sa.String(300), nullable=False),
)

incidents = sa.Table(
    "insight_incidents",
    metadata,
    sa.Column("incident_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("topic_id", sa.Integer),
    sa.Column("item_keys", sa.JSON, nullable=False),
    sa.Column("words", sa.JSON, nullable=False),
    sa.Column("town", sa.String(32)),
    sa.Column("text", sa.String(300), nullable=False),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("valid_from", UtcDateTime, nullable=False),
    sa.Column("valid_until", UtcDateTime, nullable=False),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("reference", sa.String(100)),
    sa.Index("uq_insight_incidents_reference", "reference", unique=True),
)

proposals = sa.Table(
    "insight_proposals",
    metadata,
    sa.Column("proposal_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("path", sa.String(200), nullable=False),
    sa.Column("before_hash", sa.String(64), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("diff", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("findings", sa.JSON, nullable=False),
    sa.Column("evaluation", sa.JSON, nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("decided_by", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("decided_at", UtcDateTime),
)

reviews = sa.Table(
    "insight_reviews",
    metadata,
    sa.Column("conversation_id", sa.String(64), primary_key=True),
    sa.Column("reviewer", sa.String(64), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("passed", sa.Boolean),
    sa.Column("score", sa.Integer),
    sa.Column("note", sa.String(500), nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("done_at", UtcDateTime),
    sa.UniqueConstraint("conversation_id", "place"),
)

displays = sa.Table(
    "insight_displays",
    metadata,
    sa.Column("display_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("town", sa.String(32)),
    sa.Column("code_hash", sa.String(64), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("last_seen_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("revoked_by", sa.String(64), nullable=False),
    sa.Index("uq_insight_displays_code_hash", "code_hash", unique=True),
)

marks = sa.Table(
    "insight_marks",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)
"""Small things to remember: ``demo`` marks a database of generated traffic, ``counted`` the cursor."""
