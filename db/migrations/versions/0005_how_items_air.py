"""How items and channels air: fixed starts, ends, blocks, live sources, drops, settings; and what takes an edit back"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0009"


def upgrade() -> None:
    # Without a batch: no constraint is added, so that no table of items is copied.
    op.add_column("item", sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("item", sa.Column("end_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("item", sa.Column("block", sa.String(length=80), nullable=True))
    op.add_column("item", sa.Column("block_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("item", sa.Column("url", sa.String(length=500), nullable=True))
    op.add_column("item", sa.Column("dropped", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("item", sa.Column("airing", sa.JSON(), nullable=True))
    with op.batch_alter_table("channel") as channel:
        channel.add_column(sa.Column("filler_playlist_id", sa.String(length=32), nullable=True))
        channel.add_column(sa.Column("standby_asset_id", sa.String(length=32), nullable=True))
        channel.add_column(sa.Column("playout", sa.JSON(), nullable=True))
        channel.create_foreign_key(
            op.f("fk_channel_filler_playlist_id_playlist"), "playlist", ["filler_playlist_id"], ["id"]
        )
        channel.create_foreign_key(op.f("fk_channel_standby_asset_id_asset"), "asset", ["standby_asset_id"], ["id"])
    op.create_table(
        "playlist_undo",
        sa.Column("playlist_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlist.id"], name=op.f("fk_playlist_undo_playlist_id_playlist"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("playlist_id", name=op.f("pk_playlist_undo")),
    )


def downgrade() -> None:
    op.drop_table("playlist_undo")
    with op.batch_alter_table("channel") as channel:
        channel.drop_constraint(op.f("fk_channel_standby_asset_id_asset"), type_="foreignkey")
        channel.drop_constraint(op.f("fk_channel_filler_playlist_id_playlist"), type_="foreignkey")
        for column in ("playout", "standby_asset_id", "filler_playlist_id"):
            channel.drop_column(column)
    for column in ("airing", "dropped", "url", "block_until", "block", "end_at", "fixed_at"):
        op.drop_column("item", column)
