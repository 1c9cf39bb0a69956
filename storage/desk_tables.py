"""The desk's tables, beside the conversations' (storage.tables)."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import UtcDateTime, metadata

_OPEN = sa.text("state IN ('waiting', 'offered', 'serving')")
_TO_CALL = sa.text("state IN ('open', 'claimed')")

queue_entries = sa.Table(
    "queue_entries",
    metadata,
    sa.Column("entry_id", sa.String(64), primary_key=True),
    sa.Column("conversation_id", sa.ForeignKey("conversations.conversation_id"), nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("urgency", sa.String(16), nullable=False),
    sa.Column("area", sa.String(64), nullable=False),
    sa.Column("town", sa.String(64), nullable=False),
    sa.Column("dialect", sa.String(16), nullable=False),
    sa.Column("queued_at", UtcDateTime, nullable=False),
    sa.Column("rank_at", UtcDateTime, nullable=False),
    sa.Column("agent", sa.String(64)),
    sa.Column("served_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("position_told", sa.Integer),
    sa.Index("ix_queue_entries_state_rank_at", "state", "rank_at"),
    sa.Index("ix_queue_entries_ended_at", "ended_at"),
    sa.Index("ix_queue_entries_conversation_id", "conversation_id"),
)
# A conversation stands in the queue, or is served, once.
sa.Index(
    "uq_queue_entries_open",
    queue_entries.c.conversation_id,
    unique=True,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)

agents = sa.Table(
    "agents",
    metadata,
    sa.Column("username", sa.String(64), primary_key=True),
    sa.Column("display_name", sa.String(64), nullable=False),
    sa.Column("areas", sa.JSON, nullable=False),
    sa.Column("towns", sa.JSON, nullable=False),
    sa.Column("dialects", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("idle_since", UtcDateTime, nullable=False),
)

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("offer_id", sa.String(64), primary_key=True),
    sa.Column("entry_id", sa.ForeignKey("queue_entries.entry_id"), nullable=False),
    sa.Column("conversation_id", sa.String(64), nullable=False),
    sa.Column("agent", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("offered_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("assigned_by", sa.String(64)),
    sa.Index("ix_offers_entry_id", "entry_id"),
    sa.Index("ix_offers_state", "state"),
)

callbacks = sa.Table(
    "callbacks",
    metadata,
    sa.Column("callback_id", sa.String(64), primary_key=True),
    sa.Column("conversation_id", sa.ForeignKey("conversations.conversation_id"), nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(16), nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("contact_shown", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("agent", sa.String(64)),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("ix_callbacks_state_created_at", "state", "created_at"),
)
sa.Index(
    "uq_callbacks_open",
    callbacks.c.conversation_id,
    unique=True,
    sqlite_where=_TO_CALL,
    postgresql_where=_TO_CALL,
)

agent_messages = sa.Table(
    "agent_messages",
    metadata,
    sa.Column("message_id", sa.String(64), primary_key=True),
    sa.Column("conversation_id", sa.ForeignKey("conversations.conversation_id"), nullable=False),
    sa.Column("client_message_id", sa.String(128), nullable=False),
    sa.Column("agent", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.UniqueConstraint("conversation_id", "client_message_id"),
)

desk_events = sa.Table(
    "desk_events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("conversation_id", sa.String(64)),
    sa.Column("agent", sa.String(64)),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index("ix_desk_events_at", "at"),
)

# One row that counts the events: its lock puts those who write them in a row, so numbers are seen
# in order, without gaps.
desk_clock = sa.Table(
    "desk_clock",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.Integer, nullable=False),
)
