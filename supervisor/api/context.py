"""What handlers may use, and how they get at it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from db.store import Store
from supervisor.ahead.coming import ComingWatch
from supervisor.ahead.looking import Ahead
from supervisor.api.authentication import Token
from supervisor.api.kept_channels import KeptChannels
from supervisor.api.openings import Openings
from supervisor.api.snapshot import Snapshot
from supervisor.api.throttle import Throttle
from supervisor.assets.importing import AssetImport
from supervisor.audit import AuditLog
from supervisor.clock import Clock
from supervisor.drills import Drills
from supervisor.events import Events
from supervisor.intake.watch import FolderWatch
from supervisor.loops.supervision import Supervision
from supervisor.metrics.scrape import Metrics
from supervisor.people import People
from supervisor.playlists.preparing import Preparing
from supervisor.playlists.revising import Revising
from supervisor.principal import Principal
from supervisor.reach import Reach
from supervisor.schemas.event import SupervisorInfo
from supervisor.settings import Settings
from supervisor.threads import Threads
from supervisor.webhooks.calling import Caller

TakeOffAir = Callable[[Principal], Awaitable[int]]
"""Stops every channel and returns how many once all are confirmed; raises PlayoutSilent naming those that are not."""


@dataclass(frozen=True, slots=True)
class Context:
    """One a supervisor. ``leave`` asks it to shut down and returns at once; playout goes on."""

    settings: Settings
    store: Store
    events: Events
    clock: Clock
    token: Token
    people: People
    throttle: Throttle
    hosts: frozenset[str]
    """Names beside loopback's that callers may call this supervisor by."""
    beyond_loopback: bool
    audit: AuditLog
    supervision: Supervision
    channels: KeptChannels
    reach: Reach
    """Where outputs, inputs, nodes and CasparCG servers may lead."""
    snapshot: Snapshot
    openings: Openings
    metrics: Metrics
    webhook_calls: Caller
    assets: AssetImport
    preparing: Preparing
    folders: FolderWatch
    ahead: Ahead
    coming: ComingWatch
    drills: Drills
    revising: Revising
    files: Threads
    """For what lies below the media root: this program's own."""
    media: Threads
    """For what lies where its owner put it, on disks and file servers that may hang."""
    rundowns: Threads
    """For computing long lists: few, so that the loop keeps its share of the interpreter."""
    info: Callable[[], SupervisorInfo]
    is_leaving: Callable[[], bool]
    take_off_air: TakeOffAir
    leave: Callable[[], None]


def context_of(request: Request) -> Context:
    """The running supervisor's context."""
    return cast("Context", request.app.state.context)


def principal_of(request: Request) -> Principal:
    """Who calls; only in routes that need somebody."""
    return cast("Principal", request.state.principal)


async def _context(request: Request) -> Context:
    return context_of(request)


async def _principal(request: Request) -> Principal:
    return principal_of(request)


# As coroutines: FastAPI has plain functions done by a thread, which costs as much as the rest of a small call.
Ctx = Annotated[Context, Depends(_context)]
Who = Annotated[Principal, Depends(_principal)]
