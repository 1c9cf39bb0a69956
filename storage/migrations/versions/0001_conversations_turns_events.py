"""conversations, turns, events

Written out, not taken from storage.tables: a revision must stay as it was when it ran.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("external_id", sa.String(256)),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("expects", sa.String(64)),
        sa.Column("flow", sa.String(64)),
        sa.Column("issued_payloads", sa.JSON, nullable=False),
        sa.Column("turn_count", sa.Integer, nullable=False),
        sa.Column("event_seq", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("queued_at", MOMENT),
        sa.Column("rating_score", sa.Integer),
        sa.Column("rating_comment", sa.Text),
        sa.Column("rated_at", MOMENT),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_state_queued_at", "conversations", ["state", "queued_at"])
    op.create_index("ix_conversations_updated_at", "conversations", ["updated_at"])
    op.create_index(
        "uq_conversations_open_external",
        "conversations",
        ["channel", "external_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "turns",
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("turn_seq", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("client_message_id", sa.String(128)),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("replies", sa.JSON),
        sa.Column("understanding", sa.JSON),
        sa.Column("state", sa.String(16)),
        sa.Column("answered_at", MOMENT),
        sa.PrimaryKeyConstraint("turn_id", name="pk_turns"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="fk_turns_conversation_id"
        ),
        sa.UniqueConstraint("conversation_id", "turn_seq", name="uq_turns_conversation_id_turn_seq"),
        sa.UniqueConstraint("conversation_id", "client_message_id", name="uq_turns_conversation_id_client_message_id"),
    )
    op.create_index(
        "ix_turns_unanswered",
        "turns",
        ["at"],
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "events",
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("turn_id", sa.String(64)),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "seq", name="pk_events"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="fk_events_conversation_id"
        ),
    )


def downgrade() -> None:
    op.drop_table("events")
    op.drop_table("turns")
    op.drop_table("conversations")
