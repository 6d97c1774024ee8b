"""Issues of a day's log of which something changed since they were delivered."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models import AsRunIssue

LATE_RECORDS: Final = "records came in after it was made"


async def mark_changed(session: AsyncSession, channel_id: str, first: datetime, last: datetime, why: str) -> None:
    """Something of the log between these instants, both inclusive, is another now; each day's newest issue says so.

    Counted, and in the transaction that makes the change: who reads the number first and the log then misses nothing.
    """
    other = aliased(AsRunIssue)
    newest = (
        select(func.max(other.number))
        .where(other.channel_id == AsRunIssue.channel_id, other.day == AsRunIssue.day)
        .correlate(AsRunIssue)
        .scalar_subquery()
    )
    await session.execute(
        update(AsRunIssue)
        .where(
            AsRunIssue.channel_id == channel_id,
            AsRunIssue.end_at > first,
            AsRunIssue.start_at <= last,
            AsRunIssue.number == newest,
        )
        .values(changes=AsRunIssue.changes + 1, why=why[:200])
        .execution_options(synchronize_session=False)
    )
