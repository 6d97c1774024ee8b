"""From rows of the store to what a sidecar plays, and to what an operator reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

from db.models import Asset, Channel, Item, Playlist
from sidecar.protocol import channel as protocol
from sidecar.rundown.forecast import forecast
from sidecar.rundown.rate import converted_frames, format_rate, frames_to_ms, parse_rate
from supervisor.playlists.items import waiting_frames
from supervisor.schemas.channel import ChannelLive, Rundown, RundownRow

_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)

State = Literal["aired", "on_air", "next", "planned", "missing"]


def channel_frames(item: Item, asset: Asset | None, rate: Fraction) -> int | None:
    """How many frames at ``rate`` the item airs; None when only its source's end can tell.

    Source frames are converted once, from the trimmed length, so that no rounding adds up.
    """
    if item.kind == "slate":
        return item.slate_frames
    if asset is None:
        # What its list says: the starts of what follows a clip that has not come yet are known all the same.
        return waiting_frames(item.listed, rate)
    if asset.rate is None:
        if asset.asset_duration_ms is None:
            return None
        return max(1, asset.asset_duration_ms * rate.numerator // (1000 * rate.denominator))
    end = item.out_frames if item.out_frames is not None else asset.duration_frames
    if end is None:
        return None
    return converted_frames(max(1, end - item.in_frames), parse_rate(asset.rate), rate)


def sidecar_playlist(
    channel: Channel, playlist: Playlist | None, items: Sequence[Item], assets: Mapping[str, Asset], rate: Fraction
) -> protocol.Playlist:
    """The channel's list as its sidecar is told it; ``items`` in order, ``assets`` by id. No list is an empty one.

    ``rate`` is what the sidecar counts frames at: its own while it runs, which an edit of the channel does not change.
    """
    of_traffic = any(item.traffic_id is not None for item in items)
    return protocol.Playlist(
        revision=playlist.revision if playlist else 0,
        items=tuple(
            _sidecar_item(item, assets.get(item.asset_id or ""), rate, inserted=of_traffic and item.traffic_id is None)
            for item in items
        ),
        after_last=_after_last(channel.after_last),
    )


def _sidecar_item(item: Item, asset: Asset | None, rate: Fraction, *, inserted: bool) -> protocol.Item:
    return protocol.Item(
        id=item.id,
        title=item.title,
        kind="slate" if item.kind == "slate" else "clip",
        path=asset.path if asset else None,
        source_rate=asset.rate if asset else None,
        in_frames=item.in_frames,
        duration_frames=channel_frames(item, asset, rate),
        asset_duration_ms=asset.asset_duration_ms if asset else None,
        start_mode="hold" if item.start_mode == "hold" else "follow",
        asset_id=item.asset_id,
        house_id=asset.house_id if asset else item.house_id,
        traffic_id=item.traffic_id,
        planned_at_ns=_nanoseconds(item.planned_start),
        fingerprint=asset.fingerprint if asset else None,
        inserted=inserted,
    )


def _nanoseconds(at: datetime | None) -> int | None:
    return None if at is None else (at - _UNIX) // timedelta(microseconds=1) * 1000


def _after_last(text: str) -> protocol.AfterLast:
    match text:
        case "loop" | "hold" | "filler":
            return text
        case _:
            raise ValueError(f"after_last is {text!r}: the store holds a value that this version does not know")


@dataclass(frozen=True, slots=True)
class Listing:
    """A playlist with all that its rows are made of. ``missing`` are paths where there is no file now."""

    playlist: Playlist | None
    items: Sequence[Item]
    assets: Mapping[str, Asset]
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Timing:
    """When things start: by item id, from the forecast or from what aired. ``note`` goes to the first row."""

    on_air: str | None = None
    next: str | None = None
    starts: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    aired: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    note: str = ""


def timing_of_start(list_: protocol.Playlist, rate: Fraction, start_at: datetime, note: str = "") -> Timing:
    """As if the list began at ``start_at`` with its first item."""
    starts = {
        one.item_id: _later(start_at, one.in_frames, rate) for one in forecast(list_) if one.in_frames is not None
    }
    return Timing(next=list_.items[0].id if list_.items else None, starts=starts, note=note)


def timing_on_air(list_: protocol.Playlist, rate: Fraction, live: ChannelLive, aired: Mapping[str, datetime]) -> Timing:
    """From what the channel shows now. ``aired``: when items of this run last started, by item id.

    The starts of what follows do not move with every report: as long as the item airs through, they count from its
    own start.
    """
    item, following = live.item, live.next
    following_id = following.item_id if following else None
    if item is None:
        if following is None or following.in_frames_left is None:
            return Timing(next=following_id, aired=aired)
        base = _later(live.as_of, following.in_frames_left, rate)
        ahead = forecast(list_, protocol.ResumePoint(following.item_id))
        starts = {one.item_id: _later(base, one.in_frames, rate) for one in ahead if one.in_frames is not None}
        return Timing(next=following_id, starts=starts, aired=aired)
    begun = _later(live.as_of, -item.position_frames, rate)
    if abs(begun - item.started_at) <= 2 * _span(1, rate):
        begun = item.started_at
    waits = live.hold or live.picture in {"hold", "freeze", "standby"}
    cued = following.item_id if following and following.cued else None
    ahead = forecast(list_, protocol.ResumePoint(item.item_id, 0), hold=waits, next_item_id=cued)
    starts = {one.item_id: _later(begun, one.in_frames, rate) for one in ahead if one.in_frames is not None}
    starts[item.item_id] = item.started_at
    return Timing(on_air=item.item_id, next=following_id, starts=starts, aired=aired)


def rundown(listing: Listing, timing: Timing, rate: Fraction, time_zone: str, channel_id: str | None = None) -> Rundown:
    """The rows an operator reads, in the list's order."""
    rows = [_row(item, listing, timing, rate) for item in listing.items]
    if rows and timing.note:
        rows[0] = rows[0].model_copy(update={"note": "; ".join(filter(None, (timing.note, rows[0].note)))})
    return Rundown(
        channel_id=channel_id,
        playlist_id=listing.playlist.id if listing.playlist else None,
        revision=listing.playlist.revision if listing.playlist else 0,
        rate=format_rate(rate),
        time_zone=time_zone,
        rows=tuple(rows),
    )


def _row(item: Item, listing: Listing, timing: Timing, rate: Fraction) -> RundownRow:
    asset = listing.assets.get(item.asset_id or "")
    frames = channel_frames(item, asset, rate)
    state = _state(item, asset, listing, timing)
    start_at = timing.starts.get(item.id)
    if state == "aired":
        start_at = timing.aired[item.id]
    note = ""
    if state == "missing":
        note = f"there is no file at {asset.path}" if asset else f"there is no clip of house id {item.house_id}"
    return RundownRow(
        item_id=item.id,
        position=item.position,
        title=item.title,
        kind="slate" if item.kind == "slate" else "clip",
        start_mode="hold" if item.start_mode == "hold" else "follow",
        start_at=start_at,
        duration_frames=frames,
        duration_ms=frames_to_ms(frames, rate) if frames is not None else None,
        asset_duration_ms=asset.asset_duration_ms if asset else None,
        state=state,
        note=note,
    )


def _state(item: Item, asset: Asset | None, listing: Listing, timing: Timing) -> State:
    """What will air again counts as planned, not as aired: a list that loops has no past."""
    if item.id == timing.on_air:
        return "on_air"
    waits = item.kind == "clip" and asset is None
    if waits or (asset is not None and asset.path in listing.missing):
        return "missing"
    if item.id == timing.next:
        return "next"
    return "aired" if item.id in timing.aired and item.id not in timing.starts else "planned"


def _span(frames: int, rate: Fraction) -> timedelta:
    return timedelta(microseconds=frames * 1_000_000 * rate.denominator // rate.numerator)


def _later(instant: datetime, frames: int, rate: Fraction) -> datetime:
    return instant + _span(frames, rate)
