"""The first tables: reports, and their bodies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reports",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("stamp", sa.String(30), nullable=False),
        sa.Column("created", sa.String(60), nullable=False),
        sa.Column("exercise", sa.String(200), nullable=False),
        sa.Column("exercise_title", sa.String(200), nullable=False),
        sa.Column("exercise_digest", sa.String(200), nullable=False),
        sa.Column("submission", sa.String(200), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("points", sa.String(40), nullable=False),
        sa.Column("points_max", sa.String(40), nullable=False),
        sa.Column("seed", sa.String(80), nullable=False),
        sa.Column("grader_version", sa.String(60), nullable=False),
        sa.Column("learner", sa.String(200), nullable=False),
    )
    op.create_index("reports_by_exercise", "reports", ["exercise", "stamp"])
    op.create_index("reports_by_learner", "reports", ["learner", "stamp"])
    op.create_index("reports_by_submission", "reports", ["submission"])
    op.create_table(
        "bodies",
        sa.Column("report_id", sa.String(100), sa.ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
