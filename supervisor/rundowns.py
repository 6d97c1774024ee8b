"""From rows of the store to what a sidecar plays, and to what an operator reads."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from db.models import Asset, Channel, Item, Playlist
from sidecar.protocol import channel as protocol
from sidecar.rundown.rate import converted_frames, parse_rate


def channel_frames(item: Item, asset: Asset | None, rate: Fraction) -> int | None:
    """How many frames at ``rate`` the item airs; None when only its source's end can tell.

    Source frames are converted once, from the trimmed length, so that no rounding adds up.
    """
    if item.kind == "slate":
        return item.slate_frames
    if asset is None:
        return None
    if asset.rate is None:
        if asset.asset_duration_ms is None:
            return None
        return max(1, asset.asset_duration_ms * rate.numerator // (1000 * rate.denominator))
    end = item.out_frames if item.out_frames is not None else asset.duration_frames
    if end is None:
        return None
    return converted_frames(max(1, end - item.in_frames), parse_rate(asset.rate), rate)


def sidecar_playlist(
    channel: Channel, playlist: Playlist | None, items: Sequence[Item], assets: Mapping[str, Asset]
) -> protocol.Playlist:
    """The channel's list as its sidecar is told it; ``items`` in order, ``assets`` by id. No list is an empty one."""
    rate = parse_rate(channel.rate)
    return protocol.Playlist(
        revision=playlist.revision if playlist else 0,
        items=tuple(_sidecar_item(item, assets.get(item.asset_id or ""), rate) for item in items),
        after_last=_after_last(channel.after_last),
    )


def _sidecar_item(item: Item, asset: Asset | None, rate: Fraction) -> protocol.Item:
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
        house_id=asset.house_id if asset else None,
    )


def _after_last(text: str) -> protocol.AfterLast:
    match text:
        case "loop" | "hold" | "filler":
            return text
        case _:
            raise ValueError(f"after_last is {text!r}: the store holds a value that this version does not know")
