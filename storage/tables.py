"""The tables, as SQLAlchemy Core. Migrations make them; a test keeps the two alike."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from storage.rules import as_utc


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out, also where the engine keeps no offset."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else as_utc(value)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("conversation_id", sa.String(64), primary_key=True),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("external_id", sa.String(256)),
    sa.Column("caller_key", sa.String(64)),
    sa.Column("contact", sa.Text, nullable=False, server_default=""),
    sa.Column("contact_shown", sa.String(64), nullable=False, server_default=""),
    sa.Column("token_hash", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("expects", sa.String(64)),
    sa.Column("flow", sa.String(64)),
    sa.Column("issued_payloads", sa.JSON, nullable=False),
    sa.Column("turn_count", sa.Integer, nullable=False),
    sa.Column("event_seq", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("queued_at", UtcDateTime),
    sa.Column("rating_score", sa.Integer),
    sa.Column("rating_comment", sa.Text),
    sa.Column("rated_at", UtcDateTime),
    sa.Index("ix_conversations_state_queued_at", "state", "queued_at"),
    sa.Index("ix_conversations_updated_at", "updated_at"),
    sa.Index("ix_conversations_caller_key", "caller_key", "created_at"),
)
# A sender has one open conversation; a closed one makes room for the next.
sa.Index(
    "uq_conversations_open_external",
    conversations.c.channel,
    conversations.c.external_id,
    unique=True,
    sqlite_where=sa.text("state <> 'closed'"),
    postgresql_where=sa.text("state <> 'closed'"),
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("turn_id", sa.String(64), primary_key=True),
    sa.Column("conversation_id", sa.ForeignKey("conversations.conversation_id"), nullable=False),
    sa.Column("turn_seq", sa.Integer, nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("client_message_id", sa.String(128)),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("replies", sa.JSON(none_as_null=True)),
    sa.Column("understanding", sa.JSON(none_as_null=True)),
    sa.Column("state", sa.String(16)),
    sa.Column("answered_at", UtcDateTime),
    sa.UniqueConstraint("conversation_id", "turn_seq"),
    sa.UniqueConstraint("conversation_id", "client_message_id"),
)
sa.Index(
    "ix_turns_unanswered",
    turns.c.at,
    sqlite_where=sa.text("answered_at IS NULL"),
    postgresql_where=sa.text("answered_at IS NULL"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("conversation_id", sa.ForeignKey("conversations.conversation_id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("turn_id", sa.String(64)),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("username", sa.String(64), primary_key=True),
    sa.Column("display_name", sa.String(64), nullable=False),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("password_hash", sa.String(256)),
    sa.Column("issuer", sa.String(512)),
    sa.Column("identity", sa.String(255)),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("issuer", "identity"),
)

staff_sessions = sa.Table(
    "staff_sessions",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("username", sa.ForeignKey("accounts.username"), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    sa.Column("subject", sa.String(128), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("locked_until", UtcDateTime),
)

# Append-only: the migration adds triggers that refuse UPDATE and DELETE.
audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.String(64), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(256), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

work_orders = sa.Table(
    "work_orders",
    metadata,
    sa.Column("number", sa.String(32), primary_key=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("idempotency_key", sa.String(160), nullable=False, unique=True),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.String(24), nullable=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("urgency", sa.String(16)),
    sa.Column("town", sa.String(32)),
    sa.Column("category", sa.String(64)),
    sa.Column("department", sa.String(128)),
    sa.Column("confidential", sa.Boolean, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("due_on", sa.Date),
    sa.Column("revisit_due", sa.Date),
    sa.Column("merged_into", sa.String(32)),
    sa.Column("hub_number", sa.String(64)),
    sa.Column("hub_seq", sa.Integer, nullable=False, server_default="0"),
    sa.Column("reading", sa.Text),
    sa.Column("compared", sa.Boolean, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Index("ix_work_orders_state_due_on", "state", "due_on"),
    sa.Index("ix_work_orders_created_at", "created_at"),
    sa.Index("ix_work_orders_department_state", "department", "state"),
    sa.Index("ix_work_orders_merged_into", "merged_into"),
)
"""``sealed`` is the whole record, encrypted, as is ``reading``; the other columns are what is searched by."""

# Append-only: the migration adds a trigger that refuses UPDATE.
work_order_history = sa.Table(
    "work_order_history",
    metadata,
    sa.Column("number", sa.ForeignKey("work_orders.number"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("what", sa.String(32), nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
)

work_order_outbox = sa.Table(
    "work_order_outbox",
    metadata,
    sa.Column("number", sa.ForeignKey("work_orders.number"), primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcDateTime, nullable=False),
    sa.Column("last_error", sa.String(256), nullable=False),
    sa.Column("refused", sa.Boolean, nullable=False),
    sa.Index("ix_work_order_outbox_next_at", "next_at"),
)

# No foreign key: a recording is found and deleted also where its conversation is gone.
recordings = sa.Table(
    "recordings",
    metadata,
    sa.Column("recording_id", sa.String(64), primary_key=True),
    sa.Column("conversation_id", sa.String(64), nullable=False),
    sa.Column("call_id", sa.String(64), nullable=False),
    sa.Column("sample_rate", sa.Integer, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("turns", sa.JSON, nullable=False),
    sa.Index("ix_recordings_conversation_id", "conversation_id"),
    sa.Index("ix_recordings_started_at", "started_at"),
)
