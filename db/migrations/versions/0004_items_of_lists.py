"""What a list says of an item: the traffic system's id, the planned start, and the clip it waits for"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("item") as item:
        item.add_column(sa.Column("traffic_id", sa.String(length=120), nullable=True))
        item.add_column(sa.Column("planned_start", sa.DateTime(timezone=True), nullable=True))
        item.add_column(sa.Column("house_id", sa.String(length=80), nullable=True))
        item.add_column(sa.Column("listed", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("item") as item:
        for column in ("listed", "house_id", "planned_start", "traffic_id"):
            item.drop_column(column)
