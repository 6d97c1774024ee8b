"""From a list and what is on air to what an operator reads: every row with its times. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Literal, cast

from msgspec.structs import replace

from db.models import Asset, Item, Playlist
from sidecar.protocol import channel as protocol
from sidecar.rundown.forecast import PredictedStart, forecast, index_of
from sidecar.rundown.rate import format_rate, frames_to_ms
from sidecar.rundown.wall import Wall
from supervisor.rundown_figures import NO_FIGURES, Figures, Human, figures, frames_between
from supervisor.schemas.airing import Kind, StartMode
from supervisor.schemas.channel import ChannelLive, Rundown, RundownRow
from supervisor.sidecar_lists import channel_frames, instant, nanoseconds

State = Literal["aired", "on_air", "next", "planned", "missing", "dropped"]


@dataclass(frozen=True, slots=True)
class Listing:
    """A playlist with all that its rows are made of. ``missing`` are paths where there is no file now."""

    playlist: Playlist | None
    items: Sequence[Item]
    assets: Mapping[str, Asset]
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Timing:
    """When things start: by item id, from the forecast or from what aired. ``note`` goes to the first row.

    ``aired`` is what is past: nothing of a list that goes round. ``told`` is the list as its sidecar has it, and
    ``origin`` the instant from which ``figures`` count their frames.
    ``dropped`` and ``added`` are what operators did on air: rows, and frames of the item on air.
    """

    on_air: str | None = None
    next: str | None = None
    starts: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    aired: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    note: str = ""
    ahead: Mapping[str, PredictedStart] = field(default_factory=dict[str, PredictedStart])
    told: protocol.Playlist | None = None
    origin: datetime | None = None
    figures: Figures = NO_FIGURES
    dropped: frozenset[str] = frozenset()
    added: int = 0


def timing_of_start(
    list_: protocol.Playlist, rate: Fraction, start_at: datetime, note: str = "", missing: frozenset[str] = frozenset()
) -> Timing:
    """As if the list began at ``start_at`` with its first item. ``missing``: ids of items with nothing to air."""
    ahead = forecast(list_, wall=Wall(nanoseconds(start_at), rate))
    starts = _starts(ahead, start_at, rate)
    first = next((item.id for item in list_.items if item.kind != "comment" and not item.dropped), None)
    found = figures(list_, nanoseconds(start_at), rate, missing=missing)
    return Timing(next=first, starts=starts, ahead=_by_id(ahead), note=note, told=list_, origin=start_at, figures=found)


def timing_on_air(
    told: protocol.Playlist,
    rate: Fraction,
    live: ChannelLive,
    aired: Mapping[str, datetime],
    missing: frozenset[str] = frozenset(),
) -> Timing:
    """From what the channel shows now. ``aired``: when items of this run last started, by item id.

    The starts of what follows do not move with every report: as long as the item airs through, they count from its
    own start.
    """
    list_ = _starts_that_were(told, aired, rate)
    past: Mapping[str, datetime] = {} if told.after_last == "loop" else aired
    item, following = live.item, live.next
    following_id = following.item_id if following else None
    dropped, added = frozenset(live.dropped), _added(list_, live)
    changed = _changed(list_, live, dropped, added)
    waits = live.hold or live.picture in {"hold", "freeze", "standby"}
    if item is None:
        index = None if following is None else index_of(list_.items, following.item_id)
        left = None if following is None else following.in_frames_left
        if following is None or left is None:
            held = Figures(human=Human(0, following_id, "it waits for a take")) if following else NO_FIGURES
            return Timing(next=following_id, aired=past, told=told, origin=live.as_of, figures=held, dropped=dropped)
        base = _later(live.as_of, left, rate)
        wall = Wall(nanoseconds(base), rate)
        ahead = forecast(list_, protocol.ResumePoint(following.item_id), wall=wall, dropped=dropped)
        starts = _starts(ahead, base, rate)
        found = figures(changed, nanoseconds(base), rate, index=index or 0, missing=missing)
        return Timing(
            next=following_id, starts=starts, ahead=_by_id(ahead), aired=past, told=told, origin=base, figures=found,
            dropped=dropped,
        )  # fmt: skip
    begun = _later(live.as_of, -item.position_frames, rate)
    if abs(begun - item.started_at) <= 2 * _span(1, rate):
        begun = item.started_at
    cued = following.item_id if following and following.cued else None
    point, wall = protocol.ResumePoint(item.item_id, 0), Wall(nanoseconds(begun), rate)
    ahead = forecast(list_, point, hold=waits, next_item_id=cued, wall=wall, added=added, dropped=dropped)
    starts = _starts(ahead, begun, rate)
    starts[item.item_id] = item.started_at
    index = index_of(list_.items, item.item_id)
    found = NO_FIGURES
    if index is not None:
        begin = -item.position_frames
        found = figures(changed, nanoseconds(live.as_of), rate, index=index, begun=begin, held=waits, missing=missing)
    return Timing(
        on_air=item.item_id, next=following_id, starts=starts, ahead=_by_id(ahead), aired=past, told=told,
        origin=live.as_of, figures=found, dropped=dropped, added=added,
    )  # fmt: skip


def _starts_that_were(list_: protocol.Playlist, aired: Mapping[str, datetime], rate: Fraction) -> protocol.Playlist:
    """The list without the fixed starts of what aired since they were due: in a loop's next round they are none."""

    def was(item: protocol.Item) -> bool:
        at, start = aired.get(item.id), item.fixed_at_ns
        return at is not None and start is not None and frames_between(start, nanoseconds(at), rate) >= 0

    if not any(was(item) for item in list_.items):
        return list_
    items = [replace(item, start_mode="follow", fixed_at_ns=None) if was(item) else item for item in list_.items]
    return replace(list_, items=tuple(items))


def _added(list_: protocol.Playlist, live: ChannelLive) -> int:
    """By how many frames an operator changed the length of the item on air."""
    index = None if live.item is None else index_of(list_.items, live.item.item_id)
    if index is None or live.item is None or live.item.duration_frames is None:
        return 0
    planned = list_.items[index].duration_frames
    return 0 if planned is None else live.item.duration_frames - planned


def _changed(
    list_: protocol.Playlist, live: ChannelLive, dropped: frozenset[str], added: int
) -> protocol.Playlist:  # fmt: skip
    """The list with what operators did to it on air."""
    if not dropped and not added:
        return list_
    on_air = None if live.item is None else live.item.item_id
    items = [
        replace(
            item,
            dropped=item.dropped or item.id in dropped,
            duration_frames=(item.duration_frames or 0) + added
            if added and item.id == on_air
            else item.duration_frames,
        )
        for item in list_.items
    ]
    return replace(list_, items=tuple(items))


def rundown(listing: Listing, timing: Timing, rate: Fraction, time_zone: str, channel_id: str | None = None) -> Rundown:
    """The rows an operator reads, in the list's order."""
    told = {} if timing.told is None else {item.id: item for item in timing.told.items}
    rows = [_row(item, told.get(item.id), listing, timing, rate) for item in listing.items]
    if rows and timing.note:
        rows[0] = rows[0].model_copy(update={"note": "; ".join(filter(None, (timing.note, rows[0].note)))})
    human = timing.figures.human
    ends_in = timing.figures.ends_in
    return Rundown(
        channel_id=channel_id,
        playlist_id=listing.playlist.id if listing.playlist else None,
        revision=listing.playlist.revision if listing.playlist else 0,
        rate=format_rate(rate),
        time_zone=time_zone,
        rows=tuple(rows),
        next_fixed_item_id=timing.figures.next_fixed,
        next_action_at=None if human is None else _from(timing.origin, human.in_frames, rate),
        next_action_item_id=None if human is None else human.item_id,
        next_action="" if human is None else human.why,
        ends_at=None if ends_in is None else _from(timing.origin, ends_in, rate),
    )


def missing_items(listing: Listing) -> frozenset[str]:
    """Ids of items that have nothing to air."""
    return frozenset(
        item.id for item in listing.items if _is_missing(item, listing.assets.get(item.asset_id or ""), listing)
    )


def _row(
    item: Item, told: protocol.Item | None, listing: Listing, timing: Timing, rate: Fraction
) -> RundownRow:  # fmt: skip
    asset = listing.assets.get(item.asset_id or "")
    frames = channel_frames(item, asset, rate)
    if frames is not None and item.id == timing.on_air:
        frames += timing.added
    state = _state(item, asset, listing, timing)
    start_at = timing.starts.get(item.id)
    if state == "aired":
        start_at = timing.aired[item.id]
    elif state == "dropped" or item.kind == "comment":
        start_at = None
    note = ""
    if state == "missing":
        note = f"there is no file at {asset.path}" if asset else f"there is no clip of house id {item.house_id}"
    elif item.kind == "live" and item.url is None:
        note = "this live input has no url"
    elif state != "aired" and (expected := timing.ahead.get(item.id)) is not None and expected.passed:
        note = _PASSED.get(expected.passed, expected.passed)
    planned = None if told is None else told.planned_at_ns
    ahead = timing.ahead.get(item.id)
    return RundownRow(
        item_id=item.id,
        position=item.position,
        title=item.title,
        kind=cast("Kind", item.kind),
        start_mode=cast("StartMode", item.start_mode),
        start_at=start_at,
        planned_at=None if planned is None else instant(planned),
        fixed_at=item.fixed_at,
        duration_frames=frames,
        duration_ms=frames_to_ms(frames, rate) if frames is not None else None,
        asset_duration_ms=asset.asset_duration_ms if asset else None,
        state=state,
        note=note,
        over_under_frames=timing.figures.over_under.get(item.id),
        overlap_frames=timing.figures.overlap.get(item.id),
        cut_frames=0 if ahead is None else ahead.cut,
        gap_frames=0 if ahead is None else ahead.gap,
    )


def _state(item: Item, asset: Asset | None, listing: Listing, timing: Timing) -> State:
    """What will air again counts as planned, not as aired: a list that loops has no past, nor while it is held."""
    if item.id == timing.on_air:
        return "on_air"
    if item.dropped or item.id in timing.dropped:
        return "dropped"
    if _is_missing(item, asset, listing):
        return "missing"
    if item.id == timing.next:
        return "next"
    return "aired" if item.id in timing.aired and item.id not in timing.starts else "planned"


def _is_missing(item: Item, asset: Asset | None, listing: Listing) -> bool:
    waits = item.kind == "clip" and asset is None
    return waits or (asset is not None and asset.path in listing.missing)


_PASSED: Final = {
    "dropped": "",
    "expendable": "will be dropped so that the next fixed start cuts nothing",
    "preempted": "will not air: a fixed start comes before its turn",
    "too late": "will not air: it is too late for it",
    "jumped": "will not air: the cue goes past it",
}


def _starts(ahead: Sequence[PredictedStart], origin: datetime, rate: Fraction) -> dict[str, datetime]:
    return {one.item_id: _later(origin, one.in_frames, rate) for one in ahead if one.in_frames is not None}


def _by_id(ahead: Sequence[PredictedStart]) -> dict[str, PredictedStart]:
    return {one.item_id: one for one in ahead}


def _from(origin: datetime | None, frames: int, rate: Fraction) -> datetime | None:
    return None if origin is None else _later(origin, frames, rate)


def _span(frames: int, rate: Fraction) -> timedelta:
    return timedelta(microseconds=frames * 1_000_000 * rate.denominator // rate.numerator)


def _later(instant: datetime, frames: int, rate: Fraction) -> datetime:
    return instant + _span(frames, rate)
