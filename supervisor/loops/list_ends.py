"""Announces that a list ends: amber hours before, critical half an hour before, unless the list goes round."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from db.errors import StoreError
from sidecar.protocol.channel import Playlist
from sidecar.rundown.forecast import index_of
from sidecar.rundown.rate import parse_rate
from supervisor.decisions.alarms import Wanted
from supervisor.loops.channel import ChannelKeeper
from supervisor.loops.desk import Desk
from supervisor.loops.documents import read_material
from supervisor.rundown_figures import figures
from supervisor.schemas.alarm import Severity
from supervisor.schemas.channel import ChannelLive
from supervisor.sidecar_lists import instant, nanoseconds

log = structlog.get_logger(__name__)

CODES: Final = ("list_ends",)
LOOK_S: Final = 20.0
AMBER: Final = timedelta(hours=4)
CRITICAL: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _Known:
    """A channel's list; ``key`` tells when it is to be read anew."""

    key: tuple[object, ...]
    list_: Playlist
    rate: str


class ListEnds:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._desk: Desk
        self._known: dict[str, _Known] = {}

    def use(self, desk: Desk) -> None:
        """Once, before anything else."""
        self._desk = desk

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self._desk.clock.sleep(LOOK_S)
            if self._desk.leadership.fence is not None:
                await self._look()

    async def _look(self) -> None:
        known: dict[str, _Known] = {}
        for keeper in tuple(self._desk.keepers()):
            row = keeper.row
            wanted: Wanted | None = None
            if row.desired == "on" and row.after_last != "loop" and row.playlist_id is not None:
                try:
                    found = known[row.id] = await self._read(keeper)
                except StoreError as error:
                    log.warning("a list's end cannot be looked at", channel=row.id, why=str(error))
                    continue
                wanted = ending(row.name, found.list_, found.rate, self._desk.live.get(row.id), self._desk.clock.now())
            self._desk.alarms.want(CODES, {} if wanted is None else {CODES[0]: wanted}, channel_id=row.id)
            await asyncio.sleep(0)  # lists of thousands, one after the other
        self._known = known

    async def _read(self, keeper: ChannelKeeper) -> _Known:
        row = keeper.row
        rate = self._desk.live.rate(row.id) or row.rate
        key = (row.playlist_id, keeper.actions.given_revision, row.after_last, rate)
        known = self._known.get(row.id)
        if known is not None and known.key == key:
            return known
        async with self._desk.readings:
            material = await read_material(self._desk.store, row, rate, self._desk.timing.store)
        return _Known(key, material.playlist, rate)


def ending(name: str, list_: Playlist, rate: str, live: ChannelLive, now: datetime) -> Wanted | None:
    """What to announce of a channel on air; nothing where the list's end cannot be told, as behind a hold. Pure."""
    at = list_end(list_, rate, live, now)
    if at is None or at - now > AMBER:
        return None
    after = "the last picture stands" if list_.after_last == "hold" else "filler airs"
    if at <= now:
        return Wanted("critical", f"{name}: its list has ended, and {after}")
    severity: Severity = "critical" if at - now <= CRITICAL else "warning"
    return Wanted(severity, f"{name}: its list ends at {at:%H:%M} UTC, then {after}")


def list_end(list_: Playlist, rate: str, live: ChannelLive, now: datetime) -> datetime | None:
    """When the list is over, or now where it is already; None where nobody can tell."""
    frames = parse_rate(rate)
    item = live.item
    if not list_.items:
        return None
    if item is None:
        if live.picture == "filler" and live.next is None:
            return now
        index = None if live.next is None else index_of(list_.items, live.next.item_id)
        begun = 0
    else:
        index, begun = index_of(list_.items, item.item_id), -item.position_frames
    if index is None:
        return None
    as_of = nanoseconds(live.as_of)
    held = live.hold or live.picture in {"hold", "freeze", "standby"}
    found = figures(list_, as_of, frames, index=index, begun=begun, held=held)
    if found.ends_in is None:
        return None
    return instant(as_of + found.ends_in * 1_000_000_000 * frames.denominator // frames.numerator)
