"""An alarm that somebody put aside for a while: until when, who and why"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

COLUMNS = (("shelved_until", sa.DateTime(timezone=True)), ("shelved_by", sa.String(120)), ("shelved_reason", sa.Text()))


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("alarm", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name, _ in reversed(COLUMNS):
        op.drop_column("alarm", name)
