"""What of a day's log changed since it was issued"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"

_CHANGED = sa.text("changes > included")


def upgrade() -> None:
    op.add_column("as_run_issue", sa.Column("start_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("as_run_issue", sa.Column("end_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("as_run_issue", sa.Column("changes", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("as_run_issue", sa.Column("included", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("as_run_issue", sa.Column("why", sa.Text(), nullable=True))
    op.create_index("ix_as_run_issue_end", "as_run_issue", ["channel_id", "end_at"])
    op.create_index(
        "ix_as_run_issue_changed", "as_run_issue", ["channel_id"], sqlite_where=_CHANGED, postgresql_where=_CHANGED
    )


def downgrade() -> None:
    op.drop_index("ix_as_run_issue_changed", "as_run_issue")
    op.drop_index("ix_as_run_issue_end", "as_run_issue")
    for name in ("why", "included", "changes", "end_at", "start_at"):
        op.drop_column("as_run_issue", name)
