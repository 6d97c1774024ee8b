"""The tables of who may come in: people and services, what of which project they may do, and their tokens."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, new_id


class Principal(Base):
    """A person or a service. ``role`` is the most that it may do anywhere; in which projects, its grants say.

    ``unix_user`` is whom the unix socket takes for it, by name or by number. Not ``active``: nobody comes in as it.
    """

    __tablename__ = "principal"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(8), default="person")
    role: Mapped[str] = mapped_column(String(8))
    unix_user: Mapped[str | None] = mapped_column(String(80), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    rev: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("kind IN ('person', 'service')", name="kind"),
        CheckConstraint("role IN ('viewer', 'operator', 'engineer', 'admin')", name="role"),
    )


class ProjectGrant(Base):
    """A principal sees the project. ``operates``: changes its air too; ``edits``: its lists and what it is made of."""

    __tablename__ = "project_grant"

    principal_id: Mapped[str] = mapped_column(ForeignKey("principal.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    operates: Mapped[bool] = mapped_column(default=False)
    edits: Mapped[bool] = mapped_column(default=False)


class Token(Base):
    """A key of a principal. ``digest`` is the SHA-256 of its secret in hexadecimal digits; the secret is nowhere.

    ``id`` is the part of the token that names it. One that was revoked stays, to be told of.
    """

    __tablename__ = "token"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    principal_id: Mapped[str] = mapped_column(ForeignKey("principal.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(120))
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    last_used_from: Mapped[str | None] = mapped_column(String(80))
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(120))

    __table_args__ = (Index("ix_token_principal_id", "principal_id"),)
