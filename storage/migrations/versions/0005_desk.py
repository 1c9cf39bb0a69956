"""the desk: queue entries, agents, offers, call-backs, agents' messages, the desk's own events

Written out, not taken from storage.desk_tables: a revision must stay as it was when it ran.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
_OPEN = sa.text("state IN ('waiting', 'offered', 'serving')")
_TO_CALL = sa.text("state IN ('open', 'claimed')")


def _conversation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["conversation_id"], ["conversations.conversation_id"], name=f"fk_{table}_conversation_id"
    )


def upgrade() -> None:
    op.add_column("conversations", sa.Column("caller_key", sa.String(64)))
    op.add_column("conversations", sa.Column("contact", sa.Text, nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("contact_shown", sa.String(64), nullable=False, server_default=""))
    op.create_index("ix_conversations_caller_key", "conversations", ["caller_key", "created_at"])
    op.create_table(
        "queue_entries",
        sa.Column("entry_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("urgency", sa.String(16), nullable=False),
        sa.Column("area", sa.String(64), nullable=False),
        sa.Column("town", sa.String(64), nullable=False),
        sa.Column("dialect", sa.String(16), nullable=False),
        sa.Column("queued_at", MOMENT, nullable=False),
        sa.Column("rank_at", MOMENT, nullable=False),
        sa.Column("agent", sa.String(64)),
        sa.Column("served_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("position_told", sa.Integer),
        sa.PrimaryKeyConstraint("entry_id", name="pk_queue_entries"),
        _conversation("queue_entries"),
    )
    op.create_index("ix_queue_entries_state_rank_at", "queue_entries", ["state", "rank_at"])
    op.create_index("ix_queue_entries_ended_at", "queue_entries", ["ended_at"])
    op.create_index("ix_queue_entries_conversation_id", "queue_entries", ["conversation_id"])
    op.create_index(
        "uq_queue_entries_open",
        "queue_entries",
        ["conversation_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    # Who waits at the moment of the upgrade keeps the place.
    op.execute(
        "INSERT INTO queue_entries (entry_id, conversation_id, channel, state, reason, urgency, area, town, dialect,"
        " queued_at, rank_at) SELECT conversation_id, conversation_id, channel, 'waiting', 'word', 'normal', '', '', '',"
        " queued_at, queued_at FROM conversations WHERE state = 'queued' AND queued_at IS NOT NULL"
    )
    op.create_table(
        "agents",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(64), nullable=False),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("towns", sa.JSON, nullable=False),
        sa.Column("dialects", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("idle_since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("username", name="pk_agents"),
    )
    op.create_table(
        "offers",
        sa.Column("offer_id", sa.String(64), nullable=False),
        sa.Column("entry_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("assigned_by", sa.String(64)),
        sa.PrimaryKeyConstraint("offer_id", name="pk_offers"),
        sa.ForeignKeyConstraint(["entry_id"], ["queue_entries.entry_id"], name="fk_offers_entry_id"),
    )
    op.create_index("ix_offers_entry_id", "offers", ["entry_id"])
    op.create_index("ix_offers_state", "offers", ["state"])
    op.create_table(
        "callbacks",
        sa.Column("callback_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("contact_shown", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("agent", sa.String(64)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("callback_id", name="pk_callbacks"),
        _conversation("callbacks"),
    )
    op.create_index("ix_callbacks_state_created_at", "callbacks", ["state", "created_at"])
    op.create_index(
        "uq_callbacks_open",
        "callbacks",
        ["conversation_id"],
        unique=True,
        sqlite_where=_TO_CALL,
        postgresql_where=_TO_CALL,
    )
    op.create_table(
        "agent_messages",
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("client_message_id", sa.String(128), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_agent_messages"),
        _conversation("agent_messages"),
        sa.UniqueConstraint(
            "conversation_id", "client_message_id", name="uq_agent_messages_conversation_id_client_message_id"
        ),
    )
    op.create_table(
        "desk_events",
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("conversation_id", sa.String(64)),
        sa.Column("agent", sa.String(64)),
        sa.Column("data", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_desk_events"),
    )
    op.create_index("ix_desk_events_at", "desk_events", ["at"])
    op.create_table(
        "desk_clock",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_desk_clock"),
    )
    op.execute("INSERT INTO desk_clock (id, seq) VALUES (1, 0)")


def downgrade() -> None:
    for table in ("desk_clock", "desk_events", "agent_messages", "callbacks", "offers", "agents", "queue_entries"):
        op.drop_table(table)
    op.drop_index("ix_conversations_caller_key", "conversations")
    for column in ("contact_shown", "contact", "caller_key"):
        op.drop_column("conversations", column)
