"""DeckLink ports that are kept for windows of schedules"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # The leader fills it when it looks at the schedules for the first time.
    op.create_table(
        "port_reservation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("node_id", sa.String(length=32), nullable=False),
        sa.Column("device_index", sa.Integer(), nullable=False),
        sa.Column("recorder_id", sa.String(length=32), nullable=False),
        sa.Column("schedule_id", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node_id"], ["node.id"], name=op.f("fk_port_reservation_node_id_node"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["recorder_id"], ["recorder.id"], name=op.f("fk_port_reservation_recorder_id_recorder"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_port_reservation_schedule_id_schedule"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_port_reservation")),
        sa.UniqueConstraint("schedule_id", "starts_at", name=op.f("uq_port_reservation_schedule_id_starts_at")),
    )
    op.create_index("ix_port_reservation_port", "port_reservation", ["node_id", "device_index", "from_at"])


def downgrade() -> None:
    op.drop_table("port_reservation")
