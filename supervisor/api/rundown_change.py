"""An edit of a rundown: what it changes, how the list would be then, and why it may not be. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TypeAlias

from db.models import Asset, Channel, Item, new_id
from db.repositories.playlists import ItemSpec
from supervisor.api.item_spec import changed_item, new_item
from supervisor.errors import Conflict, Invalid
from supervisor.playlists.difference import OldItem
from supervisor.playlists.given_times import anchor, given_times
from supervisor.schemas.rundown_edit import AnyEdit, ChangeEdit, DuplicateEdit, InsertEdit, MoveEdit

SAID = 80
"""Characters of a title in a sentence."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """``specs`` stand before what is at position ``at`` now."""

    at: int
    specs: tuple[ItemSpec, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    item_id: str
    columns: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Moved:
    """``to`` is its position afterwards."""

    item_id: str
    to: int


@dataclass(frozen=True, slots=True)
class Removed:
    item_id: str


Change: TypeAlias = Inserted | Changed | Moved | Removed


def change_of(
    edit: AnyEdit, items: Sequence[Item], assets: Mapping[str, Asset], channel: Channel | None, now: datetime
) -> Change:
    """``channel``: in whose zone and broadcast day times are read. Raises Invalid, and Conflict where the item is
    not in the list."""
    if isinstance(edit, InsertEdit):
        at = len(items) if edit.at is None else min(edit.at, len(items))
        times = given_times(edit.items, anchor(items[:at]), channel, now)
        specs = tuple(new_item(one, assets, given) for one, given in zip(edit.items, times, strict=True))
        return Inserted(at, specs)
    place = next((index for index, item in enumerate(items) if item.id == edit.item_id), None)
    if place is None:
        raise Conflict("this item is not in the list any more", conflict="stale_revision")
    item = items[place]
    if isinstance(edit, ChangeEdit):
        (times,) = given_times([edit.changes], anchor(items[:place]), channel, now)
        return Changed(item.id, changed_item(item, assets.get(item.asset_id or ""), edit.changes, times))
    if isinstance(edit, MoveEdit):
        return Moved(item.id, min(edit.to, len(items) - 1))
    if isinstance(edit, DuplicateEdit):
        return Inserted(place + 1, (_copy(item),))
    return Removed(item.id)


def urls_of(change: Change) -> list[str]:
    """Of live inputs that come."""
    if isinstance(change, Inserted):
        return [spec.url for spec in change.specs if spec.url]
    url = change.columns.get("url") if isinstance(change, Changed) else None
    return [url] if isinstance(url, str) else []


def as_it_would_be(items: Sequence[Item], change: Change) -> list[Item]:
    """The list after the change, positions dense; rows that the store does not know."""
    if isinstance(change, Inserted):
        made = [Item(id=new_id(), dropped=False, **asdict(spec)) for spec in change.specs]
        after = [*items[: change.at], *made, *items[change.at :]]
    elif isinstance(change, Changed):
        after = [_with(item, change.columns) if item.id == change.item_id else item for item in items]
    elif isinstance(change, Moved):
        moved = next(item for item in items if item.id == change.item_id)
        after = [item for item in items if item is not moved]
        after.insert(change.to, moved)
    else:
        after = [item for item in items if item.id != change.item_id]
    return [item if item.position == place else _with(item, {"position": place}) for place, item in enumerate(after)]


def require_unlocked(change: Change, standing: Sequence[OldItem], *, loops: bool) -> None:
    """``loops``: the list begins again after its end, so that what is put before what airs airs too, later.

    Raises Conflict ``locked`` with the sentence for the operator.
    """
    if isinstance(change, Inserted):
        _require_place(standing, change.at, loops=loops, word="inserted")
        return
    place = next(index for index, one in enumerate(standing) if one.row.id == change.item_id)
    one = standing[place]
    word = {Changed: "changed", Moved: "moved", Removed: "deleted"}[type(change)]
    if one.why_locked:
        raise Conflict(
            f"{one.row.title[:SAID]!r} is {one.why_locked}: it is not {word}", conflict="locked", hint=_hint(one)
        )
    if isinstance(change, Moved):
        rest = [*standing[:place], *standing[place + 1 :]]
        _require_place(rest, change.to, loops=loops, word="moved")


def _require_place(standing: Sequence[OldItem], at: int, *, loops: bool, word: str) -> None:
    """Before ``standing[at]``."""
    following = standing[at:] if at < len(standing) else standing[:1] if loops else ()
    pushed = following[0] if following else None
    if pushed is not None and pushed.runs and (not loops or pushed.why_locked.startswith("due")):
        raise Conflict(
            f"{pushed.row.title[:SAID]!r} is {pushed.why_locked}: nothing is {word} before it",
            conflict="locked",
            hint=_hint(pushed),
        )
    later = next((one for one in following if one.runs), None)
    if later is not None and not loops:
        raise Conflict(
            f"{later.row.title[:SAID]!r}, which is below, is {later.why_locked}: what is {word} here would not air",
            conflict="locked",
        )


def _hint(one: OldItem) -> str:
    if one.why_locked.startswith("due"):
        return "While H holds what is on air it can be; or D drops it, and what you cue airs in its place."
    return "] and [ make what is on air longer and shorter." if one.why_locked.startswith("on air") else ""


def _copy(item: Item) -> ItemSpec:
    if item.kind == "clip" and item.asset_id is None:
        raise Invalid(f"{item.title[:SAID]!r} waits for its clip, and cannot be copied before that is there")
    spec = ItemSpec(
        title=item.title,
        asset_id=item.asset_id,
        kind=item.kind,
        in_frames=item.in_frames,
        out_frames=item.out_frames,
        slate_frames=item.slate_frames,
        start_mode="hold" if item.start_mode == "hold" else "follow",
        end_at=item.end_at,
        url=item.url,
        airing=item.airing,
    )
    # A fixed end is one instant: two items cannot both last to it.
    if item.end_at is None or item.kind != "clip":
        return spec
    airing = {name: value for name, value in (item.airing or {}).items() if name != "end_mode"}
    return replace(spec, end_at=None, airing=airing or None)


def _with(item: Item, columns: Mapping[str, object]) -> Item:
    names = [column.key for column in Item.__mapper__.column_attrs]
    return Item(**{**{name: getattr(item, name) for name in names}, **columns})
