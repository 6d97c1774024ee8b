"""The supervisor itself: what it is, whether it is well, and its end."""

import asyncio
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from supervisor.api.context import Ctx, Who
from supervisor.api.problems import documented
from supervisor.api.route import note, require_leader, router
from supervisor.errors import Follows, Unavailable
from supervisor.schemas.event import SupervisorInfo
from supervisor.schemas.supervisor import Health, ShutdownDone, ShutdownIn

routes = router("supervisor")
health = router("health", prefix="")

READY_S: Final = 1.5


@routes.get("/supervisor", responses=documented())
async def read_supervisor(context: Ctx) -> SupervisorInfo:
    """Who answers, whether it leads, and how long its loop was held up last."""
    return context.info()


@routes.post("/supervisor/shutdown", responses=documented(504))
async def shut_down_supervisor(context: Ctx, who: Who, request: Request, values: ShutdownIn) -> ShutdownDone:
    """Ends the supervisor; playout goes on.

    With `off_air` every channel is stopped first, as if an operator stopped each: this is answered when all are
    confirmed off air, and when some are not, the supervisor stays (504).
    """
    note(request, "supervisor", off_air=values.off_air)
    if values.off_air:
        require_leader(context)
    stopped = await context.take_off_air(who) if values.off_air else 0
    note(request, stopped=stopped)
    context.leave()
    return ShutdownDone(stopped=stopped)


@routes.get("/openapi.json", responses=documented(), include_in_schema=False)
async def read_openapi(request: Request) -> JSONResponse:
    """This document."""
    app: FastAPI = request.app
    return JSONResponse(app.openapi())


@health.get("/healthz", responses=documented())
async def healthz() -> Health:
    """The process lives and its loop turns. Says nothing about database and leadership: that is `/readyz`."""
    return Health()


@health.get("/readyz", responses=documented())
async def readyz(context: Ctx) -> Health:
    """It can take commands: it is not leaving, it has its database, and it leads."""
    if context.is_leaving():
        raise Unavailable("the supervisor is shutting down", retry_after=5)
    try:
        async with asyncio.timeout(READY_S), context.store.read() as tx:
            await tx.leader.get()
    except TimeoutError:
        raise Unavailable(f"the database did not answer within {READY_S} s") from None
    standing = context.supervision.standing()
    if not standing.leader:
        raise Follows(standing.address)
    return Health()
