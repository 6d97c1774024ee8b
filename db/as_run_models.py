"""The tables of the as-run: what the journals said, what follows from it, and what people add and are given."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class AsRun(Base):
    """The journals' records as they were written, owners of their facts: no foreign keys, append only."""

    __tablename__ = "as_run"

    channel_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    frame: Mapped[int]
    at: Mapped[datetime]
    line: Mapped[str] = mapped_column(Text)
    """The journal's line without its newline, byte for byte."""


class AsRunEvent(Base):
    """Events with a start and an end: a projection of ``as_run`` that can be rebuilt from it.

    Text has no length here: a journal's word that is longer than expected must not stop the collection.
    """

    __tablename__ = "as_run_event"

    channel_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    """Of the record that began it."""
    epoch: Mapped[int]
    kind: Mapped[str] = mapped_column(String(8))
    item_id: Mapped[str | None] = mapped_column(String(32))
    asset_id: Mapped[str | None] = mapped_column(String(32))
    house_id: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    start_at: Mapped[datetime]
    end_at: Mapped[datetime | None]
    start_frame: Mapped[int]
    frames: Mapped[int | None]
    planned_frames: Mapped[int | None]
    rate: Mapped[str] = mapped_column(String(16))
    start_cause: Mapped[str] = mapped_column(Text)
    end_cause: Mapped[str | None] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, default="")
    late: Mapped[int] = mapped_column(default=0)
    traffic_id: Mapped[str | None] = mapped_column(Text)
    path: Mapped[str | None] = mapped_column(Text)
    fingerprint: Mapped[str | None] = mapped_column(Text)
    in_frames: Mapped[int | None]
    """Channel frames of the item that had been passed over when it began."""
    source_in: Mapped[int | None]
    """The item's own trim, in frames of its source at ``source_rate``."""
    source_rate: Mapped[str | None] = mapped_column(Text)
    planned_at: Mapped[datetime | None]
    predicted_at: Mapped[datetime | None]
    """When it was to begin by the rundown's own arithmetic, as it stood when the item before it began."""
    inserted: Mapped[bool | None]
    """A person put it into a list that traffic made; None where nobody knows."""
    start_proof: Mapped[str | None] = mapped_column(Text)
    """As its record says: ``confirmed`` or ``inferred`` by an engine that drives another; None: the frames
    are its own."""
    end_proof: Mapped[str | None] = mapped_column(Text)
    """The same of its end; None as well where no record has it."""
    continues_run_id: Mapped[str | None] = mapped_column(Text)
    continues_seq: Mapped[int | None]
    """With ``continues_run_id``: the event of which this is the next segment, after a failover or a restart."""
    lost_frames: Mapped[int | None]
    """Channel frames of the item that nobody aired between that segment's proven end and this one's start."""

    __table_args__ = (
        Index("ix_as_run_event_channel_start", "channel_id", "start_at", "run_id", "seq"),
        Index("ix_as_run_event_start", "start_at", "channel_id", "run_id", "seq"),
    )


class AsRunNote(Base):
    """What a person adds to the log: it stands beside what the engine said and changes nothing. Append only.

    Of one event (``run_id`` and ``seq``), or of the channel at ``at``. A correction names the ``field`` that was wrong
    and the ``value`` that is right; a remark has only its ``text``.
    """

    __tablename__ = "as_run_note"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    channel_id: Mapped[str] = mapped_column(String(32))
    run_id: Mapped[str | None] = mapped_column(String(64))
    seq: Mapped[int | None]
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(12))
    field: Mapped[str | None] = mapped_column(String(40))
    value: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("kind IN ('note', 'correction')", name="kind"),
        Index("ix_as_run_note_channel_at", "channel_id", "at", "id"),
    )


_CHANGED = "changes > included"


class AsRunIssue(Base):
    """One issue of a channel's log of a broadcast day, as it is delivered; ``number`` counts from 1 a day."""

    __tablename__ = "as_run_issue"

    channel_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    events: Mapped[int | None]
    verdict: Mapped[str] = mapped_column(Text, default="")
    fault: Mapped[str] = mapped_column(Text, default="")
    start_at: Mapped[datetime | None]
    """With ``end_at``: the day; None where an older version issued it."""
    end_at: Mapped[datetime | None]
    changes: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often something of the day changed since this was asked for."""
    included: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many of these changes are in what was delivered, or in a later issue."""
    why: Mapped[str | None] = mapped_column(Text)
    """What the last change was."""

    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'delivered')", name="state"),
        Index("ix_as_run_issue_waiting", "state", "asked_at"),
        Index("ix_as_run_issue_end", "channel_id", "end_at"),
        Index("ix_as_run_issue_changed", "channel_id", sqlite_where=text(_CHANGED), postgresql_where=text(_CHANGED)),
    )


class AsRunRun(Base):
    """How far each run's journal is collected: raised in the transaction that inserts its records."""

    __tablename__ = "as_run_run"

    channel_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    node_id: Mapped[str] = mapped_column(String(32))
    epoch: Mapped[int]
    collected_seq: Mapped[int] = mapped_column(default=0)
    complete: Mapped[bool] = mapped_column(default=False)
    """Its process is gone and everything it flushed is here."""
    taken_hash: Mapped[str | None] = mapped_column(String(64))
    """Of a run whose records were taken away for their age: what the record after its last one names as before it."""
    taken_from: Mapped[datetime | None]
    taken_to: Mapped[datetime | None]
    """When its first and last record were."""
    journal_gone_at: Mapped[datetime | None]
    """When its node was told to take its journal away, as all of it is here, and did."""
