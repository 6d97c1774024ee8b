"""Assets: media files that were probed."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Line, RateText, Schema


class AssetIn(Schema):
    """``path`` is absolute, on the node that plays it. The file is probed at once; 422 says why it cannot be used."""

    path: Annotated[str, Field(min_length=1, max_length=4096)]
    project_id: Id | None = None
    house_id: Annotated[Line, Field(max_length=80)] | None = None
    title: Annotated[Line, Field(max_length=200)] | None = None


class AssetPatch(Schema):
    house_id: Annotated[Line, Field(max_length=80)] | None = None
    title: Annotated[Line, Field(max_length=200)] | None = None


class Asset(Schema):
    """``duration_frames`` counts at ``rate``; ``asset_duration_ms`` is derived from it."""

    id: Id
    project_id: Id | None
    house_id: str | None
    title: str
    path: str
    size_bytes: int
    fingerprint: str
    """SHA-256 over size, first and last MiB: equal content, wherever the file moved."""
    rate: RateText | None
    duration_frames: int | None
    asset_duration_ms: int | None
    width: int | None
    height: int | None
    video_codec: str | None
    audio_codec: str | None
    audio_channels: int | None
    start_timecode: str | None = None
    """Of the file's first frame, by its own account."""
    scan: Literal["progressive", "interlaced"] | None = None
    aspect: str | None = None
    """Width to height as it is seen, a rational."""
    variable_rate: bool | None = None
    captions: bool | None = None
    """CEA-608/708."""
    audio_tracks: tuple[str, ...] | None = None
    """The layout of every sound stream, in the file's order."""
    silent: bool | None = None
    """The sound that airs stayed below -60 dBFS wherever it was listened to."""
    is_measured: bool = False
    """How loud it is, is known."""
    loudness_mb: int | None = None
    """Integrated, in hundredths of LUFS; null for what is silent all through or not measured."""
    true_peak_mb: int | None = None
    """Hundredths of dBTP."""
    created_at: Instant
    rev: int
