"""The tables. Words are those of the API; what they mean is said here once.

Instants are aware UTC. Frames are whole numbers at the rational rate beside them. ``rev`` grows at every change
of a row and every write names the one it saw.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.as_run_models import AsRun, AsRunEvent, AsRunIssue, AsRunNote, AsRunRun
from db.base import Base, Instant, new_id
from db.drill_models import Drill
from db.people_models import Principal, ProjectGrant, Token
from db.running_models import Alarm, Audit, Cluster, Instruction, Leader, PortClaim, PortReservation, StoredEvent
from db.shift_models import ShiftNote
from db.webhook_models import Webhook, WebhookDelivery

__all__ = [
    "Alarm",
    "AsRun",
    "AsRunEvent",
    "AsRunIssue",
    "AsRunNote",
    "AsRunRun",
    "Asset",
    "Audit",
    "Base",
    "Channel",
    "Cluster",
    "Drill",
    "Instant",
    "Instruction",
    "Item",
    "Leader",
    "MediaRoot",
    "Node",
    "Output",
    "Playlist",
    "PlaylistUndo",
    "PortClaim",
    "PortReservation",
    "Principal",
    "Project",
    "ProjectGrant",
    "Recorder",
    "Schedule",
    "ShiftNote",
    "StoredEvent",
    "Token",
    "WatchedFolder",
    "Webhook",
    "WebhookDelivery",
    "new_id",
]


_TEMPLATE = "{recorder}_{date}_{time}"


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
    operator's word that the machine is dead, until its agent answers again. ``certificate`` is what its agent is known
    by on the way there, a SHA-256 or empty: ``certificate_given`` by people, or the first that its key vouched for.
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
    certificate: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    certificate_given: Mapped[bool] = mapped_column(default=False, server_default=false())
    lost_at: Mapped[datetime | None]
    lost_by: Mapped[str | None] = mapped_column(String(120))
    lost_reason: Mapped[str | None] = mapped_column(Text)
    is_test: Mapped[bool] = mapped_column(default=False, server_default=false())
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
    is_test: Mapped[bool] = mapped_column(default=False, server_default=false())
    """There to be tried: drills are made on it without a word more."""

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

    ``device_index`` is the DeckLink input's, on ``wanted_node_id``; other inputs have a ``input_url``. ``template``
    names its files, a new one begins every ``segment_s`` seconds (0: never), and none is written while the disk has
    less than ``floor_mb`` MiB left. Finished files go when they are older than ``keep_days``, or while all of them on a
    node take more than ``keep_gib`` GiB (0: never). ``wanted_by`` says whether a ``person`` or a ``schedule`` wants it
    on; schedules leave it alone until ``held_until``, because somebody stopped it.
    """

    __tablename__ = "recorder"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    input_kind: Mapped[str] = mapped_column(String(8))
    input_url: Mapped[str] = mapped_column(String(500), default="")
    device_index: Mapped[int | None] = mapped_column(Integer)
    wanted_node_id: Mapped[str | None] = mapped_column(ForeignKey("node.id"))
    template: Mapped[str] = mapped_column(String(200), default=_TEMPLATE, server_default=_TEMPLATE)
    segment_s: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    floor_mb: Mapped[int] = mapped_column(Integer, default=1024, server_default="1024")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    keep_days: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    keep_gib: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    created_at: Mapped[datetime]

    desired: Mapped[str] = mapped_column(String(3), default="off")
    wanted_by: Mapped[str] = mapped_column(String(8), default="person", server_default="person")
    held_until: Mapped[datetime | None]
    phase: Mapped[str] = mapped_column(String(8), default="off")
    phase_since: Mapped[datetime]
    node_id: Mapped[str | None] = mapped_column(ForeignKey("node.id"))
    epoch: Mapped[int] = mapped_column(default=0)
    rev: Mapped[int] = mapped_column(default=1)

    fencing_node_id: Mapped[str | None] = mapped_column(ForeignKey("node.id"))
    fencing_by: Mapped[str | None] = mapped_column(String(8))
    fenced_by: Mapped[str] = mapped_column(String(8), default="resource", server_default="resource")

    __table_args__ = (
        CheckConstraint("desired IN ('off', 'on')", name="desired"),
        CheckConstraint(
            "phase IN ('off', 'placing', 'fencing', 'starting', 'running', 'stopping', 'blocked')", name="phase"
        ),
        CheckConstraint("input_kind IN ('decklink', 'srt', 'rtmp', 'udp', 'hls', 'test')", name="input_kind"),
        CheckConstraint("(input_kind = 'decklink') = (device_index IS NOT NULL)", name="device_index"),
    )


class Schedule(Base):
    """When a recorder records: ``date`` (the first, of ``once`` the only one) and ``at`` are the wall clock's of
    ``time_zone``, ``weekdays`` (0: Monday) are of ``weekly``, ``until`` is the last date. Lengths are in seconds;
    ``pre_roll_s`` and ``post_roll_s`` are recorded beside ``duration_s``."""

    __tablename__ = "schedule"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    recorder_id: Mapped[str] = mapped_column(ForeignKey("recorder.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(8))
    date: Mapped[str] = mapped_column(String(10))
    at: Mapped[str] = mapped_column(String(8))
    until: Mapped[str | None] = mapped_column(String(10))
    weekdays: Mapped[list[int]] = mapped_column(JSON)
    time_zone: Mapped[str] = mapped_column(String(64))
    duration_s: Mapped[int] = mapped_column(Integer)
    pre_roll_s: Mapped[int] = mapped_column(Integer, default=0)
    post_roll_s: Mapped[int] = mapped_column(Integer, default=0)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    rev: Mapped[int] = mapped_column(default=1)

    __table_args__ = (CheckConstraint("kind IN ('once', 'daily', 'weekly')", name="kind"),)


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
