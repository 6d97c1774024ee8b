"""From a list to items: read it, find or import its clips, and place its times on a day."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from db.models import Asset, Channel
from db.store import Store
from supervisor.assets.importing import AssetImport, Wanted
from supervisor.clock import Clock
from supervisor.confined import Confined
from supervisor.errors import Forbidden, Invalid, Unavailable
from supervisor.playlists.broadcast_day import DAY_START, BroadcastDay, resolve
from supervisor.playlists.entries import of_folder
from supervisor.playlists.items import ListedItem, item_of
from supervisor.playlists.reading import LARGEST_LIST, read_list
from supervisor.playlists.schedule import DayTime, Removed, Schedule, ScheduledEvent
from supervisor.reach import EVERYWHERE, Reach
from supervisor.schemas.listing import ListFormat, ListOptions
from supervisor.threads import Threads

READ_S: Final = 20.0
_RATE: Final = "25"
"""What a list without a channel counts at and begins its day with."""

_PLAIN: Final = ListOptions()


@dataclass(frozen=True, slots=True)
class ListSource:
    """``path`` is of this machine, ``content`` the list itself: one of them. ``reads_files``: who sends it may have
    this machine's files read."""

    form: ListFormat | Literal["folder"]
    path: Path | None = None
    content: bytes | None = None
    options: ListOptions = _PLAIN
    reads_files: bool = True
    folder: Path = Path("/")
    """Where relative paths of ``content`` start."""
    below: Confined | None = None
    """Where the list, where it is a path, and files that it names may lie; None: anywhere."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """``missing`` are house ids that no asset has; their items wait for them. ``day_ends``: when the broadcast day of
    the list's last start ends, or the list itself before that; None where it plans none, or nothing says what its days
    are. ``changes_only``: what it
    does not name stays as it is; ``removed`` is what it takes away."""

    items: tuple[ListedItem, ...]
    refused: tuple[str, ...]
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    assets_new: int
    day_ends: datetime | None = None
    changes_only: bool = False
    removed: tuple[Removed, ...] = ()


class Preparing:
    """Belongs to one event loop; disks are waited for on threads, with deadlines."""

    def __init__(
        self, store: Store, clock: Clock, assets: AssetImport, files: Threads, computing: Threads,
        reach: Reach = EVERYWHERE,
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._assets = assets
        self._files = files
        self._computing = computing
        self._reach = reach

    async def prepare(self, source: ListSource, project_id: str | None, channel: Channel | None) -> Prepared:
        """``channel``: whose zone, day and rate hold for the list's times. Raises Invalid, Forbidden, Unavailable."""
        found = await self._read(source, channel)
        if not source.reads_files and any(event.path is not None for event in found.events):
            raise Forbidden("this list names files, and you may not have this machine's files read")
        refused, warnings = list(found.refused), list(found.remarks)
        found = await self._inside(found, source.below, refused, warnings)
        clips, assets_new = await self._clips(found.events, project_id, source.below, refused, warnings)
        starts, day_rate, day = self._starts(found, source.options, channel, warnings)
        items: list[ListedItem] = []
        missing: dict[str, None] = {}
        for event, clip, start in zip(found.events, clips, starts, strict=True):
            if clip is _REFUSED:
                continue
            asset = clip if isinstance(clip, Asset) else None
            try:
                one = item_of(event, asset, start, day_rate)
                self._reach.require_url(one.spec.url or "", "a live input")
            except Invalid as error:
                refused.append(f"{event.line}: {error.detail}")
                continue
            items.append(one)
            if one.remark:
                warnings.append(f"{event.line}: {one.remark}")
            if event.kind == "clip" and asset is None and event.house_id is not None:
                missing[event.house_id] = None
        last = max((one.spec.planned_start for one in items if one.spec.planned_start), default=None)
        ends = None if last is None or day is None else _end_of(found, last, day)
        return Prepared(
            tuple(items), tuple(refused), tuple(warnings), tuple(missing), assets_new, ends,
            found.changes_only, found.removed,
        )  # fmt: skip

    async def _read(self, source: ListSource, channel: Channel | None) -> Schedule:
        if (source.path is None) == (source.content is None):
            raise Invalid("a list is either a path or its content", hint="Give one of the two.")
        form = source.form
        if source.path is None or source.content is not None:
            if form == "folder":
                raise Invalid("a folder has a path and no content")
            return await self._parse(form, source.content or b"", source.folder, source.options, channel)
        path = source.path
        if not source.reads_files:
            raise Forbidden("you may not have this machine's files read", hint="Send the list's content instead.")
        if not path.is_absolute() or "\0" in str(path):
            raise Invalid(f"{str(path)!r} is not an absolute path", hint="Give the whole path, from / on.")
        try:
            if form == "folder":
                return await self._files.run(READ_S, _list_folder, path, source.below)
            data = await self._files.run(READ_S, read_bytes, path, source.below)
        except TimeoutError:
            raise Invalid(f"{path} could not be read within {READ_S:.0f} s") from None
        return await self._parse(form, data, path.parent, source.options, channel)

    async def _inside(
        self, found: Schedule, below: Confined | None, refused: list[str], warnings: list[str]
    ) -> Schedule:
        """Without the files that lie elsewhere: an event that has a house id too is found by that."""
        named = [event.path for event in found.events if event.path is not None]
        if below is None or not named:
            return found
        try:
            outside = await self._files.run(READ_S, below.outside, named)
        except TimeoutError:
            raise Unavailable(f"where the list's files lie was not told within {READ_S:.0f} s") from None
        events: list[ScheduledEvent] = []
        for event in found.events:
            if event.path not in outside:
                events.append(event)
                continue
            told = f"{event.line}: {event.path} lies in no media root and in no watched folder of media"
            if event.house_id is None:
                refused.append(told)
            else:
                warnings.append(told)
                events.append(replace(event, path=None))
        return replace(found, events=tuple(events))

    async def _parse(
        self, form: ListFormat, data: bytes, folder: Path, options: ListOptions, channel: Channel | None
    ) -> Schedule:
        """Beside the loop, which a list of thousands would hold for too long."""
        try:
            return await self._computing.run(READ_S, read_list, form, data, folder, options, _day_start(channel))
        except TimeoutError:
            raise Invalid(f"the list could not be read within {READ_S:.0f} s") from None

    async def _clips(
        self,
        events: Sequence[ScheduledEvent],
        project_id: str | None,
        below: Confined | None,
        refused: list[str],
        warnings: list[str],
    ) -> tuple[list["Asset | object | None"], int]:
        """Each event's asset: by house id the newest there is, else by its path; None for one that is to come."""
        houses = {event.house_id for event in events if event.kind == "clip" and event.house_id}
        async with self._store.read() as tx:
            known = await tx.assets.by_house_ids(houses, project_id)
        wanted = [
            (index, Wanted(event.path, event.title, event.house_id))
            for index, event in enumerate(events)
            if event.kind == "clip" and event.path is not None and (event.house_id or "") not in known
        ]
        imported = await self._assets.add_all([one for _, one in wanted], project_id, below) if wanted else ()
        clips: list[Asset | object | None] = [
            known.get(event.house_id or "") if event.kind == "clip" else None for event in events
        ]
        for (index, _), one in zip(wanted, imported, strict=True):
            clips[index] = one.asset
            if one.asset is None and events[index].house_id is None:
                clips[index] = _REFUSED
                refused.append(f"{events[index].line}: {one.refusal}")
            elif one.asset is None:
                warnings.append(f"{events[index].line}: {one.refusal}")
        return clips, sum(one.is_new for one in imported)

    def _starts(
        self, found: Schedule, options: ListOptions, channel: Channel | None, warnings: list[str]
    ) -> tuple[list[datetime | None], str, BroadcastDay | None]:
        rate = options.rate or (channel.rate if channel else _RATE)
        times = [(event.planned, event.kind != "comment") for event in found.events]
        zone_name = found.time_zone or options.time_zone or (channel.time_zone if channel else None)
        local = [planned for planned, _ in times if isinstance(planned, DayTime)]
        if local and zone_name is None:
            warnings.append("its times are not kept: neither the list nor a channel says in which zone they are")
            return [at if isinstance(at, datetime) else None for at, _ in times], rate, None
        start = _day_start(channel)
        day = BroadcastDay.running(_zone(zone_name or "UTC"), start, self._clock.now(), rate)
        said = found.day or options.date
        if said is None and any(planned.day is None for planned in local):
            warnings.append(f"its times have no date: they are taken as of the broadcast day of {day.day}")
        day = replace(day, day=said or day.day, dates=options.dates)
        resolved = resolve(times, day)
        warnings += [
            f"{event.line}: {one.warning}" for event, one in zip(found.events, resolved, strict=True) if one.warning
        ]
        return [one.at for one in resolved], rate, day if zone_name else None


def _end_of(found: Schedule, last: datetime, day: BroadcastDay) -> datetime:
    """The day's where the list says none, or one that cannot be: before its own ``last`` start, or in another day."""
    ends = day.end_after(last)
    said = found.ends
    if isinstance(said, DayTime):
        said = resolve([(said, False)], replace(day, dates="calendar"))[0].at
    return said if said is not None and last < said < ends else ends


_REFUSED: Final = object()


def read_bytes(path: Path, confined: Confined | None = None) -> bytes:
    """Blocks. Raises Invalid where there is no regular file that can be read, one that lies elsewhere, or one too large
    to be a list."""
    try:
        # O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Invalid(f"{path} is not a regular file")
            if confined is not None:
                confined.require_opened(descriptor, path)
            data = file.read(LARGEST_LIST + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > LARGEST_LIST:
        raise Invalid(f"{path} is larger than {LARGEST_LIST} bytes: that is no list")
    return data


def _list_folder(path: Path, confined: Confined | None) -> Schedule:
    """Blocks."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if confined is not None:
                confined.require_opened(descriptor, path)
            with os.scandir(descriptor) as listing:
                return of_folder(path, [(entry.name, entry.is_dir()) for entry in listing])
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise Invalid(f"{name[:64]!r} is not a time zone", hint="Use an IANA name such as Europe/Berlin.") from None


def _day_start(channel: Channel | None) -> time:
    return time.fromisoformat(channel.day_start) if channel else DAY_START
