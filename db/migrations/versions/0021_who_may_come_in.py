"""Who may come in, which project a shift note is of, and an audit log that nothing changes

A later migration that lets Alembic copy the table ``audit`` on SQLite (batch mode) has to make its triggers anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0023"

KEPT_DAYS = 90
"""An audit row younger than this is deleted by nobody."""

_UPDATED = "the audit log is append-only"
_DELETED = f"the audit log keeps its rows for {KEPT_DAYS} days"
_SQLITE = (
    f"CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{_UPDATED}'); END",
    f"""CREATE TRIGGER audit_kept BEFORE DELETE ON audit
    WHEN julianday('now') - julianday(OLD.at) < {KEPT_DAYS}
    BEGIN SELECT RAISE(ABORT, '{_DELETED}'); END""",
)
_POSTGRESQL = (
    f"""CREATE FUNCTION audit_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION '{_UPDATED}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    f"""CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.at > now() - interval '{KEPT_DAYS} days' THEN
    RAISE EXCEPTION '{_DELETED}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$""",
    "CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_unchanged()",
    "CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_unchanged()",
    "CREATE TRIGGER audit_kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_kept()",
)


def upgrade() -> None:
    op.create_table(
        "principal",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("unix_user", sa.String(80), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('person', 'service')", name=op.f("ck_principal_kind")),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'engineer', 'admin')", name=op.f("ck_principal_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_principal")),
        sa.UniqueConstraint("name", name=op.f("uq_principal_name")),
        sa.UniqueConstraint("unix_user", name=op.f("uq_principal_unix_user")),
    )
    op.create_table(
        "project_grant",
        sa.Column("principal_id", sa.String(32), nullable=False),
        sa.Column("project_id", sa.String(32), nullable=False),
        sa.Column("operates", sa.Boolean(), nullable=False),
        sa.Column("edits", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principal.id"], name=op.f("fk_project_grant_principal_id_principal"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_project_grant_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("principal_id", "project_id", name=op.f("pk_project_grant")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("principal_id", sa.String(32), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_from", sa.String(80), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.String(120), nullable=True),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principal.id"], name=op.f("fk_token_principal_id_principal"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
    )
    op.create_index(op.f("ix_token_principal_id"), "token", ["principal_id"])
    op.add_column("shift_note", sa.Column("project_id", sa.String(32), nullable=True))
    op.execute(
        "UPDATE shift_note SET project_id = (SELECT channel.project_id FROM channel "
        "WHERE channel.id = shift_note.channel_id)"
    )
    for statement in _SQLITE if _is_sqlite() else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if _is_sqlite():
        op.execute("DROP TRIGGER audit_unchanged")
        op.execute("DROP TRIGGER audit_kept")
    else:
        for trigger in ("audit_unchanged", "audit_not_emptied", "audit_kept"):
            op.execute(f"DROP TRIGGER {trigger} ON audit")
        op.execute("DROP FUNCTION audit_unchanged()")
        op.execute("DROP FUNCTION audit_kept()")
    op.drop_column("shift_note", "project_id")
    op.drop_table("token")
    op.drop_table("project_grant")
    op.drop_table("principal")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
