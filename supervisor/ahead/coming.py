"""What the coming hours of all channels ask of somebody: looked at while somebody wants to know, and then kept."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

import structlog

from db.errors import StoreError
from db.models import Channel
from db.store import Store
from sidecar.protocol.channel import Playlist
from sidecar.rundown.rate import parse_rate
from supervisor.ahead.looking import Report
from supervisor.ahead.standing import NodeClock, clocks, down_now, port_clashes
from supervisor.asrun.starts import last_starts
from supervisor.clock import Clock
from supervisor.errors import McrError
from supervisor.live import LiveBoard
from supervisor.loops.documents import read_material
from supervisor.rundown_figures import Human
from supervisor.rundowns import Timing, timing_on_air
from supervisor.schedules.upcoming import read_plans, shown_upcoming
from supervisor.schemas.alarm import Severity
from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.coming import Coming, ComingKind
from supervisor.threads import Threads

WITHIN: Final = timedelta(hours=12)
FRESH_S: Final = 10.0
"""Seconds for which what was seen is not looked at again."""
PACE: Final = 4
"""So many times as long as a look took it is kept at least."""
WAIT_S: Final = 3.0
"""Seconds that the first who asks waits."""
COMPUTE_S: Final = 5.0
STORE_S: Final = 2.0
SOON: Final = timedelta(minutes=30)
MOST: Final = 40
"""Entries of one channel."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _List:
    """``key`` tells when it is to be read anew."""

    key: tuple[object, ...]
    told: Playlist


class ComingWatch:
    """``reports``: of each channel what the check of its media found last. Belongs to one event loop."""

    def __init__(
        self, store: Store, clock: Clock, live: LiveBoard, computing: Threads,
        channels: Callable[[], Sequence[Channel]], reports: Callable[[], Mapping[str, Report]],
        clocks: Callable[[], Sequence[NodeClock]] = tuple,
    ) -> None:  # fmt: skip
        """``clocks``: of the nodes, as they were last heard."""
        self._store, self._clock, self._live = store, clock, live
        self._computing, self._channels, self._reports = computing, channels, reports
        self._lists: dict[str, _List] = {}
        self._found: dict[str, tuple[Coming, ...]] = {}
        self._clashes: tuple[tuple[str | None, Coming], ...] = ()
        """Each with its recorder's project."""
        self._clocks = clocks
        self._asked, self._seen = asyncio.Event(), asyncio.Event()
        self.at: datetime | None = None

    async def run(self) -> None:
        """Looks when it was asked, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            began = self._clock.monotonic()
            await self._look()
            self.at = self._clock.now()
            self._seen.set()
            await self._clock.sleep(max(FRESH_S, PACE * (self._clock.monotonic() - began)))

    async def of(
        self, channel_ids: frozenset[str], within: timedelta, sees: Callable[[str | None], bool], *, nodes: bool
    ) -> tuple[Coming, ...]:
        """Of these channels and of the recorders of projects that one ``sees``, the soonest first; ``nodes``: of nodes
        too. What is known at once; only the first who asks waits."""
        self._asked.set()
        if not self._seen.is_set():
            try:
                async with asyncio.timeout(WAIT_S):
                    await self._seen.wait()
            except TimeoutError:
                pass
        now = self._clock.now()
        found = [
            one
            for channel_id, each in self._found.items()
            if channel_id in channel_ids
            for one in each
            if one.at is None or one.at <= now + within
        ]
        standing = (down_now(self._live.get(channel_id), now) for channel_id in channel_ids)
        found += [one for one in standing if one is not None]
        found += [
            one
            for project_id, one in self._clashes
            if sees(project_id) and one.at is not None and now <= one.at <= now + within
        ]
        found += clocks(self._clocks(), now) if nodes else ()
        return tuple(sorted(found, key=lambda one: (one.at is None, one.at or now, one.channel_id or "")))

    async def _look(self) -> None:
        rows = [row for row in self._channels() if row.desired == "on" and row.playlist_id is not None]
        try:
            async with self._store.read(timeout=STORE_S) as tx:
                revisions = (await tx.changes.revisions())[1]
                plans = await read_plans(tx)
        except StoreError as error:
            _log.warning("what is coming cannot be looked at", why=str(error))
            return
        upcoming = shown_upcoming(plans.schedules.values(), plans, self._clock.now(), WITHIN)
        self._clashes = tuple(
            (plans.recorders[one.recorder_id].project_id, one)
            for one in port_clashes(upcoming)
            if one.recorder_id is not None
        )
        there = {row.id for row in rows}
        self._lists = {id_: one for id_, one in self._lists.items() if id_ in there}
        self._found = {id_: one for id_, one in self._found.items() if id_ in there}
        for row in rows:
            try:
                self._found[row.id] = await self._of(row, revisions.get(row.playlist_id or "", 0))
            except (StoreError, McrError, TimeoutError) as error:
                _log.info("what is coming was not looked at", channel=row.name, why=str(error))

    async def _of(self, row: Channel, revision: int) -> tuple[Coming, ...]:
        rate = self._live.rate(row.id) or row.rate
        key = (row.playlist_id, revision, row.rev, rate)
        list_ = self._lists.get(row.id)
        if list_ is None or list_.key != key:
            material = await read_material(self._store, row, rate, STORE_S)
            list_ = self._lists[row.id] = _List(key, material.playlist)
        aired: Mapping[str, datetime] = {}
        if any(item.fixed_at_ns is not None for item in list_.told.items):
            async with self._store.read(timeout=STORE_S) as tx:
                aired = await last_starts(tx, row)
        live, now, report = self._live.get(row.id), self._clock.now(), self._reports().get(row.id)
        return await self._computing.run(
            COMPUTE_S, coming, row.id, list_.told, live, parse_rate(rate), now, now + WITHIN, report, aired
        )


def coming(
    channel_id: str, list_: Playlist, live: ChannelLive, rate: Fraction, now: datetime, until: datetime,
    report: Report | None, aired: Mapping[str, datetime],
) -> tuple[Coming, ...]:  # fmt: skip
    """What of the list asks for somebody or should be known, from ``now`` to ``until``. ``aired``: when items of this
    run last started, so that a fixed start that was is none in a loop's next round. Pure."""
    made = _media(channel_id, report, now)
    if live.picture is not None:
        timing = timing_on_air(list_, rate, live, aired)
        made += _humans(channel_id, list_, timing, rate)
        made += _items(channel_id, list_, timing, rate)
    kept = [one for one in made if one.at is None or now - timedelta(seconds=2) <= one.at <= until]
    return tuple(sorted(kept, key=lambda one: (one.at is None, one.at or now))[:MOST])


def _humans(channel_id: str, list_: Playlist, timing: Timing, rate: Fraction) -> list[Coming]:
    if timing.origin is None:
        return []
    holds = {item.id for item in list_.items if item.start_mode == "hold"}
    made: list[Coming] = []
    for human in timing.figures.humans:
        kind, severity = _kind(human, holds)
        if kind is not None:
            at = _later(timing.origin, human.in_frames, rate)
            made.append(_one(channel_id, kind, severity, at, human.item_id, human.why))
    return made


def _kind(human: Human, holds: set[str]) -> tuple[ComingKind | None, Severity]:
    if human.item_id is None:
        return "list_end", "warning"
    if human.why.endswith("is missing"):
        return None, "warning"  # the check of media says more of it
    if human.item_id in holds or human.why.startswith("the channel holds"):
        return "hold", "warning"
    return "take", "warning"


def _items(channel_id: str, list_: Playlist, timing: Timing, rate: Fraction) -> list[Coming]:
    made: list[Coming] = []
    held = False
    for item in list_.items:
        at, ahead = timing.starts.get(item.id), timing.ahead.get(item.id)
        waits = at is None and item.start_mode == "hold" and not item.dropped
        held = held or waits
        if at is None or ahead is None or item.id == timing.on_air:
            continue
        behind_hold, held = held, False
        if ahead.gap > 1 and not behind_hold:
            words = f"nothing is planned for {_span(ahead.gap, rate)} before {item.title}: filler airs"
            gap_at = _later(at, -ahead.gap, rate)
            made.append(_one(channel_id, "gap", "warning", gap_at, item.id, words))
        if ahead.cut > 1 and ahead.frames is not None:
            words = f"a fixed start cuts {_span(ahead.cut, rate)} of {item.title}"
            made.append(_one(channel_id, "overrun", "warning", _later(at, ahead.frames, rate), item.id, words))
        if item.kind == "live":
            made.append(_one(channel_id, "live", "info", at, item.id, f"live: {item.title}"))
    return made


def _media(channel_id: str, report: Report | None, now: datetime) -> list[Coming]:
    if report is None:
        return []
    made: list[Coming] = []
    for due in report.due:
        if due.severity == "info":
            continue
        soon = due.needed_by is not None and due.needed_by - now <= SOON
        severity: Severity = "critical" if due.severity == "critical" and soon else "warning"
        role = {"list": "", "filler": "filler ", "standby": "STANDBY clip "}[due.role]
        words = f"{role}{due.item.title}: {due.findings[0].text}"
        at = due.needed_by if due.role == "list" else None
        made.append(_one(channel_id, "media", severity, at, due.item.id, words))
    return made


def _one(
    channel_id: str, kind: ComingKind, severity: Severity, at: datetime | None, item_id: str | None, text: str
) -> Coming:  # fmt: skip
    return Coming(channel_id=channel_id, kind=kind, severity=severity, at=at, item_id=item_id, text=text)


def _later(instant: datetime, frames: int, rate: Fraction) -> datetime:
    return instant + timedelta(microseconds=frames * 1_000_000 * rate.denominator // rate.numerator)


def _span(frames: int, rate: Fraction) -> str:
    """``0:12``, ``1:02:03``; of less than a second frames."""
    seconds = frames * rate.denominator // rate.numerator
    if seconds < 1:
        return f"{frames} frames"
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
