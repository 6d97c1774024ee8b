"""The lease of the one supervisor that decides. Given and judged by the database's clock."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.clock import database_now
from db.errors import NotLeader
from db.models import Leader
from db.repositories.rows import upsert

LONGEST_LEASE = 60.0
"""Seconds. A lease that ends later than this from now was given before the database's clock was set back."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What every write of a leader carries: it changes nothing once the term is over."""

    holder: str
    term: int


@dataclass(frozen=True, slots=True)
class Leadership:
    """``expires_at`` is the database's instant; trust it by the own monotonic clock from before the attempt."""

    holder: str
    address: str
    term: int
    expires_at: datetime
    held: bool
    """Not expired, by the database's clock, when this was read."""

    @property
    def fence(self) -> Fence:
        return Fence(self.holder, self.term)


def leads(fence: Fence) -> ColumnElement[bool]:
    """The condition that belongs into every statement a leader changes something with."""
    return exists(
        select(Leader.id).where(
            Leader.id == 1,
            Leader.holder == fence.holder,
            Leader.term == fence.term,
            Leader.expires_at > database_now(),
        )
    )


class Leaders:
    """One row; its term only grows."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self) -> Leadership | None:
        """None before there ever was a leader."""
        row = (
            await self._session.execute(
                select(Leader, Leader.expires_at > database_now()).execution_options(populate_existing=True)
            )
        ).one_or_none()
        if row is None:
            return None
        leader, held = row
        return Leadership(leader.holder, leader.address, leader.term, leader.expires_at, bool(held))

    async def acquire(self, holder: str, address: str, ttl: float, *, seize: bool | Fence = False) -> Leadership | None:
        """Takes the lease for ``ttl`` seconds when it is free or has expired (term + 1), renews it when it is mine.

        None when somebody else has it. ``seize`` takes it from whoever has it, or from that fence alone (term + 1), for
        a caller that holds other proof that the holder is gone, such as the file lock of a single host.
        """
        if not 0 < ttl <= LONGEST_LEASE:
            raise ValueError(f"a lease of {ttl} s: more than 0 and at most {LONGEST_LEASE:.0f}")
        # The row is made expired and with term 0, so that one statement decides for the first leader too.
        await self._session.execute(
            upsert(self._session, Leader)
            .values(id=1, holder="", address="", term=0, expires_at=database_now())
            .on_conflict_do_nothing()
        )
        mine = (Leader.holder == holder) & (Leader.expires_at > database_now())
        renewed = await self._take(mine, holder, address, ttl, raise_term=False)
        if renewed is not None:
            return renewed
        free = or_(Leader.expires_at <= database_now(), Leader.expires_at > database_now(LONGEST_LEASE))
        if isinstance(seize, Fence):
            free = or_(free, (Leader.holder == seize.holder) & (Leader.term == seize.term))
        elif seize:
            free = Leader.id == 1
        return await self._take(free, holder, address, ttl, raise_term=True)

    async def _take(
        self, when: ColumnElement[bool], holder: str, address: str, ttl: float, *, raise_term: bool
    ) -> Leadership | None:
        statement = (
            update(Leader)
            .where(Leader.id == 1, when)
            .values(
                holder=holder,
                address=address,
                term=Leader.term + (1 if raise_term else 0),
                expires_at=database_now(ttl),
            )
            .returning(Leader)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        row = await self._session.scalar(statement)
        return None if row is None else Leadership(row.holder, row.address, row.term, row.expires_at, held=True)

    async def release(self, fence: Fence) -> bool:
        """Ends the lease now, if it is still this one; the term stays, so that the next is higher."""
        statement = (
            update(Leader)
            .where(Leader.id == 1, Leader.holder == fence.holder, Leader.term == fence.term)
            .values(expires_at=database_now())
            .returning(Leader.id)
            .execution_options(synchronize_session=False)
        )
        return await self._session.scalar(statement) is not None

    async def require(self, fence: Fence) -> None:
        """Raises ``NotLeader``."""
        if not await self._session.scalar(select(leads(fence))):
            raise NotLeader(fence.term)
