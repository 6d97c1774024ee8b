"""What a revised list changes, item by item, and what it may not: pure, and shown before it is done.

What is aired, on air, cued or due within the lock window stays where it is. Everything else in the span that the
revised list covers is what that list says. A list for the next day covers none of today, and so joins at the end.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from db.models import Item
from db.repositories.playlists import ItemSpec, KeptItem
from sidecar.protocol.live_url import shown_live_url
from supervisor.playlists.items import ListedItem

LOCK_S: Final = 60
"""Seconds before its start from which an item is no more replaced."""
_COMPARED: Final = (
    "title", "kind", "asset_id", "in_frames", "out_frames", "slate_frames", "start_mode", "traffic_id", "planned_start",
    "house_id", "listed", "fixed_at", "url",
)  # fmt: skip
"""What a list says of an item. Whatever else an operator set of it stays."""
_NOT_SHOWN: Final[Mapping[str, str]] = {
    "asset_id": "another clip", "listed": "another length", "url": "another address",
}  # fmt: skip
_AIRING_OF_LISTS: Final = frozenset({"expendable"})
"""A list always says them, an item's category only where it names any: one without such a column takes none away."""

Verdict = Literal["kept", "inserted", "removed", "moved", "changed", "locked"]


@dataclass(frozen=True, slots=True)
class OldItem:
    """``why_locked`` is empty for what may be replaced: else in an operator's words why not. ``house_id`` is the item's
    own or its clip's. ``runs``: it is aired, on air or due at once, so that nothing can be put before it."""

    row: Item
    house_id: str | None
    why_locked: str = ""
    runs: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a difference. ``what`` says what changes, or for ``locked`` what was wanted and why it is refused."""

    verdict: Verdict
    title: str
    item_id: str | None = None
    line: str = ""
    traffic_id: str | None = None
    house_id: str | None = None
    planned_start: datetime | None = None
    what: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """``entries`` is the whole list as it would be then; ``changes`` every item of both lists, in that order."""

    entries: tuple[KeptItem | ItemSpec, ...]
    changes: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        """Nothing would be done."""
        return all(change.verdict in ("kept", "locked") for change in self.changes)


def difference(
    old: Sequence[OldItem],
    new: Sequence[ListedItem],
    *,
    live_until: datetime | None,
    day_ends: datetime | None = None,
    append: bool = False,
) -> Difference:
    """``live_until``: the instant up to which nothing may be inserted (now and the lock window), None off air.
    ``day_ends``: up to when the new list holds, if further than its last start.

    An item is the same in both lists by the traffic system's id, else by house id and planned start, else by clip and
    planned start; the second of two that are equal is the second. ``append``: everything new comes after everything
    there is, and nothing is removed.
    """
    matched = matches(old, new)
    if append:
        return _appended(old, new, matched)
    covered = _covered(old, new, day_ends)
    stays = [
        index for index, one in enumerate(old) if one.why_locked or (index not in covered and index not in matched)
    ]
    return Placing(old, new, matched, stays, live_until, says_category=names_categories(new)).made()


def names_categories(new: Sequence[ListedItem]) -> bool:
    """Whether the list has them at all: one without takes none away."""
    return any((one.spec.airing or {}).get("category") for one in new)


def spec_changes(row: Item, spec: ItemSpec, *, says_category: bool) -> dict[str, object]:
    """Columns in which the list says something else than the item. ``says_category``: it names categories of items."""
    said = asdict(spec)
    changes = {name: said[name] for name in _COMPARED if getattr(row, name) != said[name]}
    if row.kind == "live" and spec.url is None:
        changes.pop("url", None)  # the list names no address, so what an operator gave stays
    was, listed = row.airing or {}, spec.airing or {}
    of_lists = _AIRING_OF_LISTS | {"category"} if says_category else _AIRING_OF_LISTS
    kept = {name: value for name, value in was.items() if name not in of_lists}
    if kept | listed != was:
        changes["airing"] = (kept | listed) or None
    return changes


class Placing:
    """Puts what stays, in its old order, and what is new, in its new order, into one list."""

    def __init__(
        self,
        old: Sequence[OldItem],
        new: Sequence[ListedItem],
        matched: Mapping[int, int],
        stays: Sequence[int],
        live_until: datetime | None,
        *,
        says_category: bool,
    ) -> None:
        self._old = old
        self._new = new
        self._old_of = {event: index for index, event in matched.items()}
        self._event_of = matched
        self._live_until = live_until
        self._says_category = says_category
        self._after: dict[int, list[int]] = defaultdict(list)
        """Events that follow each of what stays; -1: before all of it."""
        self._refused: dict[int, str] = {}
        self._stays = list(stays)

    def made(self) -> Difference:
        self._place()
        entries: list[KeptItem | ItemSpec] = []
        changes: list[Change] = []
        order: list[int] = []
        for index in (-1, *self._stays):
            if index >= 0:
                entries.append(KeptItem(self._old[index].row.id))
                changes.append(self._standing(index))
                order.append(index)
            for event in self._after[index]:
                was = self._old_of.get(event)
                spec = self._new[event].spec
                if was is None:
                    entries.append(spec)
                    changes.append(_of_event("inserted", self._new[event]))
                else:
                    changed = spec_changes(self._old[was].row, spec, says_category=self._says_category)
                    entries.append(KeptItem(self._old[was].row.id, changed))
                    what = ", ".join(_told(self._old[was].row, name, value) for name, value in changed.items())
                    changes.append(_of_event("changed" if changed else "kept", self._new[event], self._old[was], what))
                    order.append(was)
        changes = _with_moves(changes, {self._old[index].row.id: index for index in order})
        there = {entry.item_id for entry in entries if isinstance(entry, KeptItem)}
        changes += [_of_item("removed", one) for one in self._old if one.row.id not in there]
        changes += [
            _of_event("locked", self._new[event], what=why)
            for event, why in self._refused.items()
            if event not in self._old_of
        ]
        return Difference(tuple(entries), tuple(changes))

    def _place(self) -> None:
        """Fills ``_after`` and ``_refused``; what is refused a new place stays in its old one."""
        floor = max((index for index in self._stays if self._old[index].runs), default=-1)
        staying = set(self._stays)
        anchors = {event for event, was in self._old_of.items() if was in staying}
        running = [event for event in anchors if self._old[self._old_of[event]].runs]
        first_free = max(running, default=-1) + 1
        for event, one in enumerate(self._new):
            if event in anchors:
                continue
            due = one.spec.planned_start
            if event < first_free:
                self._refused[event] = "it would come before what is on air, aired or due at once"
            elif event not in self._old_of and self._live_until is not None and due and due < self._live_until:
                self._refused[event] = f"it is due at {due:%H:%M:%S} UTC, before the lock window ends"
        held = [self._old_of[event] for event in self._refused if event in self._old_of]
        self._stays = sorted({*self._stays, *held})
        cursor = max(floor, self._before_span())
        places = {index: place for place, index in enumerate((-1, *self._stays))}
        for event in range(len(self._new)):
            was = self._old_of.get(event)
            if was is not None and was in places:
                cursor = max(cursor, was, key=lambda index: places[index])
            elif event not in self._refused:
                self._after[cursor].append(event)

    def _before_span(self) -> int:
        """The last of what stays that is planned before the first new event."""
        first = next((one.spec.planned_start for one in self._new if one.spec.planned_start), None)
        if first is None:
            return -1
        before = [
            index for index in self._stays if (start := self._old[index].row.planned_start) is None or start < first
        ]
        # What has no plan stands with what is above it.
        timed = [index for index in before if self._old[index].row.planned_start is not None]
        last = max(timed, default=-1)
        following = [index for index in self._stays if index > last]
        for index in following:
            if self._old[index].row.planned_start is not None:
                break
            last = index
        return last

    def _standing(self, index: int) -> Change:
        one = self._old[index]
        event = self._event_of.get(index)
        refused = self._refused.get(event) if event is not None else None
        if refused is not None and event is not None:
            return _of_item("locked", one, what=f"not moved or changed: {refused}", line=self._new[event].line)
        if event is None or not one.why_locked:
            return _of_item("kept", one, what=one.why_locked)
        changed = spec_changes(one.row, self._new[event].spec, says_category=self._says_category)
        if not changed:
            return _of_item("kept", one, what=one.why_locked, line=self._new[event].line)
        what = ", ".join(_told(one.row, name, value) for name, value in changed.items())
        return _of_item("locked", one, what=f"not changed, it is {one.why_locked}: {what}", line=self._new[event].line)


def _appended(old: Sequence[OldItem], new: Sequence[ListedItem], matched: Mapping[int, int]) -> Difference:
    by_id = {event for index, event in matched.items() if old[index].row.traffic_id is not None}
    entries: list[KeptItem | ItemSpec] = [KeptItem(one.row.id) for one in old]
    changes = [_of_item("kept", one) for one in old]
    for event, one in enumerate(new):
        if event in by_id and one.spec.traffic_id is not None:
            changes.append(_of_event("locked", one, what="its event id is in the list already"))
        else:
            entries.append(one.spec)
            changes.append(_of_event("inserted", one))
    return Difference(tuple(entries), tuple(changes))


def matches(old: Sequence[OldItem], new: Sequence[ListedItem]) -> dict[int, int]:
    """The new event of each old item, by index, where it has one."""
    keys: tuple[tuple[Callable[[OldItem], Hashable], Callable[[ListedItem], Hashable]], ...] = (
        (lambda one: one.row.traffic_id, lambda one: one.spec.traffic_id),
        (
            lambda one: _named(one.house_id, one.row),
            lambda one: _named(one.spec.house_id, one.spec),
        ),
        (
            lambda one: _named(one.row.asset_id, one.row),
            lambda one: _named(one.spec.asset_id, one.spec),
        ),
        (
            lambda one: _named(one.row.title if one.row.kind == "slate" else None, one.row),
            lambda one: _named(one.spec.title if one.spec.kind == "slate" else None, one.spec),
        ),
    )
    found: dict[int, int] = {}
    taken: set[int] = set()
    for of_old, of_new in keys:
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for event, one in enumerate(new):
            if event not in taken and (key := of_new(one)):
                waiting[key].append(event)
        for index, one in enumerate(old):
            if index not in found and (key := of_old(one)) and waiting[key]:
                found[index] = waiting[key].pop(0)
                taken.add(found[index])
    return found


def _named(name: str | None, one: Item | ItemSpec) -> Hashable:
    """What it is the same by. An event with an id of its own and no time is the same as that id alone."""
    if not name or (one.planned_start is None and one.traffic_id is not None):
        return None
    return name, one.planned_start


def _covered(old: Sequence[OldItem], new: Sequence[ListedItem], day_ends: datetime | None) -> frozenset[int]:
    """Old items that are planned from the first start of the new list to the end of its day; all, if it plans no times.

    What has no plan itself goes with what stands above it.
    """
    starts = [one.spec.planned_start for one in new if one.spec.planned_start is not None]
    if not starts:
        return frozenset(range(len(old)))
    first, last = min(starts), max(starts)
    covered: set[int] = set()
    inside = not any(one.row.planned_start for one in old)
    for index, one in enumerate(old):
        if one.row.planned_start is not None:
            start = one.row.planned_start
            inside = first <= start and (start <= last or (day_ends is not None and start < day_ends))
        if inside:
            covered.add(index)
    return frozenset(covered)


def _with_moves(changes: list[Change], old_index: Mapping[str, int]) -> list[Change]:
    """What stands in another order than the most of it that kept theirs has moved."""
    kept = [old_index[change.item_id] for change in changes if change.item_id and change.item_id in old_index]
    in_order = _longest_rising(kept)
    made: list[Change] = []
    for change in changes:
        index = old_index.get(change.item_id or "")
        if index is None or index in in_order:
            made.append(change)
            continue
        verdict: Verdict = "moved" if change.verdict == "kept" else change.verdict
        what = ", ".join(filter(None, (f"from line {index + 1}", change.what)))
        made.append(
            Change(
                verdict, change.title, change.item_id, change.line, change.traffic_id, change.house_id,
                change.planned_start, what,
            )
        )  # fmt: skip
    return made


def _longest_rising(numbers: Sequence[int]) -> frozenset[int]:
    """The numbers of one longest rising subsequence, by patience sorting."""
    tops: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        low, high = 0, len(tops)
        while low < high:
            middle = (low + high) // 2
            if tops[middle] < number:
                low = middle + 1
            else:
                high = middle
        before[number] = tops[low - 1] if low else None
        tops[low : low + 1] = [number]
    found: list[int] = []
    here = tops[-1] if tops else None
    while here is not None:
        found.append(here)
        here = before[here]
    return frozenset(found)


def _of_item(verdict: Verdict, one: OldItem, *, what: str = "", line: str = "") -> Change:
    row = one.row
    return Change(verdict, row.title, row.id, line, row.traffic_id, one.house_id, row.planned_start, what)


def _of_event(verdict: Verdict, one: ListedItem, was: OldItem | None = None, what: str = "") -> Change:
    spec = one.spec
    item_id = None if was is None else was.row.id
    return Change(verdict, spec.title, item_id, one.line, spec.traffic_id, spec.house_id, spec.planned_start, what)


def _told(row: Item, name: str, value: object) -> str:
    """Without what a live address may hold: its passphrase and key are for nobody's report."""
    if name in _NOT_SHOWN:
        return _NOT_SHOWN[name]
    return f"{name.replace('_', ' ')} {_shown(getattr(row, name))} -> {_shown(value)}"


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%F %T}Z"
    if isinstance(value, str) and "://" in value:
        return shown_live_url(value)  # a title of an older version, which took it from the address
    return "none" if value is None else str(value)


def lock_end(now: datetime, lock_s: int) -> datetime:
    """The instant up to which what is due is no more replaced."""
    return now + timedelta(seconds=lock_s)
