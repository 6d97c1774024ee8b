"""When items last started in the run that is on air, from its log."""

from datetime import datetime
from typing import Final

from db.models import Channel
from db.repositories.as_run import EventFilters
from db.transaction import Transaction

PAST: Final = 500
"""Events of the past that are looked at."""


async def last_starts(tx: Transaction, channel: Channel) -> dict[str, datetime]:
    """By item id, of the epoch that the channel is in."""
    events = await tx.as_run.events(EventFilters(channel_id=channel.id, kinds=("item",)), None, PAST)
    started: dict[str, datetime] = {}
    for event in events:
        if event.item_id and event.epoch == channel.epoch:
            started.setdefault(event.item_id, event.start_at)
    return started
