"""Watched folders, what checks ahead of air need of an asset, and the items that wait for one"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_WAITS = sa.text("asset_id IS NULL AND house_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "watched_folder",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("path", sa.String(length=4096), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=True),
        sa.Column("project_id", sa.String(length=32), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("append", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('lists', 'media')", name=op.f("ck_watched_folder_kind")),
        sa.CheckConstraint("(kind = 'lists') = (channel_id IS NOT NULL)", name=op.f("ck_watched_folder_channel_id")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name=op.f("fk_watched_folder_channel_id_channel"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_watched_folder_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watched_folder")),
        sa.UniqueConstraint("path", name=op.f("uq_watched_folder_path")),
    )
    op.create_index(op.f("ix_watched_folder_channel_id"), "watched_folder", ["channel_id"])
    with op.batch_alter_table("asset") as asset:
        asset.add_column(sa.Column("start_timecode", sa.String(length=16), nullable=True))
        asset.add_column(sa.Column("scan", sa.String(length=16), nullable=True))
        asset.add_column(sa.Column("aspect", sa.String(length=32), nullable=True))
        asset.add_column(sa.Column("variable_rate", sa.Boolean(), nullable=True))
        asset.add_column(sa.Column("captions", sa.Boolean(), nullable=True))
        asset.add_column(sa.Column("audio_tracks", sa.JSON(), nullable=True))
        asset.add_column(sa.Column("silent", sa.Boolean(), nullable=True))
        asset.add_column(sa.Column("mtime_ns", sa.BigInteger(), nullable=True))
        asset.add_column(sa.Column("facts", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_item_waiting", "item", ["house_id"], sqlite_where=_WAITS, postgresql_where=_WAITS)


def downgrade() -> None:
    op.drop_index("ix_item_waiting", "item")
    with op.batch_alter_table("asset") as asset:
        for column in (
            "facts", "mtime_ns", "silent", "audio_tracks", "captions", "variable_rate", "aspect", "scan",
            "start_timecode",
        ):  # fmt: skip
            asset.drop_column(column)
    op.drop_index(op.f("ix_watched_folder_channel_id"), "watched_folder")
    op.drop_table("watched_folder")
