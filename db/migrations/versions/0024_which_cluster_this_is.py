"""Which cluster this database is of, so that nodes tell a restored copy from what they belong to"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "cluster",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cluster_id", sa.String(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_cluster_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cluster")),
    )


def downgrade() -> None:
    op.drop_table("cluster")
