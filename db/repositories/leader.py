"""The lease of the one supervisor that decides. Given and judged by the database's clock."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Final

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, case, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from db.clock import database_now
from db.errors import NotLeader
from db.models import Leader
from db.repositories.rows import upsert_in

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


@lru_cache(maxsize=64)
def leads(fence: Fence) -> ColumnElement[bool]:
    """The condition that belongs into every statement a leader changes something with.

    Made once a term, as are the statements that run every second: building one costs as much as running it.
    """
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
        row = (await self._session.execute(_LEADER)).one_or_none()
        if row is None:
            return None
        leader, held = row
        return Leadership(leader.holder, leader.address, leader.term, leader.expires_at, bool(held))

    async def acquire(
        self, holder: str, address: str, ttl: float, *, seize: bool | Fence = False, above: int = 0
    ) -> Leadership | None:
        """Takes the lease for ``ttl`` seconds when it is free or has expired (term + 1), renews it when it is mine.

        None when somebody else has it. ``seize`` takes it from whoever has it, or from that fence alone (term + 1), for
        a caller that holds other proof that the holder is gone, such as the file lock of a single host.

        The term is higher than ``above``, which some agent has taken an order of: a store that was restored from a
        backup has a lower one, and one's own lease is then taken anew.
        """
        if not 0 < ttl <= LONGEST_LEASE:
            raise ValueError(f"a lease of {ttl} s: more than 0 and at most {LONGEST_LEASE:.0f}")
        # The row is made expired and with term 0, so that one statement decides for the first leader too.
        await self._session.execute(_first(self._session.get_bind().dialect.name))
        row = await self._session.scalar(_renewal(holder, address, ttl, above))
        if row is None:
            row = await self._session.scalar(_taking(holder, address, ttl, seize, above))
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
        if not await self._session.scalar(_question(fence)):
            raise NotLeader(fence.term)


_LEADER: Final = select(Leader, Leader.expires_at > database_now()).execution_options(populate_existing=True)


@lru_cache(maxsize=64)
def _question(fence: Fence) -> Select[bool]:
    return select(leads(fence))


@cache
def _first(dialect: str) -> postgresql.Insert | sqlite.Insert:
    insert = upsert_in(dialect, Leader).values(id=1, holder="", address="", term=0, expires_at=database_now())
    return insert.on_conflict_do_nothing()


@lru_cache(maxsize=16)
def _renewal(holder: str, address: str, ttl: float, above: int) -> ReturningUpdate[Leader]:
    mine = (Leader.holder == holder) & (Leader.expires_at > database_now()) & (Leader.term > above)
    return _take(mine, holder, address, ttl, term=Leader.term)


@lru_cache(maxsize=16)
def _taking(holder: str, address: str, ttl: float, seize: bool | Fence, above: int) -> ReturningUpdate[Leader]:
    too_low = (Leader.holder == holder) & (Leader.term <= above)
    free = or_(Leader.expires_at <= database_now(), Leader.expires_at > database_now(LONGEST_LEASE), too_low)
    if isinstance(seize, Fence):
        free = or_(free, (Leader.holder == seize.holder) & (Leader.term == seize.term))
    elif seize:
        free = Leader.id == 1
    return _take(free, holder, address, ttl, term=case((Leader.term < above, above), else_=Leader.term) + 1)


def _take(
    when: ColumnElement[bool], holder: str, address: str, ttl: float, *, term: SQLColumnExpression[int]
) -> ReturningUpdate[Leader]:
    return (
        update(Leader)
        .where(Leader.id == 1, when)
        .values(
            holder=holder,
            address=address,
            term=term,
            expires_at=database_now(ttl),
        )
        .returning(Leader)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
