"""What recorders write and how they are fenced, and when they record"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_TEMPLATE = "{recorder}_{date}_{time}"


def upgrade() -> None:
    with op.batch_alter_table("recorder") as recorder:
        recorder.add_column(sa.Column("template", sa.String(length=200), server_default=_TEMPLATE, nullable=False))
        recorder.add_column(sa.Column("segment_s", sa.Integer(), server_default="0", nullable=False))
        recorder.add_column(sa.Column("floor_mb", sa.Integer(), server_default="1024", nullable=False))
        recorder.add_column(sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False))
        recorder.add_column(sa.Column("wanted_by", sa.String(length=8), server_default="person", nullable=False))
        recorder.add_column(sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
        recorder.add_column(sa.Column("fencing_node_id", sa.String(length=32), nullable=True))
        recorder.add_column(sa.Column("fencing_by", sa.String(length=8), nullable=True))
        recorder.add_column(sa.Column("fenced_by", sa.String(length=8), server_default="resource", nullable=False))
        recorder.create_foreign_key(op.f("fk_recorder_fencing_node_id_node"), "node", ["fencing_node_id"], ["id"])
    op.create_table(
        "schedule",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("recorder_id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("date", sa.String(length=10), nullable=False),
        sa.Column("at", sa.String(length=8), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=True),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=False),
        sa.Column("pre_roll_s", sa.Integer(), nullable=False),
        sa.Column("post_roll_s", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('once', 'daily', 'weekly')", name=op.f("ck_schedule_kind")),
        sa.ForeignKeyConstraint(
            ["recorder_id"], ["recorder.id"], name=op.f("fk_schedule_recorder_id_recorder"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
    )
    op.create_index(op.f("ix_schedule_recorder_id"), "schedule", ["recorder_id"])


def downgrade() -> None:
    op.drop_table("schedule")
    with op.batch_alter_table("recorder") as recorder:
        recorder.drop_constraint(op.f("fk_recorder_fencing_node_id_node"), type_="foreignkey")
        for column in ("fenced_by", "fencing_by", "fencing_node_id", "held_until", "wanted_by"):
            recorder.drop_column(column)
        for column in ("time_zone", "floor_mb", "segment_s", "template"):
            recorder.drop_column(column)
