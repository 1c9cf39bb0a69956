"""work orders: urgency as a column to search by, filled where it is first asked for as records are sealed; and
which line of the history the hub was told last"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("work_orders", sa.Column("urgency", sa.String(16)))
    op.add_column("work_orders", sa.Column("hub_seq", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("work_orders", "hub_seq")
    op.drop_column("work_orders", "urgency")
