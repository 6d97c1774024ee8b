"""What of a day's log changed since it was issued"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"

_CHANGED = sa.text("changes > included")


def upgrade() -> None:
    op.add_column("as_run_issue", sa.Column("start_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("as_run_issue", sa.Column("end_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("as_run_issue", sa.Column("changes", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("as_run_issue", sa.Column("included", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("as_run_issue", sa.Column("why", sa.Text(), nullable=True))
    op.create_index("ix_as_run_issue_end", "as_run_issue", ["channel_id", "end_at"])
    op.create_index(
        "ix_as_run_issue_changed", "as_run_issue", ["channel_id"], sqlite_where=_CHANGED, postgresql_where=_CHANGED
    )


def downgrade() -> None:
    # The version before refuses what it does not know of an item and of a logo, and with it the whole channel.
    _without("item", "airing", lambda airing: airing.pop("category", None))
    _without("channel", "playout", _of_logo)
    op.drop_index("ix_as_run_issue_changed", "as_run_issue")
    op.drop_index("ix_as_run_issue_end", "as_run_issue")
    for name in ("why", "included", "changes", "end_at", "start_at"):
        op.drop_column("as_run_issue", name)


def _of_logo(playout: dict[str, Any]) -> None:
    logo: dict[str, Any] | None = playout.get("logo")
    if logo is not None:
        logo.pop("categories", None)


def _without(name: str, column: str, strip: Callable[[dict[str, Any]], object]) -> None:
    """Every document of a table's column that ``strip`` changes, changed."""
    table = sa.table(name, sa.column("id", sa.String), sa.column(column, sa.JSON(none_as_null=True)))
    document = table.c[column]
    connection = op.get_bind()
    rows = connection.execute(sa.select(table.c.id, document).where(sa.cast(document, sa.Text).contains("categor")))
    for row_id, value in rows.all():
        strip(value)
        connection.execute(table.update().where(table.c.id == row_id).values({column: value or None}))
