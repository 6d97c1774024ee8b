"""By which certificate each node's agent is known"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("node", sa.Column("certificate", sa.String(length=64), server_default=sa.text("''"), nullable=False))
    op.add_column("node", sa.Column("certificate_given", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("node", "certificate_given")
    op.drop_column("node", "certificate")
