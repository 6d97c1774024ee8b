"""Channels: what people decide about them. What goes to air is in ``transport``."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import Request, Response

from db.models import Channel as Row
from db.models import Output
from db.repositories.channels import OutputSpec
from db.transaction import Transaction
from supervisor.airing import playout_of
from supervisor.api import views
from supervisor.api.channel_spec import changed_channel, changed_playout, new_channel
from supervisor.api.confinement import require_playout
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.output_spec import LEAD_ELSEWHERE, output_specs, require_node
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import require_sight, visible
from supervisor.api.problems import documented
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.principal import Principal
from supervisor.schemas.base import Id, Page
from supervisor.schemas.channel import Channel, ChannelIn, ChannelPatch
from supervisor.schemas.event import ChannelDeleted
from supervisor.schemas.playout import CasparIn, Playout
from supervisor.shared_servers import require_own_server, server_of
from supervisor.webhooks.facts import post_alarms

routes = router("channels")

EFFECT_HEADER: Final = "Mcr-Effective-At-Next-Start"
_AT_NEXT_START: Final = frozenset({"format", "outputs", "loudness_profile", "caspar"})
_LOOK: Final = frozenset({"logo", "black_s", "freeze_s", "silence_s"})
_EFFECT_DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            EFFECT_HEADER: {
                "description": "Which of the changes (`format`, loudness, `caspar`, `outputs` where a card is among "
                "them, and logo and what is watched where its playout is one that takes those at a start only) a "
                "channel that plays takes on only when it is started again. Absent when all of them hold now.",
                "schema": {"type": "string"},
            }
        }
    }
}


@routes.get("/channels", responses=documented())
async def list_channels(context: Ctx, who: Who, cursor: Cursor = None, limit: Limit = 100) -> Page[Channel]:
    """By number, with what is seen of each now."""
    after = decode_cursor(cursor, int)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.channels.list(after, limit + 1, projects=visible(who))
        outputs = await tx.channels.all_outputs()
    shown, following = page_of(rows, limit, lambda row: (row.number,))
    items = (
        views.without_keys(views.channel(row, outputs.get(row.id, ()), context.supervision.live.get(row.id)), who)
        for row in shown
    )
    return Page(items=tuple(items), next_cursor=following)


@routes.post("/channels", status_code=201, responses=documented(404, 409))
async def create_channel(context: Ctx, who: Who, request: Request, response: Response, values: ChannelIn) -> Channel:
    """Off, until it is started. Name and number are unique; the lowest free number when left out."""
    spec, outputs = new_channel(values), output_specs(values.outputs)
    require_node([output.kind for output in outputs], values.node_id)
    _require_reach(context, outputs, values.caspar)
    await require_playout(context, who, values, Playout())
    async with context.store.write() as tx:
        await _require_sight_of_named(tx, who, spec)
        row = await tx.channels.add(spec, outputs, context.clock.now())
    note(request, f"channel:{row.id}", name=row.name, number=row.number)
    return await changed(context, who, response, row)


@routes.get("/channels/{channel_id}", responses=documented(404))
async def read_channel(context: Ctx, who: Who, response: Response, channel_id: Id) -> Channel:
    """One channel, with what is seen of it now."""
    channel = await context.channels.get(channel_id)
    require_sight(who, channel.project_id, "channel", channel_id)
    set_etag(response, channel.rev)
    return views.without_keys(channel, who)


@routes.patch("/channels/{channel_id}", responses={**documented(404, 409, 428), **_EFFECT_DOCUMENTED})
async def update_channel(
    context: Ctx, who: Who, request: Request, response: Response, channel_id: Id, rev: SeenRev, changes: ChannelPatch
) -> Channel:
    """Only what is given changes. A channel that plays takes other outputs on at once, without a glitch to those that
    stay; a new format, and other cards, at its next start. One that is on is not set to a CasparCG server's channel
    that another has (409 ``server_taken``)."""
    spec = changed_channel(changes)
    outputs = output_specs(changes.outputs) if changes.outputs is not None else None
    _require_reach(context, outputs or (), changes.caspar)
    if changes.logo is not None or changes.caspar is not None:
        async with context.store.read() as tx:
            was = playout_of(await channel_row(tx, who, channel_id))
        await require_playout(context, who, changes, was)
    async with context.store.write() as tx:
        before = await channel_row(tx, who, channel_id)
        await _require_sight_of_named(tx, who, spec)
        spec |= changed_playout(before, changes)
        stored = await tx.channels.outputs(channel_id)
        kinds = [it.kind for it in (stored if outputs is None else outputs)]
        cards_change = outputs is not None and _cards(stored) != _cards(outputs)
        require_node(kinds, spec.get("wanted_node_id", before.wanted_node_id))
        # Outputs are apart: their urls may hold keys.
        note(request, name=before.name, before={name: getattr(before, name, None) for name in spec}, after=spec)
        was_on = server_of(before), before.wanted_node_id
        row = await tx.channels.update_spec(channel_id, rev, spec, outputs)
        # A later start of it asks nobody: it is followed, moved and adopted as it is set.
        is_on = row.desired == "on" or row.phase != "off"
        if is_on and (server_of(row), row.wanted_node_id) != was_on:
            require_own_server(row, await tx.channels.list(), len(await tx.nodes.list()))
    note(request, saw_rev=rev, changed=sorted(changes.model_fields_set))
    held = _AT_NEXT_START if cards_change else _AT_NEXT_START - {"outputs"}
    if not context.supervision.commands.takes_look_now(channel_id):
        held |= _LOOK
    later = sorted(changes.model_fields_set & held)
    if later and row.phase != "off":
        response.headers[EFFECT_HEADER] = ", ".join(later)
    view = await changed(context, who, response, row)
    return view.model_copy(update={"from_next_start": tuple(later)}) if row.phase != "off" else view


@routes.delete("/channels/{channel_id}", status_code=204, responses=documented(404, 409, 428))
async def delete_channel(context: Ctx, who: Who, request: Request, channel_id: Id, rev: SeenRev) -> None:
    """Only when it is off. Its as-run log stays, its alarms are over."""
    note(request, saw_rev=rev)
    async with context.store.write() as tx:
        await channel_row(tx, who, channel_id)
        await tx.channels.delete(channel_id, rev)
        now = context.clock.now()
        alarms = await tx.alarms.list(open_only=True, channel_id=channel_id)
        cleared = [await tx.alarms.clear(row.code, channel_id, row.node_id, now) for row in alarms]
        await post_alarms(tx, [row for row in cleared if row is not None], now)
    await context.supervision.commands.channel_changed(channel_id)
    context.supervision.live.forget(channel_id)
    context.events.publish("channel_deleted", ChannelDeleted(channel_id=channel_id))
    for row in cleared:
        if row is not None:
            context.events.publish("alarm", views.alarm(row))


def _cards(outputs: Sequence[Output | OutputSpec]) -> list[str]:
    return sorted(output.url for output in outputs if output.kind == "decklink")


async def channel_row(tx: Transaction, who: Principal, channel_id: str) -> Row:
    """The channel, if there is one for this principal. Raises Missing or NotFound, which read alike."""
    row = await tx.channels.get(channel_id)
    require_sight(who, row.project_id, "channel", channel_id)
    return row


async def require_channel(context: Context, who: Principal, channel_id: str) -> Row:
    """As ``channel_row``, of what supervision knows: a take must not wait for the database, nor a picture need it."""
    row = context.supervision.row(channel_id)
    if row is None:
        async with context.store.read() as tx:
            return await channel_row(tx, who, channel_id)
    require_sight(who, row.project_id, "channel", channel_id)
    return row


async def changed(context: Context, who: Principal, response: Response, row: Row) -> Channel:
    """Tells supervision and every console about a channel that was added or changed, and answers it."""
    await context.supervision.commands.channel_changed(row.id)
    async with context.store.read() as tx:
        outputs = await tx.channels.outputs(row.id)
    view = views.channel(row, outputs, context.supervision.live.get(row.id))
    context.events.publish("channel", view)
    set_etag(response, row.rev)
    return views.without_keys(view, who)


def _require_reach(context: Context, outputs: Sequence[OutputSpec], caspar: CasparIn | None) -> None:
    """Raises Invalid for a host that is none of those that may be named."""
    for output in outputs:
        if output.kind in LEAD_ELSEWHERE:
            context.reach.require_url(output.url, f"an {output.kind} output")
    if caspar is not None:
        context.reach.require(caspar.host, "a CasparCG server")


async def _require_sight_of_named(tx: Transaction, who: Principal, spec: dict[str, object]) -> None:
    """Nobody puts a channel into a project, or a playlist on a channel, that is not there for them."""
    if "project_id" in spec:
        project_id = spec["project_id"]
        assert project_id is None or isinstance(project_id, str)
        require_sight(who, project_id, "project", project_id or "none")
    if isinstance(playlist_id := spec.get("playlist_id"), str):
        playlist = await tx.playlists.get(playlist_id)
        require_sight(who, playlist.project_id, "playlist", playlist_id, right="view")
    if isinstance(filler_id := spec.get("filler_playlist_id"), str):
        filler = await tx.playlists.get(filler_id)
        require_sight(who, filler.project_id, "playlist", filler_id, right="view")
    if isinstance(asset_id := spec.get("standby_asset_id"), str):
        asset = await tx.assets.get(asset_id)
        require_sight(who, asset.project_id, "asset", asset_id, right="view")
