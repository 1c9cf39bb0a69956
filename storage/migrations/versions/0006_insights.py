"""insights: what was counted, texts and topics, alerts and incidents"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


MEASURES = (
    "conversations calls people turns answered_turns refused_turns asked_back_turns low_confidence_turns "
    "confidence_sum understood_turns recognised_turns recognition_sum recognition_low first_answers "
    "first_answers_15s first_answer_s handoffs handoff_asked handoff_emergency handoff_not_understood "
    "handoff_part_down handoff_other agent_taken agent_taken_15s abandoned queue_cancelled contained "
    "identified identified_contained repeated contained_repeated bot_s queue_s agent_s agent_messages "
    "corrected ratings rating_sum rated_5 rated_4 rated_3 rated_2 rated_1 emergencies parts_down "
).split()
ORDER_MEASURES = (
    "filed completed completed_in_time handling_days returned escalated reopened order_ratings "
    "order_rating_sum order_rated_badly "
).split()


def _sums(names: list[str]) -> list[sa.Column]:  # type: ignore[type-arg]
    return [sa.Column(name, sa.Float, nullable=False, server_default="0") for name in names]


def upgrade() -> None:
    op.create_table(
        "insight_agent_cells",
        sa.Column("bucket", sa.Integer, nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("taken", sa.Float, nullable=False, server_default="0"),
        sa.Column("agent_s", sa.Float, nullable=False, server_default="0"),
        sa.Column("agent_messages", sa.Float, nullable=False, server_default="0"),
        sa.Column("ratings", sa.Float, nullable=False, server_default="0"),
        sa.Column("rating_sum", sa.Float, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("bucket", "agent", name="pk_insight_agent_cells"),
    )
    op.create_table(
        "insight_alerts",
        sa.Column("alert_id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("topic_id", sa.Integer, nullable=False),
        sa.Column("title", sa.String(160), nullable=False),
        sa.Column("town", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("window_h", sa.Integer, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("expected", sa.Float, nullable=False),
        sa.Column("surprise", sa.Float, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("series", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("incident_id", sa.Integer),
        sa.PrimaryKeyConstraint("alert_id", name="pk_insight_alerts"),
    )
    op.create_index("ix_insight_alerts_at", "insight_alerts", ["at"])
    op.create_table(
        "insight_cells",
        sa.Column("grain", sa.String(8), nullable=False),
        sa.Column("bucket", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("town", sa.String(32), nullable=False),
        sa.Column("area", sa.String(32), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        *_sums(MEASURES),
        sa.PrimaryKeyConstraint("grain", "bucket", "channel", "town", "area", "department", name="pk_insight_cells"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_insight_cells_grain_area_bucket", "insight_cells", ["grain", "area", "bucket"])
    op.create_index("ix_insight_cells_grain_town_bucket", "insight_cells", ["grain", "town", "bucket"])
    op.create_table(
        "insight_conversations",
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("town", sa.String(32), nullable=False),
        sa.Column("area", sa.String(32), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=False),
        sa.Column("caller_key", sa.String(64)),
        sa.Column("handoff_reason", sa.String(16)),
        sa.Column("agent", sa.String(64)),
        sa.Column("rating", sa.Integer),
        sa.Column("item_key", sa.String(8)),
        sa.Column("agreed_callback", sa.Boolean, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("broken", sa.JSON, nullable=False),
        sa.Column("measures", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_insight_conversations"),
    )
    op.create_index(
        "ix_insight_conversations_caller_key_started_at", "insight_conversations", ["caller_key", "started_at"]
    )
    op.create_index("ix_insight_conversations_day", "insight_conversations", ["day"])
    op.create_table(
        "insight_incidents",
        sa.Column("incident_id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("topic_id", sa.Integer),
        sa.Column("item_keys", sa.JSON, nullable=False),
        sa.Column("words", sa.JSON, nullable=False),
        sa.Column("town", sa.String(32)),
        sa.Column("text", sa.String(300), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name="pk_insight_incidents"),
    )
    op.create_table(
        "insight_marks",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_insight_marks"),
    )
    op.create_table(
        "insight_order_cells",
        sa.Column("grain", sa.String(8), nullable=False),
        sa.Column("bucket", sa.Integer, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("town", sa.String(32), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        *_sums(ORDER_MEASURES),
        sa.PrimaryKeyConstraint("grain", "bucket", "type", "town", "department", name="pk_insight_order_cells"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "insight_orders",
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("town", sa.String(32), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("filed_at", MOMENT, nullable=False),
        sa.Column("due_on", sa.Date),
        sa.Column("completed_at", MOMENT),
        sa.Column("score", sa.Integer),
        sa.Column("returned", sa.Boolean, nullable=False),
        sa.Column("escalated", sa.Boolean, nullable=False),
        sa.Column("reopened", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_insight_orders"),
    )
    op.create_index(
        "ix_insight_orders_open",
        "insight_orders",
        ["due_on"],
        sqlite_where=sa.text("completed_at IS NULL"),
        postgresql_where=sa.text("completed_at IS NULL"),
    )
    op.create_table(
        "insight_outbox",
        sa.Column("message_id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", MOMENT),
        sa.Column("delivered_at", MOMENT),
        sa.Column("last_error", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_insight_outbox"),
    )
    op.create_table(
        "insight_proposals",
        sa.Column("proposal_id", sa.Integer, autoincrement=True, nullable=False),
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
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.PrimaryKeyConstraint("proposal_id", name="pk_insight_proposals"),
    )
    op.create_table(
        "insight_reviews",
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("reviewer", sa.String(64), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("passed", sa.Boolean),
        sa.Column("score", sa.Integer),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT),
        sa.PrimaryKeyConstraint("conversation_id", "reviewer", name="pk_insight_reviews"),
        sa.UniqueConstraint("conversation_id", "place", name="uq_insight_reviews_conversation_id_place"),
    )
    op.create_table(
        "insight_texts",
        sa.Column("text_key", sa.LargeBinary(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("model", sa.String(32)),
        sa.Column("vector", sa.LargeBinary),
        sa.Column("topic_id", sa.Integer),
        sa.Column("distance", sa.Float),
        sa.PrimaryKeyConstraint("text_key", name="pk_insight_texts"),
    )
    op.create_index("ix_insight_texts_topic_id", "insight_texts", ["topic_id"])
    op.create_index(
        "ix_insight_texts_unencoded",
        "insight_texts",
        ["text_key"],
        sqlite_where=sa.text("vector IS NULL"),
        postgresql_where=sa.text("vector IS NULL"),
    )
    op.create_table(
        "insight_topic_cells",
        sa.Column("grain", sa.String(8), nullable=False),
        sa.Column("bucket", sa.Integer, nullable=False),
        sa.Column("topic_id", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("town", sa.String(32), nullable=False),
        sa.Column("area", sa.String(32), nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint(
            "grain", "bucket", "topic_id", "channel", "town", "area", name="pk_insight_topic_cells"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_insight_topic_cells_grain_topic_id_bucket", "insight_topic_cells", ["grain", "topic_id", "bucket"]
    )
    op.create_table(
        "insight_topics",
        sa.Column("topic_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("given_name", sa.String(120)),
        sa.Column("words", sa.JSON, nullable=False),
        sa.Column("examples", sa.JSON, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("merged_into", sa.Integer),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("centroid", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("topic_id", name="pk_insight_topics"),
    )
    op.create_table(
        "insight_turns",
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("town", sa.String(32), nullable=False),
        sa.Column("area", sa.String(32), nullable=False),
        sa.Column("item_key", sa.String(8)),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("gap", sa.String(16)),
        sa.Column("cited", sa.String(500)),
        sa.Column("text_key", sa.LargeBinary(16)),
        sa.PrimaryKeyConstraint("turn_id", name="pk_insight_turns"),
    )
    op.create_index("ix_insight_turns_conversation_id", "insight_turns", ["conversation_id"])
    op.create_index(
        "ix_insight_turns_gap",
        "insight_turns",
        ["hour"],
        sqlite_where=sa.text("gap IS NOT NULL"),
        postgresql_where=sa.text("gap IS NOT NULL"),
    )
    op.create_index("ix_insight_turns_hour", "insight_turns", ["hour"])
    op.create_index("ix_insight_turns_item_key_hour", "insight_turns", ["item_key", "hour"])
    op.create_index("ix_insight_turns_text_key_hour", "insight_turns", ["text_key", "hour"])


def downgrade() -> None:
    op.drop_table("insight_turns")
    op.drop_table("insight_topics")
    op.drop_table("insight_topic_cells")
    op.drop_table("insight_texts")
    op.drop_table("insight_reviews")
    op.drop_table("insight_proposals")
    op.drop_table("insight_outbox")
    op.drop_table("insight_orders")
    op.drop_table("insight_order_cells")
    op.drop_table("insight_marks")
    op.drop_table("insight_incidents")
    op.drop_table("insight_conversations")
    op.drop_table("insight_cells")
    op.drop_table("insight_alerts")
    op.drop_table("insight_agent_cells")
