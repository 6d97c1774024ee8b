"""An arm says where the list begins: the first frame aired is the one asked for, whatever was decoded before."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from sidecar.engine.entrance import PATIENCE_NS
from sidecar.engine.pacing import NS
from sidecar.engine.playout import Entrance, Playout
from sidecar.protocol.channel import AfterLast, ChannelFormat, Item, Output, Playlist, ResumePoint, SidecarDocument
from sidecar.rundown.model import Airing, SourceView, Supply
from tests.fixtures.air import ENCODING, FORMAT, WALL_NS, Facts, NumberedSource, PacedTime, read_numbers, wait_until
from tests.instruments.frame_cells import Seen

FRAMES = 400
FRAME_NS = NS // 25


class LateSource(NumberedSource):
    """Opened, it decodes ``ahead`` frames, of which the first comes ``opens_in`` seconds later."""

    def __init__(self, airing: Airing, channel: ChannelFormat, *, clip: int, opens_in: float, ahead: int) -> None:
        super().__init__(airing, channel, clip=clip, frames=FRAMES)
        self._opens_at = time.monotonic() + opens_in
        self._ahead = ahead

    def view(self) -> SourceView:
        if time.monotonic() < self._opens_at:
            return SourceView(Supply.OPENING)
        view = super().view()
        return SourceView(view.supply, view.error, min(view.frames_ahead, self._ahead))


class Entry:
    """A playout whose list is clips a, b and c, and what it opened."""

    def __init__(
        self,
        folder: Path,
        resume: ResumePoint | None,
        *,
        opens_in: float = 0.0,
        after_last: AfterLast = "loop",
        broken: str = "",
    ) -> None:
        self.folder, self.opens_in, self.broken = folder, opens_in, broken
        self.facts = Facts()
        self.opened: list[tuple[str, int]] = []
        self.time = PacedTime()
        items = tuple(Item(name, name, path=f"/{name}", duration_frames=FRAMES) for name in "abc")
        document = SidecarDocument(
            "c" * 32,
            "Test",
            FORMAT,
            (Output("file", "file", str(folder / "programme.ts")),),
            Playlist(1, items, after_last),
            ENCODING,
            resume,
        )
        self.deaths: list[str] = []
        self.playout = Playout(
            document,
            epoch=1,
            journal=self.facts,  # type: ignore[arg-type]  # what it needs of a journal, without files
            media_root=folder,
            open_source=self._open,
            time=self.time,
            on_death=self.deaths.append,
        )
        self.time.is_ready = self._has_taken_most
        self.playout.start()
        wait_until(lambda: (it := self.playout.status().next) is None or it.ready, 5, "the first item is ready")

    def _open(self, airing: Airing, channel: ChannelFormat) -> NumberedSource:
        self.opened.append((airing.item.id, airing.first_frame))
        if airing.item.id == self.broken:
            raise OSError("it is broken")
        is_first = len(self.opened) == 1
        clip = "abc".index(airing.item.id) + 1
        return LateSource(airing, channel, clip=clip, opens_in=0.0 if is_first else self.opens_in, ahead=20)

    def _has_taken_most(self) -> bool:
        status = self.playout.status()
        return all(status.frame - output.frames_sent < 4 for output in status.outputs if output.id == "file")

    def air(self, entrance: Entrance, frames: int = 12) -> list[tuple[int | None, int | None]]:
        """(clip, frame) of every picture that left."""
        self.playout.arm("tester", entrance).result(60)
        wait_until(lambda: bool(self.deaths) or self.playout.status().frame >= frames, 30, f"frame {frames}")
        assert self.playout.stop("tester", 10)
        assert self.deaths == []
        seen: list[Seen] = []
        with av.open(str(self.folder / "programme.ts")) as container:
            seen = read_numbers(container.decode(video=0))
        return [(one.clip, one.number) for one in seen]

    def began(self) -> tuple[str, int, str]:
        """Item, in point and cause of the first item's start; it is in the first frame."""
        start = self.facts.of("item_start")[0]
        assert start.airing is not None
        assert start.frame == 0
        assert not self.facts.of("filler_start")
        return start.airing.item.id, start.airing.first_frame, start.cause


@pytest.fixture
def entry(tmp_path: Path) -> Iterator[Callable[..., Entry]]:
    made: list[Entry] = []

    def make(resume: ResumePoint | None = None, **options: object) -> Entry:
        made.append(Entry(tmp_path, resume, **options))  # type: ignore[arg-type]  # handed on
        return made[-1]

    yield make
    for one in made:
        one.playout.stop("test's end", 10)


@pytest.mark.parametrize(
    ("began_at", "wanted", "anew"),
    [
        pytest.param(("b", 40), ("b", 40), False, id="as the document said"),
        pytest.param(("b", 40), ("b", 55), False, id="a little ahead, decoded"),
        pytest.param(("b", 40), ("b", 75), False, id="ahead, not decoded yet"),
        pytest.param(("b", 40), ("b", 300), True, id="far ahead"),
        pytest.param(("b", 40), ("b", 20), True, id="behind"),
        pytest.param(("b", 40), ("c", 7), True, id="another item"),
        pytest.param(None, ("a", 9), False, id="not the top"),
    ],
)
def test_the_first_frame_is_the_one_that_the_arm_names(
    entry: Callable[..., Entry], began_at: tuple[str, int] | None, wanted: tuple[str, int], anew: bool
) -> None:
    """P1: no black frame, no frame twice; the as-run says how far into the item it began."""
    one = entry(None if began_at is None else ResumePoint(*began_at), opens_in=0.1)
    seen = one.air(Entrance(ResumePoint(*wanted)))
    clip = "abc".index(wanted[0]) + 1
    assert seen == [(clip, wanted[1] + index) for index in range(len(seen))]
    assert one.began() == (*wanted, "resume")
    following = ("abc"[clip % 3], 0)
    assert one.opened == [began_at or ("a", 0), *([wanted] if anew else []), following]
    assert one.playout.status().frames_late == 0


@pytest.mark.parametrize("away", [0, 17, 30, 200, 390, 1000], ids=lambda frames: f"{frames} frames later")
@pytest.mark.parametrize("opens_in", [0.0, 0.15])
def test_it_joins_with_the_frame_that_is_due_when_it_enters(
    entry: Callable[..., Entry], away: int, opens_in: float
) -> None:
    """P1: against the list's own time, however long the opening takes; frame 0's own due time is what counts."""
    one = entry(ResumePoint("a", 100), opens_in=opens_in)
    at_ns = one.time.wall_ns() - away * FRAME_NS
    seen = one.air(Entrance(ResumePoint("a", 100), at_ns))
    fact, left_at_ns = next(written for written in one.facts.written if written[0].kind == "item_start")
    due = 100 + (left_at_ns - at_ns) * 25 // NS
    index, frame = divmod(due, FRAMES)
    assert fact.frame == 0
    assert due >= 100 + away
    expected = [divmod(index * FRAMES + frame + step, FRAMES) for step in range(len(seen))]
    assert seen == [(round_of % 3 + 1, number) for round_of, number in expected]
    assert one.began() == ("abc"[index % 3], frame, "resume")
    assert one.playout.status().frames_late == 0


def test_an_instant_to_come_is_now(entry: Callable[..., Entry]) -> None:
    """A clock that is behind delays nothing."""
    one = entry(ResumePoint("a", 100))
    seen = one.air(Entrance(ResumePoint("a", 100), WALL_NS + 3600 * NS))
    assert seen[0] == (1, 100)


def test_what_the_list_does_not_have_begins_as_the_document_said(entry: Callable[..., Entry]) -> None:
    one = entry(ResumePoint("b", 40))
    assert one.air(Entrance(ResumePoint("gone", 3)))[0] == (2, 40)


def test_behind_the_end_of_the_last_item_filler_says_why(entry: Callable[..., Entry]) -> None:
    one = entry(ResumePoint("c", 40), after_last="filler")
    one.air(Entrance(ResumePoint("c", FRAMES)))
    assert [fact.detail for fact in one.facts.of("filler_start")] == ["the rundown has ended"]


def test_a_clip_that_cannot_be_opened_is_passed_over_before_the_air_begins(entry: Callable[..., Entry]) -> None:
    """P1."""
    one = entry(ResumePoint("a", 40), broken="b")
    assert one.air(Entrance(ResumePoint("b", 5)))[0] == (3, 0)
    assert [fact.airing.item.id for fact in one.facts.of("item_skipped") if fact.airing] == ["b"]
    assert one.opened.count(("b", 5)) == 1


def test_the_air_waits_for_the_picture_but_not_for_ever(entry: Callable[..., Entry]) -> None:
    """P1: then filler, as at every start."""
    one = entry(ResumePoint("a", 40), opens_in=1e6)
    began_ns = one.time.monotonic_ns()
    one.air(Entrance(ResumePoint("b", 5)), frames=3)
    (filler, at_ns), *_ = [written for written in one.facts.written if written[0].kind == "filler_start"]
    assert filler.frame == 0
    assert filler.detail == "opening b"
    assert PATIENCE_NS <= at_ns - WALL_NS - began_ns < PATIENCE_NS + NS // 2
