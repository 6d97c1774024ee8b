"""What happened and what was decided, kept: bounded by age and number."""

from typing import Any, Literal

from supervisor.schemas.base import Id, Instant, Schema

HistoryKind = Literal["decision", "phase", "alarm", "node", "claim", "leader"]


class HistoryEvent(Schema):
    """``text`` is a whole sentence; ``detail`` has its parts for programs."""

    id: int
    at: Instant
    kind: HistoryKind
    channel_id: Id | None
    node_id: Id | None
    text: str
    detail: dict[str, Any]
