"""What the coming hours of all channels ask of somebody."""

from typing import Literal

from supervisor.schemas.alarm import Severity
from supervisor.schemas.base import Id, Instant, Schema

ComingKind = Literal["hold", "take", "live", "media", "gap", "overrun", "list_end"]


class Coming(Schema):
    """``hold``: the list waits for a take; ``take``: an item that only a take ends; ``media``: missing, short or
    broken; ``gap``: filler will air; ``overrun``: a fixed start cuts what is before it. ``at`` null: nobody can tell
    when."""

    channel_id: Id
    kind: ComingKind
    severity: Severity
    at: Instant | None
    item_id: Id | None
    text: str


class ComingBoard(Schema):
    """Soonest first. ``at``: when the last channel was looked at; null while none was yet."""

    at: Instant | None
    items: tuple[Coming, ...]
