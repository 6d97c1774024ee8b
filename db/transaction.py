"""One transaction: the repositories on one session, a deadline around it, and errors in the store's own words."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.errors import Inconsistent, StoreError, StoreUnavailable
from db.repositories.alarms import Alarms
from db.repositories.as_run import AsRunLog
from db.repositories.as_run_notes import AsRunIssues, AsRunNotes
from db.repositories.assets import Assets
from db.repositories.audit import AuditLog
from db.repositories.changes import Changes
from db.repositories.channels import Channels
from db.repositories.cluster import Clusters
from db.repositories.drills import Drills
from db.repositories.events import StoredEvents
from db.repositories.instructions import StationInstructions
from db.repositories.leader import Leaders
from db.repositories.media_roots import MediaRoots
from db.repositories.nodes import Nodes
from db.repositories.playlists import Playlists
from db.repositories.ports import Ports
from db.repositories.principals import Principals
from db.repositories.projects import Projects
from db.repositories.recorders import Recorders
from db.repositories.reservations import Reservations
from db.repositories.retention import Retention
from db.repositories.schedules import Schedules
from db.repositories.shift import ShiftLog
from db.repositories.watched_folders import WatchedFolders
from db.repositories.webhooks import Webhooks

ROLLBACK_TIMEOUT = 2.5
"""Seconds that a transaction past its deadline has to undo and to close its connection, before it is left alone."""


class Transaction:
    """The repositories, all in the same transaction. For one task at a time, until the block it came from ends."""

    def __init__(self, session: AsyncSession) -> None:
        self.projects = Projects(session)
        self.principals = Principals(session)
        self.nodes = Nodes(session)
        self.channels = Channels(session)
        self.changes = Changes(session)
        self.recorders = Recorders(session)
        self.schedules = Schedules(session)
        self.reservations = Reservations(session)
        self.playlists = Playlists(session)
        self.assets = Assets(session)
        self.media_roots = MediaRoots(session)
        self.watched_folders = WatchedFolders(session)
        self.as_run = AsRunLog(session)
        self.as_run_notes = AsRunNotes(session)
        self.as_run_issues = AsRunIssues(session)
        self.ports = Ports(session)
        self.leader = Leaders(session)
        self.cluster = Clusters(session)
        self.alarms = Alarms(session)
        self.instructions = StationInstructions(session)
        self.audit = AuditLog(session)
        self.events = StoredEvents(session)
        self.retention = Retention(session)
        self.shift = ShiftLog(session)
        self.webhooks = Webhooks(session)
        self.drills = Drills(session)


@asynccontextmanager
async def transaction(engine: AsyncEngine, timeout: float, *, commit: bool) -> AsyncGenerator[Transaction, None]:
    """A transaction that ends within ``timeout`` seconds, its caller's own work between statements included."""
    deadline = asyncio.timeout(timeout)
    last = asyncio.timeout(timeout + ROLLBACK_TIMEOUT)
    # Rows stay readable after the end, and nothing is sent that was not asked for.
    session = AsyncSession(engine, expire_on_commit=False, autoflush=False)
    try:
        async with last, deadline, session:
            with connecting():
                await session.connection()
            try:
                with speaking():
                    yield Transaction(session)
                    if commit:
                        await session.commit()
            finally:
                # A rollback would make rows that were handed out unreadable.
                session.expunge_all()
    except TimeoutError as error:
        if deadline.expired() or last.expired():
            raise StoreUnavailable(f"the transaction did not end within {timeout:g} s") from error
        raise


@contextmanager
def connecting() -> Generator[None, None, None]:
    """Whatever fails while a connection is made or taken from the pool is ``StoreUnavailable``."""
    try:
        yield
    except StoreError:
        raise
    except PoolTimeoutError as error:
        raise StoreUnavailable("every connection is busy") from error
    except Exception as error:
        # Sockets, TLS, log-in: each driver has errors of its own here, and SQLAlchemy lets them through.
        raise StoreUnavailable(_said(error)) from error


@contextmanager
def speaking() -> Generator[None, None, None]:
    """A lost connection, a lock not had in time and the like are ``StoreUnavailable``; a faulty statement is not."""
    try:
        yield
    except (IntegrityError, DataError, UnicodeEncodeError) as error:
        # The last is SQLite's driver with a lone surrogate, as the name of a file may hold one.
        raise Inconsistent(_said(error)) from error
    except (ProgrammingError, NotSupportedError):
        raise
    except DBAPIError as error:
        if _is_about_a_value(error):
            raise Inconsistent(_said(error)) from error
        raise StoreUnavailable(_said(error)) from error


def _is_about_a_value(error: DBAPIError) -> bool:
    """asyncpg's dialect has no class for these: SQLSTATE class 22, and values that the driver could not encode."""
    cause = error.orig.__cause__ if error.orig is not None else None
    return isinstance(cause, ValueError) or str(getattr(cause, "sqlstate", "")).startswith("22")


def _said(error: Exception) -> str:
    original = (error.orig if isinstance(error, DBAPIError) else None) or error
    return str(original) or type(original).__name__
