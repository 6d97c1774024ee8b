"""The tables of who holds what, who leads, and what happened: alarms, history, audit."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, new_id

_NOTHING = text("''")


class PortClaim(Base):
    """One row per physical DeckLink port in use; the unique index over live ones *is* promise P3."""

    __tablename__ = "port_claim"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    node_id: Mapped[str] = mapped_column(ForeignKey("node.id"))
    port: Mapped[str] = mapped_column(String(64))
    """The card's persistent id where there is one, else ``index:<device_index>``."""
    device_index: Mapped[int] = mapped_column(Integer)
    owner_kind: Mapped[str] = mapped_column(String(10))
    owner_id: Mapped[str] = mapped_column(String(32))
    epoch: Mapped[int]
    state: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None] = mapped_column(String(120))
    released_reason: Mapped[str | None] = mapped_column(Text)
    """Of a release by an operator; None after a confirmed exit."""

    __table_args__ = (
        CheckConstraint("state IN ('reserved', 'active', 'unknown', 'released')", name="state"),
        CheckConstraint("owner_kind IN ('channel', 'recorder')", name="owner_kind"),
        Index(
            "uq_port_claim_live",
            "node_id",
            "port",
            unique=True,
            sqlite_where=text("state <> 'released'"),
            postgresql_where=text("state <> 'released'"),
        ),
        Index("ix_port_claim_owner", "owner_id"),
    )


class PortReservation(Base):
    """A DeckLink port kept for a window of a schedule, from when its recorder is started until its last picture.

    Of windows that overlap on one port only one is ``held``, the one that was planned first; the others clash with it.
    ``starts_at`` is the window's own begin. Rows reach as far ahead as schedules are looked at, and are made anew
    whenever a schedule or a recorder changes.
    """

    __tablename__ = "port_reservation"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    node_id: Mapped[str] = mapped_column(ForeignKey("node.id", ondelete="CASCADE"))
    device_index: Mapped[int] = mapped_column(Integer)
    recorder_id: Mapped[str] = mapped_column(ForeignKey("recorder.id", ondelete="CASCADE"))
    schedule_id: Mapped[str] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    held: Mapped[bool]

    __table_args__ = (
        UniqueConstraint("schedule_id", "starts_at"),
        Index("ix_port_reservation_port", "node_id", "device_index", "from_at"),
    )


class Leader(Base):
    """One row. Trusted only until (attempt start + TTL - margin) on the holder's own monotonic clock."""

    __tablename__ = "leader"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(500))
    term: Mapped[int]
    expires_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class Cluster(Base):
    """One row: by which id nodes know whom they belong to. A restored copy of a database has another."""

    __tablename__ = "cluster"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    cluster_id: Mapped[str] = mapped_column(String(32))
    made_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class Alarm(Base):
    """One open row per (code, channel or recorder, node): ``open_key`` is NULL once cleared.

    ``instruction`` is what the station says of such an alarm, as it was last told."""

    __tablename__ = "alarm"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    channel_id: Mapped[str | None] = mapped_column(String(32), index=True)
    recorder_id: Mapped[str | None] = mapped_column(String(32))
    node_id: Mapped[str | None] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(40))
    severity: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime] = mapped_column(index=True)
    acknowledged_by: Mapped[str | None] = mapped_column(String(120))
    acknowledged_at: Mapped[datetime | None]
    cleared_at: Mapped[datetime | None]
    shelved_until: Mapped[datetime | None]
    shelved_by: Mapped[str | None] = mapped_column(String(120))
    shelved_reason: Mapped[str | None] = mapped_column(Text)
    open_key: Mapped[str | None] = mapped_column(String(120))
    instruction: Mapped[str] = mapped_column(Text, default="", server_default=_NOTHING)

    __table_args__ = (UniqueConstraint("open_key"),)


class Instruction(Base):
    """The station's own words for an alarm: of a channel, of a recorder, of a kind of alarm (``code``), or of a kind
    of one channel or recorder. ``key`` is unique: one text for each of these."""

    __tablename__ = "instruction"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    channel_id: Mapped[str | None] = mapped_column(ForeignKey("channel.id", ondelete="CASCADE"))
    recorder_id: Mapped[str | None] = mapped_column(ForeignKey("recorder.id", ondelete="CASCADE"))
    code: Mapped[str | None] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(String(120))
    changed_at: Mapped[datetime]
    key: Mapped[str] = mapped_column(String(80))

    __table_args__ = (UniqueConstraint("key"),)


class StoredEvent(Base):
    """What happened and what was decided, in sentences: the history that people ask for. Bounded by age and number."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(16))
    channel_id: Mapped[str | None] = mapped_column(String(32))
    node_id: Mapped[str | None] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]]

    __table_args__ = (
        CheckConstraint("kind IN ('decision', 'phase', 'alarm', 'node', 'claim', 'leader')", name="kind"),
        Index("ix_event_channel", "channel_id", "id"),
    )


class Audit(Base):
    """Append only: who did what to which target from which door, and what came of it."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    principal: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(8))
    detail: Mapped[dict[str, Any]]
