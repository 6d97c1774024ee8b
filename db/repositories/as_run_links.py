"""Segments of one event: what a failover or a restart broke is found again, and what was lost of it counted."""

from datetime import timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from db.models import AsRunEvent, AsRunRun

LINK: Final = frozenset({"continues_run_id", "continues_seq", "lost_frames"})
"""Columns that are written here alone: the projection of one run knows nothing of another."""

_RESUMES: Final = "resume"


class Linked(NamedTuple):
    """``is_new``: the store said something else of it before."""

    event: AsRunEvent
    is_new: bool


async def link_first(session: AsyncSession, channel_id: str, run_id: str) -> Linked | None:
    """The run's first item with its link, when it resumes what the channel aired last; else None and nothing written.

    Safe to do again: it says the same, or, once the other segment's end is known, more.
    """
    first = await session.scalar(
        select(AsRunEvent)
        .where(AsRunEvent.channel_id == channel_id, AsRunEvent.run_id == run_id, AsRunEvent.kind == "item")
        .order_by(AsRunEvent.seq)
        .limit(1)
    )
    if first is None or first.start_cause != _RESUMES:
        return None
    before = await session.scalar(
        select(AsRunEvent)
        .where(
            AsRunEvent.channel_id == channel_id,
            AsRunEvent.start_at < first.start_at,
            AsRunEvent.run_id != run_id,
            AsRunEvent.kind == "item",
        )
        .order_by(AsRunEvent.start_at.desc(), AsRunEvent.run_id.desc(), AsRunEvent.seq.desc())
        .limit(1)
    )
    if before is None or before.item_id != first.item_id or before.item_id is None or before.epoch >= first.epoch:
        return None
    lost = None if before.end_at is None else _frames(first.start_at - before.end_at, first.rate)
    values: dict[str, object] = {
        "continues_run_id": before.run_id,
        "continues_seq": before.seq,
        "lost_frames": lost,
    }
    if all(getattr(first, name) == value for name, value in values.items()):
        return Linked(first, is_new=False)
    await session.execute(
        update(AsRunEvent)
        .where(AsRunEvent.channel_id == channel_id, AsRunEvent.run_id == run_id, AsRunEvent.seq == first.seq)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    for name, value in values.items():
        set_committed_value(first, name, value)
    return Linked(first, is_new=True)


async def run_after(session: AsyncSession, channel_id: str, epoch: int) -> str | None:
    """The channel's run of the next epoch that there is."""
    return await session.scalar(
        select(AsRunRun.run_id)
        .where(AsRunRun.channel_id == channel_id, AsRunRun.epoch > epoch)
        .order_by(AsRunRun.epoch)
        .limit(1)
    )


def _frames(length: timedelta, rate: str) -> int:
    """To the nearest; none where the segments overlap."""
    numerator, _, denominator = rate.partition("/")
    microseconds = length // timedelta(microseconds=1)
    return max(0, round(Fraction(microseconds * int(numerator), 1_000_000 * int(denominator or 1))))
