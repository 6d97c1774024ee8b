"""The playout through its public door, with real encoders, outputs and decoders; only the clips are made up."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from sidecar.engine.command_queue import MOST_WAITING
from sidecar.engine.playout import CommandQueueFull, Playout
from sidecar.protocol.channel import AfterLast, ChannelFormat, Item, Logo, Look, Output, Playlist, SidecarDocument
from sidecar.protocol.status import LogoStatus
from sidecar.rundown.clock import Done, Refused, RundownClock
from sidecar.rundown.model import Airing
from sidecar.rundown.rate import parse_rate, samples_before
from tests.fixtures.air import ENCODING, FORMAT, Facts, NumberedSource, PacedTime, read_numbers, wait_until
from tests.instruments.frame_cells import Seen
from tests.instruments.udp_receiver import UdpReceiver


class Air:
    """A playout with made-up clips, its facts, and the file its programme goes to."""

    def __init__(
        self,
        folder: Path,
        lengths: dict[str, int],
        *,
        after_last: AfterLast = "filler",
        real_time: bool = False,
        channel: ChannelFormat = FORMAT,
        outputs: tuple[Output, ...] = (),
        lives: bool = True,
        timed: bool = False,
    ) -> None:
        """``timed``: the list says how long its items are."""
        self.folder = folder
        self.opened: dict[str, int] = {}
        """By item the frame before which its source was opened."""
        self.facts = Facts()
        self.sources: list[NumberedSource] = []
        self.lengths = lengths
        self.items = tuple(
            Item(name, name, path=f"/{name}", duration_frames=frames if timed else None)
            for name, frames in lengths.items()
        )
        self.deaths: list[str] = []
        document = SidecarDocument(
            "c" * 32,
            "Test",
            channel,
            (Output("file", "file", str(folder / "programme.ts")), *outputs),
            Playlist(1, self.items, after_last),
            ENCODING,
        )
        self.time = paced = PacedTime()
        self.playout = Playout(
            document,
            epoch=1,
            journal=self.facts,  # type: ignore[arg-type]  # what it needs of a journal, without files
            media_root=folder,
            open_source=self._open,
            time=None if real_time else paced,
            on_death=self.deaths.append if lives else None,
        )
        paced.is_ready = self._has_taken_most

    def _has_taken_most(self) -> bool:
        status = self.playout.status()
        return all(status.frame - output.frames_sent < 4 for output in status.outputs if output.id == "file")

    def _open(self, airing: Airing, channel: ChannelFormat) -> NumberedSource:
        clip = list(self.lengths).index(airing.item.id) + 1
        source = NumberedSource(airing, channel, clip=clip, frames=self.lengths[airing.item.id], level=clip / 10)
        self.sources.append(source)
        self.opened[airing.item.id] = self.playout.status().frame
        return source

    def start(self) -> None:
        self.playout.start()
        wait_until(lambda: self.next_is_ready, 5, "the first item is ready")
        self.playout.arm("tester").result(60)

    @property
    def next_is_ready(self) -> bool:
        coming = self.playout.status().next
        return coming is None or coming.ready

    def play(self, frames: int) -> None:
        wait_until(lambda: bool(self.deaths) or self.playout.status().frame >= frames, 30, f"frame {frames}")
        assert self.deaths == []

    def stop(self) -> None:
        assert self.playout.stop("tester", 10)
        assert self.deaths == []

    def pictures(self) -> list[Seen]:
        with av.open(str(self.folder / "programme.ts")) as container:
            pictures: list[av.VideoFrame] = []
            for packet in container.demux(video=0):
                assert not packet.is_corrupt
                pictures += packet.decode()
        return read_numbers(iter(pictures))

    def sound(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        with av.open(str(self.folder / "programme.ts")) as container:
            return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


@pytest.fixture
def air(tmp_path: Path) -> Iterator[Callable[..., Air]]:
    made: list[Air] = []

    def make(lengths: dict[str, int], **options: object) -> Air:
        made.append(Air(tmp_path, lengths, **options))  # type: ignore[arg-type]  # handed on
        return made[-1]

    yield make
    for one in made:
        one.playout.stop("test's end", 10)


def numbers(seen: list[Seen]) -> list[tuple[int | None, int | None]]:
    return [(one.clip, one.number) for one in seen]


@pytest.mark.parametrize("rate", ["25", "30000/1001"])
def test_every_frame_airs_once_and_in_order_over_many_seams(air: Callable[..., Air], rate: str) -> None:
    lengths = {"a": 7, "b": 12, "c": 10, "d": 1, "e": 31}
    one = air(lengths, after_last="loop", channel=ChannelFormat(320, 180, rate))
    one.start()
    one.play(200)
    one.stop()
    status = one.playout.status()
    round_of_all = [(clip, frame) for clip, length in enumerate(lengths.values(), 1) for frame in range(length)]
    seen = numbers(one.pictures())
    assert seen == (round_of_all * 5)[: len(seen)]
    assert len(seen) == status.frame
    assert status.frames_late == status.frames_skipped == 0
    ends = one.facts.of("item_end")
    assert [end.frames for end in ends[:5]] == list(lengths.values())
    assert all(source.is_closed for source in one.sources)
    last_sample = 1024 + samples_before(status.frame, parse_rate(rate), 48_000) - 1  # 1024 of priming come before
    assert abs(one.sound()[0, last_sample - 1]) > 0.05, "the sound of the last frame is not cut off"


def test_a_take_cuts_at_the_frame_it_answers_with(air: Callable[..., Air]) -> None:
    """P8: the answer comes with the first frame of the new item, within 150 ms."""
    one = air({"a": 2000, "b": 2000}, real_time=True)
    one.start()
    one.play(10)
    wait_until(lambda: one.next_is_ready, 5, "b is ready")
    started = time.monotonic()
    applied = one.playout.command(lambda rundown: rundown.take("b", "op")).result(60)
    took = time.monotonic() - started
    one.play(40)
    one.stop()
    assert applied.item_id == "b"
    assert applied.frame is not None
    assert took < 0.15
    assert applied.took_ms < 150
    seen = numbers(one.pictures())
    assert seen[applied.frame - 1] == (1, applied.frame - 1)
    assert seen[applied.frame] == (2, 0)
    start = one.facts.of("item_start")[-1]
    assert (start.frame, start.cause, start.by) == (applied.frame, "take", "op")


@pytest.mark.parametrize(("length", "after"), [(500, 3), (45, 0)])
def test_what_follows_a_take_is_opened_once_it_was_answered(air: Callable[..., Air], length: int, after: int) -> None:
    """P8: opening takes a core, which whoever took waits for. What is over within 2 s is followed all the same."""
    one = air({"a": 500, "b": length, "c": 500}, timed=True)
    one.start()
    one.play(10)
    wait_until(lambda: one.next_is_ready, 5, "b is ready")
    applied = one.playout.command(lambda rundown: rundown.take("b", "op")).result(60)
    wait_until(lambda: "c" in one.opened, 30, "c is opened")
    one.stop()
    assert applied.frame is not None
    assert one.opened["c"] - (applied.frame + 1) == after


def test_sound_has_no_click_at_a_take_and_is_untouched_at_a_seam(air: Callable[..., Air]) -> None:
    one = air({"a": 20, "b": 2000, "c": 2000})
    one.start()
    one.play(45)
    wait_until(lambda: one.next_is_ready, 5, "c is ready")
    applied = one.playout.command(lambda rundown: rundown.take(None, "op")).result(60)
    one.play(applied.frame + 10)
    one.stop()
    sound = one.sound()[0]
    levels = [sound[round(frame * 1920) + 1400] for frame in (10, 30, applied.frame + 5)]
    assert levels == pytest.approx([0.1, 0.2, 0.3], abs=0.02)
    # Decoded sound begins with the encoder's 1024 samples of priming. The levels meet as a step of 0.1 at the seam,
    # which is the items' own, and as a slope at the take.
    steps = np.abs(np.diff(sound))
    at_seam, at_take = (1024 + frame * 1920 for frame in (20, applied.frame))
    assert steps[at_seam - 200 : at_seam + 200].max() > 0.03
    assert steps[at_take - 200 : at_take + 200].max() < 0.01


def test_a_take_that_a_stop_overtook_was_not_on_air(air: Callable[..., Air]) -> None:
    """P8: an answer tells the frame that showed it, or that none did."""
    one = air({"a": 2000, "b": 2000})
    one.start()
    wait_until(lambda: one.next_is_ready, 5, "b is ready")

    def take_and_stop(rundown: RundownClock) -> Done:
        one.playout._air.stop("op")  # pyright: ignore[reportPrivateUsage]  # in one pass, which cannot be had from outside
        return rundown.take("b", "op")

    answer = one.playout.command(take_and_stop)
    with pytest.raises(Refused) as refusal:
        answer.result(60)
    assert refusal.value.code == "not_armed"
    one.stop()
    assert [start.airing.item.id for start in one.facts.of("item_start")] == ["a"]


def test_a_refusal_is_the_answer(air: Callable[..., Air]) -> None:
    one = air({"a": 2000, "b": 2000})
    one.start()
    wait_until(lambda: one.next_is_ready, 5, "b is ready")
    with pytest.raises(Refused) as refusal:
        one.playout.command(lambda rundown: rundown.take("a", "op")).result(60)
    assert refusal.value.code == "target_changed"


def test_a_defect_in_a_command_is_its_answer_and_nothing_else(air: Callable[..., Air]) -> None:
    one = air({"a": 2000})
    one.start()

    def broken(rundown: RundownClock) -> Done:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError):
        one.playout.command(broken).result(60)
    at = one.playout.status().frame
    one.play(at + 10)
    one.stop()


def test_commands_are_bounded(air: Callable[..., Air]) -> None:
    one = air({"a": 2000})
    for _ in range(MOST_WAITING):
        one.playout.command(lambda rundown: rundown.hold("op"))
    with pytest.raises(CommandQueueFull):
        one.playout.command(lambda rundown: rundown.hold("op"))


def test_frames_that_do_not_come_are_repeats_and_counted(air: Callable[..., Air]) -> None:
    """P1: never silently; then filler with the reason, and the channel goes on."""
    one = air({"a": 2000, "b": 2000})
    one.start()
    one.play(20)
    source = one.sources[0]
    source.is_dry = True
    one.play(one.playout.status().frame + 10)
    source.is_dry = False
    wait_until(lambda: len(one.facts.of("late")) == 1, 5, "the late fact")
    late = one.facts.of("late")[0]
    one.play(late.frame + (late.late or 0) + 10)
    one.stop()
    status = one.playout.status()
    assert status.frames_late == late.late >= 10
    seen = numbers(one.pictures())
    last = late.frame - 1
    assert seen[last : last + late.late + 2] == [(1, last)] * (late.late + 1) + [(1, last + 1)]


def test_a_source_that_breaks_its_promises_costs_its_item_only(air: Callable[..., Air]) -> None:
    one = air({"a": 2000, "b": 2000})
    one.start()
    one.play(10)

    def broken(samples: int) -> None:
        raise RuntimeError("no more")

    one.sources[0].take = broken  # type: ignore[assignment,method-assign]
    wait_until(lambda: (item := one.playout.status().item) is not None and item.item_id == "b", 5, "b airs")
    one.stop()
    end = one.facts.of("item_end")[0]
    assert "no more" in end.detail
    late = one.facts.of("late")
    assert [(fact.cause, fact.frames, fact.late, fact.frame) for fact in late] == [("no data", 1, 1, end.frame - 1)]
    assert end.late == one.playout.status().frames_late == 1


def test_frames_that_left_late_are_caught_up_and_counted(air: Callable[..., Air]) -> None:
    """P1: never silently. A stall of 300 ms makes the seven frames late of which the next was due already."""
    one = air({"a": 2000})
    one.start()
    one.play(20)
    one.time.stall(300_000_000)
    wait_until(lambda: bool(one.facts.of("late")), 5, "the late fact")
    one.stop()
    status = one.playout.status()
    late, end = one.facts.of("late")[0], one.facts.of("item_end")[0]
    assert (late.cause, late.frames, late.late, late.airing) == ("stall", 7, 7, end.airing)
    assert end.late == status.frames_late == 7
    assert status.frames_skipped == 0
    assert numbers(one.pictures()) == [(1, frame) for frame in range(status.frame)]


def test_filler_that_left_late_is_counted_too(air: Callable[..., Air]) -> None:
    """P4: what the status counts, the as-run says."""
    one = air({})
    one.start()
    one.play(5)
    one.time.stall(100_000_000)
    wait_until(lambda: bool(one.facts.of("late")), 5, "the late fact")
    one.stop()
    assert (one.facts.of("late")[0].late, one.facts.of("filler_end")[0].late) == (2, 2)
    assert one.playout.status().frames_late == 2


def test_a_process_that_stood_still_skips_frame_times_and_goes_on_to_time(tmp_path: Path) -> None:
    """P4 and P6: after SIGSTOP the frame count says what left, and the rest are counted as skipped."""
    script = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from tests.contract.test_engine_playout import Air
        one = Air(Path(sys.argv[1]), {"a": 100000}, real_time=True)
        one.start()
        print("on air", flush=True)
        sys.stdin.readline()
        before = one.playout.status().frame
        one.play(before + 25)
        status = one.playout.status()
        one.stop()
        counted = one.playout.status().frames_late - sum(fact.late for fact in one.facts.of("late"))
        print(counted, status.frames_skipped, len(one.pictures()), one.playout.status().frame)
    """)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "on air\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.0)  # the fault itself
        process.send_signal(signal.SIGCONT)
        process.stdin.write("go\n")
        process.stdin.flush()
        untold, skipped, decoded, frames = (int(word) for word in process.stdout.readline().split())
    assert process.returncode == 0
    assert 45 <= skipped <= 60
    assert untold == 0
    assert decoded == frames


def test_muted_there_is_no_output_and_arming_starts_frame_0_at_once(air: Callable[..., Air], tmp_path: Path) -> None:
    """P2: nothing leaves a sidecar that was not armed."""
    one = air({"a": 2000}, outputs=(Output("hls", "hls"),))
    one.playout.start()
    wait_until(lambda: one.next_is_ready and one.playout.status().next is not None, 5, "a is ready")
    status = one.playout.status()
    assert (status.state, status.frame, status.item) == ("muted", 0, None)
    assert list(tmp_path.iterdir()) == []
    with Image.open(io.BytesIO(one.playout.thumbnail())) as image:
        assert image.size == (192, 108)
        first_of_a = np.asarray(image.convert("L"), dtype=np.int16)
    assert one.sources[0].position == 0
    applied = one.playout.arm("op").result(60)
    assert applied.frame == 0
    assert applied.took_ms < 100
    one.play(60)
    one.stop()
    assert numbers(one.pictures())[0] == (1, 0)
    assert abs(int(first_of_a.mean()) - 90) < 25
    assert one.facts.of("on_air")[0].by == "op"
    with pytest.raises(RuntimeError):
        one.playout.arm("op")


def test_stopping_while_muted_leaves_nothing_behind(air: Callable[..., Air], tmp_path: Path) -> None:
    one = air({"a": 2000})
    one.playout.start()
    wait_until(lambda: bool(one.sources), 5, "a is open")
    one.stop()
    assert all(source.is_closed for source in one.sources)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_rundown_shows_the_slate_and_the_status_says_why(air: Callable[..., Air]) -> None:
    """P1."""
    one = air({})
    one.start()
    one.play(30)
    status = one.playout.status()
    one.stop()
    assert (status.picture, status.state) == ("filler", "on_air")
    assert "empty" in status.reason
    seen = one.pictures()
    assert len(seen) >= 30
    assert not any(one_seen.clip for one_seen in seen)
    assert np.abs(one.sound()).max() < 1e-4


def test_udp_leaves_whole_and_the_preview_is_there(air: Callable[..., Air], tmp_path: Path) -> None:
    with UdpReceiver() as receiver:
        one = air({"a": 2000}, outputs=(Output("udp", "udp", receiver.url), Output("hls", "hls")))
        one.start()
        one.play(100)
        one.stop()
        sent = {output.id: output for output in one.playout.status().outputs}
        wait_until(lambda: len(receiver.reception.data()) == sent["udp"].bytes_sent, 5, "all datagrams")
    assert numbers(read_numbers(receiver.reception.pictures())) == [
        (1, frame) for frame in range(sent["udp"].frames_sent)
    ]
    assert receiver.reception.continuity_errors() == 0
    assert all(len(datagram) <= 1316 for datagram in receiver.reception.datagrams)
    live = tmp_path / "live" / ("c" * 32)
    assert sent["preview"].role == "preview"
    assert sent["preview"].segments >= 10
    with av.open(str(live / "preview" / "1.m3u8")) as container:
        small = next(container.decode(video=0))
        assert (small.width, small.height) == (320, 180)
    with av.open(str(live / "1.m3u8")) as container:
        assert [seen.clip for seen in read_numbers(container.decode(video=0))].count(
            1
        ) > 50  # five whole segments of the window and the last


@pytest.mark.parametrize("part", ["encoder", "playout"])
@pytest.mark.parametrize("log", ["log", "full log disk"])
def test_a_vital_thread_that_dies_ends_the_process_with_a_reason(tmp_path: Path, part: str, log: str) -> None:
    """P1: the supervisor sees an exit and starts anew; nothing is dark in silence, whether or not it can be told."""
    told = tmp_path / "log" if log == "log" else Path("/dev/full")
    script = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        import sidecar.engine.playout_thread as playout_thread
        import sidecar.engine.encoder as encoder
        import tests.contract.test_engine_playout as here
        def broken(*arguments, **named):
            raise MemoryError("none left")
        if "{part}" == "encoder":
            encoder.SoundEncoder.encode = broken
        else:
            playout_thread.PlayoutThread._tick = broken
        one = here.Air(Path(sys.argv[1]), {{"a": 100000}}, real_time=True, lives=False)
        one.playout.start()
        one.playout.arm("op")
        time.sleep(20)
    """)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with told.open("w") as stderr:
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], stderr=stderr, env=environment, timeout=30, check=False
        )
    assert done.returncode == 70
    if log == "log":
        assert f"playout ends: the {part} thread died: MemoryError: none left" in told.read_text()


def test_a_logo_stays_on_until_another_is_read(air: Callable[..., Air], tmp_path: Path) -> None:
    one = air({"a": 10_000})
    png = tmp_path / "logo.png"
    Image.new("RGBA", (20, 20), "white").save(png)
    one.start()
    one.playout.replace_look(Look(Logo(str(png))))

    def shown() -> bool:
        said = one.playout.status().logo
        return said is not None and said.shown and not said.fault

    wait_until(shown, 20, "the logo")
    for logo in (Logo(str(png), x=10), Logo(str(png), x=10, opacity=50)):
        one.playout.replace_look(Look(logo))
        assert one.playout.status().logo == LogoStatus(shown=True)
    one.playout.replace_look(Look(Logo(str(tmp_path / "none.png"))))
    wait_until(lambda: bool((said := one.playout.status().logo) and said.fault), 20, "why it is not read")
    said = one.playout.status().logo
    assert said is not None
    assert said.shown
    assert said.fault.endswith("the one before stays on")
    one.playout.replace_look(Look())
    assert one.playout.status().logo is None
