"""What the coming hours of all channels ask of somebody."""

from typing import Literal

from supervisor.schemas.alarm import Severity
from supervisor.schemas.base import Id, Instant, Schema

ComingKind = Literal["hold", "take", "live", "media", "gap", "overrun", "list_end", "port", "clock", "output"]


class Coming(Schema):
    """``hold``: the list waits for a take; ``take``: an item that only a take ends; ``media``: missing, short or
    broken; ``gap``: filler will air; ``overrun``: a fixed start cuts what is before it; ``port``: what a recording
    needs, a port or its recorder, is another's then (``item_id`` is its schedule); ``clock``: a node's differs,
    ``output``: programme outputs are down, both at this moment. ``at`` null: nobody can tell when. One of
    ``channel_id``, ``node_id``, ``recorder_id`` says whose it is."""

    channel_id: Id | None
    node_id: Id | None = None
    recorder_id: Id | None = None
    kind: ComingKind
    severity: Severity
    at: Instant | None
    item_id: Id | None
    text: str


class ComingBoard(Schema):
    """Soonest first. ``at``: when the last channel was looked at; null while none was yet."""

    at: Instant | None
    items: tuple[Coming, ...]
