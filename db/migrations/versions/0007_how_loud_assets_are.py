"""How loud assets are, and of which content that was measured"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("asset", sa.Column("measured_mb", sa.Integer(), nullable=True))
    op.add_column("asset", sa.Column("measured_peak_mb", sa.Integer(), nullable=True))
    op.add_column("asset", sa.Column("measured_fingerprint", sa.String(length=64), nullable=True))


def downgrade() -> None:
    for column in ("measured_fingerprint", "measured_peak_mb", "measured_mb"):
        op.drop_column("asset", column)
