"""work orders: urgency as a column to search by. Filled where it is first asked for: records are sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("work_orders", sa.Column("urgency", sa.String(16)))


def downgrade() -> None:
    op.drop_column("work_orders", "urgency")
