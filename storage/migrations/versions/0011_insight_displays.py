"""insights: screens on walls; work orders listed by when they were filed and completed"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "insight_displays",
        sa.Column("display_id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("town", sa.String(32)),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("display_id", name="pk_insight_displays"),
    )
    op.create_index("uq_insight_displays_code_hash", "insight_displays", ["code_hash"], unique=True)
    for name in ("filed_at", "completed_at"):
        op.create_index(f"ix_insight_orders_{name}", "insight_orders", [name])


def downgrade() -> None:
    for name in ("completed_at", "filed_at"):
        op.drop_index(f"ix_insight_orders_{name}", "insight_orders")
    op.drop_table("insight_displays")
