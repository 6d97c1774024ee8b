"""The lease of the one supervisor that decides. Given and judged by the database's clock."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    bindparam,
    case,
    exists,
    false,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from db.clock import database_now
from db.errors import NotLeader
from db.models import Leader
from db.repositories.rows import table_of, upsert_in

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


_TABLE: Final = table_of(Leader)
_LEADER: Final = _TABLE.c


def _leads(holder: str | ColumnElement[str], term: int | ColumnElement[int]) -> ColumnElement[bool]:
    return exists(
        select(_LEADER.id).where(
            _LEADER.id == 1, _LEADER.holder == holder, _LEADER.term == term, _LEADER.expires_at > database_now()
        )
    )


@lru_cache(maxsize=64)
def leads(fence: Fence) -> ColumnElement[bool]:
    """The condition that belongs into every statement a leader changes something with."""
    return _leads(fence.holder, fence.term)


LEADS: Final = _leads(bindparam("fence_holder"), bindparam("fence_term"))
"""The same for statements that are made once and run every second: building one costs more than running it."""


def fence_values(fence: Fence) -> dict[str, object]:
    """What ``LEADS`` asks for."""
    return {"fence_holder": fence.holder, "fence_term": fence.term}


class Leaders:
    """One row; its term only grows."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self) -> Leadership | None:
        """None before there ever was a leader."""
        row = (await self._session.execute(_NOW)).one_or_none()
        return None if row is None else Leadership(*row)

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
        values: dict[str, object] = {"by": holder, "from_address": address, "ttl": ttl, "above": above}
        if isinstance(seize, Fence):
            values |= {"seized_holder": seize.holder, "seized_term": seize.term}
            statement = _TAKE_FROM_ONE
        else:
            statement = _TAKE_FROM_ANY if seize else _TAKE
        row = (await self._session.execute(statement, values)).one_or_none()
        if row is None:
            seen = await self.get()
            if seen is None:
                # The row is made expired and with term 0, so that one statement decides for the first leader too.
                await self._session.execute(_first(self._session.get_bind().dialect.name))
            if seen is None or not seen.held or seen.holder == holder:
                # Nobody has led before, or it became so between the two statements.
                row = (await self._session.execute(statement, values)).one_or_none()
        return None if row is None else Leadership(*row, held=True)

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
        if not await self._session.scalar(_QUESTION, fence_values(fence)):
            raise NotLeader(fence.term)


_SEEN: Final = (_LEADER.holder, _LEADER.address, _LEADER.term, _LEADER.expires_at)
_NOW: Final = select(*_SEEN, _LEADER.expires_at > database_now())
_QUESTION: Final = select(LEADS)


@cache
def _first(dialect: str) -> postgresql.Insert | sqlite.Insert:
    insert = upsert_in(dialect, _TABLE).values(id=1, holder="", address="", term=0, expires_at=database_now())
    return insert.on_conflict_do_nothing()


def _take(seizes: ColumnElement[bool]) -> Executable:
    """Renews or takes it, in one statement, so that nobody comes between."""
    by: BindParameter[str] = bindparam("by")
    above: BindParameter[int] = bindparam("above")
    mine = (_LEADER.holder == by) & (_LEADER.expires_at > database_now()) & (_LEADER.term > above)
    too_low = (_LEADER.holder == by) & (_LEADER.term <= above)
    over = or_(_LEADER.expires_at <= database_now(), _LEADER.expires_at > database_now(LONGEST_LEASE))
    higher = case((_LEADER.term < above, above), else_=_LEADER.term) + 1
    values: dict[str, ColumnElement[Any]] = {
        "holder": by,
        "address": bindparam("from_address"),
        "term": case((mine, _LEADER.term), else_=higher),
        "expires_at": database_now(bindparam("ttl")),
    }
    taken = update(_TABLE).where(_LEADER.id == 1, or_(mine, over, too_low, seizes)).values(values)
    return taken.returning(*_SEEN)  # pyright: ignore[reportUnknownVariableType] - as SQLAlchemy types it


_TAKE: Final = _take(false())
_TAKE_FROM_ANY: Final = _take(true())
_TAKE_FROM_ONE: Final = _take(
    (_LEADER.holder == bindparam("seized_holder")) & (_LEADER.term == bindparam("seized_term"))
)
