"""Watched folders: where lists and media come in by themselves."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Schema
from supervisor.schemas.listing import ListFormat, ListOptions


class WatchedFolderIn(Schema):
    """A folder of the supervisor's machine.

    Lists in it are the channel's (`channel_id`): each is compared with the channel's playlist and replaces what it may,
    or with `append` comes after all there is; then it is moved to `done` or `refused` below the folder, with a report.
    `source` is their format, else their names tell. Media of it become assets of the project, whose house id is the
    file's name without its ending.
    """

    kind: Literal["lists", "media"]
    path: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^/[^\x00-\x1f\x7f]*$")]
    channel_id: Id | None = None
    project_id: Id | None = None
    source: ListFormat | None = None
    options: ListOptions = ListOptions()
    append: bool = False


class IncomingFile(Schema):
    """``arriving`` is still being written, ``waiting`` is whole and not yet looked into. ``detail`` says why a file is
    refused, of a list what became of it."""

    name: str
    state: Literal["arriving", "waiting", "probing", "refused", "taken"]
    detail: str = ""


class WatchedFolder(Schema):
    """``looked_at`` and what follows is what the leader sees; null and empty until it has looked. ``taken`` counts the
    media that are assets; ``files`` are those that are not, and of lists the last ones."""

    id: Id
    kind: Literal["lists", "media"]
    path: str
    channel_id: Id | None
    project_id: Id | None
    source: ListFormat | None
    options: ListOptions
    append: bool
    created_at: Instant
    looked_at: Instant | None = None
    fault: str = ""
    arriving: int = 0
    waiting: int = 0
    probing: int = 0
    refused: int = 0
    taken: int = 0
    files: tuple[IncomingFile, ...] = ()
