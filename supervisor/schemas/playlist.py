"""Playlists, their items and what edits them."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.airing import Airing, AiringPatch, Kind, StartMode, Times
from supervisor.schemas.base import Id, Instant, Line, Name, Schema
from supervisor.schemas.listing import ListOptions

Frames = Annotated[int, Field(ge=0, le=2**53)]
Label = Annotated[str, Field(max_length=16, examples=["10:00:12:05"])]
"""A picture of a clip by the timecode that its file itself begins with; from 00:00:00:00 where it has none."""


LiveUrl = Annotated[str, Field(min_length=1, max_length=500, examples=["srt://203.0.113.7:9000?mode=caller"])]


class ItemIn(Airing, Times):
    """``in_frames`` and ``out_frames`` (exclusive) count frames of the asset at its own rate; ``in_timecode`` and
    ``out_timecode`` give them as labels of the file's own timecode instead.

    A slate or a live input has no asset but ``slate_frames``, its length at the channel's rate; a live input that ends
    by a take or at a time may be without. ``url`` is where a live input comes from. A comment is a title alone.
    """

    kind: Kind = "clip"
    asset_id: Id | None = None
    title: Annotated[Line, Field(max_length=200)] | None = None
    in_frames: Frames = 0
    out_frames: Frames | None = None
    in_timecode: Label | None = None
    out_timecode: Label | None = None
    slate_frames: Annotated[int, Field(ge=1, le=2**53)] | None = None
    url: LiveUrl | None = None
    start_mode: StartMode = "follow"


class ItemPatch(AiringPatch, Times):
    """Only what is given changes. A start mode other than ``fixed`` takes the fixed time away."""

    title: Annotated[Line, Field(max_length=200)] | None = None
    in_frames: Frames | None = None
    out_frames: Frames | None = None
    in_timecode: Label | None = None
    out_timecode: Label | None = None
    slate_frames: Annotated[int, Field(ge=1, le=2**53)] | None = None
    url: LiveUrl | None = None
    start_mode: StartMode | None = None


class Item(Airing):
    """``dropped``: it stands in the list and does not air."""

    id: Id
    playlist_id: Id
    position: int
    kind: Kind
    asset_id: Id | None
    house_id: str | None
    title: str
    in_frames: int
    out_frames: int | None
    in_timecode: str | None = None
    """As a label of the file's own timecode."""
    out_timecode: str | None = None
    slate_frames: int | None
    url: str | None = None
    start_mode: StartMode
    fixed_at: Instant | None = None
    end_at: Instant | None = None
    block: str | None = None
    block_until: Instant | None = None
    dropped: bool = False
    asset_duration_ms: int | None
    traffic_id: str | None = None
    """The traffic system's own id of this airing."""
    planned_start: Instant | None = None


class PlaylistIn(Schema):
    name: Name
    project_id: Id | None = None


class PlaylistPatch(Schema):
    name: Name | None = None


class Playlist(Schema):
    """``revision`` grows with every edit of its items; edits name the revision they saw (``If-Match``)."""

    id: Id
    name: str
    project_id: Id | None
    revision: int
    items: int
    created_at: Instant


class PlaylistEdit(Schema):
    """Any edit of items. 409 ``stale_revision`` when the playlist moved on."""

    revision: int


class ItemsInsert(PlaylistEdit):
    """``at`` None appends."""

    at: Annotated[int, Field(ge=0)] | None = None
    items: Annotated[tuple[ItemIn, ...], Field(min_length=1, max_length=5000)]


class ItemsDrop(PlaylistEdit):
    """``dropped`` false lets them air again."""

    item_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=500)]
    dropped: bool = True


class InsertNext(PlaylistEdit):
    """Comes right after what is on air."""

    items: Annotated[tuple[ItemIn, ...], Field(min_length=1, max_length=500)]


class Undone(Schema):
    """``what`` tells what was taken back."""

    playlist: Playlist
    what: str


class ItemMove(PlaylistEdit):
    to: Annotated[int, Field(ge=0)]


class ListIn(Schema):
    """A list: its `path` on the supervisor's machine, or its `content`. Only who may configure has files read.

    ``folder`` takes every media file in name order; ``m3u`` and ``ffplayout`` (its JSON) name files themselves.
    ``csv``, ``json`` (our own) and ``bxf`` (SMPTE ST 2021) name clips by house id: the newest asset of that id in the
    project.
    ``channel_id`` is whose zone, broadcast day and rate the list's times are read in.
    """

    source: Literal["folder", "csv", "json", "m3u", "ffplayout", "bxf"]
    path: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    content: Annotated[str, Field(max_length=4_000_000)] | None = None
    options: ListOptions = ListOptions()
    channel_id: Id | None = None


class PlaylistImport(ListIn):
    """Makes a playlist of a list."""

    name: Name
    project_id: Id | None = None


class PlaylistRevise(ListIn, PlaylistEdit):
    """A revised list, or with `append` one that comes after all there is. `lock_s`: what is due within so many seconds
    is not replaced, nor is what aired, is on air or is cued."""

    append: bool = False
    lock_s: Annotated[int, Field(ge=0, le=3600)] = 60


class RevisionChange(Schema):
    """One item of the old or the revised list. ``locked``: something was wanted of it, or it was to come, and is
    refused; ``what`` says why, else what changes. ``line`` is where it stands in the revised list."""

    verdict: Literal["kept", "inserted", "removed", "moved", "changed", "locked"]
    title: str
    item_id: Id | None
    line: str
    traffic_id: str | None
    house_id: str | None
    planned_start: Instant | None
    what: str


class Revision(Schema):
    """What a revised list changes, in the order of the list as it is then; ``applied``: it was done."""

    playlist: Playlist
    applied: bool
    changes: tuple[RevisionChange, ...]
    assets_new: int
    refused: tuple[str, ...]
    warnings: tuple[str, ...]
    missing: tuple[str, ...]


class ImportResult(Schema):
    """``refused`` says of each line that could not be used why, ``warnings`` of those used what is not as the list
    says; nothing is silently left out. ``missing`` are house ids that no asset has: their items wait for them."""

    playlist: Playlist
    assets_new: int
    refused: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
