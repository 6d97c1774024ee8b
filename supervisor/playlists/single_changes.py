"""What a list of single changes makes of the list that is there: this event other, that one gone, all else as it is.

Traffic systems send such between whole lists. Pure, and shown before it is done, as a whole list's difference is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from db.repositories.playlists import ItemSpec
from supervisor.playlists.difference import Change, Difference, OldItem, Placing, matches, names_categories
from supervisor.playlists.items import ListedItem
from supervisor.playlists.schedule import Removed


@dataclass(frozen=True, slots=True)
class _Entry:
    """Of the list as it will be: an item that is there, an event of the changes, or both."""

    old: int | None
    new: int | None
    traffic_id: str | None
    planned: datetime | None


def single_changes(
    old: Sequence[OldItem], new: Sequence[ListedItem], removed: Sequence[Removed], *, live_until: datetime | None
) -> Difference:
    """Items are the same as in ``difference``; locked is what is locked there, and removed by the event's id alone.

    An event stays where it is unless its planned start changes or it names the one that it follows; a new one comes
    after that, else by its planned start, else at the end.
    """
    matched = matches(old, new)
    gone = {one.traffic_id for one in removed}
    there: list[_Entry] = []
    waiting = set(range(len(new)))
    for index, one in enumerate(old):
        event = matched.get(index)
        if one.row.traffic_id in gone and not one.why_locked:
            continue
        if event is None:
            there.append(_Entry(index, None, one.row.traffic_id, one.row.planned_start))
        elif one.why_locked or not _moves(one, new[event]):
            waiting.discard(event)
            planned = new[event].spec.planned_start or one.row.planned_start
            there.append(_Entry(index, event, one.row.traffic_id, planned))
    old_of = {event: index for index, event in matched.items()}
    for event in sorted(waiting):
        spec = new[event].spec
        entry = _Entry(old_of.get(event), event, spec.traffic_id, spec.planned_start)
        there.insert(_place(there, new[event].after, entry.planned), entry)
    return _told(_placed(old, new, there, live_until), old, removed)


def _moves(was: OldItem, now: ListedItem) -> bool:
    return now.after is not None or now.spec.planned_start not in (None, was.row.planned_start)


def _place(there: Sequence[_Entry], after: str | None, planned: datetime | None) -> int:
    if after is not None:
        for place, entry in enumerate(there):
            if entry.traffic_id == after:
                return place + 1
    if planned is None:
        return len(there)
    before = [place for place, entry in enumerate(there) if entry.planned is not None and entry.planned <= planned]
    place = max(before, default=-1) + 1
    # What has no plan stands with what is above it.
    while 0 < place < len(there) and there[place].planned is None:
        place += 1
    return place


def _placed(
    old: Sequence[OldItem], new: Sequence[ListedItem], there: Sequence[_Entry], live_until: datetime | None
) -> Difference:
    whole = [_as_it_is(old[entry.old]) if entry.old is not None and entry.new is None else None for entry in there]
    listed = [one or new[entry.new or 0] for one, entry in zip(whole, there, strict=True)]
    matched = {entry.old: place for place, entry in enumerate(there) if entry.old is not None}
    stays = [entry.old for entry in there if entry.old is not None and (entry.new is None or old[entry.old].why_locked)]
    return Placing(old, listed, matched, stays, live_until, says_category=names_categories(new)).made()


def _as_it_is(one: OldItem) -> ListedItem:
    row = one.row
    return ListedItem(
        "",
        ItemSpec(
            title=row.title, asset_id=row.asset_id, kind=row.kind, in_frames=row.in_frames, out_frames=row.out_frames,
            slate_frames=row.slate_frames, start_mode=row.start_mode, traffic_id=row.traffic_id,
            planned_start=row.planned_start, house_id=row.house_id, listed=row.listed, fixed_at=row.fixed_at,
            url=row.url, airing=row.airing,
        ),
    )  # fmt: skip


def _told(found: Difference, old: Sequence[OldItem], removed: Sequence[Removed]) -> Difference:
    """With what was to be removed and is not, and why."""
    lines = {one.traffic_id: one.line for one in removed}
    locked = {one.row.id: one for one in old if one.row.traffic_id in lines and one.why_locked}
    changes: list[Change] = []
    for change in found.changes:
        one = locked.get(change.item_id or "")
        if one is None:
            line = lines.get(change.traffic_id or "", "") if change.verdict == "removed" else change.line
            changes.append(replace(change, line=line))
        else:
            what = f"not removed, it is {one.why_locked}"
            changes.append(replace(change, verdict="locked", what=what, line=lines[one.row.traffic_id or ""]))
    known = {one.row.traffic_id for one in old}
    changes += [
        Change("locked", one.traffic_id, line=one.line, traffic_id=one.traffic_id, what="not removed: it is not there")
        for one in removed
        if one.traffic_id not in known
    ]
    return replace(found, changes=tuple(changes))
