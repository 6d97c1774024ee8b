"""A channel's week on a virtual wall clock: real lists, the real rundown clock, and what happens to them meanwhile.

A frame every five seconds, so that a week is 120,960 of them. Lists come day by day as a traffic system writes them and
go through the supervisor's own readers, differences and mapping; media, operators and breakdowns come from a seed.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from db.models import Asset, Channel, Item, Playlist, new_id
from db.repositories.playlists import ItemSpec, KeptItem
from sidecar.protocol import channel as protocol
from sidecar.rundown.answers import Refused
from sidecar.rundown.clock import RundownClock
from sidecar.rundown.forecast import advance
from sidecar.rundown.model import Airing, Fact, SourceView, Supply
from sidecar.rundown.wall import Wall
from supervisor.playlists.broadcast_day import BroadcastDay, resolve
from supervisor.playlists.difference import OldItem, difference
from supervisor.playlists.items import ListedItem, item_of
from supervisor.playlists.reading import read_list
from supervisor.schemas.listing import ListOptions
from supervisor.sidecar_lists import nanoseconds, sidecar_playlist
from tests.unit.rundown_world import check_facts

FRAME_S: Final = 5
RATE: Final = Fraction(1, FRAME_S)
BERLIN: Final = ZoneInfo("Europe/Berlin")
DAY_START: Final = time(6)
LOST_S: Final = 10
"""Seconds off air when the playout breaks down and another goes on."""
_FILM: Final = Asset(id="f" * 32, title="Film", path="/m/film.mp4", rate="25", duration_frames=25 * 36_000)


def day_list(day: date, *, revised: bool = False) -> str:
    """Every hour of a broadcast day begins with fixed news. What follows is too long, with items that may go, or too
    short; every fourth hour something starts softly at half past."""
    start, end = (datetime.combine(day + timedelta(n), DAY_START, BERLIN).astimezone(UTC) for n in (0, 1))
    events: list[dict[str, object]] = [{"kind": "comment", "title": f"{day}"}]
    hours = int((end - start) / timedelta(hours=1))
    for number in range(hours):
        local = (start + timedelta(hours=number)).astimezone(BERLIN)
        key = f"{day}/{number}"
        soft = number % 4 == 3
        news_and_film: list[dict[str, object]] = [
            {"traffic_id": f"{key}/news", "house_id": "F", "title": f"news {key}", "start": f"{local:%H:%M:%S}",
             "start_mode": "fixed", "duration": 1500},
            {"traffic_id": f"{key}/film", "house_id": "F", "title": f"film {key}",
             "duration": 1200 if number % 3 == 1 else 1800},
        ]  # fmt: skip
        events += news_and_film
        if soft:
            events.append(
                {"traffic_id": f"{key}/soft", "house_id": "F", "title": f"soft {key}",
                 "start": f"{local:%H}:40:00", "start_mode": "fixed", "duration": 300}
            )  # fmt: skip
        may_go: list[dict[str, object]] = [
            {"traffic_id": f"{key}/{name}", "house_id": "F", "title": f"{name} {key}", "duration": 240,
             "expendable": True}
            for name in ("promo", "trailer")
        ]  # fmt: skip
        events += may_go
        if revised and number > 10:
            events[-2]["traffic_id"] = f"{key}/new promo"
            events[-3]["title"] = f"another film {key}"
    return json.dumps({"format": "mcr-schedule", "version": 1, "events": events, "date": str(day)})


def listed(text: str, now: datetime) -> list[ListedItem]:
    """Through the supervisor's readers, every clip being there."""
    found = read_list("json", text.encode(), Path("/"), ListOptions())
    assert not found.refused, found.refused
    assert found.day is not None
    day = BroadcastDay(BERLIN, DAY_START, found.day, "25")
    times = resolve([(event.planned, event.kind != "comment") for event in found.events], day)
    assert not any(one.warning for one in times), now
    return [
        item_of(event, _FILM if event.kind == "clip" else None, one.at, str(RATE))
        for event, one in zip(found.events, times, strict=True)
    ]


@dataclass
class Listing:
    """The store's part: rows in order, and a revision that grows with every edit."""

    rows: list[Item] = field(default_factory=list[Item])
    revision: int = 1

    def replace(self, entries: Sequence[KeptItem | ItemSpec]) -> None:
        there = {row.id: row for row in self.rows}
        made: list[Item] = []
        for entry in entries:
            if isinstance(entry, KeptItem):
                row = there[entry.item_id]
                for name, value in entry.changes.items():
                    setattr(row, name, value)
            else:
                values = {name: getattr(entry, name) for name in entry.__dataclass_fields__}
                row = Item(id=new_id(), dropped=False, **values)
            made.append(row)
        self.rows = made
        self.revision += 1

    def told(self) -> protocol.Playlist:
        playlist = Playlist(id="p" * 32, name="week", revision=self.revision)
        channel = Channel(rate=str(RATE), after_last="filler")
        return sidecar_playlist(channel, playlist, self.rows, {_FILM.id: _FILM}, RATE)


@dataclass
class _Source:
    opened: int
    opens_after: int
    fails_at: int | None
    taken: int = 0


@dataclass(frozen=True)
class Started:
    """``at``: the UTC second."""

    item: protocol.Item
    at: int
    cause: str


@dataclass
class Week:
    """Runs ``seconds`` from ``begin`` on, and keeps what the journals of all runs say."""

    begin: datetime
    seconds: int
    seed: int
    listing: Listing = field(default_factory=Listing)
    started: list[Started] = field(default_factory=list[Started])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    disturbed: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Spans in which something else than the list was wanted or possible, in UTC seconds."""
    aired: int = 0
    lost: int = 0
    commands: int = 0
    removed: set[str] = field(default_factory=set[str])
    revisions: set[int] = field(default_factory=set[int])
    """UTC seconds at which the list of the day comes again."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._now = nanoseconds(self.begin) // 10**9
        self._sources: dict[int, _Source] = {}
        self._facts: list[Fact] = []
        self._run_began = self._now
        self._is_on_air = False
        self._seen = protocol.ResumePoint(""), self._now
        self._later: list[tuple[int, Callable[[], None]]] = []

    def run(self) -> "Week":
        day = self.begin.astimezone(BERLIN).date()
        self._append(day)
        self._start(None)
        end, following = self._now + self.seconds, 1
        while self._now < end:
            if self._now % 3600 == 0 and datetime.fromtimestamp(self._now, BERLIN).hour == 20:
                self._append(day + timedelta(following))
                following += 1
            for at in [at for at in self.revisions if at <= self._now]:
                self.revisions.remove(at)
                self.revise(datetime.fromtimestamp(at, BERLIN).date())
            if self._now % 900 == 450:
                self._disturb()
            for one in [one for one in self._later if one[0] <= self._now]:
                self._later.remove(one)
                one[1]()
            self._tick()
        self._end()
        return self

    def revise(self, day: date) -> None:
        """The list of a day that airs now comes again, and differs from its eleventh hour on."""
        new = listed(day_list(day, revised=True), datetime.fromtimestamp(self._now, UTC))
        on_air = self._clock.on_air
        index = next((i for i, row in enumerate(self.listing.rows) if on_air and row.id == on_air.airing.item.id), -1)
        old = [
            OldItem(row, "F", "aired" if i < index else "on air" if i == index else "", runs=i <= index)
            for i, row in enumerate(self.listing.rows)
        ]
        until = datetime.fromtimestamp(self._now + 60, UTC)
        before = {row.traffic_id for row in self.listing.rows if row.traffic_id}
        found = difference(old, new, live_until=until)
        self.listing.replace(found.entries)
        self.removed |= before - {row.traffic_id for row in self.listing.rows if row.traffic_id}
        self._clock.replace_playlist(self.listing.told(), "traffic")

    def _append(self, day: date) -> None:
        new = listed(day_list(day), datetime.fromtimestamp(self._now, UTC))
        old = [OldItem(row, "F") for row in self.listing.rows]
        self.listing.replace(difference(old, new, live_until=None, append=True).entries)
        for row in self.listing.rows:
            if row.title.startswith("soft"):
                row.airing = {"fixed_kind": "soft"}
        if self._is_on_air:
            self._clock.replace_playlist(self.listing.told(), "traffic")

    def _disturb(self) -> None:
        """Something happens that happens in a week."""
        clock, end = self._clock, self._now
        match self._random.choice(["", "", "take", "hold", "standby", "breakdown", "skip"]):
            case "take":
                self._command(lambda: clock.take(None, "olga"))
            case "skip":
                self._command(lambda: clock.skip("olga"))
            case "hold":
                self._command(lambda: clock.hold("olga"))
                self._later.append((self._now + 120, lambda: self._command(lambda: self._clock.play("olga"))))
                end += 120
            case "standby":
                self._command(lambda: clock.standby("olga"))
                self._later.append((self._now + 200, lambda: self._command(lambda: self._clock.rejoin("olga"))))
                end += 200
            case "breakdown":
                self._break_down()
                end = self._now
            case _:
                return
        self.disturbed.append((self._now, end + 10))

    def _command(self, command: Callable[[], object]) -> None:
        try:
            command()
        except Refused:
            return
        self.commands += 1
        self._open()

    def _break_down(self) -> None:
        """The playout dies; another begins ``LOST_S`` later with what its last report said."""
        seen, at = self._seen
        frames = (self._now + LOST_S - at) // FRAME_S
        point = advance(self.listing.told(), seen, frames, wall=Wall(at * 10**9, RATE)) or seen
        self._end()
        self._now += LOST_S
        self.lost += LOST_S
        self._start(point)

    def _start(self, point: protocol.ResumePoint | None) -> None:
        self._clock, self._is_on_air = RundownClock(self.listing.told(), RATE, point), True
        self._clock.arm("supervisor")
        self._sources, self._facts, self._run_began = {}, [], self._now
        self._open()
        self._clock.prepare(self._view, self._now * 10**9)
        self._open()

    def _end(self) -> None:
        frames = self._clock.frame
        self._keep(self._clock.stop("test"))
        check_facts(self._facts, frames)
        self.aired += frames * FRAME_S

    def _tick(self) -> None:
        shown = self._clock.tick(self._view, self._now * 10**9)
        if shown.action == "source":
            assert shown.airing is not None
            self._sources[shown.airing.number].taken += 1
        if shown.picture == "item" and shown.airing is not None:
            self._seen = protocol.ResumePoint(shown.airing.item.id, shown.position), self._now
        self._keep(shown.facts)
        self._now += FRAME_S
        self._open()

    def _keep(self, facts: Sequence[Fact]) -> None:
        self._facts += facts
        for fact in facts:
            if fact.airing is None:
                continue
            item = fact.airing.item
            if fact.kind == "item_start":
                self.started.append(Started(item, self._run_began + fact.frame * FRAME_S, fact.cause))
            elif fact.kind == "item_skipped":
                self.skipped[item.traffic_id or ""] = fact.cause

    def _open(self) -> None:
        wanted = self._clock.wanted()
        if self._sources.keys() == {airing.number for airing in wanted}:
            return
        kept = {airing.number: self._sources.get(airing.number) or self._opened(airing) for airing in wanted}
        self._sources = kept

    def _opened(self, airing: Airing) -> _Source:
        fails = self._random.random() < 0.02 and "news" not in airing.item.title
        return _Source(
            self._clock.frame, self._random.choice((0, 0, 0, 1)), self._random.randrange(200) if fails else None
        )

    def _view(self, airing: Airing) -> SourceView:
        source = self._sources.get(airing.number)
        if source is None or self._clock.frame - source.opened < source.opens_after:
            return SourceView(Supply.OPENING)
        if source.fails_at is not None and source.taken >= source.fails_at:
            return SourceView(Supply.FAILED, "planted")
        return SourceView(Supply.READY, frames_ahead=8)
