"""Of an as-run event, how its engine knew of its start and its end"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    # In place: the table may hold millions of rows.
    op.add_column("as_run_event", sa.Column("start_proof", sa.Text(), nullable=True))
    op.add_column("as_run_event", sa.Column("end_proof", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("as_run_event", "end_proof")
    op.drop_column("as_run_event", "start_proof")
