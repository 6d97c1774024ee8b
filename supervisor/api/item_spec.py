"""What an item of a playlist may be, given its asset."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from db.models import Asset, Item
from db.repositories.playlists import ItemSpec
from supervisor.airing import AIRING, airing_of, kept_airing
from supervisor.errors import Invalid
from supervisor.playlists.given_times import Given
from supervisor.playlists.live_urls import check_live_url
from supervisor.playlists.schedule import Timecode
from supervisor.playlists.source_timecode import place_in
from supervisor.schemas.playlist import ItemIn, ItemPatch

SLATE_TITLE: Final = "Slate"
LIVE_TITLE: Final = "Live"

_MAY_BE_EMPTY: Final = frozenset(
    {"out_frames", "slate_frames", "fixed_at", "end_at", "block", "block_until", "hold_timeout_ms"}
)
_TIMES: Final = frozenset({"fixed_at", "fixed_time", "end_at", "end_time", "block_until", "block_until_time"})
_COLUMNS: Final = frozenset(
    {"title", "in_frames", "out_frames", "slate_frames", "url", "start_mode", "block"}
)  # fmt: skip

Trimmed = TypeVar("Trimmed", ItemIn, ItemPatch)


def new_item(values: ItemIn, assets: Mapping[str, Asset], times: Given) -> ItemSpec:
    """An item to insert; ``times`` are its instants. Raises Invalid."""
    values = with_frames(values, assets.get(values.asset_id or ""))
    spec = replace(
        _of_kind(values, assets),
        start_mode=values.start_mode,
        fixed_at=times.fixed_at,
        end_at=times.end_at,
        block=values.block,
        block_until=times.block_until,
        airing=kept_airing(values),
    )
    _check_times(spec.kind, spec.start_mode, values.end_mode, spec.slate_frames, spec.block, times)
    return spec


def _of_kind(values: ItemIn, assets: Mapping[str, Asset]) -> ItemSpec:
    if values.kind != "clip":
        name = "comment" if values.kind == "comment" else "slate" if values.kind == "slate" else "live input"
        if values.asset_id is not None:
            raise Invalid(f"a {name} has no asset", hint="Leave asset_id out, or make it a clip.")
        if values.in_frames or values.out_frames is not None:
            raise Invalid(f"a {name} has no in and out; slate_frames is its length")
    if values.kind != "live" and values.url is not None:
        raise Invalid("only a live input has a url", hint="Make its kind live.")
    match values.kind:
        case "slate":
            if values.slate_frames is None:
                raise Invalid("a slate needs slate_frames, its length in frames of the channel")
            return ItemSpec(title=values.title or SLATE_TITLE, kind="slate", slate_frames=values.slate_frames)
        case "live":
            if values.url is None:
                raise Invalid("a live input needs a url", hint="Write it as in srt://203.0.113.7:9000?mode=caller.")
            check_live_url(values.url)
            return ItemSpec(
                title=values.title or LIVE_TITLE, kind="live", slate_frames=values.slate_frames, url=values.url
            )
        case "comment":
            if not values.title or values.slate_frames is not None or values.start_mode != "follow":
                raise Invalid("a comment is a title alone: it takes no time and never airs")
            return ItemSpec(title=values.title, kind="comment")
        case "clip":
            return _clip(values, assets)


def _clip(values: ItemIn, assets: Mapping[str, Asset]) -> ItemSpec:
    if values.asset_id is None:
        raise Invalid("a clip needs an asset_id")
    if values.slate_frames is not None:
        raise Invalid("a clip has no slate_frames; trim it with in_frames and out_frames")
    asset = assets.get(values.asset_id)
    if asset is None:
        raise Invalid(f"there is no asset {values.asset_id}")
    check_trim(asset, values.in_frames, values.out_frames)
    return ItemSpec(
        title=values.title or asset.title,
        asset_id=asset.id,
        in_frames=values.in_frames,
        out_frames=values.out_frames,
    )


def changed_item(item: Item, asset: Asset | None, changes: ItemPatch, times: Given) -> dict[str, object]:
    """Columns that change; ``times`` are those that are given. Raises Invalid."""
    changes = with_frames(changes, asset)
    given = changes.model_fields_set
    for name in sorted(given - _MAY_BE_EMPTY - _TIMES):
        if getattr(changes, name) is None:
            raise Invalid(f"{name} cannot be empty", hint="Leave it out to keep it as it is.")
    if not given:
        raise Invalid("nothing to change is given")
    found: dict[str, object] = {name: getattr(changes, name) for name in sorted(given & _COLUMNS)}
    _check_kind(item, asset, changes)
    airing = airing_of(item).model_copy(update={name: getattr(changes, name) for name in given & AIRING})
    if given & AIRING:
        found["airing"] = kept_airing(airing)
    mode = changes.start_mode or item.start_mode
    if mode != "fixed" and times.fixed_at is not None and changes.start_mode is None:
        mode = found["start_mode"] = "fixed"  # who gives a time means it
    end_mode = airing.end_mode
    whole = Given(
        _merged(given & {"fixed_at", "fixed_time"}, times.fixed_at, item.fixed_at) if mode == "fixed" else None,
        _merged(given & {"end_at", "end_time"}, times.end_at, item.end_at) if end_mode == "at" else None,
        _merged(given & {"block_until", "block_until_time"}, times.block_until, item.block_until),
    )
    block = changes.block if "block" in given else item.block
    if block is None:
        whole = replace(whole, block_until=None)
    length = changes.slate_frames if "slate_frames" in given else item.slate_frames
    _check_times(item.kind, mode, end_mode, length, block, whole)
    if mode != "fixed" and times.fixed_at is not None:
        raise Invalid(f"an item that starts by {mode} has no fixed time")
    for name in ("fixed_at", "end_at", "block_until"):
        if getattr(item, name) != getattr(whole, name):
            found[name] = getattr(whole, name)
    return found


def _merged(given: frozenset[str] | set[str], new: datetime | None, was: datetime | None) -> datetime | None:
    return new if given else was


def _check_kind(item: Item, asset: Asset | None, changes: ItemPatch) -> None:
    given = changes.model_fields_set
    if given & {"in_frames", "out_frames"}:
        if asset is None:
            raise Invalid(f"a {item.kind} has no in and out" if item.kind != "clip" else "this clip is not there yet")
        in_frames = changes.in_frames if changes.in_frames is not None else item.in_frames
        check_trim(asset, in_frames, changes.out_frames if "out_frames" in given else item.out_frames)
    if "slate_frames" in given and item.kind not in ("slate", "live"):
        raise Invalid(f"a {item.kind} has no slate_frames")
    if "slate_frames" in given and item.kind == "slate" and changes.slate_frames is None:
        raise Invalid("a slate needs slate_frames, its length in frames of the channel")
    if "url" in given:
        if item.kind != "live":
            raise Invalid("only a live input has a url")
        check_live_url(changes.url or "")
    if item.kind == "comment" and given - {"title"}:
        raise Invalid("a comment is a title alone: it takes no time and never airs")


def _check_times(
    kind: str, start_mode: str, end_mode: str, length: int | None, block: str | None, times: Given
) -> None:
    if start_mode == "fixed" and times.fixed_at is None:
        raise Invalid("a fixed start needs its time", hint="Give fixed_time (20:15:00) or fixed_at.")
    if start_mode != "fixed" and times.fixed_at is not None:
        raise Invalid(f"an item that starts by {start_mode} has no fixed time", hint="Make start_mode fixed.")
    if end_mode == "at" and times.end_at is None:
        raise Invalid("an end at a time needs that time", hint="Give end_time (21:00:00) or end_at.")
    if end_mode != "at" and times.end_at is not None:
        raise Invalid("an end time is for an item that ends by it", hint="Make end_mode at.")
    if (block is None) != (times.block_until is None):
        raise Invalid("a block has a name and a time until which it loops", hint="Give both, block and block_until.")
    if kind == "live" and end_mode == "duration" and length is None:
        raise Invalid(
            "a live input needs an end", hint="Give slate_frames (its length), or end_mode at or take."
        )  # fmt: skip


def check_trim(asset: Asset, in_frames: int, out_frames: int | None) -> None:
    """``out_frames`` is exclusive; both count frames of the asset. Raises Invalid."""
    if asset.rate is None and (in_frames or out_frames is not None):
        raise Invalid(f"{asset.title!r} has no picture, so no frames to trim it by")
    if out_frames is not None and out_frames <= in_frames:
        raise Invalid(f"out_frames {out_frames} is not after in_frames {in_frames}")
    length = asset.duration_frames
    if length is not None and (in_frames >= length or (out_frames or 0) > length):
        raise Invalid(f"{asset.title!r} has {length} frames; {in_frames} to {out_frames or 'its end'} is not in it")


def with_frames(values: Trimmed, asset: Asset | None) -> Trimmed:
    """The same with labels of the file's timecode as frames. Raises Invalid."""
    labels = {"in": values.in_timecode, "out": values.out_timecode}
    said = {name: label for name, label in labels.items() if label is not None}
    if not said:
        return values
    for name in said:
        if f"{name}_frames" in values.model_fields_set:
            raise Invalid(f"{name}_frames and {name}_timecode are two words for one thing", hint="Give one of them.")
    if asset is None or asset.rate is None:
        raise Invalid("a timecode names a picture of a clip that is there, and this has none")
    given = values.model_dump(exclude_unset=True, exclude={"in_timecode", "out_timecode"})
    frames = {f"{name}_frames": place_in(Timecode(label), asset).frame for name, label in said.items()}
    return type(values).model_validate({**given, **frames})
