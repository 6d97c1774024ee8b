"""As-run events say what was planned, predicted and played; notes beside them; issues of a day's log"""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0008"
down_revision = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EVENT: Final[dict[str, TypeEngine[Any]]] = {
    "traffic_id": sa.Text(),
    "path": sa.Text(),
    "fingerprint": sa.Text(),
    "in_frames": sa.BigInteger(),
    "source_in": sa.BigInteger(),
    "source_rate": sa.Text(),
    "planned_at": sa.DateTime(timezone=True),
    "predicted_at": sa.DateTime(timezone=True),
    "inserted": sa.Boolean(),
    "continues_run_id": sa.Text(),
    "continues_seq": sa.BigInteger(),
    "lost_frames": sa.BigInteger(),
}


def upgrade() -> None:
    # One by one, in place: the table may hold millions of rows.
    for name, kind in _EVENT.items():
        op.add_column("as_run_event", sa.Column(name, kind, nullable=True))
    op.create_table(
        "as_run_note",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('note', 'correction')", name=op.f("ck_as_run_note_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_as_run_note")),
    )
    op.create_index("ix_as_run_note_channel_at", "as_run_note", ["channel_id", "at", "id"])
    op.create_table(
        "as_run_issue",
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'delivered')", name=op.f("ck_as_run_issue_state")),
        sa.PrimaryKeyConstraint("channel_id", "day", "number", name=op.f("pk_as_run_issue")),
    )
    op.create_index("ix_as_run_issue_waiting", "as_run_issue", ["state", "asked_at"])


def downgrade() -> None:
    op.drop_table("as_run_issue")
    op.drop_table("as_run_note")
    for name in reversed(_EVENT):
        op.drop_column("as_run_event", name)
