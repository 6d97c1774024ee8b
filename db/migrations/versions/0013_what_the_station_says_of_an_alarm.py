"""What the station says of an alarm, and whether an alarm is a recorder's"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("alarm", sa.Column("recorder_id", sa.String(length=32), nullable=True))
    op.add_column("alarm", sa.Column("instruction", sa.Text(), server_default=sa.text("''"), nullable=False))
    # It stood in the channel's place.
    op.execute(
        "UPDATE alarm SET recorder_id = channel_id, channel_id = NULL WHERE channel_id IN (SELECT id FROM recorder)"
    )
    op.create_table(
        "instruction",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=True),
        sa.Column("recorder_id", sa.String(length=32), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name=op.f("fk_instruction_channel_id_channel"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["recorder_id"], ["recorder.id"], name=op.f("fk_instruction_recorder_id_recorder"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instruction")),
        sa.UniqueConstraint("key", name=op.f("uq_instruction_key")),
    )


def downgrade() -> None:
    op.drop_table("instruction")
    op.execute("UPDATE alarm SET channel_id = recorder_id WHERE recorder_id IS NOT NULL")
    op.drop_column("alarm", "instruction")
    op.drop_column("alarm", "recorder_id")
