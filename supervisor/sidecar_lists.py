"""From rows of the store to the list, and the rules beside it, that a sidecar is told. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, cast, get_args

import msgspec

from db.models import Asset, Channel, Item, Playlist
from sidecar.protocol import channel as protocol
from sidecar.rundown.rate import converted_frames, parse_rate
from supervisor.airing import playout_of
from supervisor.decisions.loudness import gain_mb
from supervisor.playlists.items import waiting_frames
from supervisor.schemas.playout import LogoOfCategory, Playout

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_KINDS: Final[frozenset[str]] = frozenset(get_args(protocol.ItemKind))
_MODES: Final[frozenset[str]] = frozenset(get_args(protocol.StartMode))
_SOFTEST: Final = -10_000
_LOUDEST: Final = 2_000
"""What the protocol allows of gain, in hundredths of a decibel."""
MOST_FILLER: Final = 200
"""Items of a filler list that a sidecar is told."""


@dataclass(frozen=True, slots=True)
class Spare:
    """What a channel has beside its list: the items that fill gaps, in order, and the clip that STANDBY cuts to."""

    filler: Sequence[Item] = ()
    assets: Mapping[str, Asset] = field(default_factory=dict[str, Asset])
    standby: Asset | None = None
    revision: int = 0
    """Of the list that the filler is."""


NO_SPARE: Final = Spare()


def channel_frames(item: Item, asset: Asset | None, rate: Fraction) -> int | None:
    """How many frames at ``rate`` the item airs; None when only its source's end can tell.

    Source frames are converted once, from the trimmed length, so that no rounding adds up.
    """
    if item.kind in ("slate", "live"):
        return item.slate_frames
    if item.kind == "comment":
        return None
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
    channel: Channel,
    playlist: Playlist | None,
    items: Sequence[Item],
    assets: Mapping[str, Asset],
    rate: Fraction,
    spare: Spare = NO_SPARE,
) -> protocol.Playlist:
    """The channel's list as its sidecar is told it; ``items`` in order, ``assets`` by id. No list is an empty one.

    ``rate`` is what the sidecar counts frames at: its own while it runs, which an edit of the channel does not change.
    """
    of_traffic = any(item.traffic_id is not None for item in items)
    playout = playout_of(channel)
    told = tuple(
        _sidecar_item(
            item,
            assets.get(item.asset_id or ""),
            rate,
            playout,
            inserted=of_traffic and item.traffic_id is None,
        )
        for item in items
    )
    return protocol.Playlist(
        revision=playlist.revision if playlist else 0,
        items=_with_plan(told, rate),
        after_last=_after_last(channel.after_last),
        rules=_rules(channel, spare, rate),
    )


def nanoseconds(at: datetime) -> int:
    """Of an aware instant since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND * 1000


def _nanoseconds(at: datetime | None) -> int | None:
    return None if at is None else nanoseconds(at)


def instant(ns: int) -> datetime:
    """To the microsecond, in UTC."""
    return _EPOCH + ns // 1000 * _MICROSECOND


def _sidecar_item(
    item: Item, asset: Asset | None, rate: Fraction, playout: Playout, *, inserted: bool = False
) -> protocol.Item:
    """``inserted``: a person put it into a list that traffic made."""
    if item.kind not in _KINDS or item.start_mode not in _MODES:
        raise ValueError(f"item {item.id} is a {item.kind} by {item.start_mode}, which this version does not know")
    made = protocol.Item(
        id=item.id,
        title=item.title,
        kind=cast("protocol.ItemKind", item.kind),
        path=asset.path if asset else None,
        source_rate=asset.rate if asset else None,
        in_frames=item.in_frames,
        duration_frames=channel_frames(item, asset, rate),
        asset_duration_ms=asset.asset_duration_ms if asset else None,
        start_mode=cast("protocol.StartMode", item.start_mode),
        asset_id=item.asset_id,
        house_id=asset.house_id if asset else item.house_id,
        traffic_id=item.traffic_id,
        fixed_at_ns=_nanoseconds(item.fixed_at),
        end_at_ns=_nanoseconds(item.end_at),
        block=item.block,
        block_until_ns=_nanoseconds(item.block_until),
        url=item.url,
        planned_at_ns=_nanoseconds(item.planned_start or item.fixed_at),
        dropped=bool(item.dropped),
        fingerprint=asset.fingerprint if asset else None,
        inserted=inserted,
    )
    if item.airing:
        # Stored by the same words as they are told; converted, so that what JSON has as a list is a tuple again.
        told = {name: value for name, value in item.airing.items() if name != "category"}
        made = msgspec.convert({**msgspec.structs.asdict(made), **told}, protocol.Item)
    if made.logo == "inherit" and (use := _of_category(item, playout)) is not None:
        made = msgspec.structs.replace(made, logo=use)
    levelled = 0 if asset is None else gain_mb(playout.loudness_profile, asset.loudness_mb, asset.true_peak_mb)
    if not levelled:
        return made
    # What people give an item comes on top of that.
    return msgspec.structs.replace(made, gain_mb=max(_SOFTEST, min(_LOUDEST, made.gain_mb + levelled)))


def _of_category(item: Item, playout: Playout) -> LogoOfCategory | None:
    """What the channel's logo says of the item's category; None: nothing."""
    category = str((item.airing or {}).get("category", "")).casefold()
    if not category or playout.logo is None:
        return None
    by_name: dict[str, LogoOfCategory] = {name.casefold(): use for name, use in playout.logo.categories.items()}
    return by_name.get(category)


def _with_plan(items: tuple[protocol.Item, ...], rate: Fraction) -> tuple[protocol.Item, ...]:
    """Where the list plans no time of an item, its plan is the end of what stands above, as far as that is known."""
    made: list[protocol.Item] = []
    due: int | None = None
    for item in items:
        if item.kind == "comment" or item.dropped:
            made.append(item)
            continue
        planned = due if item.planned_at_ns is None else item.planned_at_ns
        made.append(item if planned == item.planned_at_ns else msgspec.structs.replace(item, planned_at_ns=planned))
        due = _end_of_plan(item, planned, rate)
    return tuple(made)


def _end_of_plan(item: protocol.Item, planned: int | None, rate: Fraction) -> int | None:
    match item.end_mode:
        case "at":
            return item.end_at_ns
        case "take":
            return None
        case "duration":
            if planned is None or item.duration_frames is None or item.repeat == 0 or item.block is not None:
                return None
            frames = item.duration_frames * item.repeat
            return planned + frames * 1_000_000_000 * rate.denominator // rate.numerator


def told_filler(items: Iterable[Item]) -> tuple[Item, ...]:
    """Of a filler list what a sidecar is told, and so what may air."""
    return tuple(item for item in items if item.kind != "comment" and not item.dropped)[:MOST_FILLER]


def standby_item(asset: Asset) -> Item:
    """The emergency clip as an item, all of it, by the asset's id."""
    return Item(id=asset.id, title=asset.title, asset_id=asset.id, kind="clip", in_frames=0, start_mode="follow")


def _rules(channel: Channel, spare: Spare, rate: Fraction) -> protocol.Rules:
    playout = playout_of(channel)
    filler = (
        _sidecar_item(item, spare.assets.get(item.asset_id or ""), rate, playout) for item in told_filler(spare.filler)
    )
    standby = None
    if spare.standby is not None:
        standby = _sidecar_item(standby_item(spare.standby), spare.standby, rate, playout)
    return protocol.Rules(
        hold_timeout_ms=playout.hold_timeout_ms,
        hold_fallback=playout.hold_fallback,
        fixed_ends_hold=playout.fixed_ends_hold,
        ladder=playout.ladder,
        ladder_first_ms=playout.ladder_first_ms,
        ladder_next_ms=playout.ladder_next_ms,
        filler=tuple(filler),
        standby=standby,
    )


def _after_last(text: str) -> protocol.AfterLast:
    match text:
        case "loop" | "hold" | "filler":
            return text
        case _:
            raise ValueError(f"after_last is {text!r}: the store holds a value that this version does not know")
