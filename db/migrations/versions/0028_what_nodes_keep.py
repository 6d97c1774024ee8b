"""Which journals were taken off their nodes, and for how long a recorder's files are kept"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("as_run_run", sa.Column("journal_gone_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("keep_days", "keep_gib"):
        op.add_column("recorder", sa.Column(name, sa.Integer(), server_default=sa.text("'0'"), nullable=False))


def downgrade() -> None:
    op.drop_column("recorder", "keep_gib")
    op.drop_column("recorder", "keep_days")
    op.drop_column("as_run_run", "journal_gone_at")
