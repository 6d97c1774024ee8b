"""Control of channels: who has it, taking it, giving it back."""

from fastapi import Request

from supervisor.api.context import Context, Ctx, Who
from supervisor.api.permissions import Permission, may_in, sees
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.api.routes.channels import require_channel
from supervisor.principal import Principal
from supervisor.schemas.base import Id, Page
from supervisor.schemas.control import Control, ControlIn, ControlRenew, ControlRenewed, ControlSeen

routes = router("control")


@routes.get("/controls", responses=documented())
async def list_controls(context: Ctx, who: Who) -> Page[ControlSeen]:
    """Every channel of which somebody has control, and who that is."""
    mine = {row.id for row in context.supervision.rows() if sees(who, row.project_id)}
    controls = context.supervision.controls.all().items()
    return Page(items=tuple(ControlSeen(channel_id=id_, control=control) for id_, control in controls if id_ in mine))


@routes.post("/channels/{channel_id}/control", responses=documented(404, 409))
async def take_control(context: Ctx, who: Who, request: Request, channel_id: Id, values: ControlIn) -> Control:
    """Takes control of a channel for this session; `over`: also from who has it, which is never refused.

    Meanwhile air commands of others are refused (409 `controlled`). It lapses 15 s after the session was last heard.
    """
    name = await _named(context, who, channel_id)
    before = context.supervision.controls.of(channel_id)
    control = context.supervision.controls.take(channel_id, name, who, over=values.over)
    from_whom = "" if before is None or before.seat == control.seat else before.operator
    note(request, name=name, station=who.station, over_from=from_whom)
    return control


@routes.post("/channels/{channel_id}/release-control", responses=documented(404, 409))
async def release_control(context: Ctx, who: Who, request: Request, channel_id: Id) -> ControlSeen:
    """Gives control back: nobody has it then. Repeating it changes nothing."""
    name = await _named(context, who, channel_id)
    context.supervision.controls.release(channel_id, name, who)
    note(request, name=name, station=who.station)
    return ControlSeen(channel_id=channel_id, control=None)


@routes.post("/controls/renew", responses=documented())
async def renew_controls(context: Ctx, who: Who, values: ControlRenew) -> ControlRenewed:
    """The session is still there. Answers what it has control of still, and what it has lost."""
    supervision = context.supervision
    rows = [row for id_ in values.channel_ids if (row := supervision.row(id_)) is not None]
    there = [row.id for row in rows if may_in(who, Permission.OPERATE, row.project_id)]
    held, _ = supervision.controls.renew(there, who)
    return ControlRenewed(held=held, lost=tuple(id_ for id_ in values.channel_ids if id_ not in set(held)))


async def _named(context: Context, who: Principal, channel_id: str) -> str:
    """The channel's number and name. Raises NotFound."""
    row = await require_channel(context, who, channel_id)
    return f"{row.number} {row.name}"
