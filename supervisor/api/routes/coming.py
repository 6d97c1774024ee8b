"""What the coming hours of all channels ask of somebody, in one list."""

from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import Query

from supervisor.api.context import Ctx, Who
from supervisor.api.permissions import Permission, may, sees
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.schemas.coming import ComingBoard

routes = router("ahead")


@routes.get("/coming", responses=documented())
async def read_coming(
    context: Ctx,
    who: Who,
    hours: Annotated[int, Query(ge=1, le=12, description="How far ahead.")] = 4,
) -> ComingBoard:
    """Holds, live inputs, media that are not as they should be, gaps, overruns and ends of lists of every channel that
    is on, outputs that are down now, clashes of recordings and, where the caller may see nodes, clocks that differ; the
    soonest first. Lists are looked at anew every ten seconds while somebody asks; media only by who leads."""
    mine = frozenset(row.id for row in context.supervision.rows() if sees(who, row.project_id))
    items = await context.coming.of(
        mine, timedelta(hours=hours), partial(sees, who), nodes=may(who, Permission.VIEW_STATION)
    )
    return ComingBoard(at=context.coming.at, items=items)
