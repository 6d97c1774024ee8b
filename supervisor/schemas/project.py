"""Projects: what channels, playlists and assets may belong to."""

from supervisor.schemas.base import Id, Instant, Name, Schema


class ProjectIn(Schema):
    name: Name


class ProjectPatch(Schema):
    name: Name | None = None


class Project(Schema):
    id: Id
    name: str
    created_at: Instant
    rev: int
