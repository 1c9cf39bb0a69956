"""work orders, their history, the outbox to the data hub

Written out, not taken from storage.tables: a revision must stay as it was when it ran.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

# The history only grows: no line of it is rewritten. Erasing a whole order on request stays possible.
_GUARDS = {
    "sqlite": (
        "CREATE TRIGGER work_order_history_no_update BEFORE UPDATE ON work_order_history"
        " BEGIN SELECT RAISE(ABORT, 'the history of a work order is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION work_order_history_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'the history of a work order is append-only'; END $$",
        "CREATE TRIGGER work_order_history_no_update BEFORE UPDATE ON work_order_history"
        " FOR EACH ROW EXECUTE FUNCTION work_order_history_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "work_orders",
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("idempotency_key", sa.String(160), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("town", sa.String(32)),
        sa.Column("category", sa.String(64)),
        sa.Column("department", sa.String(128)),
        sa.Column("confidential", sa.Boolean, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("due_on", sa.Date),
        sa.Column("revisit_due", sa.Date),
        sa.Column("merged_into", sa.String(32)),
        sa.Column("hub_number", sa.String(64)),
        sa.Column("reading", sa.Text),
        sa.Column("compared", sa.Boolean, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_work_orders"),
        sa.UniqueConstraint("idempotency_key", name="uq_work_orders_idempotency_key"),
        sa.UniqueConstraint("public_id", name="uq_work_orders_public_id"),
    )
    op.create_index("ix_work_orders_state_due_on", "work_orders", ["state", "due_on"])
    op.create_index("ix_work_orders_created_at", "work_orders", ["created_at"])
    op.create_index("ix_work_orders_department_state", "work_orders", ["department", "state"])
    op.create_index("ix_work_orders_merged_into", "work_orders", ["merged_into"])
    op.create_table(
        "work_order_history",
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", "seq", name="pk_work_order_history"),
        sa.ForeignKeyConstraint(["number"], ["work_orders.number"], name="fk_work_order_history_number"),
    )
    op.create_table(
        "work_order_outbox",
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("last_error", sa.String(256), nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_work_order_outbox"),
        sa.ForeignKeyConstraint(["number"], ["work_orders.number"], name="fk_work_order_outbox_number"),
    )
    op.create_index("ix_work_order_outbox_next_at", "work_order_outbox", ["next_at"])
    for guard in _GUARDS[op.get_bind().dialect.name]:
        op.execute(guard)


def downgrade() -> None:
    op.drop_table("work_order_outbox")
    op.drop_table("work_order_history")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION work_order_history_append_only()")
    op.drop_table("work_orders")
