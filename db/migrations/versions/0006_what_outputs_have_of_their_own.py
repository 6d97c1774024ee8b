"""What an output has of its own: the tables of its transport stream, and its encode"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("output") as output:
        output.add_column(sa.Column("transport", sa.JSON(), nullable=True))
        output.add_column(sa.Column("encoding", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("output") as output:
        output.drop_column("encoding")
        output.drop_column("transport")
