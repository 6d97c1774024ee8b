"""The table of drills: faults that people made on purpose, and how long the way back was."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class Drill(Base):
    """Owner of its facts: what it was made on is told in words, for when that is gone.

    ``measured`` holds what became of each channel, by the names of the API; it and ``finished_at`` are empty while the
    drill runs, and for ever where the supervisor that ran it ended meanwhile.
    """

    __tablename__ = "drill"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    by: Mapped[str] = mapped_column(Text)
    target_kind: Mapped[str] = mapped_column(String(8))
    target_id: Mapped[str] = mapped_column(String(32))
    target_name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(8))
    seconds: Mapped[int] = mapped_column(Integer)
    was_test: Mapped[bool]
    finished_at: Mapped[datetime | None]
    measured: Mapped[dict[str, Any]]
