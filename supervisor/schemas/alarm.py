"""Alarms: raised once, kept until cleared, acknowledged by name."""

from typing import Literal

from supervisor.schemas.base import Id, Instant, Schema

Severity = Literal["critical", "warning", "info"]


class Alarm(Schema):
    """Raised once, kept until cleared, acknowledged by name."""

    id: Id
    channel_id: Id | None
    node_id: Id | None
    code: str
    severity: Severity
    text: str
    raised_at: Instant
    acknowledged_by: str | None
    acknowledged_at: Instant | None
    cleared_at: Instant | None
