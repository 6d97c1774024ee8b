"""The table of what one shift tells the next."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class ShiftNote(Base):
    """A person's words about the station, a channel, an alarm or what aired. Append only, owner of its facts: ``about``
    says in words what it is of, for when that is gone. ``project_id`` is who reads it: None, admins alone."""

    __tablename__ = "shift_note"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    channel_id: Mapped[str | None] = mapped_column(String(32))
    alarm_id: Mapped[str | None] = mapped_column(String(32))
    run_id: Mapped[str | None] = mapped_column(String(64))
    seq: Mapped[int | None]
    project_id: Mapped[str | None] = mapped_column(String(32))
    about: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
