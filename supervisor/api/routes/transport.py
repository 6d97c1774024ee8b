"""What goes to air: start, stop and the transport of a channel. Every one goes through ``Commands``."""

from typing import Annotated

from fastapi import Body, Request, Response

from supervisor.agent.interface import TransportVerb
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.permissions import sees_all
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.api.routes.channels import changed, require_channel
from supervisor.errors import Unavailable
from supervisor.principal import Principal
from supervisor.schemas.base import Id
from supervisor.schemas.channel import AdjustIn, Channel, CommandDone, CommandIn, CueIn, DropIn, LogoIn, MoveIn

routes = router("transport")

_ERRORS = documented(404, 409, 502, 504)
Command = Annotated[CommandIn, Body(default_factory=CommandIn)]


@routes.post("/channels/{channel_id}/start", responses=documented(404, 409))
async def start_channel(context: Ctx, who: Who, request: Request, response: Response, channel_id: Id) -> Channel:
    """Wanted on air from now on. The answer does not wait for it to be there."""
    await _require(context, who, channel_id)
    if context.is_leaving():
        raise Unavailable("the supervisor is shutting down: nothing is started now", retry_after=5)
    row = await context.supervision.commands.start(channel_id, who)
    note(request, rev=row.rev)
    return await changed(context, who, response, row)


@routes.post("/channels/{channel_id}/stop", responses=documented(404, 409))
async def stop_channel(context: Ctx, who: Who, request: Request, response: Response, channel_id: Id) -> Channel:
    """Wanted off air from now on. The answer does not wait for it to be there."""
    await _require(context, who, channel_id)
    row = await context.supervision.commands.stop(channel_id, who)
    note(request, rev=row.rev)
    return await changed(context, who, response, row)


@routes.post("/channels/{channel_id}/move", responses=documented(404, 409))
async def move_channel(
    context: Ctx, who: Who, request: Request, response: Response, channel_id: Id, values: MoveIn
) -> Channel:
    """To another node now, by the way that failover takes: the new one gets ready there, the old one is ended, and only
    then the new one enters the air. The answer does not wait for that.

    409 `not_movable` says why it may not be moved: held, pinned, by a card, no node that can take it.
    """
    await _require(context, who, channel_id)
    note(request, node=values.node_id, expect_epoch=values.expect_epoch)
    row = await context.supervision.commands.move(channel_id, values.node_id, who, values.expect_epoch)
    note(request, node=row.node_id, epoch=row.epoch)
    return await changed(context, who, response, row)


@routes.post("/channels/{channel_id}/take", responses=_ERRORS)
async def take(context: Ctx, who: Who, request: Request, channel_id: Id, command: Command) -> CommandDone:
    """Cut now to the cued item, else to the next, also out of a hold."""
    return await _transport(context, who, request, channel_id, "take", command)


@routes.post("/channels/{channel_id}/skip", responses=_ERRORS)
async def skip(context: Ctx, who: Who, request: Request, channel_id: Id, command: Command) -> CommandDone:
    """A take that ignores the cue."""
    return await _transport(context, who, request, channel_id, "skip", command)


@routes.post("/channels/{channel_id}/play", responses=_ERRORS)
async def play(context: Ctx, who: Who, request: Request, channel_id: Id, command: Command) -> CommandDone:
    """Release a hold."""
    return await _transport(context, who, request, channel_id, "play", command)


@routes.post("/channels/{channel_id}/pause", responses=_ERRORS)
async def pause(context: Ctx, who: Who, request: Request, channel_id: Id, command: Command) -> CommandDone:
    """Freeze the picture."""
    return await _transport(context, who, request, channel_id, "pause", command)


@routes.post("/channels/{channel_id}/resume", responses=_ERRORS)
async def resume(context: Ctx, who: Who, request: Request, channel_id: Id, command: Command) -> CommandDone:
    """Let a frozen picture run on from the same frame."""
    return await _transport(context, who, request, channel_id, "resume", command)


@routes.post("/channels/{channel_id}/hold", responses=_ERRORS)
async def hold(context: Ctx, who: Who, request: Request, channel_id: Id, command: Command) -> CommandDone:
    """Do not follow on after this item; wait for a take."""
    return await _transport(context, who, request, channel_id, "hold", command)


@routes.post("/channels/{channel_id}/recue", responses=_ERRORS)
async def recue(context: Ctx, who: Who, request: Request, channel_id: Id, command: Command) -> CommandDone:
    """Make the item on air, or that aired last, come next once more, from its beginning."""
    return await _transport(context, who, request, channel_id, "recue", command)


@routes.post("/channels/{channel_id}/adjust", responses=_ERRORS)
async def adjust(context: Ctx, who: Who, request: Request, channel_id: Id, command: AdjustIn) -> CommandDone:
    """Make the item on air longer or shorter; at the shortest it ends now."""
    await _require(context, who, channel_id)
    note(request, ms=command.ms, command=command.command_id)
    return await context.supervision.commands.adjust(channel_id, command, who)


@routes.post("/channels/{channel_id}/drop", responses=_ERRORS)
async def drop(context: Ctx, who: Who, request: Request, channel_id: Id, command: DropIn) -> CommandDone:
    """An item will not air in this run of the channel."""
    await _require(context, who, channel_id)
    note(request, item=command.item_id, command=command.command_id)
    return await context.supervision.commands.drop(channel_id, command, who, is_dropped=True)


@routes.post("/channels/{channel_id}/undrop", responses=_ERRORS)
async def undrop(context: Ctx, who: Who, request: Request, channel_id: Id, command: DropIn) -> CommandDone:
    """A dropped item will air after all."""
    await _require(context, who, channel_id)
    note(request, item=command.item_id, command=command.command_id)
    return await context.supervision.commands.drop(channel_id, command, who, is_dropped=False)


@routes.post("/channels/{channel_id}/standby", responses=_ERRORS)
async def standby(context: Ctx, who: Who, request: Request, channel_id: Id, command: Command) -> CommandDone:
    """Cut to the channel's emergency slate."""
    return await _transport(context, who, request, channel_id, "standby", command)


@routes.post("/channels/{channel_id}/rejoin", responses=_ERRORS)
async def rejoin(context: Ctx, who: Who, request: Request, channel_id: Id, command: Command) -> CommandDone:
    """Return to what should be on air."""
    return await _transport(context, who, request, channel_id, "rejoin", command)


@routes.post("/channels/{channel_id}/cue", responses=_ERRORS)
async def cue(context: Ctx, who: Who, request: Request, channel_id: Id, command: CueIn) -> CommandDone:
    """Make an item what the next take cuts to; `item_id` null clears the cue."""
    await _require(context, who, channel_id)
    note(request, item=command.item_id, command=command.command_id)
    return await context.supervision.commands.cue(channel_id, command, who)


@routes.post("/channels/{channel_id}/logo", responses=_ERRORS)
async def logo(context: Ctx, who: Who, request: Request, channel_id: Id, command: LogoIn) -> CommandDone:
    """Show the logo or do not; it lapses at the next item. `auto` gives it back to item, category and channel now."""
    await _require(context, who, channel_id)
    note(request, show=command.show, command=command.command_id)
    return await context.supervision.commands.logo(channel_id, command, who)


async def _transport(
    context: Context, who: Principal, request: Request, channel_id: str, verb: TransportVerb, command: CommandIn
) -> CommandDone:
    await _require(context, who, channel_id)
    note(request, command=command.command_id, expect_item=command.expect_item_id)
    done = await context.supervision.commands.transport(channel_id, verb, command, who)
    note(request, command=done.command_id, done=done.done, frame=done.frame)
    return done


async def _require(context: Context, who: Principal, channel_id: str) -> None:
    """May ``who`` see it, and is its air in their hands?

    Of a channel that is not known here, ``Commands`` says to who sees all what it makes of it.
    """
    row = context.supervision.row(channel_id)
    if row is not None or not sees_all(who):
        row = await require_channel(context, who, channel_id)
        context.supervision.controls.require(channel_id, f"{row.number} {row.name}", who)
