"""What an item of a playlist may be, given its asset."""

from collections.abc import Mapping

from db.models import Asset, Item
from db.repositories.playlists import ItemSpec
from supervisor.errors import Invalid
from supervisor.schemas.playlist import ItemIn, ItemPatch

SLATE_TITLE = "Slate"


def new_item(values: ItemIn, assets: Mapping[str, Asset]) -> ItemSpec:
    """An item to insert. Raises Invalid."""
    if values.kind == "slate":
        if values.asset_id is not None:
            raise Invalid("a slate has no asset", hint="Leave asset_id out, or make it a clip.")
        if values.slate_frames is None:
            raise Invalid("a slate needs slate_frames, its length in frames of the channel")
        if values.in_frames or values.out_frames is not None:
            raise Invalid("a slate has no in and out; slate_frames is its length")
        return ItemSpec(
            title=values.title or SLATE_TITLE,
            kind="slate",
            slate_frames=values.slate_frames,
            start_mode=values.start_mode,
        )
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
        start_mode=values.start_mode,
    )


def changed_item(item: Item, asset: Asset | None, changes: ItemPatch) -> dict[str, object]:
    """Columns that change. Raises Invalid."""
    given = changes.model_dump(exclude_unset=True)
    for name in ("title", "in_frames", "start_mode"):
        if name in given and given[name] is None:
            raise Invalid(f"{name} cannot be empty", hint="Leave it out to keep it as it is.")
    if not given:
        raise Invalid("nothing to change is given")
    if "in_frames" in given or "out_frames" in given:
        if asset is None:
            raise Invalid("a slate has no in and out")
        check_trim(asset, given.get("in_frames", item.in_frames), given.get("out_frames", item.out_frames))
    return given


def check_trim(asset: Asset, in_frames: int, out_frames: int | None) -> None:
    """``out_frames`` is exclusive; both count frames of the asset. Raises Invalid."""
    if asset.rate is None and (in_frames or out_frames is not None):
        raise Invalid(f"{asset.title!r} has no picture, so no frames to trim it by")
    if out_frames is not None and out_frames <= in_frames:
        raise Invalid(f"out_frames {out_frames} is not after in_frames {in_frames}")
    length = asset.duration_frames
    if length is not None and (in_frames >= length or (out_frames or 0) > length):
        raise Invalid(f"{asset.title!r} has {length} frames; {in_frames} to {out_frames or 'its end'} is not in it")
