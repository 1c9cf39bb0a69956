"""insights: what rules were broken, as cells; knowledge gaps in groups, counted month by month"""

import json
from collections import defaultdict

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEYS = ("grain", "bucket", "channel", "town", "area", "department", "rule")
_BATCH = 5000


def upgrade() -> None:
    op.create_table(
        "insight_rule_cells",
        sa.Column("grain", sa.String(8), nullable=False),
        sa.Column("bucket", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("town", sa.String(32), nullable=False),
        sa.Column("area", sa.String(32), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("conversations", sa.Float, nullable=False, server_default="0"),
        sa.Column("score_sum", sa.Float, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint(*_KEYS, name="pk_insight_rule_cells"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_insight_rule_cells_grain_area_bucket", "insight_rule_cells", ["grain", "area", "bucket"])
    op.create_index("ix_insight_rule_cells_grain_town_bucket", "insight_rule_cells", ["grain", "town", "bucket"])
    op.drop_index("ix_insight_conversations_day_score", "insight_conversations")
    op.add_column("insight_texts", sa.Column("gap_group", sa.Integer))
    op.create_table(
        "insight_gap_groups",
        sa.Column("group_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("gap_id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("words", sa.JSON, nullable=False),
        sa.Column("examples", sa.JSON, nullable=False),
        sa.Column("item_keys", sa.JSON, nullable=False),
        sa.Column("texts", sa.Integer, nullable=False),
        sa.Column("middle", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("group_id", name="pk_insight_gap_groups"),
    )
    op.create_table(
        "insight_gap_months",
        sa.Column("month", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("counted", sa.Integer, nullable=False),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("packed", sa.LargeBinary),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("month", name="pk_insight_gap_months"),
    )
    _add_up_rules()
    _months_to_count()
    op.execute(
        "INSERT INTO insight_topic_cells (grain, bucket, topic_id, channel, town, area, turns, people) "
        "SELECT 'line', bucket, topic_id, channel, '*', '*', SUM(turns), SUM(people) FROM insight_topic_cells "
        "WHERE grain = 'day' GROUP BY bucket, topic_id, channel"
    )


def _add_up_rules() -> None:
    """The conversations counted so far."""
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            "SELECT day, channel, town, area, department, score, CAST(broken AS TEXT) AS broken "
            "FROM insight_conversations WHERE score IS NOT NULL"
        )
    )
    sums: dict[tuple[object, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for day, channel, town, area, department, score, broken in found:
        place = (channel, town, area, department)
        rules = {finding["rule"] for finding in json.loads(broken)} if broken != "[]" else ()
        for key in (("line", day, channel, "*", "*", "*"), ("day", day, *place), ("month", day // 100, *place)):
            for rule, told in (("*", score), *((rule, 0.0) for rule in rules)):
                known = sums[(*key, rule)]
                known[0] += 1.0
                known[1] += told
    cells = sa.table("insight_rule_cells", *(sa.column(name) for name in (*_KEYS, "conversations", "score_sum")))
    rows = [dict(zip((*_KEYS, "conversations", "score_sum"), (*k, *v), strict=True)) for k, v in sums.items()]
    for start in range(0, len(rows), _BATCH):
        connection.execute(sa.insert(cells), rows[start : start + _BATCH])


def _months_to_count() -> None:
    """Months in which there are gaps; the process behind the line counts them in its next round."""
    connection = op.get_bind()
    hours = connection.execute(sa.text("SELECT DISTINCT hour FROM insight_turns WHERE gap IS NOT NULL")).scalars()
    months = sa.table("insight_gap_months", *(sa.column(name) for name in ("month", "changes", "counted", "names")))
    rows = [{"month": m, "changes": 1, "counted": 0, "names": "{}"} for m in sorted({h // 10000 for h in hours})]
    if rows:
        names = (
            sa.cast(sa.bindparam("names"), sa.JSON) if connection.dialect.name != "sqlite" else sa.bindparam("names")
        )
        connection.execute(sa.insert(months).values(names=names), rows)


def downgrade() -> None:
    op.execute("DELETE FROM insight_topic_cells WHERE grain = 'line'")
    op.drop_table("insight_gap_months")
    op.drop_table("insight_gap_groups")
    op.drop_column("insight_texts", "gap_group")
    op.create_index("ix_insight_conversations_day_score", "insight_conversations", ["day", "score"])
    op.drop_table("insight_rule_cells")
