"""The tables. Words are those of the API; what they mean is said here once.

Instants are aware UTC. Frames are whole numbers at the rational rate beside them. ``rev`` grows at every change
of a row and every write names the one it saw.
"""

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Instant(TypeDecorator[datetime]):
    """Aware UTC in Python on every database; SQLite stores no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a zone: use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Names every constraint the same way on both databases, so that errors and migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[Mapping[object, object]] = {
        datetime: Instant(),
        dict[str, Any]: JSON,
        int: BigInteger,
    }


def new_id() -> str:
    """32 hex digits: safe as a path, in a URL and in a log.

    A UUID of version 7 (RFC 9562): it begins with the milliseconds since 1970, so that ids sort by when they were made.
    """
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return f"{number:032x}"


class Project(Base):
    """What belongs together: its channels, playlists and assets. Nothing of it may be there when it is deleted."""

    __tablename__ = "project"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime]
    rev: Mapped[int] = mapped_column(default=1)


class Node(Base):
    """``kind`` local: the agent in this supervisor's process; agent: a service at ``url``.

    ``draining``: gets no new channels. ``maintenance``: its channels are moved elsewhere as well. ``incarnation`` is
    what its agent's memory on disk is named by: another one answering at ``url`` is another node. ``lost_*``: an
    operator's word that the machine is dead, until its agent answers again.
    """

    __tablename__ = "node"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    url: Mapped[str | None] = mapped_column(String(500))
    capacity: Mapped[int] = mapped_column(Integer, default=16)
    draining: Mapped[bool] = mapped_column(default=False)
    maintenance: Mapped[bool] = mapped_column(default=False)
    incarnation: Mapped[str | None] = mapped_column(String(32))
    lost_at: Mapped[datetime | None]
    lost_by: Mapped[str | None] = mapped_column(String(120))
    lost_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    rev: Mapped[int] = mapped_column(default=1)

    __table_args__ = (CheckConstraint("kind IN ('local', 'agent')", name="kind"),)


class Channel(Base):
    """Spec (what people decide), ``desired`` (only people change it) and ``phase`` (what the supervisor is doing).

    What is observed is never stored as truth. ``epoch`` grows at every decision to place, ``rev`` at every change
    of spec, desired, phase, epoch or placement. ``position_*`` is the last reported place in the rundown, written
    once a second without raising ``rev``: where a resume begins.

    ``fenced_by`` is what it takes to be sure that this epoch's sidecar is off air, by the outputs it was started with.
    ``fencing_node_id`` is where a sidecar of an older epoch, fenced by ``fencing_by``, may still be on air while the
    new one, on ``node_id``, waits muted. ``leased``: this epoch's outputs need a lease. ``lease_until`` is the horizon:
    by the database's clock every lease that was ever given is over then; written without raising ``rev``, and only
    while the channel is starting or running. ``hold_failover``: an operator's veto, the channel is not moved.

    ``filler_playlist_id`` is what fills gaps, ``standby_asset_id`` the clip that STANDBY cuts to; none is the slate.
    ``playout`` holds what else was decided of how it airs (holds, ladder, loudness, logo, watching), by the names of
    the API and without what is as by default.
    """

    __tablename__ = "channel"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    number: Mapped[int] = mapped_column(Integer, unique=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    rate: Mapped[str] = mapped_column(String(16))
    playlist_id: Mapped[str | None] = mapped_column(ForeignKey("playlist.id"))
    after_last: Mapped[str] = mapped_column(String(8), default="filler")
    resume_policy: Mapped[str] = mapped_column(String(8), default="continue")
    wanted_node_id: Mapped[str | None] = mapped_column(ForeignKey("node.id"))
    engine: Mapped[str] = mapped_column(String(8), default="ffmpeg")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    day_start: Mapped[str] = mapped_column(String(5), default="06:00")
    filler_playlist_id: Mapped[str | None] = mapped_column(ForeignKey("playlist.id"))
    standby_asset_id: Mapped[str | None] = mapped_column(ForeignKey("asset.id"))
    playout: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]

    desired: Mapped[str] = mapped_column(String(3), default="off")
    phase: Mapped[str] = mapped_column(String(8), default="off")
    phase_since: Mapped[datetime]
    node_id: Mapped[str | None] = mapped_column(ForeignKey("node.id"))
    epoch: Mapped[int] = mapped_column(default=0)
    rev: Mapped[int] = mapped_column(default=1)

    fencing_node_id: Mapped[str | None] = mapped_column(ForeignKey("node.id"))
    fencing_by: Mapped[str | None] = mapped_column(String(8))
    fenced_by: Mapped[str] = mapped_column(String(8), default="hold")
    leased: Mapped[bool] = mapped_column(default=False)
    lease_until: Mapped[datetime | None]
    hold_failover: Mapped[bool] = mapped_column(default=False)
    hold_failover_by: Mapped[str | None] = mapped_column(String(120))

    position_item_id: Mapped[str | None] = mapped_column(String(32))
    position_frame: Mapped[int | None]
    position_rate: Mapped[str | None] = mapped_column(String(16))
    """What ``position_frame`` counts at: the rate of the sidecar that told it, which ``rate`` may have left since."""
    position_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("desired IN ('off', 'on')", name="desired"),
        CheckConstraint(
            "phase IN ('off', 'placing', 'fencing', 'starting', 'running', 'stopping', 'blocked')", name="phase"
        ),
    )


class Output(Base):
    """Where a channel is sent; ``position`` is its order, from 0. ``lease_stop``: sends only while its lease lives.

    ``transport`` and ``encoding`` are what it has of its own; None: the usual.
    """

    __tablename__ = "output"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    channel_id: Mapped[str] = mapped_column(ForeignKey("channel.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(8))
    url: Mapped[str] = mapped_column(String(500), default="")
    lease_stop: Mapped[bool] = mapped_column(default=False)
    transport: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    encoding: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Recorder(Base):
    """What records an input: its row and its claims; the same words as a channel's mean the same here.

    ``device_index`` is the DeckLink input's, on ``wanted_node_id``; other inputs have a ``input_url``.
    """

    __tablename__ = "recorder"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    input_kind: Mapped[str] = mapped_column(String(8))
    input_url: Mapped[str] = mapped_column(String(500), default="")
    device_index: Mapped[int | None] = mapped_column(Integer)
    wanted_node_id: Mapped[str | None] = mapped_column(ForeignKey("node.id"))
    created_at: Mapped[datetime]

    desired: Mapped[str] = mapped_column(String(3), default="off")
    phase: Mapped[str] = mapped_column(String(8), default="off")
    phase_since: Mapped[datetime]
    node_id: Mapped[str | None] = mapped_column(ForeignKey("node.id"))
    epoch: Mapped[int] = mapped_column(default=0)
    rev: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("desired IN ('off', 'on')", name="desired"),
        CheckConstraint(
            "phase IN ('off', 'placing', 'fencing', 'starting', 'running', 'stopping', 'blocked')", name="phase"
        ),
        CheckConstraint("input_kind IN ('decklink', 'srt', 'rtmp', 'udp', 'hls', 'test')", name="input_kind"),
        CheckConstraint("(input_kind = 'decklink') = (device_index IS NOT NULL)", name="device_index"),
    )


class MediaRoot(Base):
    """A folder that clips lie below, known by the ``marker`` in its marker file: a path that merely exists proves
    nothing (an empty mount point, another disk)."""

    __tablename__ = "media_root"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    path: Mapped[str] = mapped_column(String(4096), unique=True)
    marker: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]


class Playlist(Base):
    """``revision`` grows at every edit of the name or of the items, and every edit names the one it saw."""

    __tablename__ = "playlist"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class WatchedFolder(Base):
    """A folder that is looked into for what comes: ``lists`` of one channel, or ``media`` of a project.

    ``source`` is the lists' format (None: by a file's name), ``options`` how they are read, ``append`` that they come
    after all there is instead of in its place.
    """

    __tablename__ = "watched_folder"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(8))
    path: Mapped[str] = mapped_column(String(4096), unique=True)
    channel_id: Mapped[str | None] = mapped_column(ForeignKey("channel.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    source: Mapped[str | None] = mapped_column(String(16))
    options: Mapped[dict[str, Any]]
    append: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("kind IN ('lists', 'media')", name="kind"),
        CheckConstraint("(kind = 'lists') = (channel_id IS NOT NULL)", name="channel_id"),
    )


class Asset(Base):
    """A media file as the probe found it. ``duration_frames`` counts at ``rate``; the milliseconds are derived.

    ``facts`` says how much was looked at, 0 for rows of versions that kept no more than what stands above
    ``start_timecode``. ``mtime_ns``: the file's, when it was looked at, so that it need not be read again.
    """

    __tablename__ = "asset"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    house_id: Mapped[str | None] = mapped_column(String(80), index=True)
    title: Mapped[str] = mapped_column(String(200))
    path: Mapped[str] = mapped_column(String(4096))
    size_bytes: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    rate: Mapped[str | None] = mapped_column(String(16))
    duration_frames: Mapped[int | None]
    asset_duration_ms: Mapped[int | None]
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    video_codec: Mapped[str | None] = mapped_column(String(32))
    audio_codec: Mapped[str | None] = mapped_column(String(32))
    audio_channels: Mapped[int | None] = mapped_column(Integer)
    start_timecode: Mapped[str | None] = mapped_column(String(16))
    scan: Mapped[str | None] = mapped_column(String(16))
    aspect: Mapped[str | None] = mapped_column(String(32))
    variable_rate: Mapped[bool | None]
    captions: Mapped[bool | None]
    audio_tracks: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    silent: Mapped[bool | None]
    mtime_ns: Mapped[int | None]
    facts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    measured_mb: Mapped[int | None] = mapped_column(Integer)
    measured_peak_mb: Mapped[int | None] = mapped_column(Integer)
    measured_fingerprint: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    rev: Mapped[int] = mapped_column(default=1)

    @property
    def is_measured(self) -> bool:
        """How loud its present content is, is known."""
        return self.measured_fingerprint is not None and self.measured_fingerprint == self.fingerprint

    @property
    def loudness_mb(self) -> int | None:
        """Integrated, in hundredths of LUFS; None for what is silent all through or not measured."""
        return self.measured_mb if self.is_measured else None

    @property
    def true_peak_mb(self) -> int | None:
        """Hundredths of dBTP; None as for ``loudness_mb``."""
        return self.measured_peak_mb if self.is_measured else None


_WAITS = "asset_id IS NULL AND house_id IS NOT NULL"


class Item(Base):
    """``position`` is dense from 0. Deleting an asset is refused while an item names it.

    ``traffic_id`` is the traffic system's own id of this airing, ``planned_start`` what its list plans. ``house_id`` is
    what the list names the clip by: a clip without an asset waits for one of this id, and ``listed`` keeps what the
    list says of its trims and length until its rate is known.

    ``fixed_at`` is when an item of start mode ``fixed`` starts, ``end_at`` when one of end mode ``at`` ends;
    consecutive items of one ``block`` loop until ``block_until``. ``url`` is where a live item comes from. ``dropped``:
    it stands in the list and does not air. ``airing`` holds what else was decided of how it airs, by the names of the
    API and without what is as by default.
    """

    __tablename__ = "item"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    playlist_id: Mapped[str] = mapped_column(ForeignKey("playlist.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(8), default="clip")
    asset_id: Mapped[str | None] = mapped_column(ForeignKey("asset.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    in_frames: Mapped[int] = mapped_column(default=0)
    out_frames: Mapped[int | None]
    slate_frames: Mapped[int | None]
    start_mode: Mapped[str] = mapped_column(String(8), default="follow")
    traffic_id: Mapped[str | None] = mapped_column(String(120))
    planned_start: Mapped[datetime | None]
    house_id: Mapped[str | None] = mapped_column(String(80))
    listed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    fixed_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    block: Mapped[str | None] = mapped_column(String(80))
    block_until: Mapped[datetime | None]
    url: Mapped[str | None] = mapped_column(String(500))
    dropped: Mapped[bool] = mapped_column(default=False, server_default=false())
    airing: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (
        Index("ix_item_playlist_position", "playlist_id", "position"),
        Index("ix_item_waiting", "house_id", sqlite_where=text(_WAITS), postgresql_where=text(_WAITS)),
    )


class PlaylistUndo(Base):
    """What takes the last edit of a playlist back: good as long as it stands at ``revision``. ``what`` tells people
    what was done, ``steps`` is for the repository alone."""

    __tablename__ = "playlist_undo"

    playlist_id: Mapped[str] = mapped_column(ForeignKey("playlist.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int]
    what: Mapped[str] = mapped_column(String(200))
    steps: Mapped[dict[str, Any]] = mapped_column(JSON)


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
    """When it was to begin by what was known when the item before it began."""
    inserted: Mapped[bool | None]
    """A person put it into a list that traffic made; None where nobody knows."""
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

    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'delivered')", name="state"),
        Index("ix_as_run_issue_waiting", "state", "asked_at"),
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


class Leader(Base):
    """One row. Trusted only until (attempt start + TTL - margin) on the holder's own monotonic clock."""

    __tablename__ = "leader"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(500))
    term: Mapped[int]
    expires_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class Alarm(Base):
    """One open row per (code, channel, node): ``open_key`` is NULL once cleared."""

    __tablename__ = "alarm"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    channel_id: Mapped[str | None] = mapped_column(String(32), index=True)
    node_id: Mapped[str | None] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(40))
    severity: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime] = mapped_column(index=True)
    acknowledged_by: Mapped[str | None] = mapped_column(String(120))
    acknowledged_at: Mapped[datetime | None]
    cleared_at: Mapped[datetime | None]
    open_key: Mapped[str | None] = mapped_column(String(120))

    __table_args__ = (UniqueConstraint("open_key"),)


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
