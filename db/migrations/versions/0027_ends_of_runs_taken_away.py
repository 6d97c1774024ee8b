"""How the runs of the as-run ended whose records were taken away"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("as_run_run", sa.Column("taken_hash", sa.String(length=64), nullable=True))
    op.add_column("as_run_run", sa.Column("taken_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("as_run_run", sa.Column("taken_to", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("as_run_run", "taken_to")
    op.drop_column("as_run_run", "taken_from")
    op.drop_column("as_run_run", "taken_hash")
