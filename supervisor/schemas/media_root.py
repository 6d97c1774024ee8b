"""Media roots: folders that clips lie below, known by a marker file in them."""

from typing import Annotated

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Schema

MARKER_FILE = ".mcr-media-root"


class MediaRootIn(Schema):
    """``path`` is absolute, and the same on every node that mounts the folder."""

    path: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^/[^\x00-\x1f\x7f]*$")]


class MediaRoot(Schema):
    """``marker`` is what the marker file holds: a node reads the root only where it finds it there."""

    id: Id
    path: str
    marker: str
    created_at: Instant
