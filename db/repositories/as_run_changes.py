"""Issues of a day's log of which something changed since they were delivered."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import AsRunIssue
from db.repositories.rows import table_of

LATE_RECORDS: Final = "records came in after it was made"


async def mark_changed(session: AsyncSession, channel_id: str, first: datetime, last: datetime, why: str) -> None:
    """Something of the log between these instants, both inclusive, is another now; each day's newest issue says so.

    Counted, and in the transaction that makes the change: who reads the number first and the log then misses nothing.
    """
    of = {"channel": channel_id, "first": first, "last": last, "because": why[:200]}
    await session.execute(_MARK, of)


_ISSUE: Final = table_of(AsRunIssue)
_OTHER: Final = _ISSUE.alias()
_MARK: Final = (
    # Made once: to put it together takes longer than to carry it out, and every collected batch does.
    update(_ISSUE)
    .where(
        _ISSUE.c.channel_id == bindparam("channel"),
        _ISSUE.c.end_at > bindparam("first"),
        _ISSUE.c.start_at <= bindparam("last"),
        _ISSUE.c.number
        == select(func.max(_OTHER.c.number))
        .where(_OTHER.c.channel_id == _ISSUE.c.channel_id, _OTHER.c.day == _ISSUE.c.day)
        .correlate(_ISSUE)
        .scalar_subquery(),
    )
    .values(changes=_ISSUE.c.changes + 1, why=bindparam("because"))
)
