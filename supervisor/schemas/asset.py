"""Assets: media files that were probed."""

from typing import Annotated

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
    created_at: Instant
    rev: int
