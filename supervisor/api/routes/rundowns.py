"""Rundowns: a playlist with computed times, on air or as a preview."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final

import structlog
from fastapi import Query, Response
from pydantic import AwareDatetime

from db.models import Asset, Channel
from db.transaction import Transaction
from sidecar.protocol import channel as protocol
from sidecar.rundown.rate import parse_rate
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.api.routes.channels import channel_row
from supervisor.api.routes.playlists import playlist_row
from supervisor.asrun.starts import last_starts
from supervisor.errors import Unavailable
from supervisor.rundowns import Listing, Timing, missing_items, rundown, timing_of_start, timing_on_air
from supervisor.schemas.base import Id
from supervisor.schemas.channel import Rundown
from supervisor.sidecar_lists import sidecar_playlist

routes = router("rundowns")

LOOK_S: Final = 1.0
"""Seconds for looking whether the files are there; a disk that takes longer leaves the question open."""
COMPUTE_S: Final = 5.0
PLAIN_RATE: Final = "25"
"""Frames a second of a preview that names no channel."""

_log = structlog.get_logger(__name__)


@routes.get("/channels/{channel_id}/rundown", response_model=Rundown, responses=documented(404))
async def read_rundown(context: Ctx, who: Who, channel_id: Id) -> Response:
    """What aired, what is on air, and when the rest will start. Behind a hold nobody can tell, so there is no start."""
    async with context.store.read() as tx:
        channel = await channel_row(tx, who, channel_id)
        listing = await listing_of(tx, channel.playlist_id)
        aired = await last_starts(tx, channel)
    return await answer_rundown(context, channel, listing, aired)


@routes.get("/playlists/{playlist_id}/preview", response_model=Rundown, responses=documented(404))
async def preview_playlist(
    context: Ctx,
    who: Who,
    playlist_id: Id,
    channel_id: Annotated[Id | None, Query(description="The channel whose rate, zone and end of list hold.")] = None,
    start_at: Annotated[AwareDatetime | None, Query(description="Start of the first item; now when left out.")] = None,
) -> Response:
    """When each item would start if the playlist began at `start_at`."""
    async with context.store.read() as tx:
        await playlist_row(tx, who, playlist_id)
        channel = await channel_row(tx, who, channel_id) if channel_id else _plain_channel()
        listing = await listing_of(tx, playlist_id)
    listing = await _with_missing(context, listing)
    rate = parse_rate(channel.rate)
    begin = start_at or context.clock.now()
    missing = missing_items(listing)
    return await _answer(
        context, channel, listing, rate, lambda list_: timing_of_start(list_, rate, begin, missing=missing)
    )


async def answer_rundown(
    context: Context, channel: Channel, listing: Listing, aired: Mapping[str, datetime]
) -> Response:
    """With the channel's times as it stands now. ``aired`` as of ``last_starts``. Raises Unavailable."""
    listing = await _with_missing(context, listing)
    live = context.supervision.live.get(channel.id)
    rate = parse_rate(context.supervision.live.rate(channel.id) or channel.rate)
    now = context.clock.now()

    def timing_of(list_: protocol.Playlist) -> Timing:
        if channel.desired == "off" and live.item is None:
            note = "the channel is off: times as if it started now"
            return timing_of_start(list_, rate, now, note, missing_items(listing))
        if live.picture is None:
            return Timing(note="nothing is known of the channel now")
        return timing_on_air(list_, rate, live, aired, missing_items(listing))

    return await _answer(context, channel, listing, rate, timing_of)


async def _answer(
    context: Context,
    channel: Channel,
    listing: Listing,
    rate: Fraction,
    timing_of: Callable[[protocol.Playlist], Timing],
) -> Response:
    """Computed and written beside the loop: a list of thousands of items takes longer than the loop may be held."""

    def written() -> bytes:
        list_ = sidecar_playlist(channel, listing.playlist, listing.items, listing.assets, rate)
        made = rundown(listing, timing_of(list_), rate, channel.time_zone, channel.id)
        return made.model_dump_json().encode()

    try:
        return Response(await context.rundowns.run(COMPUTE_S, written), media_type="application/json")
    except TimeoutError:
        raise Unavailable(f"the rundown was not computed within {COMPUTE_S:.0f} s", retry_after=5) from None


def _plain_channel() -> Channel:
    return Channel(rate=PLAIN_RATE, after_last="filler", time_zone="UTC")


async def listing_of(tx: Transaction, playlist_id: str | None) -> Listing:
    """The list with what its rows are made of; an empty one for None. Raises Missing."""
    if playlist_id is None:
        return Listing(None, (), {})
    playlist = await tx.playlists.get(playlist_id)
    return Listing(playlist, await tx.playlists.items(playlist_id), await tx.assets.of_playlist(playlist_id))


async def _with_missing(context: Context, listing: Listing) -> Listing:
    try:
        missing = await context.media.run(LOOK_S, _not_there, tuple(listing.assets.values()))
    except (TimeoutError, Unavailable):
        _log.warning(
            "the media disk does not say which files are there", playlist=listing.playlist and listing.playlist.id
        )
        return listing
    return Listing(listing.playlist, listing.items, listing.assets, missing)


def _not_there(assets: Sequence[Asset]) -> frozenset[str]:
    """Blocks. A file that cannot be asked for, for want of rights, counts as there: the sidecar will say."""
    return frozenset(asset.path for asset in assets if _is_gone(asset.path))


def _is_gone(path: str) -> bool:
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
