"""Looks at what a channel will air before it is due: the list as it will run, the files as they lie there now."""

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

from db.models import Asset, Channel, Item, Playlist
from db.store import Store
from sidecar.rundown.rate import parse_rate
from supervisor.ahead.checking import ChannelFacts, FileLook, Finding, Known, Measured, Severity, check
from supervisor.airing import playout_of
from supervisor.asrun.starts import last_starts
from supervisor.clock import Clock
from supervisor.errors import Unavailable
from supervisor.intake.media import house_id_of
from supervisor.live import LiveBoard
from supervisor.loops.documents import read_spare
from supervisor.rundowns import timing_on_air
from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.playout import LoudnessProfile
from supervisor.sidecar_lists import Spare, sidecar_playlist, standby_item, told_filler
from supervisor.threads import Threads

COMPUTE_S: Final = 5.0
LOOK_S: Final = 5.0
"""Seconds in which the disks must say how so many files lie there."""
AT_ONCE: Final = 500
UNKNOWN: Final = FileLook()
TARGETS: Final[Mapping[LoudnessProfile, int | None]] = {"off": None, "r128": -2300, "a85": -2400}
"""Hundredths of LUFS: EBU R 128, ATSC A/85."""


Role = Literal["list", "filler", "standby"]


@dataclass(frozen=True, slots=True)
class Due:
    """An item with what is wrong with it, the worst first. ``needed_by`` None: nobody can tell, behind a hold or while
    the channel is off and its list plans no times. What is not of the list, filler and the STANDBY clip, may be needed
    at any moment: by now."""

    item: Item
    house_id: str | None
    needed_by: datetime | None
    findings: tuple[Finding, ...]
    role: Role = "list"

    @property
    def severity(self) -> Severity:
        return self.findings[0].severity


@dataclass(frozen=True, slots=True)
class Report:
    """``due`` in the list's order, then filler in its own and the STANDBY clip. ``checked``: how many items were looked
    at; ``filler``: how many of them are filler."""

    due: tuple[Due, ...]
    checked: int
    at: datetime
    filler: int = 0


@dataclass(frozen=True, slots=True)
class _Material:
    """``assets``: of the list and of what is spare."""

    playlist: Playlist | None
    items: Sequence[Item]
    assets: Mapping[str, Asset]
    candidates: Mapping[str, Asset]
    aired: Mapping[str, datetime]
    spare: Spare


class Ahead:
    """``arriving``: files that come in and are no assets yet, with what is with them, by name."""

    def __init__(
        self, store: Store, clock: Clock, live: LiveBoard, disks: Threads, computing: Threads,
        arriving: Callable[[], Mapping[str, str]],
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._live = live
        self._disks = disks
        self._computing = computing
        self._arriving = arriving
        self.latest: dict[str, Report] = {}
        """By channel what its watch found last."""

    async def of(self, channel: Channel, within: timedelta) -> Report:
        """What is wrong with the items that are needed ``within`` that time from now, with those of which nobody can
        tell when, with filler and with the STANDBY clip. Raises StoreError and Unavailable."""
        now = self._clock.now()
        material = await self._read(channel)
        live = self._live.get(channel.id)
        rate = parse_rate(self._live.rate(channel.id) or channel.rate)
        try:
            starts = await self._computing.run(COMPUTE_S, needed, channel, material, live, rate, now)
        except TimeoutError:
            raise Unavailable(f"the list was not computed within {COMPUTE_S:.0f} s", retry_after=5) from None
        wanted: list[tuple[Item, datetime | None, Role]] = [
            (item, at, "list")
            for item in material.items
            if item.id in starts and ((at := starts[item.id]) is None or at <= now + within)
        ]
        filler = told_filler(material.spare.filler)
        wanted.extend((item, now, "filler") for item in filler)
        if material.spare.standby is not None:
            wanted.append((standby_item(material.spare.standby), now, "standby"))
        looks = await self._look({material.assets[item.asset_id].path for item, _, _ in wanted if item.asset_id})
        coming = {house_id_of(name): state for name, state in self._arriving().items()}
        target = TARGETS[playout_of(channel).loudness_profile]
        facts = ChannelFacts(rate, Fraction(channel.width, channel.height), target)
        due: list[Due] = []
        for item, at, role in wanted:
            asset = material.assets.get(item.asset_id or "")
            known = Known(
                asset=asset,
                look=UNKNOWN if asset is None else looks.get(asset.path, UNKNOWN),
                candidate=material.candidates.get(item.house_id or ""),
                arriving=coming.get(item.house_id or "", ""),
                live_fault=self._live_fault(channel.id, item),
                measured=Measured(asset.loudness_mb) if asset is not None and asset.is_measured else None,
            )
            if findings := check(item, known, facts):
                house_id = item.house_id or (asset.house_id if asset else None)
                due.append(Due(item, house_id, at, findings, role))
        return Report(tuple(due), len(wanted), now, len(filler))

    def _live_fault(self, channel_id: str, item: Item) -> str:
        if item.kind != "live":
            return ""
        if item.url is None:
            return "it names no live input: give it a url"
        return self._live.live_fault(channel_id, item.id)

    async def _read(self, channel: Channel) -> _Material:
        playlist, items, assets = None, (), {}
        async with self._store.read() as tx:
            if channel.playlist_id is not None:
                playlist = await tx.playlists.get(channel.playlist_id)
                items = await tx.playlists.items(playlist.id)
                assets = await tx.assets.of_playlist(playlist.id)
            spare = await read_spare(tx, channel)
            candidates = await tx.assets.by_house_ids(_waiting(items), playlist.project_id if playlist else None)
            if waiting := _waiting(spare.filler):
                filler = await tx.playlists.get(channel.filler_playlist_id or "")
                candidates = {**await tx.assets.by_house_ids(waiting, filler.project_id), **candidates}
            aired = await last_starts(tx, channel)
        assets = {**assets, **spare.assets}
        if spare.standby is not None:
            assets[spare.standby.id] = spare.standby
        return _Material(playlist, items, assets, candidates, aired, spare)

    async def _look(self, paths: "set[str]") -> dict[str, FileLook]:
        """A disk that does not answer leaves the question open."""
        looks: dict[str, FileLook] = {}
        ordered = sorted(paths)
        for at in range(0, len(ordered), AT_ONCE):
            try:
                looks |= await self._disks.run(LOOK_S, look_at, ordered[at : at + AT_ONCE])
            except (TimeoutError, Unavailable):
                break
        return looks


def _waiting(items: Sequence[Item]) -> set[str]:
    """House ids of clips that have not come."""
    return {item.house_id for item in items if item.house_id and item.asset_id is None}


def needed(
    channel: Channel, material: _Material, live: ChannelLive, rate: Fraction, now: datetime
) -> dict[str, datetime | None]:
    """When each item that is still to air starts, by its id; None where nobody can tell. Pure."""
    list_ = sidecar_playlist(channel, material.playlist, material.items, material.assets, rate)
    airing = [item for item in material.items if item.kind != "comment" and not item.dropped]
    if live.picture is None:
        # Off, or not seen: what its list plans is all there is to go by.
        planned = {item.id: item.fixed_at or item.planned_start for item in airing}
        return {item_id: at for item_id, at in planned.items() if at is None or at >= now}
    timing = timing_on_air(list_, rate, live, material.aired)
    return {
        item.id: timing.starts.get(item.id)
        for item in airing
        if item.id != timing.on_air and (item.id in timing.starts or item.id not in timing.aired)
    }


def look_at(paths: Sequence[str]) -> dict[str, FileLook]:
    """Each file as it lies there now. Blocks."""
    return {path: _look(path) for path in paths}


def _look(path: str) -> FileLook:
    try:
        # O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return FileLook("gone")
    except OSError as error:
        return FileLook("unreadable", detail=error.strerror or str(error))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return FileLook("unreadable", detail="it is no regular file")
        os.pread(descriptor, 1, max(0, status.st_size - 1))
    except OSError as error:
        return FileLook("unreadable", detail=error.strerror or str(error))
    finally:
        os.close(descriptor)
    return FileLook("there", status.st_size)
