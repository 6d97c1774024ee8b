"""Nodes that may be lost, fences, recorders, media roots and stored events"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_PHASES = "phase IN ('off', 'placing', 'fencing', 'starting', 'running', 'stopping', 'blocked')"


def upgrade() -> None:
    with op.batch_alter_table("node") as node:
        node.add_column(sa.Column("maintenance", sa.Boolean(), nullable=False, server_default=sa.false()))
        node.add_column(sa.Column("incarnation", sa.String(length=32), nullable=True))
        node.add_column(sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True))
        node.add_column(sa.Column("lost_by", sa.String(length=120), nullable=True))
        node.add_column(sa.Column("lost_reason", sa.Text(), nullable=True))
    with op.batch_alter_table("channel") as channel:
        channel.add_column(sa.Column("fencing_node_id", sa.String(length=32), nullable=True))
        channel.add_column(sa.Column("fencing_by", sa.String(length=8), nullable=True))
        # Of what plays already nothing is known: it is moved only after its next start.
        channel.add_column(sa.Column("fenced_by", sa.String(length=8), nullable=False, server_default="hold"))
        channel.add_column(sa.Column("leased", sa.Boolean(), nullable=False, server_default=sa.false()))
        channel.add_column(sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
        channel.add_column(sa.Column("hold_failover", sa.Boolean(), nullable=False, server_default=sa.false()))
        channel.add_column(sa.Column("hold_failover_by", sa.String(length=120), nullable=True))
        channel.create_foreign_key(op.f("fk_channel_fencing_node_id_node"), "node", ["fencing_node_id"], ["id"])
    with op.batch_alter_table("output") as output:
        output.add_column(sa.Column("lease_stop", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("port_claim") as claim:
        claim.add_column(sa.Column("released_reason", sa.Text(), nullable=True))

    # Rows that were there before are given the default; new ones are told by the program.
    for table, column in (
        ("node", "maintenance"),
        ("channel", "fenced_by"),
        ("channel", "leased"),
        ("channel", "hold_failover"),
        ("output", "lease_stop"),
    ):
        with op.batch_alter_table(table) as altered:
            altered.alter_column(column, server_default=None)

    op.create_table(
        "recorder",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("project_id", sa.String(length=32), nullable=True),
        sa.Column("input_kind", sa.String(length=8), nullable=False),
        sa.Column("input_url", sa.String(length=500), nullable=False),
        sa.Column("device_index", sa.Integer(), nullable=True),
        sa.Column("wanted_node_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("desired", sa.String(length=3), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("phase_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("node_id", sa.String(length=32), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("desired IN ('off', 'on')", name=op.f("ck_recorder_desired")),
        sa.CheckConstraint(_PHASES, name=op.f("ck_recorder_phase")),
        sa.CheckConstraint(
            "input_kind IN ('decklink', 'srt', 'rtmp', 'udp', 'hls', 'test')", name=op.f("ck_recorder_input_kind")
        ),
        sa.CheckConstraint(
            "(input_kind = 'decklink') = (device_index IS NOT NULL)", name=op.f("ck_recorder_device_index")
        ),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_recorder_node_id_node")),
        sa.ForeignKeyConstraint(["wanted_node_id"], ["node.id"], name=op.f("fk_recorder_wanted_node_id_node")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_recorder_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recorder")),
        sa.UniqueConstraint("name", name=op.f("uq_recorder_name")),
    )
    op.create_table(
        "media_root",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=4096), nullable=False),
        sa.Column("marker", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_root")),
        sa.UniqueConstraint("path", name=op.f("uq_media_root_path")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=True),
        sa.Column("node_id", sa.String(length=32), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('decision', 'phase', 'alarm', 'node', 'claim', 'leader')", name=op.f("ck_event_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_at"), "event", ["at"])
    op.create_index("ix_event_channel", "event", ["channel_id", "id"])


def downgrade() -> None:
    op.drop_table("event")
    op.drop_table("media_root")
    op.drop_table("recorder")
    with op.batch_alter_table("port_claim") as claim:
        claim.drop_column("released_reason")
    with op.batch_alter_table("output") as output:
        output.drop_column("lease_stop")
    with op.batch_alter_table("channel") as channel:
        channel.drop_constraint(op.f("fk_channel_fencing_node_id_node"), type_="foreignkey")
        for column in (
            "hold_failover_by",
            "hold_failover",
            "lease_until",
            "leased",
            "fenced_by",
            "fencing_by",
            "fencing_node_id",
        ):
            channel.drop_column(column)
    with op.batch_alter_table("node") as node:
        for column in ("lost_reason", "lost_by", "lost_at", "incarnation", "maintenance"):
            node.drop_column(column)
