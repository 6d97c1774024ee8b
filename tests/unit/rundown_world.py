"""A world for the rundown clock: media that open late, run dry, break off or never come, and a judge of every frame."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from sidecar.protocol.channel import Item, Playlist, ResumePoint
from sidecar.rundown.clock import Done, RundownClock
from sidecar.rundown.model import Airing, Fact, Shown, SourceView, Supply
from sidecar.rundown.rate import due_ns

RATE = Fraction(25)


@dataclass(frozen=True)
class Media:
    """``opens_after`` None: never. ``frames`` None: endless. Frame numbers count from where the airing began."""

    opens_after: int | None = 0
    frames: int | None = None
    fails_at: int | None = None
    dry_at: int | None = None
    dry_for: int = 0


@dataclass
class _Source:
    media: Media
    opened_at: int
    taken: int = 0
    dry_since: int | None = None

    def view(self, now: int) -> SourceView:
        media = self.media
        if media.opens_after is None or now - self.opened_at < media.opens_after:
            return SourceView(Supply.OPENING)
        if media.fails_at is not None and self.taken >= media.fails_at:
            return SourceView(Supply.FAILED, "planted")
        if media.frames is not None and self.taken >= media.frames:
            return SourceView(Supply.ENDED)
        if media.dry_at == self.taken:
            self.dry_since = now if self.dry_since is None else self.dry_since
            if now - self.dry_since < media.dry_for:
                return SourceView(Supply.DRY)
        return SourceView(Supply.READY, frames_ahead=8)


@dataclass
class World:
    """Runs a clock frame by frame, takes the frames it asks for, and holds every frame to the rules."""

    playlist: Playlist
    media: Callable[[Item], Media] = field(default=lambda _item: Media())
    rate: Fraction = RATE
    resume: ResumePoint | None = None
    wall_ns: int | None = None
    """When frame 0 is due, UTC; None: there is no time of day."""
    skipped: int = 0
    """Frame times that were passed over."""

    def __post_init__(self) -> None:
        self.clock = RundownClock(self.playlist, self.rate, self.resume)
        self.shown: list[Shown] = []
        self.facts: list[Fact] = []
        self.opened: dict[int, _Source] = {}
        self.open_all()

    def open_all(self) -> None:
        wanted = {airing.number: airing for airing in self.clock.wanted()}
        assert len(wanted) <= 10
        for number in set(self.opened) - set(wanted):
            del self.opened[number]
        for number, airing in wanted.items():
            assert airing.item.kind != "slate"
            if number not in self.opened:
                self.opened[number] = _Source(self.media(airing.item), self.clock.frame)

    def sources(self, airing: Airing) -> SourceView:
        source = self.opened.get(airing.number)
        return source.view(self.clock.frame) if source else SourceView(Supply.OPENING)

    def tick(self) -> Shown:
        now = len(self.shown)
        assert self.clock.frame == now
        shown = self.clock.tick(self.sources, self.wall(now))
        assert shown.frame == now
        self._judge(shown)
        if shown.action == "source":
            assert shown.airing is not None
            source = self.opened[shown.airing.number]
            assert source.view(now).supply is Supply.READY
            if shown.airing.item.kind != "live":  # its time passes whether or not it gives a picture
                assert shown.position == shown.airing.first_frame + source.taken
            source.taken += 1
        self.shown.append(shown)
        self.facts += shown.facts
        assert self.clock.since == began(self.facts)
        self.open_all()
        return shown

    def wall(self, frame: int) -> int | None:
        return None if self.wall_ns is None else self.wall_ns + due_ns(frame + self.skipped, self.rate)

    def run(self, frames: int) -> "World":
        for _ in range(frames):
            self.tick()
        return self

    def until(self, condition: Callable[[Shown], bool], within: int = 1000) -> Shown:
        for _ in range(within):
            shown = self.tick()
            if condition(shown):
                return shown
        raise AssertionError(f"not within {within} frames; last {self.shown[-1]}")

    def do(self, command: Callable[[RundownClock], Done]) -> Done:
        done = command(self.clock)
        self.open_all()
        return done

    def stop(self) -> list[Fact]:
        self.facts += self.clock.stop("test")
        check_facts(self.facts, len(self.shown))
        return self.facts

    def titles(self) -> list[str]:
        """What aired, a run of equal frames as one."""
        told: list[str] = []
        for shown in self.shown:
            name = shown.airing.item.id if shown.picture == "item" and shown.airing else shown.picture
            if not told or told[-1] != name:
                told.append(name)
        return told

    def of(self, *kinds: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind in kinds]

    def _judge(self, shown: Shown) -> None:
        match shown.picture:
            case "filler" | "standby":
                assert (shown.action == "source") == (shown.airing is not None)
                assert shown.reason
            case "hold" | "freeze":
                assert shown.action in ("repeat", "slate")
                assert shown.airing is not None
                assert shown.reason
                assert not shown.late
            case "item":
                assert shown.airing is not None
                assert not shown.reason
                assert shown.late == (shown.action == "repeat")
        if shown.action == "repeat":
            assert self.shown, "there is no picture to repeat before the first"
            assert self.shown[-1].action in ("source", "repeat") or self.shown[-1].airing is not None
        if shown.action != "source":
            assert shown.silent


def began(facts: list[Fact]) -> int:
    """The frame of the fact that began what is on the output."""
    begins = ("item_start", "filler_start", "live_lost")
    causes = (("freeze_start", "hold"), ("live_back", "live back"))
    return next(it.frame for it in reversed(facts) if it.kind in begins or (it.kind, it.cause) in causes)


def check_facts(facts: list[Fact], aired: int) -> None:
    """Starts and ends nest, every frame is inside exactly one of item, filler and held picture, and counts add up."""
    open_item: Fact | None = None
    open_filler: Fact | None = None
    freezes: list[Fact] = []
    covered = 0
    late = 0
    seen_late = 0
    numbers: set[int] = set()
    for fact in facts:
        match fact.kind:
            case "item_start":
                assert open_item is None
                assert open_filler is None
                assert not freezes
                assert fact.frame == covered
                assert fact.airing is not None
                assert fact.airing.number not in numbers
                assert fact.cause
                numbers.add(fact.airing.number)
                open_item = fact
                late = 0
            case "item_end":
                assert open_item is not None
                assert fact.airing == open_item.airing
                assert not freezes
                assert fact.frames == fact.frame - open_item.frame
                assert fact.late == late
                assert fact.cause
                covered += fact.frames
                open_item = None
            case "late":
                assert open_item is not None
                assert fact.frames is not None
                late += fact.frames
                seen_late += fact.frames
            case "filler_start":
                assert open_item is None
                assert open_filler is None
                assert not freezes
                assert fact.frame == covered
                open_filler = fact
            case "filler_end":
                assert open_filler is not None
                assert fact.frames == fact.frame - open_filler.frame
                covered += fact.frames
                open_filler = None
            case "freeze_start":
                assert not freezes
                assert (fact.cause == "hold") == (open_item is None)
                freezes.append(fact)
            case "freeze_end":
                start = freezes.pop()
                assert fact.frames == fact.frame - start.frame
                if start.cause == "hold":
                    assert start.frame == covered
                    covered += fact.frames
            case "live_lost" | "live_back":
                assert open_item is not None
                assert fact.airing == open_item.airing
            case _:
                assert fact.kind in ("on_air", "command", "item_skipped", "decision")
    assert open_item is None
    assert open_filler is None
    assert not freezes
    assert covered == aired


def clip(name: str, frames: int | None = 10, *, start: str = "follow", kind: str = "clip") -> Item:
    return Item(
        id=name, title=name, kind=kind, path=f"/{name}.mp4", duration_frames=frames, start_mode=start,  # type: ignore[arg-type]  # drawn as text
    )  # fmt: skip


def rundown(*items: Item, after: str = "filler", revision: int = 1) -> Playlist:
    return Playlist(revision, items, after)  # type: ignore[arg-type]  # drawn as text
