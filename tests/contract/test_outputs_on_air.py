"""Outputs that come and go while the channel is on air, and outputs that encode for themselves: nobody else notices."""

import os
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from sidecar.engine.playout import Playout
from sidecar.protocol.channel import ChannelFormat, Encoding, Item, Output, Playlist, SidecarDocument, TransportStream
from sidecar.protocol.outputs import outputs_digest
from sidecar.protocol.status import OutputStatus
from sidecar.rundown.model import Airing
from tests.fixtures.air import ENCODING, FORMAT, Facts, NumberedSource, read_numbers, wait_until
from tests.instruments.frame_account import NumberedClip, account
from tests.instruments.frame_cells import Seen
from tests.instruments.udp_receiver import UdpReceiver

CLIP = NumberedClip(Fraction(25), 40)
STEADY = "steady"


class OnAir:
    """A playout in real time with one clip in a loop, and outputs that are changed."""

    def __init__(self, folder: Path, *outputs: Output) -> None:
        self.folder = folder
        self.deaths: list[str] = []
        items = (Item("a", "a", path="/a"), Item("b", "b", path="/b"))
        document = SidecarDocument("c" * 32, "Test", FORMAT, outputs, Playlist(1, items, "loop"), ENCODING)
        self.playout = Playout(
            document,
            epoch=1,
            journal=Facts(),  # type: ignore[arg-type]  # what it needs of a journal, without files
            media_root=folder,
            open_source=self._open,
            on_death=self.deaths.append,
        )

    def _open(self, airing: Airing, channel: ChannelFormat) -> NumberedSource:
        return NumberedSource(airing, channel, clip=1 + (airing.item.id == "b"), frames=CLIP.frames)

    def start(self) -> None:
        self.playout.start()
        wait_until(lambda: (coming := self.playout.status().next) is not None and coming.ready, 10, "the first item")
        self.playout.arm("tester").result(60)

    def play(self, frames: int) -> None:
        until = self.playout.status().frame + frames
        wait_until(lambda: self.playout.status().frame >= until, 30, f"frame {until}")
        assert self.deaths == []

    def output(self, name: str) -> OutputStatus:
        return next(one for one in self.playout.status().outputs if one.id == name)


@pytest.fixture
def airs(tmp_path: Path) -> Iterator[list[OnAir]]:
    made: list[OnAir] = []
    yield made
    for one in made:
        one.playout.stop("test's end", 10)


def seen_in(path: Path) -> list[Seen]:
    pictures: list[av.VideoFrame] = []
    with av.open(str(path)) as container:
        pictures += container.decode(video=0)
    return read_numbers(iter(pictures))


def keyframe_times(path: Path) -> list[Fraction]:
    times: list[Fraction] = []
    with av.open(str(path)) as container:
        packets = (packet for packet in container.demux(video=0) if packet.is_keyframe and packet.pts is not None)
        times += [packet.pts * packet.time_base for packet in packets if packet.pts is not None]
    return times


@pytest.mark.long
def test_no_other_output_notices_that_one_is_added_and_one_is_taken_away(airs: list[OnAir], tmp_path: Path) -> None:
    """By the account of every frame at a receiver that stays, and of its continuity counters."""
    with UdpReceiver() as steady, UdpReceiver() as other:
        first = Output(STEADY, "udp", steady.url)
        second = Output("other", "udp", other.url)
        recording = Output("recording", "file", "file:part.ts")
        fifo = tmp_path / "stuck"
        os.mkfifo(fifo)
        stuck = Output("stuck", "file", str(fifo))
        own = Output("own", "file", "file:own.ts", encoding=Encoding("ultrafast", video_bit_rate=300_000, gop_ms=800))
        one = OnAir(tmp_path, first)
        airs.append(one)
        one.start()
        one.play(20)
        for outputs in (
            (first, second),
            (first, second, recording, stuck),
            (first, recording, own, stuck),
            (first, own),
            (first,),
            (second, first),
            (first,),
        ):
            one.playout.replace_outputs(outputs)
            assert one.playout.status().outputs_digest == outputs_digest(outputs)
            shown = [status.id for status in one.playout.status().outputs if status.role == "programme"]
            assert shown == [output.id for output in outputs]
            one.play(25)
        sent = one.output(STEADY)
        assert (sent.state, sent.frames_dropped) == ("up", 0)
        one.playout.stop("tester", 2)  # the one that is stuck does not end
        wait_until(lambda: steady.reception.continuity_errors() == 0, 5, "all datagrams")
    assert steady.reception.continuity_errors() == 0
    seen = read_numbers(steady.reception.pictures())
    result = account(seen, {1: CLIP, 2: CLIP}, Fraction(25))
    assert result.clean, result.faults
    assert result.frames >= 190
    assert result.seams >= 4
    recorded = tmp_path / "recordings" / ("c" * 32)
    for name in ("part.ts", "own.ts"):
        pictures = seen_in(recorded / name)
        assert len(pictures) >= 40
        assert account(pictures, {1: CLIP, 2: CLIP}, Fraction(25)).clean


def test_an_output_that_encodes_for_itself_has_its_own_rate_and_groups(airs: list[OnAir], tmp_path: Path) -> None:
    own = Output("own", "file", "file:own.ts", encoding=Encoding("ultrafast", video_bit_rate=150_000, gop_ms=1000))
    shared = Output("shared", "file", "file:shared.ts")
    one = OnAir(tmp_path, shared, own)
    airs.append(one)
    one.start()
    one.play(90)
    assert one.playout.stop("tester", 10)
    found: dict[str, tuple[list[int | None], list[Fraction]]] = {}
    for name in ("own", "shared"):
        path = tmp_path / "recordings" / ("c" * 32) / f"{name}.ts"
        numbers = [one.number for one in seen_in(path)]
        found[name] = (numbers, keyframe_times(path))
    assert found["own"][0] == found["shared"][0]
    assert {b - a for a, b in zip(found["own"][1], found["own"][1][1:], strict=False)} == {Fraction(1)}
    assert {b - a for a, b in zip(found["shared"][1], found["shared"][1][1:], strict=False)} == {Fraction(2, 5)}
    assert found["own"][1][0] == found["shared"][1][0], "the same frame has the same time in both"


def test_what_an_output_adds_to_a_frames_time_is_measured(airs: list[OnAir], tmp_path: Path) -> None:
    """A picture is in no public segment before that is whole, and the first of it has waited for its whole length."""
    one = OnAir(tmp_path, Output("hls", "hls"), Output("recording", "file", "file:part.ts"))
    airs.append(one)
    one.start()
    wait_until(lambda: one.output("hls").delay_ms is not None, 20, "a measured segment")
    wait_until(lambda: one.output("recording").delay_ms is not None, 20, "a measured picture")
    hls, recording = one.output("hls").delay_ms, one.output("recording").delay_ms
    assert hls is not None
    assert recording is not None
    assert hls >= 400
    assert recording >= 0


def test_hls_that_was_ended_on_air_does_not_begin_anew_under_its_players(airs: list[OnAir], tmp_path: Path) -> None:
    hls, recording = Output("hls", "hls"), Output("recording", "file", "file:part.ts")
    one = OnAir(tmp_path, hls, recording)
    airs.append(one)
    one.start()
    one.play(30)
    one.playout.replace_outputs((recording,))
    playlist = tmp_path / "live" / ("c" * 32) / "1.m3u8"
    wait_until(lambda: "#EXT-X-ENDLIST" in playlist.read_text(), 10, "the end of the programme's list")
    ended = playlist.read_text()
    one.playout.replace_outputs((Output("again", "hls"), recording))
    wait_until(lambda: one.output("again").state == "down", 10, "the reason")
    assert "comes back at the channel's next start" in one.output("again").detail
    assert playlist.read_text() == ended
    assert one.output("recording").state == "up"


def test_hls_that_is_changed_on_air_plays_on_until_the_next_start(airs: list[OnAir], tmp_path: Path) -> None:
    one = OnAir(tmp_path, Output("hls", "hls"))
    airs.append(one)
    one.start()
    one.play(30)
    changed = (Output("hls", "hls", encoding=Encoding(video_bit_rate=300_000)),)
    assert "1 to be changed at the next start" in one.playout.replace_outputs(changed)
    assert one.playout.status().outputs_digest == outputs_digest(changed)
    segments = one.output("hls").segments
    wait_until(lambda: one.output("hls").segments > segments, 20, "another segment")
    assert (one.output("hls").state, one.output("hls").frames_dropped) == ("up", 0)
    assert "holds from the channel's next start" in one.output("hls").detail
    one.playout.replace_outputs((Output("new", "hls"),))
    segments = one.output("new").segments
    wait_until(lambda: one.output("new").segments > segments, 20, "another segment")
    assert (one.output("new").state, one.output("new").detail) == ("up", "")
    assert "#EXT-X-ENDLIST" not in (tmp_path / "live" / ("c" * 32) / "1.m3u8").read_text()


def test_an_output_that_is_changed_opens_when_the_one_before_it_has_ended(airs: list[OnAir], tmp_path: Path) -> None:
    """Never two at one file, group or key; here the one before hangs in its opening."""
    fifo = tmp_path / "slow"
    os.mkfifo(fifo)
    before = Output("one", "file", str(fifo))
    after = Output("one", "file", str(fifo), transport=TransportStream(service_id=2))
    one = OnAir(tmp_path, before)
    airs.append(one)
    one.start()
    one.play(20)
    one.playout.replace_outputs((after,))
    one.play(10)
    assert one.output("one").state == "starting"
    assert one.output("one").detail == "waits until what was there before it has ended"
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            with fifo.open("rb") as file:
                while file.read(65536):
                    pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    wait_until(lambda: one.output("one").state == "up", 20, "the one that waited")
    assert one.output("one").detail == ""
    ended.set()
    assert one.playout.stop("tester", 10)
