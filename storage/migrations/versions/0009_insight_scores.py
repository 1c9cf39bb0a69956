"""insights: compliance scores over a year without reading whole conversations"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_LOW = sa.text("score < 100")


def upgrade() -> None:
    op.create_index("ix_insight_conversations_day_score", "insight_conversations", ["day", "score"])
    op.create_index(
        "ix_insight_conversations_low", "insight_conversations", ["score", "started_at"],
        sqlite_where=_LOW, postgresql_where=_LOW,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_insight_conversations_low", "insight_conversations")
    op.drop_index("ix_insight_conversations_day_score", "insight_conversations")
