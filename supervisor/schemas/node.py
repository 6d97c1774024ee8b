"""Nodes: the machines that play."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Name, Schema

NodeKind = Literal["local", "agent"]


class NodeIn(Schema):
    """``url`` is where a remote node's agent listens; the local node has none."""

    name: Name
    url: Annotated[str, Field(max_length=500, pattern=r"^https?://")] | None = None
    capacity: Annotated[int, Field(ge=1, le=1000)] = 16


class NodePatch(Schema):
    name: Name | None = None
    capacity: Annotated[int, Field(ge=1, le=1000)] | None = None
    draining: bool | None = None


class Node(Schema):
    id: Id
    name: str
    kind: NodeKind
    url: str | None
    capacity: int
    draining: bool
    created_at: Instant
    rev: int
    channels: int = 0
    """Channels placed here now."""
    last_answer_age_ms: int | None = None
    """Since the agent last answered this supervisor; None when it never did."""
