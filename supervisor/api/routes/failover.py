"""Failover from the operator's side: the veto, and where a channel could go."""

from fastapi import Request, Response

from db.errors import StaleRev
from db.models import Channel as Row
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.api.routes.channels import changed, channel_row
from supervisor.errors import Unavailable
from supervisor.principal import Principal
from supervisor.schemas.base import Id
from supervisor.schemas.channel import Channel
from supervisor.schemas.explanation import Candidate, Placement

routes = router("failover")

_TRIES = 5
"""How often a row is read anew because somebody changed it between reading and writing."""


@routes.post("/channels/{channel_id}/hold-failover", responses=documented(404, 409))
async def hold_failover(context: Ctx, who: Who, request: Request, response: Response, channel_id: Id) -> Channel:
    """An operator's veto, by name: the channel is not moved to another node, whatever becomes of its own.

    It is still started again where it is. Repeating it changes nothing.
    """
    return await changed(context, who, response, await _set(context, who, request, channel_id, held=True))


@routes.post("/channels/{channel_id}/release-failover", responses=documented(404, 409))
async def release_failover(context: Ctx, who: Who, request: Request, response: Response, channel_id: Id) -> Channel:
    """The veto is over: the channel may be moved again, at once if there is cause. Repeating it changes nothing."""
    return await changed(context, who, response, await _set(context, who, request, channel_id, held=False))


@routes.get("/channels/{channel_id}/placement", responses=documented(404))
async def read_placement(context: Ctx, who: Who, channel_id: Id) -> Placement:
    """Every node, whether the channel could be moved there now, and why not; and where a person would move it."""
    async with context.store.read() as tx:
        row = await channel_row(tx, who, channel_id)
    verdict = context.supervision.judge_move(channel_id)
    return Placement(
        channel_id=channel_id,
        node_id=row.node_id,
        hold_failover_by=holder_of(row),
        candidates=tuple(
            Candidate(
                node_id=seen.node_id,
                node_name=seen.node_name,
                why_not=seen.why_not,
                missing=dict(seen.missing),
                here=seen.node_id == row.node_id,
            )
            for seen in context.supervision.placement(channel_id)
        ),
        target_id=None if verdict.target is None else verdict.target.node_id,
        why_not=verdict.why_not,
        hint=verdict.hint,
    )


def holder_of(row: Row) -> str | None:
    """Who vetoed that the channel is moved."""
    return (row.hold_failover_by or "somebody") if row.hold_failover else None


async def _set(context: Context, who: Principal, request: Request, channel_id: str, *, held: bool) -> Row:
    for _ in range(_TRIES):
        try:
            async with context.store.write() as tx:
                row = await channel_row(tx, who, channel_id)
                if row.hold_failover != held:
                    row = await tx.channels.set_hold_failover(channel_id, row.rev, held, who.name)
        except StaleRev:
            continue
        note(request, name=row.name, rev=row.rev)
        return row
    raise Unavailable(f"channel {channel_id} is being changed by others all the time", retry_after=1)
