"""One transaction: the repositories on one session, a deadline around it, and errors in the store's own words."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.errors import Inconsistent, StoreUnavailable
from db.repositories.alarms import Alarms
from db.repositories.as_run import AsRunLog
from db.repositories.assets import Assets
from db.repositories.audit import AuditLog
from db.repositories.channels import Channels
from db.repositories.leader import Leaders
from db.repositories.nodes import Nodes
from db.repositories.playlists import Playlists
from db.repositories.ports import Ports
from db.repositories.projects import Projects


class Transaction:
    """The repositories, all in the same transaction. For one task at a time, until the block it came from ends."""

    def __init__(self, session: AsyncSession) -> None:
        self.projects = Projects(session)
        self.nodes = Nodes(session)
        self.channels = Channels(session)
        self.playlists = Playlists(session)
        self.assets = Assets(session)
        self.as_run = AsRunLog(session)
        self.ports = Ports(session)
        self.leader = Leaders(session)
        self.alarms = Alarms(session)
        self.audit = AuditLog(session)


@asynccontextmanager
async def transaction(engine: AsyncEngine, timeout: float, *, commit: bool) -> AsyncIterator[Transaction]:
    """A transaction that ends within ``timeout`` seconds, its caller's own work between statements included."""
    try:
        async with asyncio.timeout(timeout) as deadline:
            # Rows stay readable after the end, and nothing is sent that was not asked for.
            async with AsyncSession(engine, expire_on_commit=False, autoflush=False) as session:
                with connecting():
                    await session.connection()
                with speaking():
                    try:
                        yield Transaction(session)
                        if commit:
                            await session.commit()
                    finally:
                        # A rollback would make rows that were handed out unreadable.
                        session.expunge_all()
    except TimeoutError as error:
        if deadline.expired():
            raise StoreUnavailable(f"the transaction did not end within {timeout:g} s") from error
        raise


@contextmanager
def connecting() -> Iterator[None]:
    """Everything that fails while a connection is made or taken from the pool is ``StoreUnavailable``."""
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreUnavailable("every connection is busy") from error
    except DBAPIError as error:
        raise StoreUnavailable(_said(error)) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreUnavailable(_said(error)) from error


@contextmanager
def speaking() -> Iterator[None]:
    """A lost connection, a lock not had in time and the like are ``StoreUnavailable``; a fault in a statement is not."""
    try:
        yield
    except IntegrityError as error:
        raise Inconsistent(_said(error)) from error
    except (ProgrammingError, DataError, NotSupportedError):
        raise
    except DBAPIError as error:
        raise StoreUnavailable(_said(error)) from error


def _said(error: Exception) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    return str(original) or type(original).__name__
