"""insights: hours of the week added up, agents' time at the desk, recalled answers, references of incidents"""

from collections import defaultdict
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATES = ("ready_s", "ringing_s", "busy_s", "after_call_s", "paused_s")
_KEYS = ("grain", "bucket", "channel", "town", "area", "department")


def upgrade() -> None:
    op.add_column("insight_incidents", sa.Column("reference", sa.String(100)))
    op.create_index("uq_insight_incidents_reference", "insight_incidents", ["reference"], unique=True)
    op.add_column("insight_orders", sa.Column("stopped_on", sa.Date))
    op.create_table(
        "insight_desk_cells",
        sa.Column("bucket", sa.Integer, nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Float, nullable=False, server_default="0") for name in STATES),
        sa.PrimaryKeyConstraint("bucket", "agent", name="pk_insight_desk_cells"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "insight_recalls",
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("item_key", sa.String(8), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("callback_id", sa.String(64), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "item_key", "version", name="pk_insight_recalls"),
    )
    _add_up_weeks()


def _add_up_weeks() -> None:
    """The hours counted so far, by month, weekday and hour."""
    connection = op.get_bind()
    names = [c["name"] for c in sa.inspect(connection).get_columns("insight_cells")]
    cells = sa.table("insight_cells", *(sa.column(name) for name in names))
    sums = [name for name in names if name not in _KEYS]
    weeks: dict[tuple[int, str], list[float]] = defaultdict(lambda: [0.0] * len(sums))
    columns = [cells.c[name] for name in ("bucket", "channel", *sums)]
    for bucket, channel, *values in connection.execute(sa.select(*columns).where(cells.c.grain == "hour")):
        day = date(bucket // 1000000, bucket // 10000 % 100, bucket // 100 % 100)
        week = bucket // 10000 * 1000 + day.weekday() * 24 + bucket % 100
        known = weeks[week, channel]
        for place, value in enumerate(values):
            known[place] += value
    star = {"grain": "week", "town": "*", "area": "*", "department": "*"}
    rows = [
        {**star, "bucket": week, "channel": channel, **dict(zip(sums, values, strict=True))}
        for (week, channel), values in weeks.items()
    ]
    if rows:
        connection.execute(sa.insert(cells), rows)


def downgrade() -> None:
    op.execute("DELETE FROM insight_cells WHERE grain = 'week'")
    op.drop_table("insight_recalls")
    op.drop_table("insight_desk_cells")
    op.drop_column("insight_orders", "stopped_on")
    op.drop_index("uq_insight_incidents_reference", "insight_incidents")
    op.drop_column("insight_incidents", "reference")
